//! Builds a gateway from its configuration and runs it. Tests start exactly this, on port 0.

mod listeners;
mod signals;
mod stop;

pub use signals::Signals;

use crate::audit::node;
use crate::audit::refused::RefusedCalls;
use crate::audit::witness::Witness;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::console::Console;
use crate::crypto_refusals::CryptoRefusals;
use crate::enrolment::erasure::Erasure;
use crate::footprints::Footprints;
use crate::gateway::{Directory, Gateway, WebView};
use crate::housekeeping::{ForgetOpenedKeys, Housekeeping, jobs};
use crate::issuers::registry::IssuerRegistry;
use crate::keys::{self, seeded::Seed};
use crate::oauth1::SpentCalls;
use crate::readiness::{Draining, Readiness, WatchReadiness};
use crate::reload::Reload;
use crate::reloadable::Reloadable;
use crate::store::{DatabaseUrl, Finder, Store, Writer, migrations};
use crate::telemetry::Metrics;
use crate::throttle::{Buckets, Rate, ShareRules, Shares};
use crate::traces::Traces;
use crate::transactions::history::{ForgetRetained, ScoreHistory};
use crate::unwrap::{Engine, Unwrapper};
use crate::vault::Vault;
use anyhow::{Context, bail};
use arc_swap::ArcSwap;
use chrono::TimeDelta;
use listeners::{Public, Running, listen, metrics_server, public_server, web_view_server};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::Notify;

/// A gateway that is listening.
pub struct RunningApp {
    /// The address of the public listener.
    pub address: SocketAddr,
    /// The address of the metrics listener, if there is one.
    pub metrics_address: Option<SocketAddr>,
    /// The address of the web view's own listener, if there is one.
    pub dashboard_address: Option<SocketAddr>,
    /// Its parts.
    pub gateway: Arc<Gateway>,
    /// Its work in the background.
    pub housekeeping: Housekeeping,
    draining: Arc<Draining>,
    /// A sandbox's; `None` in `serve`.
    console: Option<Arc<Console>>,
    drain_delay: Duration,
    shutdown_limit: Duration,
    servers: Vec<Running>,
}

impl RunningApp {
    /// The console of a sandbox; a gateway of `serve` has none.
    pub fn console(&self) -> Option<&Arc<Console>> {
        self.console.as_ref()
    }
}

/// Threads that enter feeds' transactions, and how many batches may wait for them. A batch holds up
/// to 5,000 transactions, so few may wait.
const FEED_WRITERS: usize = 1;
const FEED_QUEUE: usize = 64;
/// How long a batch waits for those before it; an enrolment waits 1.5 s.
const FEED_PATIENCE: Duration = Duration::from_secs(10);

/// Starts listening. Anything that is not right refuses the start with a message that names it.
///
/// # Errors
/// What is not right.
pub async fn start(config: &Config) -> anyhow::Result<RunningApp> {
    start_with(config, Clock::system(), Sandbox::default()).await
}

/// [`start`] for a node with this clock.
///
/// # Errors
/// What is not right.
pub async fn start_by(config: &Config, clock: Clock) -> anyhow::Result<RunningApp> {
    start_with(config, clock, Sandbox::default()).await
}

/// [`start`] with the console of a sandbox. It is left out where others than this machine could
/// reach it: a listener beyond loopback, or behind a proxy.
///
/// # Errors
/// What is not right.
pub async fn start_sandbox(config: &Config, sandbox: Sandbox) -> anyhow::Result<RunningApp> {
    let own = config.server.listen.ip().is_loopback() && !config.server.behind_tls_proxy;
    let sandbox = Sandbox {
        console: sandbox.console.filter(|_| own),
        ..sandbox
    };
    start_with(config, Clock::system(), sandbox).await
}

/// What a sandbox has beyond a gateway.
#[derive(Default)]
pub struct Sandbox {
    /// The last calls, for people to look at.
    pub console: Option<Arc<Console>>,
    /// Makes cardholders' ids the same each time.
    pub fixed_ids: Option<Seed>,
}

