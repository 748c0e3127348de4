//! The public listener: HTTP/1.1 alone, with a limit on how long a client can hold a connection.
//!
//! actix sets no bound on the streams of an HTTP/2 connection, so the listener offers no HTTP/2:
//! ALPN does not name it, and its preface is answered as a malformed request. actix-web's own
//! server takes no stream but the socket's; this one puts a [`WriteDeadline`] around it.

use super::write_deadline::WriteDeadline;
use actix_http::body::MessageBody;
use actix_http::error::DispatchError;
use actix_http::{HttpService, Protocol, Request, Response};
use actix_server::{GracefulShutdownSignal, ServerBuilder};
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt as _, fn_service, map_config,
};
use actix_tls::accept::TlsError;
use actix_tls::accept::rustls_0_23::{Acceptor, TlsStream};
use actix_web::Error;
use actix_web::dev::{AppConfig, Server};
use actix_web::rt::net::TcpStream;
use std::fmt::Debug;
use std::future::ready;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

const NAME: &str = "public";

/// How long a connection may take to close.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How the listener treats connections.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Event loops; 0 means one for each core.
    pub workers: usize,
    /// Connections that each event loop keeps open at most.
    pub max_connections: usize,
    /// How long a connection may idle between two requests.
    pub keep_alive: Duration,
    /// How long the head of a request may take to come.
    pub header_timeout: Duration,
    /// How long each 64 KiB of an answer may take to go.
    pub write_timeout: Duration,
    /// How long a shutdown waits for requests in flight, in seconds.
    pub shutdown_timeout_s: u64,
}

/// Listens and serves `app`; over TLS if there is a configuration of it.
///
/// # Errors
/// The listener cannot be registered.
pub fn run<F, I, S, B>(
    settings: Settings,
    listener: TcpListener,
    tls: Option<rustls::ServerConfig>,
    app: F,
) -> io::Result<Server>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error> + 'static,
    S::InitError: Debug,
    S::Response: Into<Response<B>> + 'static,
    <S::Service as Service<Request>>::Future: 'static,
    S::Service: 'static,
    B: MessageBody + 'static,
{
    let mut builder = ServerBuilder::default()
        .disable_signals()
        .max_concurrent_connections(settings.max_connections)
        .shutdown_timeout(settings.shutdown_timeout_s);
    if settings.workers > 0 {
        builder = builder.workers(settings.workers);
    }
    let stopping = builder.graceful_shutdown_signal();
    let allowed = settings.write_timeout;
    let builder = match tls {
        None => builder.listen(NAME, listener, move || {
            fn_service(move |io: TcpStream| {
                let peer = io.peer_addr().ok();
                ready(Ok(connection(io, peer, allowed)))
            })
            .and_then(http(settings, stopping.clone(), app()))
        })?,
        Some(mut tls) => {
            tls.alpn_protocols = vec![b"http/1.1".to_vec()];
            builder.listen(NAME, listener, move || {
                Acceptor::new(tls.clone())
                    .map_init_err(|_| ())
                    .map_err(TlsError::into_service_error)
                    .and_then(fn_service(move |io: TlsStream<TcpStream>| {
                        let peer = io.get_ref().0.peer_addr().ok();
                        ready(Ok(connection(io, peer, allowed)))
                    }))
                    .and_then(http(settings, stopping.clone(), app()).map_err(TlsError::Service))
            })?
        }
    };
    Ok(builder.run())
}

/// What serves the connections of one event loop.
fn http<T, I, S, B>(
    settings: Settings,
    stopping: GracefulShutdownSignal,
    app: I,
) -> impl ServiceFactory<Connection<T>, Config = (), Response = (), Error = DispatchError, InitError = ()>
where
    T: AsyncRead + AsyncWrite + Unpin + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error> + 'static,
    S::InitError: Debug,
    S::Response: Into<Response<B>> + 'static,
    <S::Service as Service<Request>>::Future: 'static,
    S::Service: 'static,
    B: MessageBody + 'static,
{
    let app = app.into_factory().map_err(|error: S::Error| {
        let error: Error = error.into();
        error.error_response()
    });
    HttpService::build()
        .graceful_shutdown_signal(move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        })
        .keep_alive(settings.keep_alive)
        .client_request_timeout(settings.header_timeout)
        .client_disconnect_timeout(DISCONNECT_TIMEOUT)
        .finish(map_config(app, |()| AppConfig::default()))
}

/// What actix takes for a new connection.
type Connection<T> = (WriteDeadline<T>, Protocol, Option<SocketAddr>);

fn connection<T>(io: T, peer: Option<SocketAddr>, allowed: Duration) -> Connection<T> {
    (WriteDeadline::new(io, allowed), Protocol::Http1, peer)
}
