//! The batching writer: many requests, one commit.
//!
//! A few threads, each with its own connection, take all waiting commits and write them as one
//! transaction. The writer answers each request after its own rows are durable, with its own
//! outcome. While one batch commits, the next gathers. While many requests queue for decryption, a
//! batch waits a few milliseconds at most for more commits, because fewer transactions leave more
//! CPU for RSA. The queue is bounded: when it is full, the writer refuses at once.
//!
//! [`queue`] holds the waiting commits and [`health`] the state of the threads. [`session`] owns a
//! connection and decides which failures are tried again. [`batch`] writes one transaction. Its
//! parts: [`openings`] lets a wrapped key open one message, [`cards`] keeps cards single,
//! [`re_enrol`] enrols cardholders who must register again, [`rounds`] takes several acts for one
//! cardholder one after the other, [`postings`] enters transactions. [`rows`] and [`terminations`]
//! hold the statements for both databases; each statement on a table with cardholders is one
//! issuer's ([`unnest`]).

mod batch;
mod cards;
mod health;
mod openings;
pub(super) mod postings;
mod queue;
mod re_enrol;
mod rounds;
mod rows;
mod session;
mod terminations;
pub(super) mod unnest;

use super::audit::{AuditDraft, Heads};
use super::cardholders::SealedProfile;
use super::claim::{Claim, DEADLINE, decided};
use super::connection::{COMMIT_TIMEOUT, Statements};
use super::data_keys::FormerIndex;
use super::directory::changes::{DirectoryChange, Taken};
use super::error::StoreError;
use super::opened_keys::{Holder, Opening};
use super::transactions::Posting;
use super::url::DatabaseUrl;
use crate::ids::{CardholderId, IssuerId};
use crate::queue::{Backlog, Fill, Gather, Queue, Stage};
use crate::timeline::Timeline;
use health::{Gauges, Monitor};
use prometheus::core::Collector;
use queue::Item;
use session::{BATCH, Session, Target};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

pub(super) use health::BATCH_SIZES;
pub use health::WriterHealth;

/// One request: all of it is written, or what [`Outcome`] says.
#[derive(Debug)]
pub struct Commit {
    /// The request's OAuth nonce; `None` for what was not signed.
    pub nonce: Option<Nonce>,
    /// The wrapped key that was unwrapped for it, whatever came of it; `None` if nothing was
    /// decrypted.
    pub opening: Option<Opening>,
    /// What to do.
    pub act: Act,
    /// The audit entry, written whatever the outcome; on a refusal by the database with outcome
    /// `refused` and its reason, and without subject for an enrolment that made no user. A
    /// termination leaves one for each user.
    pub audit: AuditDraft,
    /// The generation of the data keys that sealed and indexed it; `None` for what holds nothing
    /// sealed.
    pub sealed_under: Option<i64>,
}

/// An OAuth nonce, accepted once per issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce {
    /// The verified caller.
    pub issuer_id: IssuerId,
    /// `oauth_nonce`.
    pub value: String,
    /// When its timestamp will be refused anyway, microseconds since 1970 UTC.
    pub expires_at: i64,
}

/// What a request does.
#[derive(Debug)]
pub enum Act {
    /// Creates a user with a card and a pending scoring job.
    Enrol(Box<NewCardholder>),
    /// Refreshes the active user with this id and its card, if it is of a lower epoch: it keeps its
    /// id and its scoring job (cce-api.md 7.1). The profile becomes exactly the one given.
    ReEnrol(Box<NewCardholder>),
    /// Changes the profile of an active user.
    Update(Box<CardholderUpdate>),
    /// Marks users for erasure.
    Terminate(Box<Termination>),
    /// Changes a record of the users API.
    Directory(Box<DirectoryChange>),
    /// Enters transactions into cardholders' months; what becomes of each is in the posting's book.
    Post(Box<Posting>),
    /// Nothing but nonce and audit entry: a verified request that was refused.
    Record,
    /// The row of this node, and nothing else: no audit entry. See [`Commit::heartbeat`].
    Beat(String),
}

/// A user to be enrolled. Byte columns are sealed or blind indexes.
#[derive(Debug, Clone)]
#[expect(
    missing_docs,
    reason = "the columns of `users` and `cards`, described in migrations/"
)]
pub struct NewCardholder {
    pub issuer_id: IssuerId,
    pub user_id: CardholderId,
    pub enrolment_epoch: i32,
    pub profile: SealedProfile,
    /// The lowest data-key version that a sealed column uses.
    pub seal_key: i32,
    pub card: NewCard,
    /// Transactions of this window are to be scored, microseconds since 1970 UTC.
    pub scoring_window: (i64, i64),
    pub created_at: i64,
}

