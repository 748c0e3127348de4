//! Builds a gateway from its configuration and runs it. Tests start exactly this, on port 0.

use crate::audit::node;
use crate::audit::refused::RefusedCalls;
use crate::config::{self, Config};
use crate::directory::Directory;
use crate::directory::limit::Limiter;
use crate::enrolment::erasure;
use crate::forgetting;
use crate::gateway::Gateway;
use crate::http::{
    envelope, health::Draining, metrics, openapi::Document, request::Limits, routes, server,
};
use crate::issuers::registry::Registry;
use crate::keys;
use crate::live::Live;
use crate::oauth1::SpentCalls;
use crate::payload::{Engine, Unwrapper};
use crate::store::{DatabaseUrl, Finder, Store, Writer, migrations};
use crate::telemetry::Metrics;
use crate::throttle::Throttle;
use crate::vault::Vault;
use crate::{expiry, reload};
use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use anyhow::{Context, bail};
use arc_swap::ArcSwap;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// How often a node looks whether an operator has changed an issuer or the data keys; a change takes effect within 2 s.
const STORE_POLL: Duration = Duration::from_millis(1_000);
/// How often used-up nonces are purged.
const NONCE_PURGE: Duration = Duration::from_secs(60);
/// How often the last use of each gateway key is written down.
const KEY_USAGE_NOTE: Duration = Duration::from_secs(10);
/// Beyond the window in which a nonce matters, kept for clocks that disagree.
const NONCE_GRACE_MICROS: i64 = 60_000_000;

/// A gateway that is listening.
pub struct RunningApp {
    /// The address of the public listener.
    pub address: SocketAddr,
    /// The address of the metrics listener, if there is one.
    pub metrics_address: Option<SocketAddr>,
    /// Its parts.
    pub gateway: Arc<Gateway>,
    draining: Arc<Draining>,
    drain_delay: Duration,
    servers: Vec<(ServerHandle, JoinHandle<std::io::Result<()>>)>,
    background: Vec<JoinHandle<()>>,
    refusals: JoinHandle<()>,
}

/// Starts listening. Anything that is not right refuses the start with a message that names it.
pub async fn start(config: &Config) -> anyhow::Result<RunningApp> {
    config.validate()?;
    let listener = listen(config.server.listen)?;
    let address = listener.local_addr()?;
    let gateway = Arc::new(build(config, address).await?);
    let draining = Arc::new(Draining::default());
    let keys = node::states(&gateway.live().keys, &gateway.vault.kek_ids());
    let noted = node::started(&gateway.store, &keys, address).await;
    noted.context("the start cannot be noted in the audit trail")?;

    let mut servers = vec![public_server(config, listener, &gateway, &draining)?];
    let mut metrics_address = None;
    if let Some(listen_on) = config.metrics.listen {
        let listener = listen(listen_on)?;
        let address = listener.local_addr()?;
        tracing::info!(%address, "metrics");
        metrics_address = Some(address);
        servers.push(metrics_server(listener, &gateway)?);
    }
    let following = reload::follow(gateway.clone(), config.clone(), address)?;
    let mut background = vec![
        tokio::spawn(follow_store(gateway.clone())),
        tokio::spawn(purge_nonces(gateway.clone())),
        tokio::spawn(forgetting::run(
            gateway.clone(),
            config.crypto.remember_jwe(),
        )),
        tokio::spawn(following),
        tokio::spawn(watch_keys(gateway.clone())),
        tokio::spawn(erasure::run(gateway.clone(), config.erasure.enabled)),
    ];
    let noting = gateway.clone();
    let refusals =
        tokio::spawn(async move { noting.refused.run(&noting.writer, &noting.metrics).await });
    let anchoring = gateway.clone();
    background.push(tokio::spawn(async move {
        node::anchor_chains(&anchoring.store, &anchoring.metrics).await;
    }));
    tracing::info!(%address, issuers = gateway.registry.issuers().len(), "listening");
    Ok(RunningApp {
        address,
        metrics_address,
        gateway,
        draining,
        drain_delay: Duration::from_secs(config.server.drain_delay_s),
        servers,
        background,
        refusals,
    })
}

