//! The ways in which a chain can be found broken.

/// Where a chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The entry at this position was changed after it was written.
    #[error("entry {0} was edited")]
    Altered(i64),
    /// An entry is missing: this position was expected.
    #[error("entry {0} is missing: it was removed")]
    Missing(i64),
    /// The entry does not link to the one before it.
    #[error(
        "entry {0} does not follow the entry before it: entries were reordered, inserted or replaced"
    )]
    Unlinked(i64),
    /// The chain ends elsewhere than its recorded head says.
    #[error(
        "ends with entry {found}, but its head records {expected}: entries at the end were removed, appended or replaced"
    )]
    Cut {
        /// Position of the last entry.
        found: i64,
        /// Position that the head records; 0 if the head itself is missing.
        expected: i64,
    },
    /// An entry that another chain vouches for is not there any more, or is another one.
    #[error(
        "entry {seq} is not the one that chain {by_chain} vouches for in its entry {by_seq}: the chain was cut, rewritten or removed"
    )]
    NotAsVouched {
        /// The entry that should be there.
        seq: i64,
        /// The chain that knows it.
        by_chain: String,
        /// The entry that says so.
        by_seq: i64,
    },
    /// Entries that a node acknowledged are not there any more.
    #[error(
        "ends with entry {found}, but this node has acknowledged entries up to {acknowledged}: {} acknowledged entries at its end are missing, lost or cut off", .acknowledged.saturating_sub(*.found)
    )]
    Lost {
        /// Position of the last entry; 0 if there is none.
        found: i64,
        /// Position of the entry that was acknowledged.
        acknowledged: i64,
    },
    /// An entry that a node acknowledged was replaced by another one.
    #[error(
        "entry {0} is not the one that this node has acknowledged: the acknowledged one is missing, and the chain was rewritten"
    )]
    NotAsAcknowledged(i64),
    /// The chain is listed as vouched for by an entry that does not say so, which would keep it
    /// from being vouched for.
    #[error("is listed as vouched for by entry {by_seq} of chain {by_chain}, which is not so")]
    FalselyListed {
        /// Where the entry should be.
        by_chain: String,
        /// Its position.
        by_seq: i64,
    },
    /// The chain begins later, and no keyed anchor says that the entries before were purged.
    #[error(
        "entry 1 is missing: the chain begins with entry {0}, and no keyed anchor vouches for a purge of those before: they were removed"
    )]
    Begins(i64),
    /// The keyed anchor of a purge has another MAC than the vault's key gives.
    #[error(
        "the keyed anchor of its purge up to entry {0} is forged: its MAC is not that of this chain, entry and hash"
    )]
    ForgedPurge(i64),
    /// The keyed anchor of a purge names a data key that is not there.
    #[error(
        "the keyed anchor of its purge up to entry {purged} cannot be checked: there is no data key seal {version}"
    )]
    PurgeUnderUnknownKey {
        /// Position of the last purged entry, as the anchor says.
        purged: i64,
        /// The data key's version.
        version: i32,
    },
    /// The first kept entry is not the one after the purged ones.
    #[error(
        "begins with entry {found}, but was purged up to entry {purged}: entries behind the purge were removed, or its keyed anchor was moved back"
    )]
    BehindPurge {
        /// The first kept entry.
        found: i64,
        /// The last purged one.
        purged: i64,
    },
    /// The first kept entry does not link to the last purged one.
    #[error(
        "entry {0} does not follow entry {1}, up to which the chain was purged: it was replaced"
    )]
    UnlinkedToPurge(i64, i64),
    /// An entry is there that was purged.
    #[error(
        "entry {found} is there, but the chain was purged up to entry {purged}: it was slipped in, or the keyed anchor was moved forward"
    )]
    NotPurged {
        /// The entry.
        found: i64,
        /// The last purged one.
        purged: i64,
    },
    /// A purge leaves the last entry, but there is none.
    #[error("was purged up to entry {0}, but has no entry behind: the rest of it was removed")]
    NothingKept(i64),
}
