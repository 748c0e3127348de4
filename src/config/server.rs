//! The listener that issuers call.

use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// `[server]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Address and port to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What clients put before the path: `https://host[:port][/prefix]`. Signatures are verified
    /// over these, never over `Host`. Empty: the listener's own address (loopback only).
    pub public_base_urls: Vec<String>,
    /// PEM file with the TLS certificate chain.
    pub tls_certificate: Option<PathBuf>,
    /// PEM file with the TLS private key.
    pub tls_key: Option<PathBuf>,
    /// A proxy in front ends TLS; needed to listen beyond loopback without TLS of our own.
    pub behind_tls_proxy: bool,
    /// Largest request body, in bytes; larger ones get 413.
    pub max_body_bytes: usize,
    /// Largest request body of `POST /issuers/transactions`, in bytes; larger ones get 413.
    pub max_transactions_body_bytes: usize,
    /// As many bodies of `POST /issuers/transactions` may be in memory at once; beyond that: 503.
    pub transactions_at_once: usize,
    /// How long a client may take to send the header, in milliseconds.
    pub header_timeout_ms: u64,
    /// How long a client may take to send the body, in milliseconds.
    pub body_timeout_ms: u64,
    /// How long a client may take to read each 64 KiB of an answer, or its rest, in milliseconds;
    /// then its connection is cut.
    pub write_timeout_ms: u64,
    /// Connections each worker keeps open at most.
    pub max_connections_per_worker: usize,
    /// HTTP worker threads; 0 means one for each core.
    pub workers: usize,
    /// Threads that run RSA private operations; 0 means one for each core.
    pub decrypt_threads: usize,
    /// Requests that may wait for an RSA private operation; beyond that: 503.
    pub decrypt_queue: usize,
    /// How long a connection may idle between two requests, in seconds; 0: one request for each
    /// connection.
    pub keep_alive_s: u64,
    /// How long a shutdown goes on serving with `/health/ready` at 503 before it stops accepting,
    /// in seconds: as long as load balancers take to notice. At most half of `shutdown_timeout_s`.
    pub drain_delay_s: u64,
    /// How long a shutdown takes at most, the drain delay included, in seconds.
    pub shutdown_timeout_s: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_base_urls: Vec::new(),
            tls_certificate: None,
            tls_key: None,
            behind_tls_proxy: false,
            max_body_bytes: 64 * 1024,
            max_transactions_body_bytes: 8 * 1024 * 1024,
            transactions_at_once: 16,
            header_timeout_ms: 5_000,
            body_timeout_ms: 10_000,
            write_timeout_ms: 30_000,
            max_connections_per_worker: 2_048,
            workers: 0,
            decrypt_threads: 0,
            decrypt_queue: 1_024,
            keep_alive_s: 60,
            drain_delay_s: 5,
            shutdown_timeout_s: 30,
        }
    }
}
