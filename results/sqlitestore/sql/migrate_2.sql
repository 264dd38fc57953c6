-- From version 1 to version 2 of overnight.db: what the cluster needs to know of
-- plans, and core time.
ALTER TABLE studies ADD COLUMN more   TEXT    NOT NULL DEFAULT '';
ALTER TABLE studies ADD COLUMN used   INTEGER NOT NULL DEFAULT 0;
ALTER TABLE studies ADD COLUMN wasted INTEGER NOT NULL DEFAULT 0;
PRAGMA user_version = 2;
