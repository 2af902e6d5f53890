-- Servers that share the store, whether or not they own a part of it; and the secret with which they prove to each other who they are.

CREATE TABLE replicas (
    name text COLLATE "C" PRIMARY KEY,
    address text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    since timestamptz NOT NULL,
    expires timestamptz NOT NULL,
    leaving boolean NOT NULL
);
COMMENT ON TABLE replicas IS 'Servers that are alive. Each takes as many shards as are its share.';

ALTER TABLE store ADD COLUMN secret bytea NOT NULL
    DEFAULT decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');
COMMENT ON COLUMN store.secret IS 'Signs what one server passes on to another. Who can read this table is the owner of the store.';

ALTER TABLE store ADD COLUMN files text COLLATE "C" NOT NULL DEFAULT '';
COMMENT ON COLUMN store.files IS 'The object store with its files; empty if they are in the directories of its servers.';
