-- Spreads the large tables over a Citus cluster (docs/scaling.md, "Citus"). Run it once on the coordinator, by psql as the owner of
-- the tables, after `issuer-gateway migrate` has made them and before a node serves:
--
--   psql --single-transaction --set ON_ERROR_STOP=1 --file migrations/citus/distribute.sql "$URL"
--
-- An issuer's rows are on one shard: these tables are co-located.
SELECT create_distributed_table('users', 'issuer_id', colocate_with => 'none');
SELECT create_distributed_table('cards', 'issuer_id', colocate_with => 'users');
SELECT create_distributed_table('oauth_nonces', 'issuer_id', colocate_with => 'users');
SELECT create_distributed_table('scoring_jobs', 'issuer_id', colocate_with => 'users');
SELECT create_distributed_table('transaction_ledgers', 'issuer_id', colocate_with => 'users');
SELECT create_distributed_table('transaction_months', 'issuer_id', colocate_with => 'users');
SELECT create_distributed_table('retained_transactions', 'issuer_id', colocate_with => 'users');

-- The users API: an app's records are on one shard.
SELECT create_distributed_table('directory_users', 'app_id', colocate_with => 'none');

-- A wrapped key opens one message, whichever issuer brings it.
SELECT create_distributed_table('opened_keys', 'key_hash', colocate_with => 'none');
