-- One row for each run of a node, written by the same writer as enrolments while nobody calls: shows that commits still
-- become durable. Rows that nobody has written for a day are removed.
CREATE TABLE node_heartbeats (
    node TEXT NOT NULL PRIMARY KEY,
    beat_at BIGINT NOT NULL -- microseconds since 1970 UTC, by the database's clock
);