async fn start_with(config: &Config, clock: Clock, sandbox: Sandbox) -> anyhow::Result<RunningApp> {
    config.validate()?;
    let listener = listen(config.server.listen)?;
    let address = listener.local_addr()?;
    let Sandbox { console, fixed_ids } = sandbox;
    let gateway = Gateway {
        fixed_ids,
        ..build(config, address, clock).await?
    };
    let gateway = Arc::new(gateway);
    require_right_clock(&gateway).await?;
    let housekeeping = Housekeeping::new(gateway.clone())?;
    let draining = Arc::new(Draining::default());
    let readiness = Readiness::new(&gateway, housekeeping.roster(), &draining)?;
    let readiness = Arc::new(readiness);
    let keys = node::states(&gateway.reloadable().keys, &gateway.vault.kek_ids());
    let noted = node::started(&gateway.store, &keys, address).await;
    noted.context("the start cannot be noted in the audit trail")?;
    let (witness, metrics) = (gateway.witness.as_ref(), &gateway.metrics);
    node::begin_witness(witness, &gateway.store, &gateway.vault, metrics).await?;

    let public = Public::new(config, &gateway, &draining, &readiness);
    let mut servers = vec![public_server(config, listener, public, console.as_ref())?];
    let mut dashboard_address = None;
    if let Some(listen_on) = config.dashboard.listen {
        let listener = listen(listen_on)?;
        let address = listener.local_addr()?;
        tracing::info!(%address, "web view");
        dashboard_address = Some(address);
        servers.push(web_view_server(config, listener, &gateway, &draining)?);
    }
    let mut metrics_address = None;
    if let Some(listen_on) = config.metrics.listen {
        let listener = listen(listen_on)?;
        let address = listener.local_addr()?;
        tracing::info!(%address, "metrics");
        metrics_address = Some(address);
        servers.push(metrics_server(config, listener, &gateway)?);
    }
    start_jobs(config, &gateway, &housekeeping, &readiness, address);
    tracing::info!(%address, issuers = gateway.registry.issuers().len(), "listening");
    Ok(RunningApp {
        address,
        metrics_address,
        dashboard_address,
        gateway,
        housekeeping,
        draining,
        console,
        drain_delay: Duration::from_secs(config.server.drain_delay_s),
        shutdown_limit: Duration::from_secs(config.server.shutdown_timeout_s),
        servers,
    })
}

/// Everything that a node does in the background.
fn start_jobs(
    config: &Config,
    gateway: &Arc<Gateway>,
    housekeeping: &Housekeeping,
    readiness: &Arc<Readiness>,
    address: SocketAddr,
) {
    housekeeping.start(|| jobs::FollowIssuers);
    housekeeping.start(|| jobs::FollowDataKeys);
    housekeeping.start(|| jobs::FollowFactors);
    housekeeping.start(jobs::CompareClocks::default);
    housekeeping.start(jobs::Heartbeat::new);
    housekeeping.start(|| jobs::PurgeNonces);
    let remember_jwe = config.crypto.remember_jwe();
    housekeeping.start(move || ForgetOpenedKeys::new(remember_jwe));
    housekeeping.start(|| jobs::KeepWitness);
    housekeeping.start(|| jobs::NoteKeyUsage);
    housekeeping.start(|| jobs::ReportExpiries);
    housekeeping.start(|| jobs::AnchorChains);
    housekeeping.start(jobs::NoteRefusals::default);
    housekeeping.start(ScoreHistory::default);
    housekeeping.start(|| ForgetRetained);
    let erases = config.erasure.enabled;
    housekeeping.start(move || Erasure::new(erases));
    let (followed, config) = (gateway.clone(), config.clone());
    housekeeping.start(move || Reload::new(followed.clone(), &config, address));
    let readiness = readiness.clone();
    housekeeping.start(move || WatchReadiness::new(readiness.clone()));
}

/// Further from the database's clock than the window a node would accept replays: see
/// [`crate::clock`].
async fn require_right_clock(gateway: &Gateway) -> anyhow::Result<()> {
    gateway.compare_clocks().await?;
    let window = gateway.reloadable().oauth_window_seconds;
    if !gateway.clock.is_within(TimeDelta::seconds(window)) {
        let ahead = gateway.clock.database_ahead().unwrap_or_default();
        bail!(
            "this machine's clock is {} s {} the database's, which is more than oauth.window_seconds = {window}: set it right, by NTP for example",
            ahead.num_seconds().abs(),
            if ahead < TimeDelta::zero() {
                "ahead of"
            } else {
                "behind"
            }
        );
    }
    Ok(())
}

/// Opens the database by the configuration: migrated, or refused.
pub fn open_store(config: &config::Database) -> anyhow::Result<(DatabaseUrl, Store)> {
    let url = config.serving()?;
    if config.migrate {
        let timeout = Duration::from_secs(config.migrate_timeout_s);
        migrations::run_within(&config.migrating()?, timeout)?;
    } else if let Some(first) = migrations::pending(&url)?.first() {
        bail!(
            "the database lacks migrations, {first} at first: run `issuer-gateway migrate`, or set database.migrate = true"
        );
    }
    let commit_timeout = Duration::from_millis(config.commit_timeout_ms);
    let store = Store::open_with(&url, config.pool_size, commit_timeout);
    Ok((url, store))
}

