-- Every statement of the store but the migrations. Parameters of what `commit` writes are numbered,
-- in the order of the fields of the row in `tidegate.ports`; the others are named.

-- name: add_execution
-- It changed last when it was launched.
INSERT INTO executions (key, id, workflow, phase, launched, changed, who, project, domain)
VALUES (?1, ?2, ?3, ?8, ?4, ?4, ?5, ?6, ?7);

-- name: add_history
INSERT INTO history (key, seq, body)
VALUES (?1, ?2, ?3);

-- name: set_phase
UPDATE executions
SET phase = ?2, changed = ?3
WHERE key = ?1;

-- name: add_wait
-- REPLACE, because a node that waits again, or longer, is still one wait.
REPLACE INTO waits (key, node, kind, name, opened, due)
VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- name: end_wait
DELETE FROM waits
WHERE key = ?1 AND node = ?2;

-- name: last_key
SELECT ifnull(max(key), 0)
FROM executions;

-- name: history
SELECT body
FROM history
WHERE key = :key
ORDER BY seq;

-- name: feed
-- Rows are numbered in the order of commits, and one connection writes, so nothing appears behind what was read.
-- CROSS JOIN holds the planner to reading the history from there on.
SELECT h.place, h.key, h.seq, h.body, e.id, w.name, e.project, e.domain
FROM history AS h
CROSS JOIN executions AS e ON e.key = h.key
CROSS JOIN workflows AS w ON w.id = e.workflow
WHERE h.place > :after
ORDER BY h.place
LIMIT :limit;

-- name: feed_of
-- The unary plus keeps the planner from reading everybody's history: that of one execution is found by its key.
SELECT h.place, h.key, h.seq, h.body, e.id, w.name, e.project, e.domain
FROM history AS h
CROSS JOIN executions AS e ON e.key = h.key
CROSS JOIN workflows AS w ON w.id = e.workflow
WHERE h.key = :key AND +h.place > :after
ORDER BY h.seq
LIMIT :limit;

-- name: last_place
SELECT ifnull(max(place), 0)
FROM history;

-- name: count_executions
SELECT phase, count(*)
FROM executions
GROUP BY phase;

-- name: count_waits
-- Read from the index alone.
SELECT kind, count(*)
FROM waits
GROUP BY kind;

-- name: find
SELECT e.key, e.id, e.workflow, w.name, w.version, e.phase, e.launched, e.changed, e.who, e.project, e.domain
FROM executions AS e
JOIN workflows AS w ON w.id = e.workflow
WHERE e.id = :id;

-- name: get
SELECT e.key, e.id, e.workflow, w.name, w.version, e.phase, e.launched, e.changed, e.who, e.project, e.domain
FROM executions AS e
JOIN workflows AS w ON w.id = e.workflow
WHERE e.key = :key;

