ALTER TABLE issuers DROP COLUMN factor_set;
ALTER TABLE issuers DROP COLUMN time_zone;
