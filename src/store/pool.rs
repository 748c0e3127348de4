//! The store's connections: a bounded pool, blocking work off the event loop, a deadline on every
//! answer.

use super::audit::gap::OwnChain;
use super::audit::{self, AuditChain, AuditDraft, Heads};
use super::claim::{Claim, DEADLINE, decided};
use super::connection::{self, AnyConnection, COMMIT_TIMEOUT, Statements, Use};
use super::error::{StoreError, is_chain_lost};
use super::url::DatabaseUrl;
use diesel::r2d2::R2D2Connection;
use r2d2::{ManageConnection, NopErrorHandler, Pool};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};
use tokio::task::JoinHandle;

/// How long a request may wait for a pooled connection.
const POOL_WAIT: Duration = Duration::from_secs(1);

const _: () = assert!(DEADLINE.as_millis() < 2_000 && DEADLINE.as_millis() > RETRY_FOR.as_millis());

/// Nothing is begun again later than this: those who asked are about to give up.
pub(super) const RETRY_FOR: Duration = Duration::from_millis(1_200);

/// How many changes may wait for the chain, one after the other.
const WAITING_FOR_CHAIN: usize = 64;

/// How many requests may wait for each connection of the pool.
const WAITING_PER_CONNECTION: usize = 64;

/// The database, as everything but enrolment and update uses it. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    url: DatabaseUrl,
    pool: Pool<Manager>,
    attempts: u32,
    permits: Arc<Semaphore>,
    /// The chain of what is not written by a writer thread.
    heads: Heads,
    chain: Arc<Mutex<OwnChain>>,
    /// Who waits for the chain.
    turns: Semaphore,
    commit_timeout: Duration,
    lost_entries: AtomicI64,
    statements: Statements,
    /// Threads that wait for a connection.
    waiting: AtomicUsize,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.inner.url)
    }
}

/// Opens connections for r2d2 by the URL's scheme.
struct Manager {
    url: DatabaseUrl,
    commit_timeout: Duration,
    statements: Statements,
}

impl ManageConnection for Manager {
    type Connection = AnyConnection;
    type Error = StoreError;

    fn connect(&self) -> Result<AnyConnection, StoreError> {
        connection::open_with(
            &self.url,
            Use::Serving,
            self.commit_timeout,
            &self.statements,
        )
    }

    fn is_valid(&self, conn: &mut AnyConnection) -> Result<(), StoreError> {
        Ok(conn.ping()?)
    }

    fn has_broken(&self, conn: &mut AnyConnection) -> bool {
        conn.is_broken()
    }
}

impl Store {
    /// A pool of at most `size` connections (at least one). Does not wait for the database: see
    /// [`Store::ping`].
    pub fn open(url: &DatabaseUrl, size: u32) -> Self {
        Self::open_with(url, size, COMMIT_TIMEOUT)
    }

    /// The same with a `commit_timeout` of its own: how long the outcome of a COMMIT under way is
    /// waited for.
    pub fn open_with(url: &DatabaseUrl, size: u32, commit_timeout: Duration) -> Self {
        let size = size.max(1);
        let statements = Statements::by("pool");
        let pool = Pool::builder()
            .max_size(size)
            // None ahead of need: a command that ended while a background thread was still in its
            // TLS handshake would crash in OpenSSL's clean-up at exit.
            .min_idle(Some(0))
            .connection_timeout(POOL_WAIT)
            // A ping before every use would cost a round trip; `read` tries again instead.
            .test_on_check_out(false)
            .error_handler(Box::new(NopErrorHandler))
            .build_unchecked(Manager {
                url: url.clone(),
                commit_timeout,
                statements: statements.clone(),
            });
        let permits = usize::try_from(size)
            .unwrap_or(1)
            .saturating_mul(WAITING_PER_CONNECTION)
            .min(Semaphore::MAX_PERMITS);
        let heads = Heads::default();
        Self {
            inner: Arc::new(Inner {
                url: url.clone(),
                pool,
                attempts: size + 1,
                permits: Arc::new(Semaphore::new(permits)),
                chain: Arc::new(Mutex::new(OwnChain::start(heads.clone()))),
                heads,
                turns: Semaphore::new(WAITING_FOR_CHAIN),
                commit_timeout,
                lost_entries: AtomicI64::new(0),
                statements,
                waiting: AtomicUsize::new(0),
            }),
        }
    }

