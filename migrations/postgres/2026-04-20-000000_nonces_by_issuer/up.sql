-- Nonces are purged issuer by issuer (src/store/nonces.rs), so the index on their expiry starts with the issuer.
DROP INDEX oauth_nonces_expiry;
CREATE INDEX oauth_nonces_expiry ON oauth_nonces (issuer_id, expires_at);
