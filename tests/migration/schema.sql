-- The schema, as all migrations together leave it: what `sqlite_schema` says, in the order of creation.

CREATE TABLE graphs (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    body BLOB NOT NULL
) STRICT;

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

CREATE TABLE history (
    position INTEGER PRIMARY KEY,
    key INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

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

CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    project TEXT NOT NULL,
    domain TEXT NOT NULL,
    workflow TEXT NOT NULL,
    UNIQUE (project, domain, workflow)
) STRICT;

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

CREATE INDEX executions_by_launch ON executions (launched);

CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE marks (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE waits_late (
    key INTEGER PRIMARY KEY
) STRICT;

CREATE VIRTUAL TABLE waits_text USING fts5 (
    text, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1'
);

CREATE VIRTUAL TABLE executions_text USING fts5 (
    text, content = '', detail = none, columnsize = 0, tokenize = 'trigram case_sensitive 1'
);

CREATE TABLE held (
    key INTEGER NOT NULL,
    node TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    code TEXT NOT NULL,
    why TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (key, node)
) STRICT;

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

CREATE INDEX audit_of_refusals ON audit (at) WHERE kind = 'refused';

CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
BEGIN
    SELECT raise(ABORT, 'the audit is append-only');
END;

CREATE TRIGGER audit_never_shrinks BEFORE DELETE ON audit
BEGIN
    SELECT raise(ABORT, 'the audit is append-only');
END;

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

CREATE INDEX waits_by_kind ON waits (kind, order_key);

CREATE INDEX waits_by_series ON waits (series, kind, order_key);

CREATE INDEX waits_by_due ON waits (due) WHERE due IS NOT NULL;

CREATE INDEX executions_by_part ON executions (part, series, key);
