-- Servers of several versions use one store. A migration only adds, so an older version goes on beside it; one after which an older version would write
-- what is wrong says so here, by the number of the oldest schema that may still be written.

ALTER TABLE store ADD COLUMN least bigint NOT NULL DEFAULT 1;
COMMENT ON COLUMN store.least IS 'The oldest schema whose servers may write. Each commit looks, so an older server stops with the migration that says so.';