async fn build(config: &Config, address: SocketAddr, clock: Clock) -> anyhow::Result<Gateway> {
    let loaded = config.clone();
    // Tokens and services that keep keys take their time.
    let load = move || {
        anyhow::Ok((
            Reloadable::load(&loaded, address)?,
            keys::kek::load(&loaded)?,
        ))
    };
    let (reloadable, keks) = tokio::task::spawn_blocking(load).await??;
    let engine = Engine::choose(&config.crypto.multi_buffer)
        .context("configuration: crypto.multi_buffer: the library cannot be used (\"auto\" and \"off\" start without)")?;
    let database = config.database.clone();
    let (url, store) = tokio::task::spawn_blocking(move || open_store(&database)).await??;
    let vault = Vault::open(&store, keks).await?;
    let registry = IssuerRegistry::load(&store).await?;
    let footprints = Footprints::load(&store).await?;
    let metrics = Metrics::new()?;
    metrics.set_issuers(registry.issuers().len());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = match config.server.decrypt_threads {
        0 => cores,
        threads => threads,
    };
    let unwrapper = Unwrapper::start(threads, config.server.decrypt_queue, engine)?;
    for collector in unwrapper.collectors() {
        metrics.register(collector)?;
    }
    let database = &config.database;
    let ahead = unwrapper.backlog();
    let finders = usize::try_from(database.pool_size)?;
    let finder = Finder::start(&store, finders, database.write_queue, ahead.clone())?;
    metrics.register(finder.collector())?;
    if let Some(statements) = store.statements().collector() {
        metrics.register(statements)?;
    }
    let heads = store.heads();
    let commit_timeout = Duration::from_millis(database.commit_timeout_ms);
    let start_writer = |name, threads, capacity| {
        let queue = (capacity, ahead.clone());
        Writer::start_with(name, &url, threads, queue, commit_timeout, heads)
    };
    let writer = start_writer("calls", database.writers, database.write_queue)?;
    let feeds = start_writer("feeds", FEED_WRITERS, FEED_QUEUE)?.with_patience(FEED_PATIENCE);
    let witness = config.audit.witness_file(&url);
    let witness = witness.map(|file| Witness::new(&file, heads));
    for collector in writer.collectors()?.into_iter().chain(feeds.collectors()?) {
        metrics.register(collector)?;
    }
    let traces = config.traces.as_ref();
    let traces = traces.map(|settings| Traces::start(settings, metrics.spans.clone()));
    let traces = traces.transpose()?;
    Ok(Gateway {
        current: ArcSwap::from_pointee(reloadable),
        registry,
        footprints,
        store_pan: config.vault.store_pan,
        retain_unenrolled: config.transactions.retain_unenrolled,
        unwrapper,
        openings: Arc::default(),
        throttle: CryptoRefusals::default(),
        shares: shares(config),
        vault,
        finder,
        writer,
        feeds,
        web_view: WebView::new(config, address)?,
        directory: directory(config, &store, address).await?,
        store,
        erasure: Notify::new(),
        refused: RefusedCalls::default(),
        spent: SpentCalls::default(),
        witness,
        clock,
        reads: AtomicBool::new(true),
        beats: AtomicBool::new(true),
        fixed_ids: None,
        traces,
        metrics,
    })
}

fn shares(config: &Config) -> Shares {
    let limits = &config.limits;
    let rate = limits.issuer_rate();
    Shares::new(ShareRules {
        places: config.server.decrypt_queue,
        each: usize::try_from(limits.issuer_concurrency)
            .ok()
            .filter(|each| *each > 0),
        rate: rate.map(|(per_second, burst)| Rate::new(per_second, burst)),
    })
}

/// A proxy in front may let anybody in, even where it runs on this machine.
pub fn allows_anonymous(server: &config::Server, address: SocketAddr) -> bool {
    address.ip().is_loopback() && !server.behind_tls_proxy
}

async fn directory(
    config: &Config,
    store: &Store,
    address: SocketAddr,
) -> anyhow::Result<Directory> {
    let anonymous_allowed = allows_anonymous(&config.server, address);
    if let Some(app) = store.anonymous_directory_app().await?
        && !anonymous_allowed
    {
        tracing::warn!(
            app = app.name,
            "calls without a key are refused: anonymous apps are for a loopback listener without a proxy"
        );
    }
    Ok(Directory {
        strict: config.users.strict,
        anonymous_allowed,
        limiter: Buckets::new(Rate::new(
            config.users.requests_per_second,
            config.users.burst,
        )),
    })
}
