-- A store of schema 10, dumped: as that of schema 9, with how executions ended.

CREATE TABLE graphs (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    body BLOB NOT NULL
) STRICT;
INSERT INTO graphs VALUES(1,X'C4133DF3839E34CFFE18C6A1890C966054B25D0689AA1E6166A38E402A31A4E0',X'6772617068206F6E65');
INSERT INTO graphs VALUES(2,X'8A4F9383CC2C6126E6B6B738225C66C403D421FEAFCA4F19EDEA9BB8EDBC3221',X'67726170682074776F');

CREATE TABLE workflows (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    graph INTEGER NOT NULL REFERENCES graphs (id),
    bundle TEXT NOT NULL,
    module TEXT NOT NULL,
    registered INTEGER NOT NULL,
    recorded TEXT NOT NULL DEFAULT '',
    UNIQUE (name, version)
) STRICT;
INSERT INTO workflows VALUES(1,'report','v1',1,'b1','report.py',1800000000000000,'');
INSERT INTO workflows VALUES(2,'report','v2',2,'b2','report.py',1800000000000005,'c1');

CREATE TABLE history (
    position INTEGER PRIMARY KEY,
    key INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
INSERT INTO history VALUES(1,1,1,X'6F6E65');
INSERT INTO history VALUES(2,1,2,X'74776F');
INSERT INTO history VALUES(3,2,1,X'6F6E65');
INSERT INTO history VALUES(4,3,1,X'6F6E65');
INSERT INTO history VALUES(5,3,2,X'00FF');
INSERT INTO history VALUES(6,4,1,X'6F6E65');
CREATE UNIQUE INDEX history_by_key ON history (key, seq);

CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    grants TEXT NOT NULL,
    creator TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER,
    revoked INTEGER,
    used INTEGER
) STRICT;
INSERT INTO tokens VALUES('0a1b2c3d','admin',X'11','[["admin","*","*"]]','local',1800000000000000,NULL,NULL,NULL);
INSERT INTO tokens VALUES('4e5f6a7b','ada',X'22','[["viewer","*","*"],["approver","flow","*"]]','admin',1800000000000001,1800000000000090,1800000000000050,1800000000000040);

CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    project TEXT NOT NULL,
    domain TEXT NOT NULL,
    workflow TEXT NOT NULL,
    UNIQUE (project, domain, workflow)
) STRICT;
INSERT INTO series VALUES(1,'flow','dev','report');
INSERT INTO series VALUES(2,'','','report');

CREATE TABLE "executions" (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    workflow INTEGER NOT NULL REFERENCES workflows (id),
    series INTEGER NOT NULL REFERENCES series (id),
    phase INTEGER NOT NULL,
    launched INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    who TEXT NOT NULL
, part INTEGER NOT NULL DEFAULT 0, ending BLOB) STRICT;
INSERT INTO executions VALUES(1,'ended',1,1,3,1800000000000000,1800000000000000,'ada',3,NULL);
INSERT INTO executions VALUES(2,'waits-for-title',1,2,2,1800000000000001,1800000000000001,'local',2,NULL);
INSERT INTO executions VALUES(3,'waits-for-review',2,2,2,1800000000000002,1800000000000002,'local',2,NULL);
INSERT INTO executions VALUES(4,'sleeps',2,2,1,1800000000000003,1800000000000003,'local',1,NULL);
CREATE INDEX executions_by_part ON executions (part, series, key);
CREATE INDEX executions_by_launch ON executions (launched);

