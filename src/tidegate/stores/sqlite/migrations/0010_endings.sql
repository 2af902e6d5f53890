-- Lists show how executions ended, and are filtered by it.
-- part: the phase, but 6 for one that failed by a rejection and 7 for one that failed by silence. ending: `core.endings.Ending`, as msgpack.

ALTER TABLE executions ADD COLUMN part INTEGER NOT NULL DEFAULT 0;
ALTER TABLE executions ADD COLUMN ending BLOB;
UPDATE executions SET part = phase;

-- An arm of a list: a series in a part, the newest first. It also says at once which few are QUEUED or RUNNING when a store is opened.
DROP INDEX executions_by_phase;
CREATE INDEX executions_by_part ON executions (part, series, key);

-- How they ended is read from the history, once, of those that failed or were aborted; and lists are written anew as after 0003.
INSERT OR REPLACE INTO marks (name, value) VALUES ('rebuild', 0), ('rebuild_endings', 0);
