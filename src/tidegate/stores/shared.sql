-- The statements that every database understands: a test prepares each of them on SQLite and on Postgres.
-- Parameters of what `append` writes are numbered, in the order of `rows`; the others are named.

-- name: add_execution
-- It changed last when it was launched.
INSERT INTO executions (key, id, workflow, series, phase, part, launched, changed, who)
VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?6, ?7);

-- name: add_history
-- The key of the table is (key, seq): a writer that appends after the same line as somebody else before fails here, and nowhere else.
INSERT INTO history (key, seq, body)
VALUES (?1, ?2, ?3);

-- name: set_phase
UPDATE executions
SET phase = ?2, changed = ?3, part = ?4, ending = ?5
WHERE key = ?1;

-- name: add_wait
-- A node that waits again, or longer, is still one wait.
INSERT INTO waits (key, node, kind, order_key, series, name, path, opened, due, handle, form, digest, title_key, figures, search, body)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
ON CONFLICT (key, node) DO UPDATE SET
    kind = excluded.kind, order_key = excluded.order_key, series = excluded.series,
    name = excluded.name, path = excluded.path, opened = excluded.opened, due = excluded.due, handle = excluded.handle,
    form = excluded.form, digest = excluded.digest, title_key = excluded.title_key, figures = excluded.figures,
    search = excluded.search, body = excluded.body;

-- name: end_wait
DELETE FROM waits
WHERE key = ?1 AND node = ?2;

-- name: hold
INSERT INTO held (key, node, attempt, code, why, since)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (key, node) DO UPDATE SET
    attempt = excluded.attempt, code = excluded.code, why = excluded.why, since = excluded.since;

-- name: release
DELETE FROM held
WHERE key = ?1 AND node = ?2;

-- name: held
SELECT key, node, attempt, code, why, since
FROM held
ORDER BY since, key, node;

-- name: count
-- Once a commit and counter, whatever the size of the group.
INSERT INTO counters (name, value)
VALUES (?1, ?2)
ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value;

-- name: add_series
INSERT INTO series (project, domain, workflow)
VALUES (:project, :domain, :workflow)
ON CONFLICT (project, domain, workflow) DO NOTHING;

-- name: find_series
SELECT id
FROM series
WHERE project = :project AND domain = :domain AND workflow = :workflow;

-- name: series
SELECT id, project, domain, workflow
FROM series
WHERE id > :after
ORDER BY id;

-- name: last_key
SELECT coalesce(max(key), 0)
FROM executions;

-- name: last_seq
SELECT coalesce(max(seq), 0)
FROM history
WHERE key = :key;

-- name: history
SELECT body
FROM history
WHERE key = :key AND seq > :after
ORDER BY seq
LIMIT :limit;

-- name: find
SELECT e.key, e.id, e.workflow, w.name, w.version, e.phase, e.launched, e.changed, e.who, s.project, s.domain, e.ending
FROM executions AS e
JOIN workflows AS w ON w.id = e.workflow
JOIN series AS s ON s.id = e.series
WHERE e.id = :id;

-- name: recorded
-- An answer to an execution that has cooled reads this and nothing else. It is asked for each of those that are answered together.
SELECT e.key, e.workflow, s.project, s.domain, h.body
FROM executions AS e
JOIN series AS s ON s.id = e.series
LEFT JOIN history AS h ON h.key = e.key
WHERE e.id = :id
ORDER BY h.seq
LIMIT :limit;

-- name: get
SELECT e.key, e.id, e.workflow, w.name, w.version, e.phase, e.launched, e.changed, e.who, s.project, s.domain, e.ending
FROM executions AS e
JOIN workflows AS w ON w.id = e.workflow
JOIN series AS s ON s.id = e.series
WHERE e.key = :key;

-- name: active
SELECT key
FROM executions
WHERE part IN (0, 1)
ORDER BY key;

-- name: due
SELECT key, node
FROM waits
WHERE due <= :until
ORDER BY due
LIMIT :limit;

-- name: next_due
SELECT min(due)
FROM waits
WHERE due IS NOT NULL;

-- name: executions
-- Lists of executions run from the newest down: their places are negative keys. The reader stops when its page is full.
SELECT -key, key, 1
FROM executions
WHERE key < :before AND key >= :least AND launched >= :since AND launched < :until
ORDER BY key DESC;

-- name: executions_of_series
SELECT -key, key, 1
FROM executions
WHERE part = :part AND series = :series AND key < :before AND key >= :least AND launched >= :since AND launched < :until
ORDER BY key DESC;

-- name: launched_between
SELECT key, part, series, id
FROM executions
WHERE launched >= :since AND launched < :until
LIMIT :limit;

-- name: keys_launched_between
-- Keys grow with time, as long as no clock goes back: so of many executions of a span, the keys say where in the list to look for them.
-- The sums keep the planner from walking through the table instead of the index.
SELECT min(key + 0), max(key + 0)
FROM executions
WHERE launched >= :since AND launched < :until;

