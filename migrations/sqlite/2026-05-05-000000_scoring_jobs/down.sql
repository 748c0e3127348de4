CREATE TABLE scoring_jobs_old (
    issuer_id INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'running', 'done', 'failed')),
    window_from BIGINT NOT NULL,
    window_to BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (issuer_id, user_id)
);
INSERT INTO scoring_jobs_old
    SELECT issuer_id, user_id, CASE status WHEN 'no_history' THEN 'done' ELSE status END, window_from, window_to, attempts,
        created_at FROM scoring_jobs;
DROP TABLE scoring_jobs;
ALTER TABLE scoring_jobs_old RENAME TO scoring_jobs;
