-- Sessions of browsers instead of logins: each has an id, by which its owner sees and ends it, and may be of a user of the operating system.

-- token: none if the session was made by a one-time code, for the user `name`. hash: the SHA-256 of what is in the cookie. used: about when it was used last.
CREATE TABLE sessions (
    hash BLOB PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    token TEXT REFERENCES tokens (id),
    agent TEXT NOT NULL,
    created INTEGER NOT NULL,
    used INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO sessions (hash, id, name, token, agent, created, used, expires)
SELECT l.hash, lower(hex(randomblob(6))), t.name, l.token, '', l.created, l.created, l.expires
FROM logins AS l
JOIN tokens AS t ON t.id = l.token;

DROP TABLE logins;

-- Who did what, and who was refused. Rows are added, and never changed or removed.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    who TEXT NOT NULL,
    credential TEXT NOT NULL,
    via TEXT NOT NULL,
    address TEXT NOT NULL,
    execution TEXT NOT NULL,
    about TEXT NOT NULL,
    outcome TEXT NOT NULL,
    shown TEXT NOT NULL,
    count INTEGER NOT NULL
) STRICT;

-- For how many there are of a day, of which there is a limit. Decisions are in no index: they are many, and each would pay for it.
CREATE INDEX audit_of_refusals ON audit (at) WHERE kind = 'refused';

CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
BEGIN
    SELECT raise(ABORT, 'the audit is append-only');
END;

CREATE TRIGGER audit_never_shrinks BEFORE DELETE ON audit
BEGIN
    SELECT raise(ABORT, 'the audit is append-only');
END;
