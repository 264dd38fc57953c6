-- The tables of one study. {id} is its number, {metrics} a column for each of its
-- metrics: m0, m1, ... They have no type, since a column of type REAL turns -0.0
-- into 0; NULL is NaN.
--
-- The number of a trial is the key. Trials are numbered replication by
-- replication, so point p of n is at p, p+n, p+2n, ..., and tables read all of
-- them in order: no second index pays for what it costs each commit. Curves are
-- in a table of their own, so that what tables read stays narrow.

CREATE TABLE records_{id} (
    trial       INTEGER PRIMARY KEY,
    generation  INTEGER NOT NULL,
    status      INTEGER NOT NULL, -- 1 done, 2 failed, 3 dead, 4 overrun
    point       INTEGER NOT NULL,
    replication INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    worker      TEXT,
    finished    INTEGER,
    elapsed     INTEGER NOT NULL,
    error       TEXT,
    curves      INTEGER,          -- length and CRC of the row in curves_{id}
    crc         INTEGER NOT NULL
    {metrics}
);

CREATE TABLE curves_{id} (
    trial  INTEGER PRIMARY KEY,
    curves BLOB NOT NULL
);
