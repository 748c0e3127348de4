DROP INDEX oauth_nonces_expiry;
CREATE INDEX oauth_nonces_expiry ON oauth_nonces (expires_at);
