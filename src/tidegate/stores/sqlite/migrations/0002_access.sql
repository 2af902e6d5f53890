-- Who may ask over the network. Secrets are not here: a token and a login are known by the SHA-256 of theirs.

-- grants: JSON, [[role, project pattern, domain pattern], ...]. used: about when it was used last.
CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    grants TEXT NOT NULL,
    creator TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER,
    revoked INTEGER,
    used INTEGER
) STRICT;

-- Browsers that have traded a token for a cookie.
CREATE TABLE logins (
    hash BLOB PRIMARY KEY,
    token TEXT NOT NULL REFERENCES tokens (id),
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX logins_by_expiry ON logins (expires);