CREATE TABLE waits (
    key INTEGER NOT NULL,
    node TEXT NOT NULL,
    kind INTEGER NOT NULL,
    order_key BLOB NOT NULL,
    series INTEGER NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    opened INTEGER NOT NULL,
    due INTEGER,
    handle TEXT NOT NULL,
    form INTEGER NOT NULL,
    digest BLOB NOT NULL,
    title_key BLOB NOT NULL,
    figures TEXT NOT NULL,
    search TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (key, node)
) STRICT, WITHOUT ROWID;
INSERT INTO waits VALUES(2,'n1',1,X'FF01026E303131',2,'title','title',1800000000000002,NULL,'',0,X'',X'7469746C65','{}','title',X'80');
INSERT INTO waits VALUES(3,'n2',2,X'400665172898800001036E303132',2,'review','review',1800000000000003,1800000000000090,'',0,X'',X'726576696577','{}','review',X'80');
INSERT INTO waits VALUES(4,'n0',0,X'400665172898800001046E303130',2,'nap','n0',1800000000000004,1800000000000060,'',0,X'',X'6E6170','{}','nap',X'80');
INSERT INTO waits VALUES(4,'n3',3,X'400665172898800001046E303133',2,'fetch','n3',1800000000000005,1800000000000070,'',0,X'',X'6665746368','{}','fetch',X'80');
CREATE INDEX waits_by_kind ON waits (kind, order_key);
CREATE INDEX waits_by_series ON waits (series, kind, order_key);
CREATE INDEX waits_by_due ON waits (due) WHERE due IS NOT NULL;

CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters VALUES('phase:1',1);
INSERT INTO counters VALUES('phase:2',2);
INSERT INTO counters VALUES('phase:3',1);
INSERT INTO counters VALUES('wait:approve',1);
INSERT INTO counters VALUES('wait:input',1);
INSERT INTO counters VALUES('wait:retry',1);
INSERT INTO counters VALUES('wait:sleep',1);

CREATE TABLE marks (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO marks VALUES('executions_text',0);
INSERT INTO marks VALUES('waits_swept',0);
INSERT INTO marks VALUES('waits_text',0);

CREATE TABLE waits_late (
    key INTEGER PRIMARY KEY
) STRICT;

CREATE VIRTUAL TABLE waits_text USING fts5 (
    text, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1'
);
INSERT INTO waits_text (waits_text, rank) VALUES ('automerge', 0);

CREATE VIRTUAL TABLE executions_text USING fts5 (
    text, content = '', detail = none, columnsize = 0, tokenize = 'trigram case_sensitive 1'
);
INSERT INTO executions_text (executions_text, rank) VALUES ('automerge', 0);

CREATE TABLE held (
    key INTEGER NOT NULL,
    node TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    code TEXT NOT NULL,
    why TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (key, node)
) STRICT;
INSERT INTO held VALUES(4,'n1',1,'missing','module x is gone',1800000000000007);

CREATE TABLE sessions (
    hash BLOB PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    token TEXT REFERENCES tokens (id),
    agent TEXT NOT NULL,
    created INTEGER NOT NULL,
    used INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO sessions VALUES(X'33','a1b2c3d4e5f6','admin','0a1b2c3d','',1800000000000002,1800000000000002,1800000000000080);
INSERT INTO sessions VALUES(X'44','0f1e2d3c4b5a','ada','4e5f6a7b','',1800000000000003,1800000000000003,1800000000000070);

CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    who TEXT NOT NULL,
    credential TEXT NOT NULL,
    via TEXT NOT NULL,
    address TEXT NOT NULL,
    execution TEXT NOT NULL,
    about TEXT NOT NULL,
    outcome TEXT NOT NULL,
    shown TEXT NOT NULL,
    count INTEGER NOT NULL
) STRICT;
INSERT INTO audit VALUES(1,1800000000000050,'token_revoked','local','user:0','cli','','','ada (4e5f6a7b)','','',1);
CREATE INDEX audit_of_refusals ON audit (at) WHERE kind = 'refused';
CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
BEGIN
    SELECT raise(ABORT, 'the audit is append-only');
END;
CREATE TRIGGER audit_never_shrinks BEFORE DELETE ON audit
BEGIN
    SELECT raise(ABORT, 'the audit is append-only');
END;

pragma user_version=10;
pragma application_id=1416193125;
