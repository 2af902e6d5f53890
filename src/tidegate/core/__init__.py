"""The machine: what happens next, decided by one pure function and returned as data."""