    /// The URL it was opened with.
    pub fn url(&self) -> &DatabaseUrl {
        &self.inner.url
    }

    /// The confirmed ends of this process's chains: its own, and those of writers that were started
    /// with them.
    pub fn heads(&self) -> &Heads {
        &self.inner.heads
    }

    /// The statements of the pool's connections.
    pub fn statements(&self) -> &Statements {
        &self.inner.statements
    }

    /// Connections of the pool in use and idle, threads that wait for one, and how many there may
    /// be.
    pub fn pool(&self) -> (u32, u32, usize, u32) {
        let state = self.inner.pool.state();
        (
            state.connections.saturating_sub(state.idle_connections),
            state.idle_connections,
            self.inner.waiting.load(Ordering::Relaxed),
            self.inner.pool.max_size(),
        )
    }

    /// Whether the database answers. Errors name host and database, not the password.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read(|conn| Ok(conn.ping()?)).await
    }

    /// Runs a query that changes nothing, on a blocking thread. It runs again where a connection
    /// turns out to be dead, as all of the pool are after a restart of the database. Public for
    /// tests alone, which provoke errors of the database.
    pub async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut AnyConnection) -> Result<T, StoreError> + Send + 'static,
    {
        self.blocking(move |inner| inner.read(query)).await
    }

    /// The same on the caller's thread, which blocks, and without the deadline.
    pub(super) fn read_here<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        F: Fn(&mut AnyConnection) -> Result<T, StoreError>,
    {
        self.inner.read(query)
    }

    /// [`Store::change`] with exactly one audit entry, which so cannot be forgotten: an operator's
    /// act. `change` may turn the entry into a refusal; if it fails, nothing is written, the entry
    /// neither.
    pub(super) async fn operate<T, E, F>(&self, mut draft: AuditDraft, change: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + From<diesel::result::Error> + Send + 'static,
        F: FnOnce(&mut AnyConnection, &mut AuditDraft) -> Result<T, E> + Send + 'static,
    {
        self.change(move |conn| {
            let value = change(conn, &mut draft)?;
            Ok((value, vec![draft]))
        })
        .await
    }

    /// Runs a change in one transaction together with the audit entries that it says it earned.
    ///
    /// Not tried again: where the connection breaks during COMMIT the outcome is unknown. It waits
    /// for its turn at this store's audit chain.
    pub(super) async fn change<T, E, F>(&self, change: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + From<diesel::result::Error> + Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<(T, Vec<AuditDraft>), E> + Send + 'static,
    {
        Ok(self.on_chain(move |conn, _| change(conn)).await?.1)
    }

    /// [`Store::change`] for entries that have to know where they will stand: `change` is given the
    /// chain that they are appended to, and the end of that chain is returned beside the result.
    ///
    /// One change at a time: those that wait hold neither a connection nor a thread.
    pub(super) async fn on_chain<T, E, F>(&self, change: F) -> Result<(AuditChain, T), E>
    where
        T: Send + 'static,
        E: From<StoreError> + From<diesel::result::Error> + Send + 'static,
        F: FnOnce(&mut AnyConnection, &AuditChain) -> Result<(T, Vec<AuditDraft>), E>
            + Send
            + 'static,
    {
        let mut turn = self.turn().await?;
        self.writing(move |inner, claim| {
            let mut conn = inner.live_connection()?;
            let lost = turn.look_back(&mut conn)?;
            inner.lost_entries.fetch_add(lost, Ordering::Relaxed);
            let (mut committing, mut lost) = (false, false);
            let result = connection::transaction(&mut conn, |conn| {
                let (value, drafts) = change(conn, turn.current())?;
                let advanced = audit::append(conn, turn.current(), &drafts)
                    .inspect_err(|error| lost = is_chain_lost(error))?;
                begin(claim)?;
                committing = true;
                Ok::<_, E>((advanced, value))
            });
            match &result {
                Ok((advanced, _)) => turn.confirmed(advanced.clone()),
                // The entries may be there or not, or those before are gone: nothing may link to
                // them.
                Err(_) if committing || lost => turn.give_up(),
                Err(_) => {}
            }
            result
        })
        .await
    }

    /// Waits for the chain, as long as a request waits for anything.
    async fn turn(&self) -> Result<OwnedMutexGuard<OwnChain>, StoreError> {
        let waiting = self.inner.turns.try_acquire();
        let _waiting = waiting.map_err(|_| StoreError::Overloaded)?;
        let chain = Arc::clone(&self.inner.chain);
        let turn = tokio::time::timeout(DEADLINE, chain.lock_owned()).await;
        turn.map_err(|_| StoreError::Timeout)
    }

    /// Confirmed audit entries of this store's own chain that the database did not have any more,
    /// since it was opened.
    pub fn lost_entries(&self) -> i64 {
        self.inner.lost_entries.load(Ordering::Relaxed)
    }

    /// Runs a change that earns no audit entry, in one transaction: housekeeping. It neither waits
    /// for those at the audit chain nor holds them up.
    pub(super) async fn maintain<T, F>(&self, change: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<T, StoreError> + Send + 'static,
    {
        self.writing(move |inner, claim| {
            connection::transaction(&mut *inner.live_connection()?, |conn| {
                let value = change(conn)?;
                begin(claim)?;
                Ok(value)
            })
        })
        .await
    }

    /// Runs a change in one transaction, however long it takes: no request waits for it.
    pub(super) async fn at_length<T, E, F>(&self, change: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + From<diesel::result::Error> + Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<T, E> + Send + 'static,
    {
        let task = self
            .spawn(move |inner| connection::transaction(&mut *inner.live_connection()?, change))?;
        task.await.unwrap_or_else(|_| Err(ended_early().into()))
    }

    /// Runs a write on a blocking thread. It asks `Claim` before it commits.
    async fn writing<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Inner, &Claim) -> Result<T, E> + Send + 'static,
    {
        let claim = Claim::default();
        let theirs = claim.clone();
        let task = self.spawn(move |inner| work(inner, &theirs))?;
        let waits = (DEADLINE, self.inner.commit_timeout);
        decided(task, &claim, waits, ended_early()).await
    }

    async fn blocking<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Inner) -> Result<T, E> + Send + 'static,
    {
        within_deadline(self.spawn(work)?, ended_early()).await
    }

    fn spawn<T, E, F>(&self, work: F) -> Result<JoinHandle<Result<T, E>>, StoreError>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&Inner) -> Result<T, E> + Send + 'static,
    {
        let permit = Arc::clone(&self.inner.permits)
            .try_acquire_owned()
            .map_err(|_| StoreError::Overloaded)?;
        let inner = Arc::clone(&self.inner);
        Ok(tokio::task::spawn_blocking(move || {
            let result = work(&inner);
            drop(permit);
            result
        }))
    }
}