/// The card of a user to be enrolled.
#[derive(Debug, Clone)]
#[expect(
    missing_docs,
    reason = "the columns of `cards`, described in migrations/"
)]
pub struct NewCard {
    pub last_four: String,
    pub pan_index: Vec<u8>,
    pub pan_index_key: i32,
    /// While an index rotation is under way: a card that still has this index is the same card.
    pub former_pan_index: Option<FormerIndex>,
    pub card: Vec<u8>,
}

/// A change of a profile: `None` in it leaves a column as it is.
#[derive(Debug, Clone)]
#[expect(
    missing_docs,
    reason = "the columns of `users`, described in migrations/"
)]
pub struct CardholderUpdate {
    pub issuer_id: IssuerId,
    pub user_id: CardholderId,
    pub profile: SealedProfile,
    pub seal_key: i32,
    pub updated_at: i64,
}

/// Users of an issuer whose deletion is accepted. Active and inactive ones become TERMINATING;
/// others stay as they are, since states only move on towards DELETED.
#[derive(Debug, Clone)]
pub struct Termination {
    /// The issuer whose users they are.
    pub issuer_id: IssuerId,
    /// Their ids, each once.
    pub user_ids: Vec<CardholderId>,
    /// Microseconds since 1970 UTC.
    pub at: i64,
}

impl Commit {
    /// About how many rows it writes to a table, for batches of even size.
    fn rows(&self) -> usize {
        match &self.act {
            Act::Terminate(termination) => termination.user_ids.len().max(1),
            Act::Post(posting) => posting.items.max(1),
            Act::Enrol(_)
            | Act::ReEnrol(_)
            | Act::Update(_)
            | Act::Directory(_)
            | Act::Record
            | Act::Beat(_) => 1,
        }
    }

    /// Shows that the writer can commit: the row of `node` says when it last did.
    pub fn heartbeat(node: &str) -> Self {
        Self {
            nonce: None,
            act: Act::Beat(node.to_owned()),
            // Not written.
            audit: AuditDraft::accepted(0, "", ""),
            opening: None,
            sealed_under: None,
        }
    }
}

/// What became of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All of it is durable.
    Done,
    /// The nonce was used before: nothing was written but the audit entry, and the wrapped key if
    /// it is new.
    Replayed,
    /// The wrapped key belongs to another message or another issuer, which is named unless it was
    /// purged at this moment: nothing was written but nonce and audit entry.
    KeyReused(Option<Holder>),
    /// The issuer has a user with this PAN, this one unless it was erased at this moment: nothing
    /// was written but nonce, audit entry and the wrapped key.
    CardTaken(Option<CardholderId>),
    /// The card's user, whose id this is, is of a lower epoch and has to be enrolled again by
    /// [`Act::ReEnrol`], sealed for that id. Nothing was written but the wrapped key; the nonce is
    /// unused.
    MustReEnrol(CardholderId),
    /// No such user, or not ACTIVE any more: nothing was written but nonce, audit entry and the
    /// wrapped key.
    CardholderGone,
    /// Another record of the app has this: nothing was written but the audit entry.
    Taken(Taken),
    /// The data keys have changed since it was sealed: it has to be sealed again. Nothing was
    /// written but the wrapped key; the nonce is unused.
    Stale,
}

/// The reason of [`Outcome::KeyReused`] in log, metrics and audit trail.
pub const KEY_REUSED: &str = "wrapped-key-reused";

/// No commit waits longer than this for others.
const LONGEST_BATCH_WAIT: Duration = Duration::from_millis(10);

/// Starts with [`Writer::start`], ends with [`Writer::stop`].
pub struct Writer {
    name: &'static str,
    stage: Arc<Stage<Item>>,
    monitor: Monitor,
    statements: Statements,
    patience: Duration,
    commit_timeout: Duration,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Writer({} waiting)", self.stage.queue().backlog().jobs())
    }
}

impl Writer {
    /// Starts `threads` threads (SQLite: one, it has one writer anyway) on a queue of `capacity`
    /// commits. Threads connect when there is something to write: the database may be down. `ahead`
    /// is what waits for the stage that most commits come from.
    pub fn start(
        url: &DatabaseUrl,
        threads: usize,
        capacity: usize,
        ahead: Backlog,
    ) -> std::io::Result<Self> {
        let queue = (capacity, ahead);
        Self::start_with(
            "calls",
            url,
            threads,
            queue,
            COMMIT_TIMEOUT,
            &Heads::default(),
        )
    }