-- name: waits
-- All waits of a kind, in their order.
SELECT order_key, key, node, 1
FROM waits
WHERE kind = :part AND order_key > :after AND order_key < :before
ORDER BY order_key;

-- name: waits_of_series
SELECT order_key, key, node, 1
FROM waits
WHERE series = :series AND kind = :part AND order_key > :after AND order_key < :before
ORDER BY order_key;

-- name: waits_of_execution
-- The waits of one execution stand together, and are sorted when read.
SELECT order_key, key, node, kind
FROM waits
WHERE key = :key AND order_key > :after
ORDER BY order_key;

-- name: counters
SELECT name, value
FROM counters;

-- name: mark
SELECT value
FROM marks
WHERE name = :name;

-- name: set_mark
INSERT INTO marks (name, value)
VALUES (:name, :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: end_mark
DELETE FROM marks
WHERE name = :name;

-- name: last_position
SELECT coalesce(max(position), 0)
FROM history;

-- name: add_graph
INSERT INTO graphs (digest, body)
VALUES (:digest, :body)
ON CONFLICT (digest) DO NOTHING;

-- name: add_workflow
-- The first of a name and version stays, as executions may wait in it; what its code imports is that of now, for those that are launched from now on.
INSERT INTO workflows (name, version, graph, bundle, module, registered, recorded)
SELECT :name, :version, id, :bundle, :module, :registered, :recorded
FROM graphs
WHERE digest = :digest
ON CONFLICT (name, version) DO UPDATE SET recorded = excluded.recorded
WHERE workflows.bundle = excluded.bundle;

-- name: workflow
SELECT w.id, w.name, w.version, g.body, w.bundle, w.module, w.registered, w.recorded
FROM workflows AS w
JOIN graphs AS g ON g.id = w.graph
WHERE w.id = :workflow;

-- name: find_workflow
SELECT w.id, w.name, w.version, g.body, w.bundle, w.module, w.registered, w.recorded
FROM workflows AS w
JOIN graphs AS g ON g.id = w.graph
WHERE w.name = :name AND w.version = :version;

-- name: latest_workflow
-- Numbers are given in the order of registration; instants may stand still or go back.
SELECT w.id, w.name, w.version, g.body, w.bundle, w.module, w.registered, w.recorded
FROM workflows AS w
JOIN graphs AS g ON g.id = w.graph
WHERE w.id = (SELECT max(id) FROM workflows WHERE name = :name);

-- name: versions
SELECT w.id, w.name, w.version, g.body, w.bundle, w.module, w.registered, w.recorded
FROM workflows AS w
JOIN graphs AS g ON g.id = w.graph
WHERE w.name = :name
ORDER BY w.id DESC
LIMIT :limit;

-- name: workflows
SELECT w.id, w.name, w.version, g.body, w.bundle, w.module, w.registered, w.recorded
FROM workflows AS w
JOIN graphs AS g ON g.id = w.graph
WHERE w.id IN (SELECT max(id) FROM workflows GROUP BY name)
ORDER BY w.name;

-- name: put_token
-- Who a token is for, and what it may, never changes; it can only come to an end, and sooner.
INSERT INTO tokens (id, name, hash, grants, creator, created, expires, revoked, used)
VALUES (:id, :name, :hash, :grants, :creator, :created, :expires, :revoked, :used)
ON CONFLICT (id) DO UPDATE SET revoked = excluded.revoked, expires = excluded.expires;

-- name: tokens
SELECT id, name, hash, grants, creator, created, expires, revoked, used
FROM tokens
ORDER BY created, id;

-- name: note_use
UPDATE tokens
SET used = ?2
WHERE id = ?1;

-- name: note_session
UPDATE sessions
SET used = ?2
WHERE hash = ?1;

-- name: end_expired_sessions
DELETE FROM sessions
WHERE expires <= :created;

-- name: put_session
INSERT INTO sessions (hash, id, name, token, agent, created, used, expires)
VALUES (:hash, :id, :name, nullif(:token, ''), :agent, :created, :used, :expires);

-- name: sessions
SELECT hash, id, name, coalesce(token, ''), agent, created, used, expires
FROM sessions
ORDER BY created, hash;

-- name: end_session
DELETE FROM sessions
WHERE hash = ?1;

-- name: add_audit
-- There is no statement that changes or removes a line.
INSERT INTO audit (number, at, kind, who, credential, via, address, execution, about, outcome, shown, count)
VALUES ((SELECT coalesce(max(number), 0) + 1 FROM audit), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11);

-- name: last_audit
SELECT coalesce(max(number), 0)
FROM audit;

-- name: audit
SELECT at, kind, who, credential, via, address, execution, about, outcome, shown, count, number
FROM audit
WHERE number < :before AND number >= :least AND at >= :since AND at < :until
    AND (:kind = '' OR kind = :kind) AND (:who = '' OR who = :who) AND (:execution = '' OR execution = :execution)
ORDER BY number DESC
LIMIT :limit;

-- name: count_refusals
SELECT count(*)
FROM audit
WHERE kind = 'refused' AND at >= :since;

-- name: unfinished
-- For rebuilding lists: executions from a key on; those that have ended only if they are wanted, too, or, with :endings, those that did not end well.
SELECT key
FROM executions
WHERE key > :after AND (phase <= :last_phase OR (:endings AND phase IN (4, 5)))
ORDER BY key
LIMIT :limit;

-- name: count_unfinished
SELECT count(*)
FROM executions
WHERE key > :after AND (phase <= :last_phase OR (:endings AND phase IN (4, 5)));

-- name: nodes_that_wait
SELECT node
FROM waits
WHERE key = :key
ORDER BY node;

-- name: forget_waits_of
DELETE FROM waits
WHERE key = :key;

-- name: forget_stray_waits
-- What is listed of executions that have ended, or that there are not.
DELETE FROM waits
WHERE NOT EXISTS (SELECT 1 FROM executions AS e WHERE e.key = waits.key AND e.phase <= 2);

-- name: forget_counters
DELETE FROM counters;

-- name: count_executions
-- To count all is to read all: for checking and rebuilding only.
SELECT part, count(*)
FROM executions
GROUP BY part;

-- name: count_waits
SELECT kind, count(*)
FROM waits
GROUP BY kind;

-- What is copied into another database, and back: the rows that the rest is made of. Lists and counters are rebuilt there.

-- name: move_graphs
SELECT id, digest, body
FROM graphs
ORDER BY id;

-- name: move_workflows
SELECT id, name, version, graph, bundle, module, registered, recorded
FROM workflows
ORDER BY id;

-- name: move_series
SELECT id, project, domain, workflow
FROM series
ORDER BY id;

-- name: move_executions
SELECT key, id, workflow, series, phase, part, ending, launched, changed, who
FROM executions
ORDER BY key;

-- name: move_held
SELECT key, node, attempt, code, why, since
FROM held
ORDER BY key, node;

-- name: move_tokens
SELECT id, name, hash, grants, creator, created, expires, revoked, used
FROM tokens
ORDER BY id;

-- name: move_sessions
SELECT hash, id, name, token, agent, created, used, expires
FROM sessions
ORDER BY hash;

-- name: move_audit
SELECT number, at, kind, who, credential, via, address, execution, about, outcome, shown, count
FROM audit
ORDER BY number;

-- name: take_graphs
INSERT INTO graphs (id, digest, body)
VALUES (?1, ?2, ?3);

-- name: take_workflows
INSERT INTO workflows (id, name, version, graph, bundle, module, registered, recorded)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: take_series
INSERT INTO series (id, project, domain, workflow)
VALUES (?1, ?2, ?3, ?4);

-- name: take_executions
INSERT INTO executions (key, id, workflow, series, phase, part, ending, launched, changed, who)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10);

