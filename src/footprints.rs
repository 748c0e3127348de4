//! The scorers in force: the gateway's own factor set and those of operators, each with the
//! compiled-in dated data and all rows that operators have loaded.
//!
//! Every node polls the store's version and swaps all of them at once, so a load takes effect
//! everywhere within two seconds. If a node cannot read the new state, the last good one stays in
//! force.

use crate::footprint::{DatedData, FactorSet, Faults, Kind, Rows, Scorer, SetFiles, SetId};
use crate::issuers::Issuer;
use crate::store::factors::{FactorLoad, SET, StoredFactors};
use crate::store::{Store, StoreError};
use arc_swap::ArcSwap;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use tokio::sync::Mutex;

/// The files of a set, in the order of [`SetFiles`].
pub const SET_FILES: [&str; 6] = [
    "emission_factors.csv",
    "adjustments.csv",
    "regional_factors.csv",
    "mcc.csv",
    "areas.csv",
    "carriers.csv",
];

/// Why the scorers could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum FootprintsError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A compiled-in file is not as it should be.
    #[error(transparent)]
    Builtin(#[from] Faults),
    /// The thread that read what was loaded has ended early.
    #[error("reading what was loaded ended early")]
    Interrupted,
    /// What was loaded breaks a rule of this version of the gateway.
    #[error("load {load_id} ({file}): {message}")]
    Invalid {
        /// Which load.
        load_id: i32,
        /// Its file.
        file: String,
        /// What is wrong.
        message: String,
    },
}

/// An issuer's factor set that this node does not know: a newer node has it, or an operator's load
/// is not read yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("factor set {0} is not known to this node")]
pub struct UnknownSet(pub SetId);

/// The scorers in force, swapped whole: see [`Footprints::current`].
pub struct Footprints {
    current: ArcSwap<Scorers>,
    /// One refresh after the other: an older state must not replace a newer one.
    refreshing: Mutex<()>,
}

impl fmt::Debug for Footprints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.current().sets()).finish()
    }
}

impl Footprints {
    /// With these scorers.
    pub fn new(scorers: Scorers) -> Self {
        Self {
            current: ArcSwap::from_pointee(scorers),
            refreshing: Mutex::new(()),
        }
    }

    /// The compiled-in set with its data.
    ///
    /// # Errors
    /// A compiled-in file with a wrong checksum, or one that breaks a rule.
    pub fn builtin() -> Result<Self, Faults> {
        Ok(Self::new(Scorers::builtin()?))
    }

    /// The gateway's own, and all that operators have loaded.
    ///
    /// # Errors
    /// Those of [`Footprints::builtin`] and [`Footprints::refresh`].
    pub async fn load(store: &Store) -> Result<Self, FootprintsError> {
        let footprints = Self::builtin()?;
        footprints.refresh(store).await?;
        Ok(footprints)
    }

    /// Those in force now: take them once for all that is scored together.
    pub fn current(&self) -> Arc<Scorers> {
        self.current.load_full()
    }

    /// Reads what was loaded since, if the store's version has risen; says whether it has.
    ///
    /// # Errors
    /// The store does not answer; what was loaded breaks a rule.
    pub async fn refresh(&self, store: &Store) -> Result<bool, FootprintsError> {
        let _alone = self.refreshing.lock().await;
        let current = self.current();
        if store.factor_version().await? == current.version {
            return Ok(false);
        }
        let stored = store.factors_after(current.last_load).await?;
        let next = tokio::task::spawn_blocking(move || current.with(stored)).await;
        let next = next.map_err(|_| FootprintsError::Interrupted)??;
        self.current.store(Arc::new(next));
        Ok(true)
    }
}

/// One scorer for each factor set that the node knows, all with the same dated data.
#[derive(Debug)]
pub struct Scorers {
    version: i64,
    last_load: i32,
    data: Arc<DatedData>,
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
            version: 0,
            last_load: 0,
            data: Arc::clone(default.data()),
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

