-- The zone whose days and months count for the issuer's cardholders: an IANA name.
ALTER TABLE issuers ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC';
-- The factor set that scores what is new. NULL: the newest of the gateway's own.
ALTER TABLE issuers ADD COLUMN factor_set TEXT;
