-- The jobs are run: states, and when one is looked at next. The window begins on the first day of the month 12 months before
-- enrolment, in the issuer's zone. SQLite changes no CHECK: the table is made anew.
CREATE TABLE scoring_jobs_new (
    issuer_id INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'running', 'done', 'no_history', 'failed')),
    window_from BIGINT NOT NULL,
    window_to BIGINT NOT NULL,                   -- the enrolment
    attempts INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    next_at BIGINT NOT NULL DEFAULT 0,           -- pending: the next look; running: the end of the lease
    scored INTEGER NOT NULL DEFAULT 0,           -- transactions of before the enrolment that it has scored
    ended_at BIGINT,
    PRIMARY KEY (issuer_id, user_id)
);
INSERT INTO scoring_jobs_new (issuer_id, user_id, status, window_from, window_to, attempts, created_at)
    SELECT issuer_id, user_id, status, window_from, window_to, attempts, created_at FROM scoring_jobs;
DROP TABLE scoring_jobs;
ALTER TABLE scoring_jobs_new RENAME TO scoring_jobs;
CREATE INDEX scoring_jobs_due ON scoring_jobs (next_at, issuer_id) WHERE status IN ('pending', 'running');
