-- The schema of fleet.db, user_version 1: the workers' last beats. It is a file of
-- its own that is never synced: a beat costs no disk access and doesn't wait for
-- commits, and what a power loss takes from it is a second old.
CREATE TABLE IF NOT EXISTS workers (
    id      TEXT PRIMARY KEY,
    host    TEXT    NOT NULL,
    slots   INTEGER NOT NULL,
    free    INTEGER NOT NULL,
    version TEXT    NOT NULL,
    engine  INTEGER NOT NULL,
    jobs    TEXT    NOT NULL, -- JSON list of IDs
    done    INTEGER NOT NULL,
    started INTEGER,
    seen    INTEGER NOT NULL
);
PRAGMA user_version = 1;