-- name: take_held
INSERT INTO held (key, node, attempt, code, why, since)
VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- name: take_tokens
INSERT INTO tokens (id, name, hash, grants, creator, created, expires, revoked, used)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- name: take_sessions
INSERT INTO sessions (hash, id, name, token, agent, created, used, expires)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: take_audit
INSERT INTO audit (number, at, kind, who, credential, via, address, execution, about, outcome, shown, count)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12);

-- name: is_used
SELECT (SELECT count(*) FROM executions) + (SELECT count(*) FROM workflows) + (SELECT count(*) FROM tokens) + (SELECT count(*) FROM history);

-- The same rows, with names in place of the numbers that differ between databases: so their digests can be compared.

-- name: compare_workflows
SELECT w.name, w.version, g.digest, g.body, w.bundle, w.module, w.registered, w.recorded
FROM workflows AS w
JOIN graphs AS g ON g.id = w.graph
ORDER BY w.id;

-- name: compare_executions
SELECT e.id, w.name, w.version, s.project, s.domain, s.workflow, e.phase, e.part, e.ending, e.launched, e.changed, e.who
FROM executions AS e
JOIN workflows AS w ON w.id = e.workflow
JOIN series AS s ON s.id = e.series
ORDER BY e.key;

-- name: compare_history
SELECT e.id, h.seq, h.body
FROM history AS h
JOIN executions AS e ON e.key = h.key
ORDER BY h.key, h.seq;

-- name: compare_waits
SELECT e.id, w.node, w.kind, w.name, w.path, w.opened, w.due, w.handle, w.form, w.digest
FROM waits AS w
JOIN executions AS e ON e.key = w.key
ORDER BY w.key, w.node;

-- name: compare_held
SELECT e.id, h.node, h.attempt, h.code, h.why, h.since
FROM held AS h
JOIN executions AS e ON e.key = h.key
ORDER BY h.key, h.node;
