ALTER TABLE issuers DROP COLUMN answers;
