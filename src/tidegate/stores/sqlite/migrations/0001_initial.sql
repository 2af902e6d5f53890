-- The whole store. Instants are microseconds since 1970, UTC; phases are the numbers of ExecutionPhase.

-- "Tide" in ASCII: by it a database of ours is told from any other.
PRAGMA application_id = 1416193125;

-- Versions of a workflow mostly differ in their code, not in their graph: equal graphs are kept once.
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

-- QUEUED and RUNNING only: a hundred thousand waiting executions are not in it, so a store opens at once.
CREATE INDEX executions_active ON executions (key) WHERE phase <= 1;

-- Append-only, in the order of commits: a group of 500 events of 500 executions fills 15 pages
-- instead of touching 500. The bodies stay out of the index, so it is small and stays in memory.
CREATE TABLE history (
    place INTEGER PRIMARY KEY,
    key INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX history_by_key ON history (key, seq);

-- Open waits only; a row goes when its node waits no more.
-- kind: 0 sleep, 1 input, 2 approve, 3 retry. due: 2**62 if there is no end to it.
CREATE TABLE waits (
    key INTEGER NOT NULL,
    node TEXT NOT NULL,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    opened INTEGER NOT NULL,
    due INTEGER NOT NULL,
    PRIMARY KEY (key, node)
) STRICT, WITHOUT ROWID;

-- One index for the timers and for the inbox: both ask for the soonest due of some of the four kinds.
CREATE INDEX waits_by_due ON waits (kind, due, opened, key, node);
