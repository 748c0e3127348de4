-- A wrapped key opens one message: which message of which issuer each wrapped key has opened (src/store/opened_keys.rs).
-- One row for each wrapped key, whoever sent it, so the key cannot start with the issuer: this table shards by key_hash.
CREATE TABLE opened_keys (
    key_hash BYTEA NOT NULL PRIMARY KEY,         -- SHA-256 of the gateway key's fingerprint and the RSA ciphertext
    message_hash BYTEA NOT NULL,                 -- SHA-256 of everything that decides the plaintext: IV, ciphertext, tag, header
    issuer_id INTEGER NOT NULL,
    field_level BOOLEAN NOT NULL,                -- true: kept as long as the gateway key; false (JWE): crypto.remember_jwe_days
    gateway_key BIGINT NOT NULL,                 -- the first 8 bytes of the gateway key's fingerprint
    opened_at BIGINT NOT NULL                    -- by the database's clock
);
-- Rows come in the order of time, so a few bytes for every 128 pages find the old ones.
CREATE INDEX opened_keys_age ON opened_keys USING brin (opened_at) WITH (autosummarize = on);

-- Which gateway keys nodes had lately: when none has a key any more, its rows above can go.
CREATE TABLE gateway_keys_held (
    gateway_key BIGINT NOT NULL PRIMARY KEY,     -- as in opened_keys
    held_at BIGINT NOT NULL                      -- by the database's clock
);
