ALTER TABLE users DROP COLUMN introduced_at;
ALTER TABLE issuers DROP COLUMN dashboard;
