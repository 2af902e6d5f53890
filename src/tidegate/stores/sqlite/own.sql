-- The statements that only SQLite understands: its hints to the planner, its JSON, its search index.

-- name: changes
-- Rows are numbered in the order of commits, and one connection writes, so nothing appears behind what was read.
-- CROSS JOIN holds the planner to reading the history from there on.
SELECT h.position, h.key, h.seq, h.body, e.id, s.workflow, s.project, s.domain
FROM history AS h
CROSS JOIN executions AS e ON e.key = h.key
CROSS JOIN series AS s ON s.id = e.series
WHERE h.position > :after
ORDER BY h.position
LIMIT :limit;

-- name: usage
-- What lines between two positions have added for each project. The length of a body is known without reading it.
SELECT s.project, sum(h.seq = 1), sum(length(h.body))
FROM history AS h
CROSS JOIN executions AS e ON e.key = h.key
CROSS JOIN series AS s ON s.id = e.series
WHERE h.position > :after AND h.position <= :until
GROUP BY s.project;

-- name: changes_of
-- The unary plus keeps the planner from reading everybody's history: that of one execution is found by its key.
SELECT h.position, h.key, h.seq, h.body, e.id, s.workflow, s.project, s.domain
FROM history AS h
CROSS JOIN executions AS e ON e.key = h.key
CROSS JOIN series AS s ON s.id = e.series
WHERE h.key = :key AND +h.position > :after
ORDER BY h.seq
LIMIT :limit;

-- name: execution_rows
SELECT e.key, e.id, e.workflow, w.name, w.version, e.phase, e.launched, e.changed, e.who, s.project, s.domain, e.ending
FROM json_each(:keys) AS k
CROSS JOIN executions AS e ON e.key = k.value
CROSS JOIN workflows AS w ON w.id = e.workflow
CROSS JOIN series AS s ON s.id = e.series
ORDER BY e.key DESC;

-- name: wait_rows
SELECT w.order_key, w.key, w.node, w.kind, w.name, w.path, w.opened, w.due, w.handle, w.form, w.digest, w.body,
    e.id, e.workflow, e.who, s.project, s.domain, s.workflow
FROM json_each(:waits) AS n
CROSS JOIN waits AS w ON w.key = n.value ->> 0 AND w.node = n.value ->> 1
CROSS JOIN executions AS e ON e.key = w.key
CROSS JOIN series AS s ON s.id = w.series
ORDER BY w.order_key;

-- name: waiting_names
-- Open gates only (kinds 1 and 2), as they stand in the source: that is the order of a list without its first part, which says when they are due.
SELECT w.key, w.name
FROM json_each(:keys) AS k
CROSS JOIN waits AS w ON w.key = k.value
WHERE w.kind IN (1, 2)
ORDER BY substr(w.order_key, CASE WHEN w.due IS NULL THEN 2 ELSE 9 END);

-- name: heads_of_executions
-- The first place of each arm; as many as a page has rows are enough, for each of them has a row in it.
-- MATERIALIZED: else SQLite looks each of them up three times.
WITH heads AS MATERIALIZED (
    SELECT s.value AS series, p.value AS part, (
        SELECT -key
        FROM executions
        WHERE part = p.value AND series = s.value AND key < :before AND key >= :least
            AND launched >= :since AND launched < :until
        ORDER BY key DESC
        LIMIT 1
    ) AS head
    FROM json_each(:wanted) AS s, json_each(:parts) AS p
)
SELECT head, series, part
FROM heads
WHERE head IS NOT NULL
ORDER BY head
LIMIT :limit;

-- name: heads_of_waits
WITH heads AS MATERIALIZED (
    SELECT s.value AS series, p.value AS part, (
        SELECT order_key
        FROM waits
        WHERE series = s.value AND kind = p.value AND order_key > :after AND order_key < :before
        ORDER BY order_key
        LIMIT 1
    ) AS head
    FROM json_each(:wanted) AS s, json_each(:parts) AS p
)
SELECT head, series, part
FROM heads
WHERE head IS NOT NULL
ORDER BY head
LIMIT :limit;

-- name: executions_searched
-- With :every, each row and whether it is meant, so that the reader can stop; else only those that are. All texts hold the empty one.
SELECT -key, key, meant
FROM (
    SELECT key, (
        launched >= :since AND launched < :until
        AND part IN (SELECT value FROM json_each(:parts))
        AND (:wanted IS NULL OR series IN (SELECT value FROM json_each(:wanted)))
        AND (instr(lower(id), :text) OR series IN (SELECT value FROM json_each(:named)))
    ) AS meant
    FROM executions
    WHERE key < :before AND key >= :least
)
WHERE :every OR meant
ORDER BY key DESC;

