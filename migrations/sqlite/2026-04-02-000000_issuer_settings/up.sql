-- Settings of an issuer: which encrypted envelopes it may use, and whether field-level parameters may come as headers, which
-- its signature does not cover.
ALTER TABLE issuers ADD COLUMN envelopes TEXT NOT NULL DEFAULT 'jwe,field-level'
    CHECK (envelopes IN ('jwe', 'field-level', 'jwe,field-level'));
ALTER TABLE issuers ADD COLUMN field_level_headers BOOLEAN NOT NULL DEFAULT 0;
-- Signatures by a certificate that has ended are accepted.
ALTER TABLE issuers ADD COLUMN accept_expired_signing BOOLEAN NOT NULL DEFAULT 0;
-- Prefixes of 1 to 8 digits, separated by commas: where the issuer may add account ranges itself. NULL: nowhere, and what it
-- added before stays.
ALTER TABLE issuers ADD COLUMN self_service_ranges TEXT;
-- The registry's version that the issuer's last change made: nodes load what is newer than what they have.
ALTER TABLE issuers ADD COLUMN changed_in BIGINT NOT NULL DEFAULT 0;
