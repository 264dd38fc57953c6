-- The view of one study's trials, for people. {view} is its quoted name, {points}
-- and {metrics} are columns: of points_{id}, which {join} joins where points are
-- described, and of metrics by their names.
CREATE VIEW {view} AS
SELECT r.trial, r.point, r.replication,
       CASE r.status WHEN 1 THEN 'done' WHEN 2 THEN 'failed' WHEN 3 THEN 'dead' WHEN 4 THEN 'overrun' END AS status
       {points}
       {metrics},
       r.attempts AS {attempts},
       r.elapsed / 1e6 AS {elapsed_ms},
       r.worker AS {worker},
       strftime('%Y-%m-%dT%H:%M:%fZ', r.finished / 1e9, 'unixepoch') AS {finished},
       r.error AS {error}
FROM records_{id} AS r {join};
