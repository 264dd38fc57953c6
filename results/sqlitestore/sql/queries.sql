-- Statements by name. {id} is a study's number, {metrics} its columns m0, m1, ...
-- and {values} their parameters from ?13 on; both begin with a comma.

-- name: head
-- The plan of study ?1 but for the body, and its tally.
SELECT id, generation, trials, points, metrics, crc, name, identity, engine, objective, state, digest, created,
       view, described, done, failed, dead, overrun, duplicates, differs, stale, more, used, wasted
FROM studies WHERE name = ?1;

-- name: heads
-- All plans, oldest first.
SELECT id, generation, trials, points, metrics, crc, name, identity, engine, objective, state, digest, created,
       view, described, done, failed, dead, overrun, duplicates, differs, stale, more, used, wasted
FROM studies ORDER BY created, id;

-- name: head-1
-- The same of a store of version 1, which knows less.
SELECT id, generation, trials, points, metrics, crc, name, identity, engine, objective, state, digest, created,
       view, described, done, failed, dead, overrun, duplicates, differs, stale, '', 0, 0
FROM studies WHERE name = ?1;

-- name: heads-1
SELECT id, generation, trials, points, metrics, crc, name, identity, engine, objective, state, digest, created,
       view, described, done, failed, dead, overrun, duplicates, differs, stale, '', 0, 0
FROM studies ORDER BY created, id;

-- name: body
SELECT body, source, crc FROM bodies WHERE study = ?1;

-- name: put-head
-- A new plan, or a changed one with its number in ?1.
INSERT INTO studies (id, generation, trials, points, metrics, crc, name, identity, engine, objective, state, digest, created, view, described, more)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
ON CONFLICT (id) DO UPDATE SET
    generation = excluded.generation, trials = excluded.trials, points = excluded.points, metrics = excluded.metrics,
    crc = excluded.crc, identity = excluded.identity, engine = excluded.engine, objective = excluded.objective,
    state = excluded.state, digest = excluded.digest, view = excluded.view, described = excluded.described,
    more = excluded.more;

-- name: put-body
INSERT OR REPLACE INTO bodies (study, body, source, crc) VALUES (?1, ?2, ?3, ?4);

-- name: number
-- The number and the view of study ?1, readable even where its plan is damaged.
SELECT id, view FROM studies WHERE name = ?1;

-- name: delete-study
DELETE FROM studies WHERE id = ?1;

-- name: delete-body
DELETE FROM bodies WHERE study = ?1;

-- name: name-taken
-- Whether a table or view is called ?1.
SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE);

-- name: bodies
SELECT body FROM bodies;

-- name: count
-- Adds to the tally of study ?1. A sum of times that is too large for an integer
-- becomes a float, which min replaces by the largest integer.
UPDATE studies SET done = done + ?2, failed = failed + ?3, dead = dead + ?4, overrun = overrun + ?5,
    duplicates = duplicates + ?6, differs = differs + ?7, stale = stale + ?8,
    used = min(used + ?9, 9223372036854775807), wasted = min(wasted + ?10, 9223372036854775807)
WHERE id = ?1;

-- name: recount
-- Counts the records of study ?1 again.
UPDATE studies SET (done, failed, dead, overrun) =
    (SELECT count(*) FILTER (WHERE status = 1), count(*) FILTER (WHERE status = 2),
            count(*) FILTER (WHERE status = 3), count(*) FILTER (WHERE status = 4) FROM records_{id})
WHERE id = ?1;

-- name: insert
-- Stores a record, unless its trial has one: then it changes nothing.
INSERT INTO records_{id} (trial, generation, status, point, replication, attempts, worker, finished, elapsed, error, curves, crc {metrics})
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 {values})
ON CONFLICT DO NOTHING;

-- name: insert-curves
INSERT OR REPLACE INTO curves_{id} (trial, curves) VALUES (?1, ?2);

