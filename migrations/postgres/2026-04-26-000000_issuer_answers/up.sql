-- How answers to an issuer are sealed that have no request to mirror: 'jwe', or 'field-level' with encoding and digest. The
-- default is what the public API's clients read.
ALTER TABLE issuers ADD COLUMN answers TEXT NOT NULL DEFAULT 'field-level,hex,SHA256';