-- name: executions_of_series_searched
SELECT -key, key, meant
FROM (
    SELECT key, (launched >= :since AND launched < :until AND instr(lower(id), :text)) AS meant
    FROM executions
    WHERE part = :part AND series = :series AND key < :before AND key >= :least
)
WHERE :every OR meant
ORDER BY key DESC;

-- name: waits_searched
SELECT order_key, key, node, meant
FROM (
    SELECT order_key, key, node, (
        (:wanted IS NULL OR series IN (SELECT value FROM json_each(:wanted)))
        AND (
            instr(search, :text)
            OR series IN (SELECT value FROM json_each(:named))
            OR EXISTS (SELECT 1 FROM executions AS e WHERE e.key = waits.key AND instr(lower(e.id), :text))
        )
    ) AS meant
    FROM waits
    WHERE kind = :part AND order_key > :after AND order_key < :before
)
WHERE :every OR meant
ORDER BY order_key;

-- name: waits_of_series_searched
SELECT order_key, key, node, meant
FROM (
    SELECT order_key, key, node, (
        instr(search, :text)
        OR EXISTS (SELECT 1 FROM executions AS e WHERE e.key = waits.key AND instr(lower(e.id), :text))
    ) AS meant
    FROM waits INDEXED BY waits_by_series
    WHERE series = :series AND kind = :part AND order_key > :after AND order_key < :before
)
WHERE :every OR meant
ORDER BY order_key;

-- name: waits_sorted
-- By anything but the place in the list: all that match are read, as far as the columns before the body, and sorted. What has no value comes last.
-- MATERIALIZED: else SQLite looks each figure up nine times.
WITH found AS MATERIALIZED (
    SELECT order_key, key, node, CASE :sort
        WHEN 'due' THEN due
        WHEN 'opened' THEN opened
        WHEN 'title' THEN title_key
        ELSE (SELECT f.value FROM json_each(waits.figures) AS f WHERE f.key = :figure)
    END AS value
    FROM waits
    WHERE kind IN (SELECT value FROM json_each(:parts))
        AND (:wanted IS NULL OR series IN (SELECT value FROM json_each(:wanted)))
        AND order_key > :after AND order_key < :before
        AND (
            :text = ''
            OR instr(search, :text)
            OR series IN (SELECT value FROM json_each(:named))
            OR EXISTS (SELECT 1 FROM executions AS e WHERE e.key = waits.key AND instr(lower(e.id), :text))
        )
)
SELECT order_key, key, node, value
FROM found
WHERE :first
    OR (value IS NULL) > :none
    OR ((value IS NULL) = :none AND (
        (:none AND order_key > :last_key)
        OR (NOT :none AND value = :last AND order_key > :last_key)
        OR (NOT :none AND NOT :descending AND value > :last)
        OR (NOT :none AND :descending AND value < :last)
    ))
ORDER BY value IS NULL, iif(:descending, NULL, value), iif(:descending, value, NULL) DESC, order_key
LIMIT :limit;

-- name: count_waits_of
-- How many questions each series has, counted up to a limit, and when the first is due; index alone, but for that one.
SELECT s.value, (
    SELECT count(*)
    FROM (
        SELECT 1
        FROM json_each(:parts) AS p
        CROSS JOIN waits AS w ON w.series = s.value AND w.kind = p.value
        LIMIT :limit
    )
), (
    SELECT min(due)
    FROM (
        SELECT (
            SELECT due
            FROM waits
            WHERE series = s.value AND kind = p.value
            ORDER BY order_key
            LIMIT 1
        ) AS due
        FROM json_each(:parts) AS p
    )
)
FROM json_each(:wanted) AS s;

-- name: executions_found
-- What the index names, and what is not in it yet; the text of the row decides.
SELECT e.key, e.part, e.series, e.launched
FROM json_each(:keys) AS k
CROSS JOIN executions AS e ON e.key = k.value
WHERE instr(lower(e.id), :text)
UNION ALL
SELECT key, part, series, launched
FROM executions
WHERE key > :last_key AND instr(lower(id), :text);