    /// The same with a `name` for its metrics, and a `commit_timeout` of its own: how long the
    /// outcome of a commit that has begun is waited for. The confirmed ends of the threads' audit
    /// chains are noted among `heads`.
    ///
    /// # Errors
    /// Those of starting a thread.
    pub fn start_with(
        name: &'static str,
        url: &DatabaseUrl,
        threads: usize,
        (capacity, ahead): (usize, Backlog),
        commit_timeout: Duration,
        heads: &Heads,
    ) -> std::io::Result<Self> {
        let gather = Gather::behind(ahead, LONGEST_BATCH_WAIT);
        let queue = Queue::new(capacity.max(1), Some(gather));
        let threads = if url.is_sqlite() { 1 } else { threads.max(1) };
        let (url, heads) = (url.clone(), heads.clone());
        let monitor = Monitor::new(name).map_err(std::io::Error::other)?;
        let (probes, statements) = (monitor.clone(), Statements::by(name));
        let seen = statements.clone();
        let worker = move || {
            let target = Target {
                url: url.clone(),
                commit_timeout,
                statements: seen.clone(),
            };
            let mut session = Session::new(target, heads.clone(), probes.probe());
            move |items| session.write(items)
        };
        let stage = Stage::start(queue, threads, "writer", BATCH, worker)?;
        Ok(Self {
            name,
            stage: Arc::new(stage),
            monitor,
            statements,
            patience: DEADLINE,
            commit_timeout,
        })
    }

    /// The same, whose commits wait so long to be begun.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// What the writer knows of itself: no I/O, and no waiting for a thread that commits.
    pub fn health(&self) -> WriterHealth {
        health(&self.stage, &self.monitor)
    }

    /// Its metrics, to be registered once.
    ///
    /// # Errors
    /// Those of building a metric.
    pub fn collectors(&self) -> Result<Vec<Box<dyn Collector>>, prometheus::Error> {
        let (stage, monitor) = (Arc::clone(&self.stage), self.monitor.clone());
        let gauges = Gauges::new(self.name, move || health(&stage, &monitor))?;
        let mut all = Vec::from(self.monitor.collectors());
        all.push(Box::new(gauges));
        all.extend(self.statements.collector());
        Ok(all)
    }

    /// Writes a commit and waits until it is durable. One that is not begun within 1.5 s
    /// ([`Writer::with_patience`]) is withdrawn; one that has begun is waited for `commit_timeout`
    /// longer.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] if the queue is full, [`StoreError::Timeout`] if it was
    /// withdrawn, [`StoreError::InDoubt`] if its outcome is not known (then it may be stored), and
    /// what the database says.
    pub async fn commit(&self, commit: Commit) -> Result<Outcome, StoreError> {
        self.commit_timed(commit, None).await
    }

    /// [`Writer::commit`] that notes its wait in the queue.
    ///
    /// # Errors
    /// The same.
    pub async fn commit_timed(
        &self,
        commit: Commit,
        timeline: Option<&Arc<Timeline>>,
    ) -> Result<Outcome, StoreError> {
        if let Some(timeline) = timeline {
            timeline.queued();
        }
        let (reply, answer) = oneshot::channel();
        let claim = Claim::default();
        self.stage.queue().push(Item {
            commit,
            reply,
            claim: claim.clone(),
            timeline: timeline.cloned(),
        })?;
        let waits = (self.patience, self.commit_timeout);
        decided(answer, &claim, waits, StoreError::InDoubt).await
    }

    /// How many commits wait, may wait, and how long.
    pub fn fill(&self) -> Fill {
        self.stage.queue().fill()
    }

    /// Whether a commit would be refused now.
    pub fn is_full(&self) -> bool {
        self.stage.queue().is_full()
    }

    /// Takes no more commits, finishes those that wait, and ends the threads. Blocks: call it off
    /// the event loop.
    pub fn stop(&self) {
        self.stage.stop();
    }
}

/// The metrics may outlive the writer; its threads do not.
impl Drop for Writer {
    fn drop(&mut self) {
        self.stage.queue().close();
    }
}

fn health(stage: &Stage<Item>, monitor: &Monitor) -> WriterHealth {
    monitor.health(stage.queue().fill())
}
