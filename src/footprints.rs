//! The scorers in force on a node.

use crate::footprint::{Faults, Scorer, SetId};
use arc_swap::ArcSwap;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Swapped whole when data are loaded: see [`Footprints::current`].
pub struct Footprints(ArcSwap<Scorers>);

impl fmt::Debug for Footprints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.current().by_set.keys())
            .finish()
    }
}

impl Footprints {
    /// With these scorers.
    pub fn new(scorers: Scorers) -> Self {
        Self(ArcSwap::from_pointee(scorers))
    }

    /// The compiled-in set with its data.
    ///
    /// # Errors
    /// A compiled-in file with a wrong checksum, or one that breaks a rule.
    pub fn builtin() -> Result<Self, Faults> {
        Ok(Self::new(Scorers::builtin()?))
    }

    /// Those in force now: take them once for all that is scored together.
    pub fn current(&self) -> Arc<Scorers> {
        self.0.load_full()
    }
}

/// One scorer for each factor set that the node knows.
#[derive(Debug)]
pub struct Scorers {
    by_set: BTreeMap<SetId, Arc<Scorer>>,
    default: Arc<Scorer>,
}

impl Scorers {
    /// The compiled-in set with its data.
    ///
    /// # Errors
    /// A compiled-in file with a wrong checksum, or one that breaks a rule.
    pub fn builtin() -> Result<Self, Faults> {
        let default = Arc::new(Scorer::builtin()?);
        let set = default.set().id().clone();
        Ok(Self {
            by_set: BTreeMap::from([(set, Arc::clone(&default))]),
            default,
        })
    }

    /// The scorer of a set, if the node knows it.
    pub fn get(&self, set: &SetId) -> Option<&Arc<Scorer>> {
        self.by_set.get(set)
    }

    /// The scorer of issuers that have chosen no set: that of the newest compiled-in one.
    pub fn default_scorer(&self) -> &Arc<Scorer> {
        &self.default
    }
}
