-- Which account ranges an issuer has added itself (PUT /issuers): they outlive a change of the operator's declaration.
ALTER TABLE account_ranges ADD COLUMN added BOOLEAN NOT NULL DEFAULT FALSE;
