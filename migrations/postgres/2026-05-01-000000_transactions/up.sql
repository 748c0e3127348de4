-- What holds for all months of a cardholder. Whoever changes the cardholder's months locks this row first.
CREATE TABLE transaction_ledgers (
    issuer_id INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    content BYTEA NOT NULL,                        -- sealed: factor set, fingerprints of transaction ids by month, notice of a rescore
    seal_key INTEGER NOT NULL,                   -- data-key version that content is sealed under
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (issuer_id, user_id)
) WITH (fillfactor = 80, toast_tuple_target = 8160);

-- A cardholder's month: its transactions and their sums by spending area, one sealed value.
CREATE TABLE transaction_months (
    issuer_id INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    month INTEGER NOT NULL,                      -- year * 12 + month - 1
    content BYTEA NOT NULL,                        -- sealed
    seal_key INTEGER NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (issuer_id, user_id, month)
) WITH (fillfactor = 80, toast_tuple_target = 8160);

-- Sealed values do not compress: PostgreSQL need not try.
ALTER TABLE transaction_ledgers ALTER COLUMN content SET STORAGE EXTERNAL;
ALTER TABLE transaction_months ALTER COLUMN content SET STORAGE EXTERNAL;
