ALTER TABLE account_ranges DROP COLUMN added;