fn ended_early() -> StoreError {
    StoreError::internal("a database task ended early")
}

/// The transaction is about to commit, unless who asked has given up.
fn begin(claim: &Claim) -> Result<(), StoreError> {
    claim.begin().then_some(()).ok_or(StoreError::Timeout)
}

/// Waits for an answer until the deadline; `ended` is what it means that none will come.
pub(super) async fn within_deadline<T, E, N>(
    answer: impl Future<Output = Result<Result<T, E>, N>>,
    ended: StoreError,
) -> Result<T, E>
where
    E: From<StoreError>,
{
    match tokio::time::timeout(DEADLINE, answer).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(ended.into()),
        Err(_) => Err(StoreError::Timeout.into()),
    }
}

impl Inner {
    fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        F: Fn(&mut AnyConnection) -> Result<T, StoreError>,
    {
        let started = Instant::now();
        let mut left = self.attempts;
        loop {
            left -= 1;
            match connection::reading(&mut *self.connection()?, &query) {
                Err(StoreError::Unavailable(_)) if left > 0 && started.elapsed() < RETRY_FOR => {}
                result => return result,
            }
        }
    }

    /// A connection that has answered just now. A change cannot run twice, so it must not meet one
    /// that died while it was idle, as all of the pool have after a restart of the database.
    fn live_connection(&self) -> Result<r2d2::PooledConnection<Manager>, StoreError> {
        let mut left = self.attempts;
        loop {
            left -= 1;
            let mut conn = self.connection()?;
            match conn.ping() {
                Ok(()) => return Ok(conn),
                Err(error) if left == 0 => return Err(error.into()),
                Err(_) => {}
            }
        }
    }

    fn connection(&self) -> Result<r2d2::PooledConnection<Manager>, StoreError> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let got = self.pool.get();
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        got.map_err(|error| {
            // r2d2 puts the reason of the last failed connection into its text, which is our own
            // error.
            let text = error.to_string();
            StoreError::Unavailable(text.into())
        })
    }
}
