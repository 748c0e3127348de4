-- Settings of the issuer's web view for cardholders, as JSON. NULL: all by default.
ALTER TABLE issuers ADD COLUMN dashboard TEXT;
-- When the cardholder closed the introduction of the web view, microseconds since 1970 UTC. NULL: not yet.
ALTER TABLE users ADD COLUMN introduced_at BIGINT;
