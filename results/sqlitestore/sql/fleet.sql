-- The schema of fleet.db, user_version 2: the workers' last beats, and leases. It
-- is a file of its own that is never synced: a beat costs no disk access and
-- doesn't wait for commits. What a power loss takes from it is a second old, and
-- whoever held a lease is gone then too. Times are nanoseconds since 1970.
CREATE TABLE workers (
    id      TEXT PRIMARY KEY,
    host    TEXT    NOT NULL,
    slots   INTEGER NOT NULL,
    free    INTEGER NOT NULL,
    version TEXT    NOT NULL,
    engine  INTEGER NOT NULL,
    held    TEXT    NOT NULL, -- JSON list of results.Held
    done    INTEGER NOT NULL,
    rate    REAL    NOT NULL,
    started INTEGER,
    seen    INTEGER NOT NULL
);

CREATE TABLE leases (
    name   TEXT PRIMARY KEY,
    holder TEXT    NOT NULL,
    until  INTEGER NOT NULL,
    ttl    INTEGER NOT NULL
);

PRAGMA user_version = 2;
