-- Lists show titles and figures, and are sorted by them. Rows are read in part while sorting, so the body, which is long, stays last.
-- search: name, title, figures and the first line of the prompt, folded. title_key: `rows.natural` of the title or name. figures: a JSON object.

ALTER TABLE waits RENAME TO waits_before;
CREATE TABLE waits (
    key INTEGER NOT NULL,
    node TEXT NOT NULL,
    kind INTEGER NOT NULL,
    order_key BLOB NOT NULL,
    series INTEGER NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    opened INTEGER NOT NULL,
    due INTEGER,
    handle TEXT NOT NULL,
    form INTEGER NOT NULL,
    digest BLOB NOT NULL,
    title_key BLOB NOT NULL,
    figures TEXT NOT NULL,
    search TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (key, node)
) STRICT, WITHOUT ROWID;

INSERT INTO waits (key, node, kind, order_key, series, name, path, opened, due, handle, form, digest, title_key, figures, search, body)
SELECT key, node, kind, order_key, series, name, path, opened, due, handle, form, digest, CAST(lower(name) AS BLOB), '{}', search, body
FROM waits_before
ORDER BY key, node;

DROP TABLE waits_before;

CREATE INDEX waits_by_kind ON waits (kind, order_key);
CREATE INDEX waits_by_series ON waits (series, kind, order_key);
CREATE INDEX waits_by_due ON waits (due) WHERE due IS NOT NULL;

-- What they show is written anew from the history, as after 0003; and so is the search index.
INSERT OR REPLACE INTO marks (name, value) VALUES ('rebuild', 0);
UPDATE marks SET value = 0 WHERE name IN ('waits_text', 'waits_swept');
INSERT INTO waits_text (waits_text) VALUES ('delete-all');
DELETE FROM waits_late;
