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
    UNIQUE (name, version)
) STRICT;

CREATE TABLE executions (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    workflow INTEGER NOT NULL REFERENCES workflows (id),
    phase INTEGER NOT NULL,
    launched INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    who TEXT NOT NULL,
    project TEXT NOT NULL,
    domain TEXT NOT NULL
) STRICT;

CREATE INDEX executions_active ON executions (key) WHERE phase <= 1;

CREATE TABLE history (
    place INTEGER PRIMARY KEY,
    key INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX history_by_key ON history (key, seq);

CREATE TABLE waits (
    key INTEGER NOT NULL,
    node TEXT NOT NULL,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    opened INTEGER NOT NULL,
    due INTEGER NOT NULL,
    PRIMARY KEY (key, node)
) STRICT, WITHOUT ROWID;

CREATE INDEX waits_by_due ON waits (kind, due, opened, key, node);

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

CREATE TABLE logins (
    hash BLOB PRIMARY KEY,
    token TEXT NOT NULL REFERENCES tokens (id),
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX logins_by_expiry ON logins (expires);
