-- The schema of overnight.db, user_version 2. Numbers of studies are never
-- given twice. Times are nanoseconds since 1970. Every crc is a CRC-32C over the
-- other columns of its row (see row.go and plans.go); tallies have none, they can
-- be counted again.

-- One row a study. `view` is the name of the view that shows its trials; points
-- are described by the columns in `described`, a JSON list, or NULL.
CREATE TABLE studies (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL UNIQUE,
    view       TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    digest     TEXT    NOT NULL,
    identity   TEXT    NOT NULL,
    engine     INTEGER NOT NULL,
    points     INTEGER NOT NULL,
    trials     INTEGER NOT NULL,
    metrics    TEXT    NOT NULL,
    objective  INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    described  TEXT,
    crc        INTEGER NOT NULL,
    done       INTEGER NOT NULL DEFAULT 0,
    failed     INTEGER NOT NULL DEFAULT 0,
    dead       INTEGER NOT NULL DEFAULT 0,
    overrun    INTEGER NOT NULL DEFAULT 0,
    duplicates INTEGER NOT NULL DEFAULT 0,
    differs    INTEGER NOT NULL DEFAULT 0,
    stale      INTEGER NOT NULL DEFAULT 0,
    more       TEXT    NOT NULL DEFAULT '', -- JSON of what version 1 did not know of plans, see head.go
    used       INTEGER NOT NULL DEFAULT 0,  -- nanoseconds
    wasted     INTEGER NOT NULL DEFAULT 0
);

-- The large parts of plans, apart from what every commit reads and counts in.
CREATE TABLE bodies (
    study  INTEGER PRIMARY KEY,
    body   BLOB    NOT NULL,
    source BLOB    NOT NULL,
    crc    INTEGER NOT NULL
);

-- Data files, by the SHA-256 of their content.
CREATE TABLE blobs (
    sha256 TEXT    PRIMARY KEY,
    stored INTEGER NOT NULL,
    data   BLOB    NOT NULL
);

-- The last saved state of trials that are under way.
CREATE TABLE checkpoints (
    study      INTEGER NOT NULL,
    trial      INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    state      BLOB    NOT NULL,
    crc        INTEGER NOT NULL,
    PRIMARY KEY (study, trial)
);

CREATE TABLE orders (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    kind  TEXT    NOT NULL,
    study TEXT    NOT NULL,
    made  INTEGER NOT NULL
);

PRAGMA application_id = 1331057230; -- "OVRN"
PRAGMA user_version = 2;
