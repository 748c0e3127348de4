//! One writer thread: its connection, its audit chain, and what it does when the database fails.

use super::batch::{self, Failure};
use super::health::Probe;
use super::queue::Item;
use super::{Commit, Outcome};
use crate::queue::Job;
use crate::store::audit::AuditChain;
use crate::store::connection::{AnyConnection, Use, open};
use crate::store::error::StoreError;
use crate::store::pool::RETRY_FOR;
use crate::store::url::DatabaseUrl;
use std::time::{Duration, Instant};

/// No more commits join a transaction that writes this many rows to a table.
pub(super) const BATCH: usize = 256;

/// How often a batch is tried that collided with another transaction or met a dead connection.
const ATTEMPTS: u32 = 4;

/// After a connection could not be opened, what arrives within this time is refused without trying again.
const BACK_OFF: Duration = Duration::from_millis(200);

pub(super) struct Session {
    url: DatabaseUrl,
    conn: Option<AnyConnection>,
    chain: AuditChain,
    /// Why the last connection could not be opened, and when that was.
    down: Option<(Instant, StoreError)>,
    probe: Probe,
}

impl Session {
    /// Connects when there is something to write, and begins an audit chain.
    pub(super) fn new(url: DatabaseUrl, probe: Probe) -> Self {
        Self {
            url,
            conn: None,
            chain: AuditChain::start(),
            down: None,
            probe,
        }
    }

    /// Writes all items and answers each. If the batch fails for a reason of its own, its items are written one by one, so
    /// that one of them cannot fail its neighbours.
    pub(super) fn write(&mut self, mut items: Vec<Item>) {
        items.retain(Item::is_awaited);
        if items.is_empty() {
            return;
        }
        let _under_way = self.probe.begin(items.len());
        self.write_items(items);
    }

    fn write_items(&mut self, items: Vec<Item>) {
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
                for item in items {
                    self.write_items(vec![item]);
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
            let chain = self.chain.clone();
            let began = Instant::now();
            let failure = match batch::write(self.conn.insert(conn), commits, &chain) {
                Ok((outcomes, chain)) => {
                    self.chain = chain;
                    self.probe.committed(commits.len(), began);
                    return Ok(outcomes);
                }
                Err(failure) => failure,
            };
            let error = self.recover(failure);
            let again = match &error {
                // A connection that had been idle may have died long ago; nothing was committed on it.
                Some(StoreError::Unavailable(_)) => reused,
                Some(StoreError::Busy) => !self.url.is_sqlite(),
                _ => false,
            };
            match error {
                Some(_) if again && attempt < ATTEMPTS && started.elapsed() < RETRY_FOR => {
                    attempt += 1
                }
                Some(error) => return Err(error),
                None => return Err(StoreError::Unavailable("the connection was lost".into())),
            }
        }
    }

    /// Leaves the session fit for the next batch. `None`: whether the transaction committed is unknown, so it must not run again.
    fn recover(&mut self, failure: Failure) -> Option<StoreError> {
        match failure {
            Failure::Rejected { error, reusable } => {
                if !reusable {
                    self.disconnect();
                }
                Some(error)
            }
            Failure::InDoubt => {
                self.disconnect();
                self.probe.in_doubt();
                // The entries of the lost transaction may be there: nothing can be linked to them.
                self.chain = AuditChain::start();
                None
            }
        }
    }

    fn disconnect(&mut self) {
        self.conn = None;
        self.probe.connected(false);
    }

    fn failed(&self, error: &StoreError, commits: usize) {
        self.probe.failed(error);
        tracing::warn!(reason = error.reason(), %error, commits, "a batch was not written");
    }

    fn connect(&mut self) -> Result<AnyConnection, StoreError> {
        if let Some(conn) = self.conn.take() {
            return Ok(conn);
        }
        if let Some((since, error)) = &self.down
            && since.elapsed() < BACK_OFF
        {
            return Err(error.clone());
        }
        match open(&self.url, Use::Serving) {
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
        let monitor = Monitor::new().unwrap();
        let mut first = Session::new(url.clone(), monitor.probe());
        let before = first.chain.id().to_owned();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            begin(&mut first);
            panic!("in a transaction");
        }));
        assert!(panicked.is_err());
        first = Session::new(url, monitor.probe());
        assert_ne!(first.chain.id(), before);
        begin(&mut first);
    }
}