impl RunningApp {
    /// Says not ready for `server.drain_delay_s`, stops accepting, finishes what is in flight (bounded
    /// by `server.shutdown_timeout_s`), then lets the writer commit what it holds, and
    /// closes the audit trail.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.draining.begin();
        tokio::time::sleep(self.drain_delay).await;
        for (handle, _) in &self.servers {
            handle.stop(true).await;
        }
        for (_, server) in self.servers {
            server.await.context("server task")??;
        }
        self.background.iter().for_each(JoinHandle::abort);
        self.gateway.refused.stop();
        self.refusals.await?;
        let gateway = self.gateway.clone();
        tokio::task::spawn_blocking(move || {
            gateway.finder.stop();
            gateway.writer.stop();
        })
        .await?;
        node::stopped(&self.gateway.store).await;
        tracing::info!("stopped");
        Ok(())
    }

    /// Waits for Ctrl-C or SIGTERM, then stops.
    pub async fn run_until_signal(self) -> anyhow::Result<()> {
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping");
        self.stop().await
    }
}

/// Opens the database by the configuration: migrated, or refused.
pub fn open_store(config: &config::Database) -> anyhow::Result<(DatabaseUrl, Store)> {
    let url = DatabaseUrl::parse(&config.url)?;
    if config.migrate {
        migrations::run(&url)?;
    } else if let Some(first) = migrations::pending(&url)?.first() {
        bail!(
            "the database lacks migrations, {first} at first: run `issuer-gateway migrate`, or set database.migrate = true"
        );
    }
    let store = Store::open(&url, config.pool_size);
    Ok((url, store))
}

async fn build(config: &Config, address: SocketAddr) -> anyhow::Result<Gateway> {
    let live = Live::load(config, address)?;
    let keks = keys::kek::load(&config.vault)?;
    let engine = Engine::choose(&config.crypto.multi_buffer)
        .context("configuration: crypto.multi_buffer: the library cannot be used (\"auto\" and \"off\" start without)")?;
    let database = config.database.clone();
    let (url, store) = tokio::task::spawn_blocking(move || open_store(&database)).await??;
    let vault = Vault::open(&store, keks).await?;
    let registry = Registry::load(&store).await?;
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
    let writer = Writer::start(&url, database.writers, database.write_queue, ahead)?;
    Ok(Gateway {
        current: ArcSwap::from_pointee(live),
        registry,
        unwrapper,
        openings: Arc::default(),
        throttle: Throttle::default(),
        vault,
        finder,
        writer,
        directory: directory(config, &store, address).await?,
        store,
        erasure: Notify::new(),
        refused: RefusedCalls::default(),
        spent: SpentCalls::default(),
        metrics,
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
        limiter: Limiter::new(config.users.requests_per_second, config.users.burst),
    })
}

fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener =
        TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

type Running = (ServerHandle, JoinHandle<std::io::Result<()>>);

fn public_server(
    config: &Config,
    listener: TcpListener,
    gateway: &Arc<Gateway>,
    draining: &Arc<Draining>,
) -> anyhow::Result<Running> {
    let server = &config.server;
    let limits = Data::new(Limits {
        body_bytes: server.max_body_bytes,
        body_timeout: Duration::from_millis(server.body_timeout_ms),
    });
    let resolver = gateway.clone();
    let document = Data::new(Document::new(&routes::PUBLIC));
    let gateway = Data::from(gateway.clone());
    let draining = Data::from(draining.clone());
    let settings = server::Settings {
        workers: server.workers,
        max_connections: server.max_connections_per_worker,
        keep_alive: Duration::from_secs(5),
        header_timeout: Duration::from_millis(server.header_timeout_ms),
        write_timeout: Duration::from_millis(server.write_timeout_ms),
        shutdown_timeout_s: server.shutdown_timeout_s,
    };
    let tls = match server.tls_certificate {
        Some(_) => Some(keys::tls_config(Arc::new(CurrentCertificate(resolver)))?),
        None => None,
    };
    let running = server::run(settings, listener, tls, move || {
        App::new()
            .app_data(gateway.clone())
            .app_data(limits.clone())
            .app_data(draining.clone())
            .app_data(document.clone())
            .wrap(from_fn(envelope::around))
            .configure(routes::public)
    })?;
    Ok(spawn(running))
}

