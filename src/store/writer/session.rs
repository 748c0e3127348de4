//! One writer thread: its connection, its audit chain, and its reaction to database failures.

use super::batch::{self, Failure};
use super::health::Probe;
use super::queue::Item;
use super::{Commit, Outcome};
use crate::queue::Job;
use crate::store::audit::Heads;
use crate::store::audit::gap::OwnChain;
use crate::store::connection::line::was_given_up;
use crate::store::connection::{AnyConnection, Statements, Use, open_with};
use crate::store::error::StoreError;
use crate::store::pool::RETRY_FOR;
use crate::store::url::DatabaseUrl;
use std::time::{Duration, Instant};

/// No more commits join a transaction that writes this many rows to a table.
pub(super) const BATCH: usize = 256;

/// How often a batch is tried that collided with another transaction or met a dead connection.
const ATTEMPTS: u32 = 4;

/// After a connection could not be opened, what arrives within this time is refused without trying
/// again.
const BACK_OFF: Duration = Duration::from_millis(200);

/// How its connections are opened.
pub(super) struct Target {
    pub(super) url: DatabaseUrl,
    pub(super) commit_timeout: Duration,
    pub(super) statements: Statements,
}

pub(super) struct Session {
    target: Target,
    conn: Option<AnyConnection>,
    chain: OwnChain,
    /// Why the last connection could not be opened, and when that was.
    down: Option<(Instant, StoreError)>,
    probe: Probe,
}

impl Session {
    /// Connects when there is something to write, and begins an audit chain.
    pub(super) fn new(target: Target, heads: Heads, probe: Probe) -> Self {
        Self {
            target,
            conn: None,
            chain: OwnChain::start(heads),
            down: None,
            probe,
        }
    }

    /// Writes all items and answers each. If the batch fails for a reason of its own, its items are
    /// written one by one, so that one of them cannot fail its neighbours.
    pub(super) fn write(&mut self, mut items: Vec<Item>) {
        items.retain(|item| item.is_awaited() && item.claim.begin());
        if items.is_empty() {
            return;
        }
        let _under_way = self.probe.begin(items.len());
        self.write_begun(items);
    }

    fn write_begun(&mut self, items: Vec<Item>) {
        let commits: Vec<&Commit> = items.iter().map(|item| &item.commit).collect();
        match self.commit(&commits) {
            Ok(outcomes) => {
                for (item, outcome) in items.into_iter().zip(outcomes) {
                    item.answer(Ok(outcome));
                }
            }
            Err(error) if error.is_recoverable() || items.len() == 1 => {
                self.failed(&error, items.len());
                for item in items {
                    item.answer(Err(error.clone()));
                }
            }
            Err(error) => {
                self.failed(&error, items.len());
                for item in items.into_iter().filter(Item::is_awaited) {
                    self.write_begun(vec![item]);
                }
            }
        }
    }

    fn commit(&mut self, commits: &[&Commit]) -> Result<Vec<Outcome>, StoreError> {
        let started = Instant::now();
        let mut attempt = 1;
        loop {
            let reused = self.conn.is_some();
            let conn = self.connect()?;
            let began = Instant::now();
            let failure = match batch::write(self.conn.insert(conn), commits, self.chain.current())
            {
                Ok((outcomes, chain)) => {
                    self.chain.confirmed(chain);
                    self.probe.committed(commits.len(), began);
                    return Ok(outcomes);
                }
                Err(failure) => failure,
            };
            let error = self.recover(failure)?;
            let again = match &error {
                // A connection that had been idle may have died long ago; nothing was committed on
                // it.
                StoreError::Unavailable(_) => reused && error.ended_connection(),
                StoreError::Busy => !self.target.url.is_sqlite(),
                StoreError::ChainLost => true,
                _ => false,
            };
            if !again || attempt == ATTEMPTS || started.elapsed() >= RETRY_FOR {
                return Err(error);
            }
            attempt += 1;
        }
    }

    /// Leaves the session fit for the next batch and returns why this one was not written. The
    /// error is that of a batch that must not be tried again: whether it was written is not known.
    fn recover(&mut self, failure: Failure) -> Result<StoreError, StoreError> {
        match failure {
            Failure::Rejected { error, reusable } => {
                if error == StoreError::ChainLost {
                    // Compared with what is there, over whatever connection, before anything is
                    // written.
                    self.chain.give_up();
                }
                if !reusable {
                    self.disconnect();
                }
                Ok(error)
            }
            Failure::InDoubt => {
                self.disconnect();
                self.probe.in_doubt();
                // The entries of the lost transaction may be there: nothing can be linked to them.
                self.chain.give_up();
                Err(StoreError::InDoubt)
            }
        }
    }

    fn disconnect(&mut self) {
        if was_given_up() {
            self.probe.given_up();
        }
        self.conn = None;
        self.probe.connected(false);
    }

    fn failed(&self, error: &StoreError, commits: usize) {
        self.probe.failed(error);
        tracing::warn!(reason = error.reason(), %error, commits, "a batch was not written");
    }

    fn connect(&mut self) -> Result<AnyConnection, StoreError> {
        let mut conn = match self.conn.take() {
            Some(conn) => conn,
            None => self.open()?,
        };
        match self.chain.look_back(&mut conn) {
            Ok(lost) => {
                self.probe.lost(lost);
                Ok(conn)
            }
            Err(error) => {
                // Opened again for the next batch.
                self.disconnect();
                Err(error)
            }
        }
    }

    fn open(&mut self) -> Result<AnyConnection, StoreError> {
        if let Some((since, error)) = &self.down
            && since.elapsed() < BACK_OFF
        {
            return Err(error.clone());
        }
        let Target {
            url,
            commit_timeout,
            statements,
        } = &self.target;
        match open_with(url, Use::Serving, *commit_timeout, statements) {
            Ok(conn) => {
                self.probe.connected(true);
                if self.down.take().is_some() {
                    tracing::info!("the writer has a database connection again");
                }
                Ok(conn)
            }
            Err(error) => {
                self.down = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::connection::COMMIT_TIMEOUT;
    use crate::store::fence;
    use crate::store::writer::health::Monitor;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn a_session_that_panicked_leaves_no_lock_and_no_chain() {
        let dir = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::sqlite(&dir.path().join("gateway.db"));
        let begin = |session: &mut Session| {
            let mut conn = session.connect().unwrap();
            fence::begin(&mut conn).unwrap();
            session.conn = Some(conn);
        };
        let monitor = Monitor::new("calls").unwrap();
        let target = || Target {
            url: url.clone(),
            commit_timeout: COMMIT_TIMEOUT,
            statements: Statements::by("calls"),
        };
        let mut first = Session::new(target(), Heads::default(), monitor.probe());
        let before = first.chain.current().id().to_owned();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            begin(&mut first);
            panic!("in a transaction");
        }));
        assert!(panicked.is_err());
        first = Session::new(target(), Heads::default(), monitor.probe());
        assert_ne!(first.chain.current().id(), before);
        begin(&mut first);
    }
}
