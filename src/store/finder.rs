//! Looks up the cardholders of many updates with one query for each issuer.

use super::cardholders::{self, CardholderSummary};
use super::error::StoreError;
use super::pool::{Store, within_deadline};
use super::writer::BATCH_SIZES;
use crate::ids::{CardholderId, IssuerId};
use crate::queue::{Backlog, Fill, Gather, Job, Queue, Stage};
use crate::timeline::Timeline;
use prometheus::core::Collector;
use prometheus::{Histogram, HistogramOpts};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// No more users are looked for at once.
const BATCH: usize = 256;

/// No lookup waits longer than this for others.
const LONGEST_LOOKUP_WAIT: Duration = Duration::from_millis(5);

/// Threads that take whatever lookups wait. Starts with [`Finder::start`], ends with
/// [`Finder::stop`].
pub struct Finder {
    stage: Stage<Lookup>,
    batch_sizes: Histogram,
}

struct Lookup {
    issuer_id: IssuerId,
    user_id: CardholderId,
    reply: oneshot::Sender<Result<Option<CardholderSummary>, StoreError>>,
    /// Where the wait in the queue is noted.
    timeline: Option<Arc<Timeline>>,
}

impl Job for Lookup {
    fn is_awaited(&self) -> bool {
        !self.reply.is_closed()
    }

    fn taken(&self) {
        if let Some(timeline) = &self.timeline {
            timeline.taken();
        }
    }
}

impl std::fmt::Debug for Finder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Finder({} waiting)", self.stage.queue().backlog().jobs())
    }
}

impl Finder {
    /// Starts `threads` threads, each of which uses a connection of the store's pool at a time, on
    /// a queue of `capacity` lookups. `ahead` is what waits for the bottleneck, to which those who
    /// ask go next.
    ///
    /// # Errors
    /// Those of starting a thread.
    pub fn start(
        store: &Store,
        threads: usize,
        capacity: usize,
        ahead: Backlog,
    ) -> std::io::Result<Self> {
        let gather = Gather::behind(ahead, LONGEST_LOOKUP_WAIT);
        let queue = Queue::new(capacity.max(1), Some(gather));
        let store = store.clone();
        let options = HistogramOpts::new(
            "issuer_gateway_lookup_batch_size",
            "Lookups that shared a query",
        );
        let batch_sizes = Histogram::with_opts(options.buckets(BATCH_SIZES.to_vec()));
        let batch_sizes = batch_sizes.map_err(std::io::Error::other)?;
        let sizes = batch_sizes.clone();
        let worker = move || {
            let (store, sizes) = (store.clone(), sizes.clone());
            move |lookups: Vec<Lookup>| {
                sizes.observe(f64::from(u32::try_from(lookups.len()).unwrap_or(u32::MAX)));
                answer(&store, lookups);
            }
        };
        Ok(Self {
            stage: Stage::start(queue, threads.max(1), "finder", BATCH, worker)?,
            batch_sizes,
        })
    }

    /// The user of this issuer, if there is one; another issuer's user is none.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] if the queue is full, [`StoreError::Timeout`] after 1.5 s, and
    /// what the database says.
    pub async fn user(
        &self,
        issuer_id: IssuerId,
        user_id: &CardholderId,
    ) -> Result<Option<CardholderSummary>, StoreError> {
        self.user_timed(issuer_id, user_id, None).await
    }

    /// [`Finder::user`] that notes its wait in the queue.
    ///
    /// # Errors
    /// The same.
    pub async fn user_timed(
        &self,
        issuer_id: IssuerId,
        user_id: &CardholderId,
        timeline: Option<&Arc<Timeline>>,
    ) -> Result<Option<CardholderSummary>, StoreError> {
        if let Some(timeline) = timeline {
            timeline.queued();
        }
        let (reply, answer) = oneshot::channel();
        self.stage.queue().push(Lookup {
            issuer_id,
            user_id: user_id.clone(),
            reply,
            timeline: timeline.cloned(),
        })?;
        within_deadline(answer, StoreError::internal("a lookup ended early")).await
    }

    /// How many lookups wait, may wait, and how long.
    pub fn fill(&self) -> Fill {
        self.stage.queue().fill()
    }

    /// Its metric, to be registered once.
    pub fn collector(&self) -> Box<dyn Collector> {
        Box::new(self.batch_sizes.clone())
    }

    /// Takes no more lookups, answers those that wait, and ends the threads. Blocks: call it off
    /// the event loop.
    pub fn stop(&self) {
        self.stage.stop();
    }
}

/// Answers all of them; one whose asker has gone meanwhile does not matter.
fn answer(store: &Store, lookups: Vec<Lookup>) {
    let keys = lookups
        .iter()
        .map(|lookup| (lookup.issuer_id, &lookup.user_id));
    let keys: Vec<_> = keys.collect();
    match store.read_here(|conn| Ok(cardholders::summaries(conn, &mut keys.clone())?)) {
        Ok(found) => {
            for lookup in lookups {
                let key = (lookup.issuer_id.0, lookup.user_id.as_str().to_owned());
                let user = found.get(&key).cloned().transpose();
                lookup.reply.send(user).ok();
            }
        }
        Err(error) => {
            for lookup in lookups {
                lookup.reply.send(Err(error.clone())).ok();
            }
        }
    }
}
