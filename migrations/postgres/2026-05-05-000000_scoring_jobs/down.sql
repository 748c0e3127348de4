DROP INDEX scoring_jobs_due;
ALTER TABLE scoring_jobs DROP COLUMN ended_at;
ALTER TABLE scoring_jobs DROP COLUMN scored;
ALTER TABLE scoring_jobs DROP COLUMN next_at;
UPDATE scoring_jobs SET status = 'done' WHERE status = 'no_history';
ALTER TABLE scoring_jobs DROP CONSTRAINT scoring_jobs_status_check;
ALTER TABLE scoring_jobs ADD CONSTRAINT scoring_jobs_status_check
    CHECK (status IN ('pending', 'running', 'done', 'failed'));
