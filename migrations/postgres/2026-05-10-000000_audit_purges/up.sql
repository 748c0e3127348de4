-- The keyed anchor of each chain whose oldest entries were purged (`audit purge`): the last entry that went, with a MAC under
-- a key of the vault. The chain goes on behind it. The transaction that deletes entries moves the anchor on.
CREATE TABLE audit_purges (
    chain TEXT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,                         -- position of the last purged entry: so many are gone
    hash BYTEA NOT NULL,                        -- its hash: the first kept entry links to it
    first_at BIGINT NOT NULL,                    -- the earliest time of a purged entry
    last_at BIGINT NOT NULL,                     -- the latest
    purged_at BIGINT NOT NULL,
    seal_key INTEGER NOT NULL,                   -- version of the data key behind the MAC
    mac BYTEA NOT NULL                          -- HMAC-SHA-256, see src/store/audit/purges.rs
);

-- Before an entry is purged that vouches for a chain, another one must.
CREATE INDEX audit_anchors_voucher ON audit_anchors (by_chain, by_seq);
