-- When each gateway key last opened a payload, on any node: tells when an old key is no longer used.
CREATE TABLE gateway_key_usage (
    fingerprint TEXT NOT NULL PRIMARY KEY, -- hex SHA-256 of the SPKI
    last_used_at BIGINT NOT NULL  -- seconds since 1970 UTC
);