-- name: waits_found
-- By what an execution waits for, then by its id; of both, first what the index names, then what is not in it yet.
SELECT w.order_key, w.key, w.node, w.kind, w.series
FROM json_each(:waiting) AS k
CROSS JOIN waits AS w ON w.key = k.value
WHERE instr(w.search, :text)
UNION
SELECT order_key, key, node, kind, series
FROM waits
WHERE key > :last_waiting AND instr(search, :text)
UNION
SELECT w.order_key, w.key, w.node, w.kind, w.series
FROM waits_late AS l
CROSS JOIN waits AS w ON w.key = l.key
WHERE instr(w.search, :text)
UNION
SELECT w.order_key, w.key, w.node, w.kind, w.series
FROM json_each(:keys) AS k
CROSS JOIN executions AS e ON e.key = k.value
CROSS JOIN waits AS w ON w.key = e.key
WHERE instr(lower(e.id), :text)
UNION
SELECT w.order_key, w.key, w.node, w.kind, w.series
FROM executions AS e
CROSS JOIN waits AS w ON w.key = e.key
WHERE e.key > :last_key AND instr(lower(e.id), :text);

-- name: find_waits_text
SELECT rowid
FROM waits_text
WHERE waits_text MATCH :query
LIMIT :limit;

-- name: find_executions_text
SELECT rowid
FROM executions_text
WHERE executions_text MATCH :query
LIMIT :limit;

-- name: index_waits_text
INSERT INTO waits_text (rowid, text)
SELECT key, group_concat(search, char(10))
FROM waits
WHERE key > :after AND key <= :last
GROUP BY key;

-- name: add_late
INSERT INTO waits_late (key)
VALUES (?1)
ON CONFLICT (key) DO NOTHING;

-- name: count_late
SELECT count(*)
FROM waits_late;

-- name: index_late
REPLACE INTO waits_text (rowid, text)
SELECT w.key, group_concat(w.search, char(10))
FROM waits_late AS l
CROSS JOIN waits AS w ON w.key = l.key
GROUP BY w.key;

-- name: forget_late
DELETE FROM waits_late;

-- name: index_executions_text
INSERT INTO executions_text (rowid, text)
SELECT key, lower(id)
FROM executions
WHERE key > :after AND key <= :last;

-- name: page_of_executions
SELECT max(key)
FROM (SELECT key FROM executions WHERE key > :after ORDER BY key LIMIT :limit);

-- name: stale_waits_text
-- What is in the index and waits no more: a page of the index at a time.
SELECT d.id, NOT EXISTS (SELECT 1 FROM waits AS w WHERE w.key = d.id)
FROM (SELECT id FROM waits_text_docsize WHERE id > :after ORDER BY id LIMIT :limit) AS d;

-- name: merge_waits_text
-- A little at a time: what SQLite merges by itself, it merges in pieces of 25 ms.
INSERT INTO waits_text (waits_text, rank)
VALUES ('merge', :pages);

-- name: merge_executions_text
INSERT INTO executions_text (executions_text, rank)
VALUES ('merge', :pages);

-- name: tidy_waits_text
INSERT INTO waits_text (waits_text)
VALUES ('optimize');

-- name: tidy_executions_text
INSERT INTO executions_text (executions_text)
VALUES ('optimize');

-- name: sweep_waits_text
DELETE FROM waits_text
WHERE rowid = ?1;

-- name: forget_waits_text
INSERT INTO waits_text (waits_text)
VALUES ('delete-all');

-- name: forget_executions_text
INSERT INTO executions_text (executions_text)
VALUES ('delete-all');

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

-- name: problem_series
SELECT printf('node %s of execution %s is listed under another project, domain or workflow', w.node, e.id)
FROM waits AS w
JOIN executions AS e ON e.key = w.key
WHERE e.series <> w.series
LIMIT 50;

-- name: problem_counter
SELECT printf('the counter %s says %d, there are %d: run `tidegate doctor --rebuild`', name, sum(said), sum(found))
FROM (
    SELECT name, value AS said, 0 AS found FROM counters
    UNION ALL
    SELECT 'phase:' || phase, 0, count(*) FROM executions GROUP BY phase
    UNION ALL
    SELECT 'wait:' || CASE kind WHEN 0 THEN 'sleep' WHEN 1 THEN 'input' WHEN 2 THEN 'approve' ELSE 'retry' END, 0, count(*)
    FROM waits
    GROUP BY kind
)
GROUP BY name
HAVING sum(said) <> sum(found)
LIMIT 50;

-- name: problem_rebuild
SELECT printf('the lists are incomplete: a rebuild stopped at execution number %d; open the store to continue', value)
FROM marks
WHERE name = 'rebuild';

-- name: move_history
SELECT key, seq, body
FROM history
ORDER BY position;

-- name: take_history
INSERT INTO history (key, seq, body, position)
VALUES (?1, ?2, ?3, ?4);