-- name: executions
-- From the newest key down until the page is full, so the usual page (no or a common filter) reads little more
-- than it returns. CROSS JOIN holds the planner to that order. `phases` has a bit set for each phase wanted.
SELECT e.key, e.id, e.workflow, w.name, w.version, e.phase, e.launched, e.changed, e.who, e.project, e.domain
FROM executions AS e
CROSS JOIN workflows AS w ON w.id = e.workflow
WHERE e.key < :before
    AND (:phases >> e.phase) & 1
    AND (:workflow = '' OR e.workflow IN (SELECT id FROM workflows WHERE name = :workflow))
    AND (:project = '' OR e.project = :project)
    AND (:domain = '' OR e.domain = :domain)
    AND e.launched >= :since AND e.launched < :until
    AND (
        :text = ''
        OR e.id LIKE :text ESCAPE '\'
        OR e.workflow IN (SELECT id FROM workflows WHERE name LIKE :text ESCAPE '\')
    )
    AND (
        :places IS NULL
        OR EXISTS (SELECT 1 FROM json_each(:places) AS p WHERE e.project GLOB p.value ->> 0 AND e.domain GLOB p.value ->> 1)
    )
ORDER BY e.key DESC
LIMIT :limit;

-- name: active
SELECT key
FROM executions
WHERE phase <= 1
ORDER BY key;

-- name: waits
-- One arm a kind, each read in the order of the index and merged: a page costs a page, however many wait.
-- An arm that is not wanted asks for kind -1, which no row has.
SELECT key, node, kind, name, opened, due
FROM waits
WHERE kind = :sleep AND (due, opened, key, node) > (:after_due, :after_opened, :after_key, :after_node)
UNION ALL
SELECT key, node, kind, name, opened, due
FROM waits
WHERE kind = :input AND (due, opened, key, node) > (:after_due, :after_opened, :after_key, :after_node)
UNION ALL
SELECT key, node, kind, name, opened, due
FROM waits
WHERE kind = :approve AND (due, opened, key, node) > (:after_due, :after_opened, :after_key, :after_node)
UNION ALL
SELECT key, node, kind, name, opened, due
FROM waits
WHERE kind = :retry AND (due, opened, key, node) > (:after_due, :after_opened, :after_key, :after_node)
ORDER BY due, opened, key, node
LIMIT :limit;

-- name: waits_where
-- As `waits`, for some executions only: others are skipped while the index is read, for SQLite takes the condition into each arm.
SELECT w.key, w.node, w.kind, w.name, w.opened, w.due
FROM (
    SELECT key, node, kind, name, opened, due
    FROM waits
    WHERE kind = :sleep AND (due, opened, key, node) > (:after_due, :after_opened, :after_key, :after_node)
    UNION ALL
    SELECT key, node, kind, name, opened, due
    FROM waits
    WHERE kind = :input AND (due, opened, key, node) > (:after_due, :after_opened, :after_key, :after_node)
    UNION ALL
    SELECT key, node, kind, name, opened, due
    FROM waits
    WHERE kind = :approve AND (due, opened, key, node) > (:after_due, :after_opened, :after_key, :after_node)
    UNION ALL
    SELECT key, node, kind, name, opened, due
    FROM waits
    WHERE kind = :retry AND (due, opened, key, node) > (:after_due, :after_opened, :after_key, :after_node)
) AS w
WHERE EXISTS (
    SELECT 1
    FROM executions AS e
    JOIN workflows AS f ON f.id = e.workflow
    WHERE e.key = w.key
        AND (:workflow = '' OR f.name = :workflow)
        AND (:project = '' OR e.project = :project)
        AND (:domain = '' OR e.domain = :domain)
        AND (:text = '' OR w.name LIKE :text ESCAPE '\' OR f.name LIKE :text ESCAPE '\' OR e.id LIKE :text ESCAPE '\')
        AND (:places IS NULL OR EXISTS (
            SELECT 1 FROM json_each(:places) AS p WHERE e.project GLOB p.value ->> 0 AND e.domain GLOB p.value ->> 1
        ))
)
ORDER BY w.due, w.opened, w.key, w.node
LIMIT :limit;

-- name: waits_of
-- The waits of one execution are few and stand together; they are sorted when read.
SELECT key, node, kind, name, opened, due
FROM waits
WHERE key = :key
    AND kind IN (:sleep, :input, :approve, :retry)
    AND (due, opened, key, node) > (:after_due, :after_opened, :after_key, :after_node)
ORDER BY due, opened, key, node
LIMIT :limit;

-- name: due
-- Merged from the four kinds, as in `waits`.
SELECT key, node, kind, name, opened, due FROM waits WHERE kind = 0 AND due <= :until
UNION ALL
SELECT key, node, kind, name, opened, due FROM waits WHERE kind = 1 AND due <= :until
UNION ALL
SELECT key, node, kind, name, opened, due FROM waits WHERE kind = 2 AND due <= :until
UNION ALL
SELECT key, node, kind, name, opened, due FROM waits WHERE kind = 3 AND due <= :until
ORDER BY due
LIMIT :limit;

-- name: next_due
-- Four seeks; the smallest may be 2**62, which is never.
SELECT min(due)
FROM (
    SELECT min(due) AS due FROM waits WHERE kind = 0
    UNION ALL
    SELECT min(due) FROM waits WHERE kind = 1
    UNION ALL
    SELECT min(due) FROM waits WHERE kind = 2
    UNION ALL
    SELECT min(due) FROM waits WHERE kind = 3
);

-- name: add_graph
INSERT INTO graphs (digest, body)
VALUES (:digest, :body)
ON CONFLICT (digest) DO NOTHING;

-- name: add_workflow
-- The first of a name and version stays: executions may wait in it.
INSERT INTO workflows (name, version, graph, bundle, module, registered)
SELECT :name, :version, id, :bundle, :module, :registered
FROM graphs
WHERE digest = :digest
ON CONFLICT (name, version) DO NOTHING;

-- name: workflow
SELECT w.id, w.name, w.version, g.body, w.bundle, w.module, w.registered
FROM workflows AS w
JOIN graphs AS g ON g.id = w.graph
WHERE w.id = :workflow;

-- name: find_workflow
SELECT w.id, w.name, w.version, g.body, w.bundle, w.module, w.registered
FROM workflows AS w
JOIN graphs AS g ON g.id = w.graph
WHERE w.name = :name AND w.version = :version;

-- name: latest_workflow
-- Numbers are given in the order of registration; instants may stand still or go back.
SELECT w.id, w.name, w.version, g.body, w.bundle, w.module, w.registered
FROM workflows AS w
JOIN graphs AS g ON g.id = w.graph
WHERE w.id = (SELECT max(id) FROM workflows WHERE name = :name);

-- name: versions
SELECT w.id, w.name, w.version, g.body, w.bundle, w.module, w.registered
FROM workflows AS w
JOIN graphs AS g ON g.id = w.graph
WHERE w.name = :name
ORDER BY w.id DESC
LIMIT :limit;

-- name: workflows
SELECT w.id, w.name, w.version, g.body, w.bundle, w.module, w.registered
FROM workflows AS w
JOIN graphs AS g ON g.id = w.graph
WHERE w.id IN (SELECT max(id) FROM workflows GROUP BY name)
ORDER BY w.name;

-- name: put_token
-- Who a token is for, and what it may, never changes; it can only come to an end.
INSERT INTO tokens (id, name, hash, grants, creator, created, expires, revoked, used)
VALUES (:id, :name, :hash, :grants, :creator, :created, :expires, :revoked, :used)
ON CONFLICT (id) DO UPDATE SET revoked = excluded.revoked;

-- name: tokens
SELECT id, name, hash, grants, creator, created, expires, revoked, used
FROM tokens
ORDER BY created, id;

-- name: note_use
UPDATE tokens
SET used = ?2
WHERE id = ?1;

-- name: end_logins
DELETE FROM logins
WHERE expires <= :created;

-- name: put_login
REPLACE INTO logins (hash, token, created, expires)
VALUES (:hash, :token, :created, :expires);

-- name: logins
SELECT hash, token, created, expires
FROM logins
ORDER BY created, hash;

-- name: end_login
DELETE FROM logins
WHERE hash = :hash;

-- name: problem_gap
-- Read from the index alone. Each `problem_` statement returns lines for people, a page of them at most.
SELECT printf('execution %s: its history holds %d events, numbered %d to %d', ifnull(e.id, h.key), h.n, h.low, h.high)
FROM (
    SELECT key, count(*) AS n, min(seq) AS low, max(seq) AS high
    FROM history
    GROUP BY key
    HAVING low <> 1 OR high <> n
) AS h
LEFT JOIN executions AS e ON e.key = h.key
LIMIT 50;

-- name: problem_no_history
SELECT printf('execution %s has no history', id)
FROM executions AS e
WHERE NOT EXISTS (SELECT 1 FROM history AS h WHERE h.key = e.key)
LIMIT 50;

-- name: problem_no_execution
SELECT DISTINCT printf('there is history of an execution numbered %d, which does not exist', key)
FROM history AS h
WHERE NOT EXISTS (SELECT 1 FROM executions AS e WHERE e.key = h.key)
LIMIT 50;

-- name: problem_stray_wait
SELECT printf('node %s of execution %s waits, but the execution %s', w.node, ifnull(e.id, w.key), iif(e.key IS NULL, 'does not exist', 'has ended'))
FROM waits AS w
LEFT JOIN executions AS e ON e.key = w.key
WHERE e.key IS NULL OR e.phase > 2
LIMIT 50;

-- name: problem_no_wait
SELECT printf('execution %s is WAITING, but nothing is listed that it waits for', id)
FROM executions AS e
WHERE phase = 2 AND NOT EXISTS (SELECT 1 FROM waits AS w WHERE w.key = e.key)
LIMIT 50;