fn metrics_server(listener: TcpListener, gateway: &Arc<Gateway>) -> anyhow::Result<Running> {
    let gateway = Data::from(gateway.clone());
    let http = HttpServer::new(move || {
        App::new()
            .app_data(gateway.clone())
            .configure(metrics::routes)
    })
    .disable_signals()
    .workers(1)
    .shutdown_timeout(1)
    .listen(listener)?;
    Ok(spawn(http.run()))
}

fn spawn(server: actix_web::dev::Server) -> Running {
    (server.handle(), tokio::spawn(server))
}

/// Follows what operators and other nodes change in the database and this node holds in memory.
async fn follow_store(gateway: Arc<Gateway>) {
    let mut ticks = tokio::time::interval(STORE_POLL);
    loop {
        ticks.tick().await;
        tokio::join!(refresh_registry(&gateway), refresh_vault(&gateway));
    }
}

async fn refresh_registry(gateway: &Gateway) {
    match gateway.registry.refresh(&gateway.store).await {
        Ok(false) => {}
        Ok(true) => {
            let count = gateway.registry.issuers().len();
            gateway.metrics.set_issuers(count);
            tracing::info!(issuers = count, "issuers reloaded");
        }
        Err(error) => {
            gateway.metrics.background_failure("registry");
            tracing::warn!(%error, "issuers not reloaded; the last good set stays in force");
        }
    }
}

async fn refresh_vault(gateway: &Gateway) {
    match gateway.vault.refresh(&gateway.store).await {
        Ok(false) => {}
        Ok(true) => {
            let keys = gateway.vault.current();
            let (seal, index) = (keys.seal_version(), keys.index_version());
            tracing::info!(seal, index, "data keys reloaded");
        }
        Err(error) => {
            gateway.metrics.background_failure("vault");
            tracing::warn!(%error, "data keys not reloaded; the last good ones stay in force");
        }
    }
}

async fn purge_nonces(gateway: Arc<Gateway>) {
    let mut ticks = tokio::time::interval(NONCE_PURGE);
    loop {
        ticks.tick().await;
        let before = chrono::Utc::now().timestamp_micros() - NONCE_GRACE_MICROS;
        if let Err(error) = gateway.store.purge_nonces(before).await {
            gateway.metrics.background_failure("nonce-purge");
            tracing::warn!(%error, "nonces not purged; will be tried again");
        }
    }
}

/// Shows the certificate in force at the time of each handshake.
struct CurrentCertificate(Arc<Gateway>);

impl fmt::Debug for CurrentCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CurrentCertificate")
    }
}

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.live().tls.clone()
    }
}

/// Writes down which keys are in use, and warns of what runs out.
async fn watch_keys(gateway: Arc<Gateway>) {
    let mut reported = None;
    let mut ticks = tokio::time::interval(KEY_USAGE_NOTE);
    loop {
        ticks.tick().await;
        let live = gateway.live();
        let uses = live
            .keys
            .keys()
            .iter()
            .filter_map(|key| Some((key.fingerprint().to_string(), key.last_used()?)));
        let uses: Vec<_> = uses.collect();
        if !uses.is_empty()
            && let Err(error) = gateway.store.note_key_usage(uses).await
        {
            gateway.metrics.background_failure("key-usage");
            tracing::warn!(%error, "key usage not noted; will be tried again");
        }
        if reported.is_none_or(|at: Instant| at.elapsed() >= expiry::REPEAT) {
            expiry::report(&gateway, chrono::Utc::now());
            reported = Some(Instant::now());
        }
    }
}