-- name: range
-- The records of trials ?1 to ?2 in order.
SELECT trial, generation, status, point, replication, attempts, worker, finished, elapsed, error, curves, crc {metrics}
FROM records_{id} WHERE trial BETWEEN ?1 AND ?2 ORDER BY trial;

-- name: curves
SELECT curves FROM curves_{id} WHERE trial = ?1;

-- name: trials
SELECT trial FROM records_{id} ORDER BY trial;

-- name: objectives
-- The point of each trial that is done, and its objective, which is one of the
-- metrics' columns; where that is a number.
SELECT point, {objective} FROM records_{id} WHERE status = 1 AND {objective} IS NOT NULL;

-- name: has
SELECT EXISTS (SELECT 1 FROM records_{id} WHERE trial = ?1);

-- name: delete-record
DELETE FROM records_{id} WHERE trial = ?1;

-- name: delete-curves
DELETE FROM curves_{id} WHERE trial = ?1;

-- name: stray-curves
-- Trials with curves that no record has.
SELECT trial FROM curves_{id} WHERE trial NOT IN (SELECT trial FROM records_{id} WHERE curves IS NOT NULL);

-- name: put-blob
INSERT OR REPLACE INTO blobs (sha256, stored, data) VALUES (?1, ?2, ?3);

-- name: blob
SELECT data FROM blobs WHERE sha256 = ?1;

-- name: touch-blob
UPDATE blobs SET stored = ?2 WHERE sha256 = ?1;

-- name: delete-blob
-- Removes blob ?1 where it was stored before ?2.
DELETE FROM blobs WHERE sha256 = ?1 AND stored < ?2;

-- name: blob-names
SELECT sha256 FROM blobs ORDER BY sha256;

-- name: put-checkpoint
INSERT OR REPLACE INTO checkpoints (study, trial, generation, state, crc) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: checkpoint
SELECT state, crc FROM checkpoints WHERE study = ?1 AND trial = ?2 AND generation = ?3;

-- name: has-checkpoints
SELECT EXISTS (SELECT 1 FROM checkpoints WHERE study = ?1);

-- name: delete-checkpoint
DELETE FROM checkpoints WHERE study = ?1 AND trial = ?2;

-- name: delete-checkpoints
-- Removes those of study ?1 of generations before ?2.
DELETE FROM checkpoints WHERE study = ?1 AND generation < ?2;

-- name: checkpoints
SELECT c.trial, c.generation, c.state, c.crc FROM checkpoints AS c WHERE c.study = ?1 ORDER BY c.trial;

-- name: give
INSERT INTO orders (kind, study, made) VALUES (?1, ?2, ?3);

-- name: orders
SELECT id, kind, study, made FROM orders WHERE id > ?1 ORDER BY id;

-- name: forget-orders
-- Removes orders made before ?1: whoever ran then has seen them.
DELETE FROM orders WHERE made < ?1;

-- name: beat
INSERT OR REPLACE INTO workers (id, host, slots, free, version, engine, held, done, rate, started, seen)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11);

-- name: workers
SELECT id, host, slots, free, version, engine, held, done, rate, started, seen FROM workers ORDER BY id;

-- name: workers-1
-- The same of a fleet.db of version 1, which keeps the IDs of jobs alone.
SELECT id, host, slots, free, version, engine,
    (SELECT json_group_array(json_object('Job', value)) FROM json_each(jobs) WHERE type = 'text'),
    done, 0.0, started, seen
FROM workers ORDER BY id;

-- name: forget-workers
-- Removes workers that were seen last before ?1.
DELETE FROM workers WHERE seen < ?1;

-- name: lease
SELECT holder, until, ttl FROM leases WHERE name = ?1;

-- name: put-lease
INSERT OR REPLACE INTO leases (name, holder, until, ttl) VALUES (?1, ?2, ?3, ?4);

-- name: end-lease
-- Gives up lease ?1 if ?2 holds it.
DELETE FROM leases WHERE name = ?1 AND holder = ?2;

-- name: forget-leases
-- Removes leases that ran out before ?1.
DELETE FROM leases WHERE until < ?1;
