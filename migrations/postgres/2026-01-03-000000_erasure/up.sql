-- The users whose deletion was accepted and who are to be erased (src/store/erasure.rs): usually none.
CREATE INDEX users_terminating ON users (issuer_id, user_id) WHERE status = 'TERMINATING';
