-- What the code of a version imports from outside of its bundle, as it was registered last: a blob, empty where that is not known.
-- A launch takes it into its history, so an execution keeps the one that it was launched with.

ALTER TABLE workflows ADD COLUMN recorded TEXT NOT NULL DEFAULT '';
