-- Questions have a handle and a digest: the rows of what waits are written anew from the history, as after 0003.

INSERT OR REPLACE INTO marks (name, value) VALUES ('rebuild', 0);
