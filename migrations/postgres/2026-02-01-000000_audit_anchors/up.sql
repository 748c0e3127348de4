-- What else belongs to an act, in codes of ours: the state that was set, a count, a version.
ALTER TABLE audit_entries ADD COLUMN detail TEXT;

-- The newest entry of each chain that an entry of another chain vouches for (action audit.anchor), so that the end of a
-- chain, or all of it, cannot vanish unnoticed. Only an index: what counts are the entries.
CREATE TABLE audit_anchors (
    chain TEXT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    by_chain TEXT NOT NULL,
    by_seq BIGINT NOT NULL
);
