-- Waits that are due together are ordered as they stand in the source, whenever they opened: their rows are written anew from the history, as after 0003.

INSERT OR REPLACE INTO marks (name, value) VALUES ('rebuild', 0);
