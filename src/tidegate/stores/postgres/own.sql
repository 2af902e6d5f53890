-- The statements that only Postgres understands: many rows at once, its locks, its JSON, its search index.
-- What a batch writes comes as one array a column, so that each table costs one statement whatever the size of the batch.

-- name: fence
-- Which of these shards are still held in these epochs, and when this transaction began. The lock makes who takes a shard wait for this commit, and every
-- later reader of the old epoch finds nothing. A server whose version is too old to write finds nothing either.
SELECT s.shard, (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint
FROM shards AS s
JOIN unnest(:shards::smallint[], :epochs::bigint[]) AS w (shard, epoch) USING (shard, epoch)
WHERE (SELECT least FROM store) <= :schema::smallint
FOR KEY SHARE OF s;

-- name: least
SELECT least
FROM store;

-- name: take
-- Those of these shards that nobody holds, or whose holder has not renewed its lease.
WITH free AS (
    SELECT shard
    FROM leases
    WHERE shard = ANY (:shards::smallint[]) AND expires < clock_timestamp() AND (SELECT least FROM store) <= :schema
    ORDER BY shard
    FOR UPDATE
), leased AS (
    UPDATE leases
    SET owner = :owner, address = :address, since = clock_timestamp(), expires = clock_timestamp() + make_interval(secs => :seconds)
    WHERE shard IN (SELECT shard FROM free)
)
UPDATE shards
SET epoch = epoch + 1, owner = :owner
WHERE shard IN (SELECT shard FROM free)
RETURNING shard, epoch;

-- name: renew
-- Also what has expired, as long as nobody has taken it. In the order of shards, as those who take have it.
WITH mine AS (
    SELECT shard
    FROM leases
    WHERE owner = :owner AND shard = ANY (:shards::smallint[]) AND (SELECT least FROM store) <= :schema
    ORDER BY shard
    FOR UPDATE
)
UPDATE leases
SET expires = clock_timestamp() + make_interval(secs => :seconds)
WHERE shard IN (SELECT shard FROM mine)
RETURNING shard;

-- name: let_go
UPDATE leases
SET owner = '', address = '', expires = '-infinity'
WHERE owner = :owner AND shard = ANY (:shards::smallint[]);

-- name: clock
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;

-- name: number
SELECT number::text, secret
FROM store;

-- name: files
SELECT files
FROM store;

-- name: put_files
UPDATE store
SET files = :files;

-- name: attend
INSERT INTO replicas (name, address, version, since, expires, leaving, schema)
VALUES (:owner, :address, :version, clock_timestamp(), clock_timestamp() + make_interval(secs => :seconds), :leaving, :schema)
ON CONFLICT (name) DO UPDATE SET expires = excluded.expires, leaving = excluded.leaving;

-- name: depart
DELETE FROM replicas
WHERE name = :owner OR expires < clock_timestamp() - interval '1 day';

-- name: attending
SELECT name, address, version, extract(epoch FROM since)::float8, extract(epoch FROM expires - clock_timestamp())::float8, leaving, schema
FROM replicas
WHERE expires > clock_timestamp()
ORDER BY name;

-- name: owners
SELECT l.shard, CASE WHEN l.expires > clock_timestamp() THEN l.owner ELSE '' END, l.address, s.epoch, extract(epoch FROM l.since)::float8
FROM leases AS l
JOIN shards AS s USING (shard)
ORDER BY l.shard;

-- name: holders
SELECT owner, address, count(*), extract(epoch FROM min(since))::float8, extract(epoch FROM max(expires) - clock_timestamp())::float8
FROM leases
WHERE expires > clock_timestamp()
GROUP BY owner, address
ORDER BY owner;

-- name: access_mark
-- Differs once a token was made or ended, or a session.
SELECT
    (SELECT format('%s %s %s %s', count(*), max(created), max(revoked), sum(expires)) FROM tokens),
    (SELECT format('%s %s', count(*), max(created)) FROM sessions);

-- name: active_in
SELECT key
FROM executions
WHERE part IN (0, 1) AND (key & 63)::smallint = ANY (:shards::smallint[])
ORDER BY key;

-- name: held_in
SELECT key, node, attempt, code, why, since
FROM held
WHERE (key & 63)::smallint = ANY (:shards::smallint[])
ORDER BY since, key, node;

-- name: touched
-- The executions with lines after these positions, in shards of others, and their phases now. OFFSET 0 keeps the planner, which knows nothing of the
-- positions, from reading the whole history once instead of an end of the index for each shard.
SELECT e.key, e.phase
FROM executions AS e
WHERE e.key = ANY (ARRAY(
    SELECT h.key
    FROM unnest(:shards::smallint[], :positions::bigint[]) AS c (shard, position)
    CROSS JOIN LATERAL (
        SELECT key FROM history WHERE shard = c.shard AND position > c.position OFFSET 0
    ) AS h
    LIMIT :limit
));

-- name: commit_status
-- A number of the future is that of a transaction of which a crash has left nothing.
SELECT CASE WHEN :number::text::xid8 >= pg_snapshot_xmax(pg_current_snapshot()) THEN 'aborted' ELSE coalesce(pg_xact_status(:number::text::xid8), 'aborted') END,
    pg_postmaster_start_time()::text;

-- name: line
SELECT body
FROM history
WHERE key = :key AND seq = :seq;

-- name: many_add_execution
INSERT INTO executions (key, id, workflow, series, phase, part, launched, changed, who)
SELECT key, id, workflow, series, phase, phase, launched, launched, who
FROM unnest(?1::bigint[], ?2::text[], ?3::bigint[], ?4::bigint[], ?5::smallint[], ?6::bigint[], ?7::text[])
    AS t (key, id, workflow, series, phase, launched, who);

-- name: many_add_history
-- The instant is that of the fence, and never before one that the shard has had.
INSERT INTO history (key, seq, body, shard, position, at)
SELECT key, seq, body, shard, position, greatest(?6::bigint, (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint)
FROM unnest(?1::bigint[], ?2::bigint[], ?3::bytea[], ?4::smallint[], ?5::bigint[])
    AS t (key, seq, body, shard, position);

-- name: many_set_phase
UPDATE executions AS e
SET phase = t.phase, changed = t.changed, part = t.part, ending = t.ending
FROM unnest(?1::bigint[], ?2::smallint[], ?3::bigint[], ?4::smallint[], ?5::bytea[]) AS t (key, phase, changed, part, ending)
WHERE e.key = t.key;

-- name: many_add_wait
INSERT INTO waits (key, node, kind, order_key, series, name, path, opened, due, handle, form, digest, title_key, figures, search, body)
SELECT *
FROM unnest(
    ?1::bigint[], ?2::text[], ?3::smallint[], ?4::bytea[], ?5::bigint[], ?6::text[], ?7::text[], ?8::bigint[], ?9::bigint[],
    ?10::text[], ?11::bigint[], ?12::bytea[], ?13::bytea[], ?14::text[], ?15::text[], ?16::bytea[]
)
ON CONFLICT (key, node) DO UPDATE SET
    kind = excluded.kind, order_key = excluded.order_key, series = excluded.series,
    name = excluded.name, path = excluded.path, opened = excluded.opened, due = excluded.due, handle = excluded.handle,
    form = excluded.form, digest = excluded.digest, title_key = excluded.title_key, figures = excluded.figures,
    search = excluded.search, body = excluded.body;

-- name: many_end_wait
DELETE FROM waits AS w
USING unnest(?1::bigint[], ?2::text[]) AS t (key, node)
WHERE w.key = t.key AND w.node = t.node;

-- name: many_hold
INSERT INTO held (key, node, attempt, code, why, since)
SELECT *
FROM unnest(?1::bigint[], ?2::text[], ?3::bigint[], ?4::text[], ?5::text[], ?6::bigint[])
ON CONFLICT (key, node) DO UPDATE SET
    attempt = excluded.attempt, code = excluded.code, why = excluded.why, since = excluded.since;

-- name: many_release
DELETE FROM held AS h
USING unnest(?1::bigint[], ?2::text[]) AS t (key, node)
WHERE h.key = t.key AND h.node = t.node;

-- name: many_hand_over
-- One that was handed over before, by a commit of which the server did not hear, begins again.
INSERT INTO reports (key, node, attempt, keeper)
SELECT *
FROM unnest(?1::bigint[], ?2::text[], ?3::bigint[], ?4::text[])
ON CONFLICT (key, node, attempt) DO UPDATE SET keeper = excluded.keeper, ended = false, body = NULL;

-- name: many_end_report
DELETE FROM reports AS r
USING unnest(?1::bigint[], ?2::text[], ?3::bigint[]) AS t (key, node, attempt)
WHERE r.key = t.key AND r.node = t.node AND r.attempt = t.attempt;

-- name: report
-- What became of an attempt is said once; of one that nobody wants, nothing.
UPDATE reports
SET body = :body, ended = :ended
WHERE key = :key AND node = :node AND attempt = :attempt AND keeper = :owner AND NOT ended
RETURNING key;

-- name: reports_in
SELECT r.key, r.node, r.attempt,
    r.ended OR EXISTS (SELECT 1 FROM replicas AS k WHERE k.name = r.keeper AND k.expires > clock_timestamp())
FROM reports AS r
WHERE (r.key & 63)::smallint = ANY (:shards::smallint[]);

-- name: reports_of
SELECT key, node, attempt
FROM reports
WHERE keeper = :owner AND NOT ended;

-- name: reports_awaited
SELECT r.key, r.node, r.attempt, r.ended, r.body,
    EXISTS (SELECT 1 FROM replicas AS k WHERE k.name = r.keeper AND k.expires > clock_timestamp())
FROM reports AS r
JOIN unnest(:keys::bigint[], :nodes::text[], :attempts::bigint[]) AS w (key, node, attempt) USING (key, node, attempt);

-- name: many_add_audit
INSERT INTO audit (at, kind, who, credential, via, address, execution, about, outcome, shown, count)
SELECT *
FROM unnest(
    ?1::bigint[], ?2::text[], ?3::text[], ?4::text[], ?5::text[], ?6::text[], ?7::text[], ?8::text[], ?9::text[], ?10::text[], ?11::bigint[]
);

-- name: add_audit
INSERT INTO audit (at, kind, who, credential, via, address, execution, about, outcome, shown, count)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11);

-- name: count
INSERT INTO counters (shard, name, value)
VALUES (0, ?1, ?2)
ON CONFLICT (shard, name) DO UPDATE SET value = counters.value + excluded.value;

-- name: many_count
-- In the order of names: two who change the same counters never wait for each other in a circle.
INSERT INTO counters (shard, name, value)
SELECT ?3::smallint, name, value
FROM unnest(?1::text[], ?2::bigint[]) AS t (name, value)
ORDER BY name
ON CONFLICT (shard, name) DO UPDATE SET value = counters.value + excluded.value;

-- name: counters
SELECT name, sum(value)::bigint
FROM counters
GROUP BY name;

-- name: due
SELECT key, node
FROM waits
WHERE (key & 63)::smallint = ANY (:shards::smallint[]) AND due <= :until
ORDER BY due
LIMIT :limit;

-- name: next_due
SELECT min(n.due)
FROM unnest(:shards::smallint[]) AS s (shard)
CROSS JOIN LATERAL (
    SELECT due
    FROM waits
    WHERE (key & 63)::smallint = s.shard AND due IS NOT NULL
    ORDER BY due
    LIMIT 1
) AS n;

-- name: last_positions
SELECT s.shard, (SELECT coalesce(max(position), 0) FROM history AS h WHERE h.shard = s.shard)
FROM shards AS s
ORDER BY s.shard;

-- name: latest_instants
SELECT s.shard, (SELECT at FROM history AS h WHERE h.shard = s.shard ORDER BY position DESC LIMIT 1)
FROM shards AS s;

-- name: changes
-- Each shard yields its next lines by its index; the instants of their commits merge them.
SELECT l.shard, l.position, l.key, l.seq, l.body, e.id, s.workflow, s.project, s.domain
FROM (
    SELECT h.*
    FROM unnest(:positions::bigint[]) WITH ORDINALITY AS c (position, n)
    CROSS JOIN LATERAL (
        SELECT *
        FROM history
        WHERE shard = (c.n - 1)::smallint AND position > c.position
        ORDER BY position
        LIMIT :limit
    ) AS h
    ORDER BY h.at, h.shard, h.position
    LIMIT :limit
) AS l
JOIN executions AS e ON e.key = l.key
JOIN series AS s ON s.id = e.series
ORDER BY l.at, l.shard, l.position;

-- name: changes_of
SELECT h.shard, h.position, h.key, h.seq, h.body, e.id, s.workflow, s.project, s.domain
FROM history AS h
JOIN executions AS e ON e.key = h.key
JOIN series AS s ON s.id = e.series
WHERE h.key = :key AND h.position > (:positions::bigint[])[(:key & 63) + 1]
ORDER BY h.seq
LIMIT :limit;

-- name: usage
-- What the lines between two positions of each shard have added for each project. The length of a body is known without reading it. OFFSET 0: as above.
SELECT s.project, count(*) FILTER (WHERE h.seq = 1), sum(length(h.body))::bigint
FROM unnest(:positions::bigint[], :ends::bigint[]) WITH ORDINALITY AS c (position, until, n)
CROSS JOIN LATERAL (
    SELECT key, seq, body FROM history WHERE shard = (c.n - 1)::smallint AND position > c.position AND position <= c.until OFFSET 0
) AS h
JOIN executions AS e ON e.key = h.key
JOIN series AS s ON s.id = e.series
GROUP BY s.project;

-- name: execution_rows
SELECT e.key, e.id, e.workflow, w.name, w.version, e.phase, e.launched, e.changed, e.who, s.project, s.domain, e.ending
FROM json_array_elements_text(:keys::json) AS k
JOIN executions AS e ON e.key = k.value::bigint
JOIN workflows AS w ON w.id = e.workflow
JOIN series AS s ON s.id = e.series
ORDER BY e.key DESC;

-- name: wait_rows
SELECT w.order_key, w.key, w.node, w.kind, w.name, w.path, w.opened, w.due, w.handle, w.form, w.digest, w.body,
    e.id, e.workflow, e.who, s.project, s.domain, s.workflow
FROM json_array_elements(:waits::json) AS n
JOIN waits AS w ON w.key = (n.value ->> 0)::bigint AND w.node = n.value ->> 1
JOIN executions AS e ON e.key = w.key
JOIN series AS s ON s.id = w.series
ORDER BY w.order_key;

-- name: waiting_names
SELECT w.key, w.name
FROM json_array_elements_text(:keys::json) AS k
JOIN waits AS w ON w.key = k.value::bigint
WHERE w.kind IN (1, 2)
ORDER BY substr(w.order_key, CASE WHEN w.due IS NULL THEN 2 ELSE 9 END);

-- name: heads_of_executions
SELECT h.head, s.value::bigint, p.value::bigint
FROM json_array_elements_text(:wanted::json) AS s
CROSS JOIN json_array_elements_text(:parts::json) AS p
CROSS JOIN LATERAL (
    SELECT -key AS head
    FROM executions
    WHERE part = p.value::smallint AND series = s.value::bigint AND key < :before AND key >= :least
        AND launched >= :since AND launched < :until
    ORDER BY key DESC
    LIMIT 1
) AS h
ORDER BY h.head
LIMIT nullif(:limit, -1);

-- name: heads_of_waits
SELECT h.head, s.value::bigint, p.value::bigint
FROM json_array_elements_text(:wanted::json) AS s
CROSS JOIN json_array_elements_text(:parts::json) AS p
CROSS JOIN LATERAL (
    SELECT order_key AS head
    FROM waits
    WHERE series = s.value::bigint AND kind = p.value::smallint AND order_key > :after AND order_key < :before
    ORDER BY order_key
    LIMIT 1
) AS h
ORDER BY h.head
LIMIT nullif(:limit, -1);

-- name: executions_searched
SELECT -key, key, meant
FROM (
    SELECT key, (
        launched >= :since AND launched < :until
        AND part IN (SELECT value::smallint FROM json_array_elements_text(:parts::json))
        AND (:wanted::json IS NULL OR series IN (SELECT value::bigint FROM json_array_elements_text(:wanted::json)))
        AND (strpos(lower(id), :text) > 0 OR series IN (SELECT value::bigint FROM json_array_elements_text(:named::json)))
    ) AS meant
    FROM executions
    WHERE key < :before AND key >= :least
) AS r
WHERE :every OR meant
ORDER BY key DESC;

-- name: executions_of_series_searched
SELECT -key, key, meant
FROM (
    SELECT key, (launched >= :since AND launched < :until AND strpos(lower(id), :text) > 0) AS meant
    FROM executions
    WHERE part = :part AND series = :series AND key < :before AND key >= :least
) AS r
WHERE :every OR meant
ORDER BY key DESC;

-- name: waits_searched
SELECT order_key, key, node, meant
FROM (
    SELECT order_key, key, node, (
        (:wanted::json IS NULL OR series IN (SELECT value::bigint FROM json_array_elements_text(:wanted::json)))
        AND (
            strpos(search, :text) > 0
            OR series IN (SELECT value::bigint FROM json_array_elements_text(:named::json))
            OR EXISTS (SELECT 1 FROM executions AS e WHERE e.key = waits.key AND strpos(lower(e.id), :text) > 0)
        )
    ) AS meant
    FROM waits
    WHERE kind = :part AND order_key > :after AND order_key < :before
) AS r
WHERE :every OR meant
ORDER BY order_key;

-- name: waits_of_series_searched
SELECT order_key, key, node, meant
FROM (
    SELECT order_key, key, node, (
        strpos(search, :text) > 0
        OR EXISTS (SELECT 1 FROM executions AS e WHERE e.key = waits.key AND strpos(lower(e.id), :text) > 0)
    ) AS meant
    FROM waits
    WHERE series = :series AND kind = :part AND order_key > :after AND order_key < :before
) AS r
WHERE :every OR meant
ORDER BY order_key;

-- name: waits_sorted
-- A value is a number (`n`) or bytes (`t`, in hexadecimal): numbers before texts, as SQLite has it. What has no value comes last.
WITH found AS (
    SELECT order_key, key, node, v.number, v.bytes
    FROM waits
    LEFT JOIN LATERAL (SELECT figures::json -> :figure::text AS value) AS f ON :sort::text = 'figure'
    CROSS JOIN LATERAL (
        SELECT CASE :sort::text
            WHEN 'due' THEN due::numeric
            WHEN 'opened' THEN opened::numeric
            WHEN 'figure' THEN CASE json_typeof(f.value)
                WHEN 'number' THEN (f.value #>> '{}')::numeric
                WHEN 'boolean' THEN (f.value #>> '{}')::boolean::integer::numeric
            END
        END AS number, CASE :sort::text
            WHEN 'title' THEN title_key
            WHEN 'figure' THEN CASE json_typeof(f.value) WHEN 'string' THEN convert_to(f.value #>> '{}', 'UTF8') END
        END AS bytes
    ) AS v
    WHERE kind IN (SELECT value::smallint FROM json_array_elements_text(:parts::json))
        AND (:wanted::json IS NULL OR series IN (SELECT value::bigint FROM json_array_elements_text(:wanted::json)))
        AND order_key > :after AND order_key < :before
        AND (
            :text::text = ''
            OR strpos(search, :text) > 0
            OR series IN (SELECT value::bigint FROM json_array_elements_text(:named::json))
            OR EXISTS (SELECT 1 FROM executions AS e WHERE e.key = waits.key AND strpos(lower(e.id), :text) > 0)
        )
), ranked AS (
    SELECT order_key, key, node, number, bytes, CASE WHEN number IS NOT NULL THEN 0 WHEN bytes IS NOT NULL THEN 1 ELSE 2 END AS rank
    FROM found
), last AS (
    SELECT
        CASE WHEN :none THEN 2 WHEN left(:last::text, 1) = 'n' THEN 0 ELSE 1 END AS rank,
        CASE WHEN left(:last::text, 1) = 'n' THEN substr(:last::text, 2)::numeric END AS number,
        CASE WHEN left(:last::text, 1) = 't' THEN decode(substr(:last::text, 2), 'hex') END AS bytes
)
SELECT r.order_key, r.key, r.node, CASE r.rank WHEN 0 THEN 'n' || r.number WHEN 1 THEN 't' || encode(r.bytes, 'hex') END
FROM ranked AS r, last AS l
WHERE :first OR CASE
    WHEN r.rank <> l.rank AND (r.rank = 2 OR l.rank = 2) THEN r.rank > l.rank
    WHEN r.rank <> l.rank THEN (r.rank > l.rank) <> :descending
    WHEN r.number <> l.number THEN (r.number > l.number) <> :descending
    WHEN r.bytes <> l.bytes THEN (r.bytes > l.bytes) <> :descending
    ELSE r.order_key > :last_key
END
ORDER BY
    r.rank = 2,
    CASE WHEN NOT :descending THEN r.rank END, CASE WHEN NOT :descending THEN r.number END, CASE WHEN NOT :descending THEN r.bytes END,
    CASE WHEN :descending THEN r.rank END DESC, CASE WHEN :descending THEN r.number END DESC, CASE WHEN :descending THEN r.bytes END DESC,
    r.order_key
LIMIT :limit;

-- name: count_waits_of
SELECT s.value::bigint, c.count, d.due
FROM json_array_elements_text(:wanted::json) AS s
CROSS JOIN LATERAL (
    SELECT count(*) AS count
    FROM (
        SELECT 1
        FROM json_array_elements_text(:parts::json) AS p
        JOIN waits AS w ON w.series = s.value::bigint AND w.kind = p.value::smallint
        LIMIT :limit
    ) AS some
) AS c
CROSS JOIN LATERAL (
    SELECT min(f.due) AS due
    FROM json_array_elements_text(:parts::json) AS p
    CROSS JOIN LATERAL (
        SELECT due
        FROM waits
        WHERE series = s.value::bigint AND kind = p.value::smallint
        ORDER BY order_key
        LIMIT 1
    ) AS f
) AS d;

-- name: executions_found
SELECT key, part, series, launched
FROM executions
WHERE lower(id) LIKE :pattern
LIMIT :limit;

-- name: waits_found
SELECT order_key, key, node, kind, series
FROM waits
WHERE search LIKE :pattern
UNION
SELECT w.order_key, w.key, w.node, w.kind, w.series
FROM (SELECT key FROM executions WHERE lower(id) LIKE :pattern LIMIT :limit) AS e
JOIN waits AS w ON w.key = e.key
LIMIT :limit;

-- name: problem_gap
SELECT format('execution %s: its history holds %s events, numbered %s to %s', coalesce(e.id, h.key::text), h.n, h.low, h.high)
FROM (
    SELECT key, count(*) AS n, min(seq) AS low, max(seq) AS high
    FROM history
    GROUP BY key
    HAVING min(seq) <> 1 OR max(seq) <> count(*)
) AS h
LEFT JOIN executions AS e ON e.key = h.key
LIMIT 50;

-- name: problem_positions
SELECT format('shard %s holds %s lines of history, numbered %s to %s', shard, count(*), min(position), max(position))
FROM history
GROUP BY shard
HAVING min(position) <> 1 OR max(position) <> count(*)
LIMIT 50;

-- name: problem_no_history
SELECT format('execution %s has no history', id)
FROM executions AS e
WHERE NOT EXISTS (SELECT 1 FROM history AS h WHERE h.key = e.key)
LIMIT 50;

-- name: problem_no_execution
SELECT DISTINCT format('there is history of an execution numbered %s, which does not exist', key)
FROM history AS h
WHERE NOT EXISTS (SELECT 1 FROM executions AS e WHERE e.key = h.key)
LIMIT 50;

-- name: problem_stray_wait
SELECT format('node %s of execution %s waits, but the execution %s', w.node, coalesce(e.id, w.key::text), CASE WHEN e.key IS NULL THEN 'does not exist' ELSE 'has ended' END)
FROM waits AS w
LEFT JOIN executions AS e ON e.key = w.key
WHERE e.key IS NULL OR e.phase > 2
LIMIT 50;

-- name: problem_no_wait
SELECT format('execution %s is WAITING, but nothing is listed that it waits for', id)
FROM executions AS e
WHERE phase = 2 AND NOT EXISTS (SELECT 1 FROM waits AS w WHERE w.key = e.key)
LIMIT 50;

-- name: problem_series
SELECT format('node %s of execution %s is listed under another project, domain or workflow', w.node, e.id)
FROM waits AS w
JOIN executions AS e ON e.key = w.key
WHERE e.series <> w.series
LIMIT 50;

-- name: problem_counter
SELECT format('the counter %s says %s, there are %s: run `tidegate doctor --rebuild`', name, sum(said), sum(found))
FROM (
    SELECT name, value AS said, 0 AS found FROM counters
    UNION ALL
    SELECT 'phase:' || phase, 0, count(*) FROM executions GROUP BY phase
    UNION ALL
    SELECT 'wait:' || CASE kind WHEN 0 THEN 'sleep' WHEN 1 THEN 'input' WHEN 2 THEN 'approve' ELSE 'retry' END, 0, count(*)
    FROM waits
    GROUP BY kind
) AS c
GROUP BY name
HAVING sum(said) <> sum(found)
LIMIT 50;

-- name: problem_rebuild
SELECT format('the lists are incomplete: a rebuild stopped at execution number %s; open the store to continue', value)
FROM marks
WHERE name = 'rebuild';

-- name: move_history
SELECT key, seq, body
FROM history
ORDER BY at, shard, position;

-- name: take_history
INSERT INTO history (key, seq, body, shard, position, at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- name: continue_numbers
-- Rows that came with their numbers leave the sequences behind.
SELECT setval(pg_get_serial_sequence(t.name, t.number), t.last)
FROM (
    SELECT 'graphs' AS name, 'id' AS number, max(id) AS last FROM graphs
    UNION ALL SELECT 'workflows', 'id', max(id) FROM workflows
    UNION ALL SELECT 'series', 'id', max(id) FROM series
    UNION ALL SELECT 'audit', 'number', max(number) FROM audit
) AS t
WHERE t.last IS NOT NULL;
