ALTER TABLE issuers DROP COLUMN changed_in;
ALTER TABLE issuers DROP COLUMN self_service_ranges;
ALTER TABLE issuers DROP COLUMN accept_expired_signing;
ALTER TABLE issuers DROP COLUMN field_level_headers;
ALTER TABLE issuers DROP COLUMN envelopes;
