-- Attempts go on where they run while another server takes over their shard: it is told here what became of them.

CREATE TABLE reports (
    key bigint NOT NULL,
    node text COLLATE "C" NOT NULL,
    attempt bigint NOT NULL,
    keeper text COLLATE "C" NOT NULL,
    ended boolean NOT NULL DEFAULT false,
    body bytea,
    PRIMARY KEY (key, node, attempt)
);
COMMENT ON TABLE reports IS 'Attempts that run at a server which no longer owns their shard, and the last report on each. Without a row, nobody wants one.';

ALTER TABLE replicas ADD COLUMN schema bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN replicas.schema IS 'The newest schema that this server knows: an attempt is handed over only if all others know of reports.';
