//! The listeners of a node: the API's, the web view's, the metrics'.

use crate::config::Config;
use crate::console::Console;
use crate::gateway::Gateway;
use crate::http::endpoint::Group;
use crate::http::metrics::Token;
use crate::http::{around, console, metrics, openapi::Document, request::Limits, routes, server};
use crate::keys;
use crate::readiness::{Draining, Readiness};
use actix_web::App;
use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, ServiceConfig};
use anyhow::Context;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

pub(super) fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener =
        TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

pub(super) type Running = (ServerHandle, JoinHandle<std::io::Result<()>>);

/// What every handler of the public listener works with.
#[derive(Clone)]
pub(super) struct Public {
    gateway: Data<Gateway>,
    limits: Data<Limits>,
    draining: Data<Draining>,
    readiness: Data<Readiness>,
    document: Data<Document>,
    served: Vec<Group>,
}

impl Public {
    pub(super) fn new(
        config: &Config,
        gateway: &Arc<Gateway>,
        draining: &Arc<Draining>,
        readiness: &Arc<Readiness>,
    ) -> Self {
        let server = &config.server;
        let served = routes::served(config.users.enabled);
        Self {
            gateway: Data::from(gateway.clone()),
            limits: Data::new(Limits {
                body_bytes: server.max_body_bytes,
                body_timeout: Duration::from_millis(server.body_timeout_ms),
                feed_body_bytes: server.max_transactions_body_bytes,
                feeds: Arc::new(Semaphore::new(server.transactions_at_once)),
            }),
            draining: Data::from(draining.clone()),
            readiness: Data::from(readiness.clone()),
            document: Data::new(Document::new(served.clone())),
            served,
        }
    }

    fn provide(&self, app: &mut ServiceConfig) {
        app.app_data(self.gateway.clone())
            .app_data(self.limits.clone())
            .app_data(self.draining.clone())
            .app_data(self.readiness.clone())
            .app_data(self.document.clone());
    }
}

/// The API; in a sandbox with its console, which records what comes.
pub(super) fn public_server(
    config: &Config,
    listener: TcpListener,
    public: Public,
    console: Option<&Arc<Console>>,
) -> anyhow::Result<Running> {
    let settings = settings(config);
    let tls = tls(config, &public.gateway)?;
    let running = match console.cloned().map(Data::from) {
        None => server::run(settings, listener, tls, move || {
            App::new()
                .configure(|app| public.provide(app))
                .wrap(from_fn(around::around))
                .configure(|app| routes::public(app, &public.served))
        })?,
        Some(console) => server::run(settings, listener, tls, move || {
            App::new()
                .configure(|app| public.provide(app))
                .app_data(console.clone())
                .wrap(from_fn(around::around))
                .wrap(from_fn(console::record))
                .configure(console::routes)
                .configure(|app| routes::public(app, &public.served))
        })?,
    };
    Ok(spawn(running))
}

fn tls(config: &Config, gateway: &Arc<Gateway>) -> anyhow::Result<Option<rustls::ServerConfig>> {
    let own = config.server.tls_certificate.as_ref();
    own.map(|_| keys::tls_config(Arc::new(CurrentCertificate(gateway.clone()))))
        .transpose()
}

/// The web view alone.
pub(super) fn web_view_server(
    config: &Config,
    listener: TcpListener,
    gateway: &Arc<Gateway>,
    draining: &Arc<Draining>,
) -> anyhow::Result<Running> {
    let tls = tls(config, gateway)?;
    let gateway = Data::from(gateway.clone());
    let draining = Data::from(draining.clone());
    let running = server::run(settings(config), listener, tls, move || {
        App::new()
            .app_data(gateway.clone())
            .app_data(draining.clone())
            .wrap(from_fn(around::around))
            .configure(routes::web_view_only)
    })?;
    Ok(spawn(running))
}

fn settings(config: &Config) -> server::Settings {
    let server = &config.server;
    server::Settings {
        workers: server.workers,
        max_connections: server.max_connections_per_worker,
        keep_alive: Duration::from_secs(server.keep_alive_s),
        header_timeout: Duration::from_millis(server.header_timeout_ms),
        write_timeout: Duration::from_millis(server.write_timeout_ms),
        shutdown_timeout_s: server.shutdown_timeout_s,
    }
}

/// Plain HTTP on loopback unless scrapers show certificates; else TLS by the certificate of the
/// public listener.
pub(super) fn metrics_server(
    config: &Config,
    listener: TcpListener,
    gateway: &Arc<Gateway>,
) -> anyhow::Result<Running> {
    let own = &config.metrics;
    let token = own.token_file.as_deref().map(Token::read).transpose()?;
    let token = Data::new(token);
    let beyond = own
        .listen
        .is_some_and(|address| !address.ip().is_loopback());
    let tls = (beyond || own.client_ca.is_some()).then(|| {
        let resolver = Arc::new(CurrentCertificate(gateway.clone()));
        keys::tls_config_for(resolver, own.client_ca.as_deref())
    });
    let tls = tls.transpose()?;
    let gateway = Data::from(gateway.clone());
    let settings = server::Settings {
        workers: 1,
        shutdown_timeout_s: 1,
        ..settings(config)
    };
    let running = server::run(settings, listener, tls, move || {
        App::new()
            .app_data(gateway.clone())
            .app_data(token.clone())
            .configure(metrics::routes)
    })?;
    Ok(spawn(running))
}

fn spawn(server: actix_web::dev::Server) -> Running {
    (server.handle(), tokio::spawn(server))
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
        self.0.reloadable().tls.clone()
    }
}
