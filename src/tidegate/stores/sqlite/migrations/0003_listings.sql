-- What lists show becomes rows of its own: no list reads history, and none scans a table.
-- The rows of `waits` are written anew from the history afterwards, page by page (`rebuild` in `marks`): see `upgrade.py`.

ALTER TABLE history RENAME COLUMN place TO position;

-- What executions have in common that lists are narrowed by. Few; never deleted.
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    project TEXT NOT NULL,
    domain TEXT NOT NULL,
    workflow TEXT NOT NULL,
    UNIQUE (project, domain, workflow)
) STRICT;

INSERT INTO series (project, domain, workflow)
SELECT DISTINCT e.project, e.domain, w.name
FROM executions AS e
JOIN workflows AS w ON w.id = e.workflow
ORDER BY 1, 2, 3;

CREATE TABLE executions_now (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    workflow INTEGER NOT NULL REFERENCES workflows (id),
    series INTEGER NOT NULL REFERENCES series (id),
    phase INTEGER NOT NULL,
    launched INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    who TEXT NOT NULL
) STRICT;

INSERT INTO executions_now (key, id, workflow, series, phase, launched, changed, who)
SELECT e.key, e.id, e.workflow, s.id, e.phase, e.launched, e.changed, e.who
FROM executions AS e
JOIN workflows AS w ON w.id = e.workflow
JOIN series AS s ON s.project = e.project AND s.domain = e.domain AND s.workflow = w.name
ORDER BY e.key;

DROP TABLE executions;
ALTER TABLE executions_now RENAME TO executions;

-- An arm of a list: a series in a phase, the newest first. It also says at once which few are QUEUED or RUNNING when a store is opened.
CREATE INDEX executions_by_phase ON executions (phase, series, key);

CREATE INDEX executions_by_launch ON executions (launched);

-- Open waits only; a row goes when its node waits no more.
-- kind: 0 sleep, 1 input, 2 approve, 3 retry. order_key: see `rows.order_of`. search: name and title, folded.
-- body: what lists show beyond the name, as msgpack; or a text, why that is not known.
DROP INDEX waits_by_due;
ALTER TABLE waits RENAME TO waits_before;
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
    search TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (key, node)
) STRICT, WITHOUT ROWID;

-- As much as was known; the rest, and the order, come with the rows that are written anew.
INSERT INTO waits (key, node, kind, order_key, series, name, path, opened, due, handle, form, digest, search, body)
SELECT b.key, b.node, b.kind, x'', e.series, b.name, b.node, b.opened, nullif(b.due, 4611686018427387904), '', 0, x'', lower(b.name), x'80'
FROM waits_before AS b
JOIN executions AS e ON e.key = b.key
ORDER BY b.key, b.node;

DROP TABLE waits_before;

-- The whole list, and an arm of a narrower one. Each costs an answer some 5 µs; without the first, a list of 1,000 series took 3 ms.
CREATE INDEX waits_by_kind ON waits (kind, order_key);
CREATE INDEX waits_by_series ON waits (series, kind, order_key);

-- The timers: a wait without end is not in it.
CREATE INDEX waits_by_due ON waits (due) WHERE due IS NOT NULL;

-- How much there is, kept true by each commit.
CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How far something has come that is done in steps: the search indexes, and `rebuild` while lists are written anew.
CREATE TABLE marks (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO marks (name, value) VALUES ('rebuild', 0), ('waits_text', 0), ('waits_swept', 0), ('executions_text', 0);

-- Executions that have begun to wait for something after they were entered into `waits_text`.
CREATE TABLE waits_late (
    key INTEGER PRIMARY KEY
) STRICT;

-- Parts of texts, by three characters: of what an execution waits for, and of its id. Written some hundreds of rows at a time: one by one it would triple the price of a launch.
-- What is written is merged by hand, for what SQLite merges by itself it merges in large pieces.
CREATE VIRTUAL TABLE waits_text USING fts5 (
    text, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1'
);

CREATE VIRTUAL TABLE executions_text USING fts5 (
    text, content = '', detail = none, columnsize = 0, tokenize = 'trigram case_sensitive 1'
);

INSERT INTO waits_text (waits_text, rank) VALUES ('automerge', 0);
INSERT INTO executions_text (executions_text, rank) VALUES ('automerge', 0);
