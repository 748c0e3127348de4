-- Transactions of cards that are not enrolled yet, kept by blind index alone (transactions.retain_unenrolled). An enrolment
-- takes them over; others go after the days that the setting says.
CREATE TABLE retained_transactions (
    issuer_id INTEGER NOT NULL,
    retained_id TEXT NOT NULL,                   -- hex of half a SHA-256 over the blind index and the transaction's id
    pan_index BLOB NOT NULL,                    -- HMAC-SHA-256 of the whole PAN under pan_index_key
    pan_index_key INTEGER NOT NULL,
    content BLOB NOT NULL,                      -- sealed: id, MCC, amount, date, country, kind; no merchant
    seal_key INTEGER NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (issuer_id, retained_id)
);
CREATE INDEX retained_transactions_card ON retained_transactions (issuer_id, pan_index_key, pan_index);
CREATE INDEX retained_transactions_age ON retained_transactions (issuer_id, received_at);
