//! The batching writer: many requests, one commit.
//!
//! A few threads, each with its own connection, take whatever waits and write it as one transaction. Each request
//! is answered after its own rows are durable, with its own outcome. While one batch commits, the next gathers; and as
//! long as many requests wait for the decryption stage before it, a batch waits for them, a few milliseconds at most: what a
//! transaction costs is worth sharing then. The queue is bounded: full means refused, at once.
//!
//! [`queue`] says what waits, [`session`] owns a connection and decides what is tried again,
//! [`batch`] writes one transaction, [`openings`] its part that lets a wrapped key open one
//! message, [`cards`] the one that keeps cards single, [`re_enrol`] the one for users who must
//! register again, [`rows`] and [`terminations`] hold the statements for both databases.

mod batch;
mod cards;
mod openings;
mod queue;
mod re_enrol;
mod rows;
mod session;
mod terminations;
pub(super) mod unnest;

use super::audit::AuditDraft;
use super::data_keys::FormerIndex;
use super::directory::changes::{Change, Taken};
use super::error::StoreError;
use super::opened_keys::{Holder, Opening};
use super::pool::within_deadline;
use super::url::DatabaseUrl;
use crate::ids::{IssuerId, UserId};
use crate::queue::{Backlog, Gather, Queue, Stage};
use queue::Item;
use session::{BATCH, Session};
use std::time::Duration;
use tokio::sync::oneshot;

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
    /// The audit entry, written whatever the outcome; on a refusal by the database with outcome `refused` and its
    /// reason, and without subject for an enrolment that made no user. A termination leaves one for each user.
    pub audit: AuditDraft,
    /// The generation of the data keys that sealed and indexed it; `None` for what holds nothing sealed.
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
    Enrol(Box<NewUser>),
    /// Refreshes the active user with this id and its card, if it is of a lower epoch: it keeps its id and its scoring job
    /// (cce-api.md 7.1). The profile becomes exactly the one given.
    ReEnrol(Box<NewUser>),
    /// Changes the profile of an active user.
    Update(Box<UserUpdate>),
    /// Marks users for erasure.
    Terminate(Box<Termination>),
    /// Changes a record of the users API.
    Directory(Box<Change>),
    /// Nothing but nonce and audit entry: a verified request that was refused.
    Record,
}

/// A user to be enrolled. Byte columns are sealed or blind indexes.
#[derive(Debug, Clone)]
#[expect(
    missing_docs,
    reason = "the columns of `users` and `cards`, described in migrations/"
)]
pub struct NewUser {
    pub issuer_id: IssuerId,
    pub user_id: UserId,
    pub enrolment_epoch: i32,
    pub name: Option<Vec<u8>>,
    pub email: Option<Vec<u8>>,
    pub phone: Option<Vec<u8>>,
    pub billing_address: Option<Vec<u8>>,
    pub locale: Option<Vec<u8>>,
    pub email_index: Option<Vec<u8>>,
    pub email_index_key: Option<i32>,
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

/// A change of a profile. Byte columns are sealed; `None` leaves a column as it is.
#[derive(Debug, Clone)]
#[expect(
    missing_docs,
    reason = "the columns of `users`, described in migrations/"
)]
pub struct UserUpdate {
    pub issuer_id: IssuerId,
    pub user_id: UserId,
    pub name: Option<Vec<u8>>,
    pub locale: Option<Vec<u8>>,
    pub email: Option<Vec<u8>>,
    /// Set together with `email`, as is its key version.
    pub email_index: Option<Vec<u8>>,
    pub email_index_key: Option<i32>,
    pub phone: Option<Vec<u8>>,
    pub billing_address: Option<Vec<u8>>,
    pub seal_key: i32,
    pub updated_at: i64,
}

/// Users of an issuer whose deletion is accepted. Active and inactive ones become TERMINATING; others stay as they are,
/// since states only move on towards DELETED.
#[derive(Debug, Clone)]
pub struct Termination {
    /// The issuer whose users they are.
    pub issuer_id: IssuerId,
    /// Their ids, each once.
    pub user_ids: Vec<UserId>,
    /// Microseconds since 1970 UTC.
    pub at: i64,
}

impl Commit {
    /// About how many rows it writes to a table, for batches of even size.
    fn rows(&self) -> usize {
        match &self.act {
            Act::Terminate(termination) => termination.user_ids.len().max(1),
            Act::Enrol(_) | Act::ReEnrol(_) | Act::Update(_) | Act::Directory(_) | Act::Record => 1,
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
    CardTaken(Option<UserId>),
    /// The card's user, whose id this is, is of a lower epoch and has to be enrolled again by
    /// [`Act::ReEnrol`], sealed for that id. Nothing was written but the wrapped key; the nonce is
    /// unused.
    MustReEnrol(UserId),
    /// No such user, or not ACTIVE any more: nothing was written but nonce, audit entry and the
    /// wrapped key.
    UserGone,
    /// Another record of the app has this: nothing was written but the audit entry.
    Taken(Taken),
    /// The data keys have changed since it was sealed: it has to be sealed again. Nothing was
    /// written but the wrapped key; the nonce is unused.
    Stale,
}

/// The reason of [`Outcome::KeyReused`] in log, metrics and audit trail.
pub const KEY_REUSED: &str = "wrapped-key-reused";

/// No commit waits longer than this for others.
const LONGEST: Duration = Duration::from_millis(10);

/// Starts with [`Writer::start`], ends with [`Writer::stop`].
pub struct Writer {
    stage: Stage<Item>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Writer({} waiting)", self.stage.queue().backlog().jobs())
    }
}

impl Writer {
    /// Starts `threads` threads (SQLite: one, it has one writer anyway) on a queue of `capacity` commits. Threads connect
    /// when there is something to write: the database may be down. `ahead` is what waits for the stage that most commits
    /// come from.
    pub fn start(
        url: &DatabaseUrl,
        threads: usize,
        capacity: usize,
        ahead: Backlog,
    ) -> std::io::Result<Self> {
        let gather = Gather::behind(ahead, LONGEST);
        let queue = Queue::new(capacity.max(1), Some(gather));
        let threads = if url.is_sqlite() { 1 } else { threads.max(1) };
        let url = url.clone();
        let worker = move || {
            let mut session = Session::new(url.clone());
            move |items| session.write(items)
        };
        Ok(Self {
            stage: Stage::start(queue, threads, "writer", BATCH, worker)?,
        })
    }

    /// Writes a commit and waits until it is durable, 1.5 s at most.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] if the queue is full, [`StoreError::Timeout`] after the deadline (then the commit is
    /// not begun any more, but one that has begun may still become durable), and what the database says.
    pub async fn commit(&self, commit: Commit) -> Result<Outcome, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.stage.queue().push(Item { commit, reply })?;
        let ended = StoreError::Unavailable("the commit ended early".into());
        within_deadline(answer, ended).await
    }

    /// Whether a commit would be refused now.
    pub fn is_full(&self) -> bool {
        self.stage.queue().is_full()
    }

    /// Takes no more commits, finishes those that wait, and ends the threads. Blocks: call it off the event loop.
    pub fn stop(&self) {
        self.stage.stop();
    }
}
