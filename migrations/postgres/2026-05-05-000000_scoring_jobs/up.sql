-- The jobs are run: states, and when one is looked at next. The window begins on the first day of the month 12 months before
-- enrolment, in the issuer's zone.
ALTER TABLE scoring_jobs DROP CONSTRAINT scoring_jobs_status_check;
ALTER TABLE scoring_jobs ADD CONSTRAINT scoring_jobs_status_check
    CHECK (status IN ('pending', 'running', 'done', 'no_history', 'failed'));
ALTER TABLE scoring_jobs ADD COLUMN next_at BIGINT NOT NULL DEFAULT 0; -- pending: the next look; running: the end of the lease
ALTER TABLE scoring_jobs ADD COLUMN scored INTEGER NOT NULL DEFAULT 0; -- transactions of before the enrolment that it has scored
ALTER TABLE scoring_jobs ADD COLUMN ended_at BIGINT;
CREATE INDEX scoring_jobs_due ON scoring_jobs (next_at, issuer_id) WHERE status IN ('pending', 'running');
