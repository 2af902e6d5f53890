-- Attempts that were asked for and have not begun, so that the next owner gives none of them another number. A row goes when its attempt begins.

CREATE TABLE held (
    key INTEGER NOT NULL,
    node TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    code TEXT NOT NULL,
    why TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (key, node)
) STRICT;