    /// What scores the transactions of an issuer's new cardholders.
    ///
    /// # Errors
    /// This node does not know the issuer's set.
    pub fn of(&self, issuer: &Issuer) -> Result<&Arc<Scorer>, UnknownSet> {
        match &issuer.factor_set {
            None => Ok(&self.default),
            Some(set) => self.get(set).ok_or_else(|| UnknownSet(set.clone())),
        }
    }

    /// Ids of all sets.
    pub fn sets(&self) -> impl Iterator<Item = &SetId> {
        self.by_set.keys()
    }

    /// The dated data of all scorers.
    pub fn data(&self) -> &Arc<DatedData> {
        &self.data
    }

    /// The store's version that they are of; 0: nothing was loaded.
    pub fn version(&self) -> i64 {
        self.version
    }

    fn with(&self, stored: StoredFactors) -> Result<Self, FootprintsError> {
        let mut data = DatedData::clone(&self.data);
        let sets = self.by_set.values();
        let mut sets: Vec<Arc<FactorSet>> = sets.map(|scorer| Arc::clone(scorer.set())).collect();
        let mut last_load = self.last_load;
        let mut files: BTreeMap<String, BTreeMap<String, (FactorLoad, String)>> = BTreeMap::new();
        for (load, content) in stored.loads {
            last_load = load.load_id;
            match &load.file.set_id {
                Some(set) => {
                    let set = files.entry(set.clone()).or_default();
                    set.insert(load.file.file.clone(), (load, content));
                }
                None => append(&mut data, &load, &content)?,
            }
        }
        for (id, files) in &files {
            sets.push(Arc::new(set(id, files)?));
        }
        let data = Arc::new(data);
        let scorer = |set: Arc<FactorSet>| {
            let scorer = Scorer::new(set, Arc::clone(&data));
            (scorer.set().id().clone(), Arc::new(scorer))
        };
        let by_set: BTreeMap<_, _> = sets.into_iter().map(scorer).collect();
        let default = by_set.get(self.default.set().id());
        Ok(Self {
            version: stored.version,
            last_load,
            default: Arc::clone(default.unwrap_or(&self.default)),
            by_set,
            data,
        })
    }
}

fn invalid(load: &FactorLoad, message: impl ToString) -> FootprintsError {
    FootprintsError::Invalid {
        load_id: load.load_id,
        file: load.file.file.clone(),
        message: message.to_string(),
    }
}

fn append(data: &mut DatedData, load: &FactorLoad, content: &str) -> Result<(), FootprintsError> {
    if load.file.kept == 0 {
        return Ok(());
    }
    let kind = Kind::parse(&load.file.kind).ok_or_else(|| invalid(load, "of no known kind"))?;
    let rows = Rows::parse(kind, &load.file.file, content);
    let rows = rows.map_err(|faults| invalid(load, faults))?;
    let appended = data.append(&load.file.file, rows);
    appended.map(drop).map_err(|faults| invalid(load, faults))
}

fn set(
    id: &str,
    files: &BTreeMap<String, (FactorLoad, String)>,
) -> Result<FactorSet, FootprintsError> {
    let text = |name: &str| files.get(name).map_or("", |(_, text)| text.as_str());
    let [
        emission_factors,
        adjustments,
        regional_factors,
        mcc,
        areas,
        carriers,
    ] = SET_FILES.map(text);
    let files_of_set = SetFiles {
        emission_factors,
        adjustments,
        regional_factors,
        mcc,
        areas,
        carriers,
    };
    let named = SetId::of_operator(id).map_err(|error| error.to_string());
    let parsed = named
        .and_then(|id| FactorSet::parse(id, &files_of_set).map_err(|faults| faults.to_string()));
    parsed.map_err(|message| {
        let first = files.values().next().map(|(load, _)| load);
        FootprintsError::Invalid {
            load_id: first.map_or(0, |load| load.load_id),
            file: format!("{SET} {id}"),
            message,
        }
    })
}
