//! The thread that sends: batches of ended calls, one request each, to `ENDPOINT/v1/traces`.
//!
//! A batch that the collector does not take is dropped and counted, not sent again: traces are
//! samples, and a collector that is away must not cost memory. The next batch waits a while, so
//! what the outbox holds outlives a short outage.

use super::otlp::{
    KeyValue, PartialSuccess, Request, Resource, ResourceSpans, Response, Scope, ScopeSpans, Span,
};
use super::outbox::Outbox;
use super::spans::Ended;
use crate::config::Traces;
use crate::keys::http;
use crate::telemetry::Spans;
use anyhow::{Context, anyhow, bail};
use prost::Message;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::Agent;
use ureq::http::{HeaderName, HeaderValue};
use uuid::Uuid;
use zeroize::Zeroizing;

/// An answer is a few bytes; what is wrong may be told in more.
const LONGEST_ANSWER: u64 = 64 * 1024;
/// So many characters of what a collector says of rejected spans are logged.
const LONGEST_REASON: usize = 200;
/// Pause after the first failure; each further one doubles it.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Where spans go.
pub(super) struct Collector {
    agent: Agent,
    url: String,
    headers_file: Option<PathBuf>,
    resource: Resource,
}

impl Collector {
    pub(super) fn new(settings: &Traces) -> anyhow::Result<Self> {
        let tls = http::tls(settings.ca_file.as_deref());
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_millis(settings.timeout_ms)))
            .max_redirects(0)
            // Variables of the environment must not send spans and headers elsewhere.
            .proxy(None)
            .tls_config(tls.context("configuration: traces.ca_file")?)
            .build();
        if let Some(file) = &settings.headers_file {
            headers(file)?;
        }
        let instance = Uuid::new_v4().to_string();
        let host = gethostname::gethostname();
        let attributes = [
            ("service.name", settings.service_name.as_str()),
            ("service.version", env!("CARGO_PKG_VERSION")),
            ("service.instance.id", &instance),
            ("host.name", &host.to_string_lossy()),
        ];
        let attributes = attributes.map(|(key, value)| KeyValue::text(key, value));
        Ok(Self {
            agent: config.into(),
            url: settings.url(),
            headers_file: settings.headers_file.clone(),
            resource: Resource {
                attributes: attributes.into(),
            },
        })
    }

    /// Sends spans. Returns what the collector has rejected of them.
    fn send(&self, spans: Vec<Span>) -> anyhow::Result<PartialSuccess> {
        let body = Request {
            resource_spans: vec![ResourceSpans {
                resource: Some(self.resource.clone()),
                scope_spans: vec![ScopeSpans {
                    scope: Some(Scope {
                        name: env!("CARGO_PKG_NAME").to_owned(),
                        version: env!("CARGO_PKG_VERSION").to_owned(),
                    }),
                    spans,
                }],
            }],
        };
        let mut request = self.agent.post(&self.url);
        if let Some(file) = &self.headers_file {
            // An agent may keep it fresh.
            for (name, value) in headers(file)? {
                request = request.header(name, value);
            }
        }
        let request = request.content_type("application/x-protobuf");
        let mut answer = request.send(body.encode_to_vec())?;
        let status = answer.status().as_u16();
        if !(200..300).contains(&status) {
            bail!("the collector answers {status}");
        }
        // What stands in front of a collector may answer in its own words: the spans are there.
        let limited = answer.body_mut().with_config().limit(LONGEST_ANSWER);
        let text = limited.read_to_vec().unwrap_or_default();
        let answer = Response::decode(text.as_slice()).unwrap_or_default();
        Ok(answer.partial_success.unwrap_or_default())
    }
}

/// One header a line, `NAME: VALUE`. No error quotes a value.
fn headers(file: &Path) -> anyhow::Result<Vec<(HeaderName, HeaderValue)>> {
    let name = || format!("traces.headers_file {}", file.display());
    let text = Zeroizing::new(std::fs::read_to_string(file).with_context(name)?);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        let mut value = HeaderValue::from_str(value.trim()).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::from_bytes(name.trim().as_bytes()).ok()?, value))
    };
    let headers: Option<Vec<_>> = lines.map(header).collect();
    headers.with_context(|| format!("{}: each line must be NAME: VALUE", name()))
}

/// Sends until the outbox is closed and empty. After a closed outbox the first failure ends it.
pub(super) fn run(collector: &Collector, outbox: &Outbox, counters: &Spans) {
    let (mut failing, mut rejecting, mut pause) = (false, false, PAUSE);
    while let Some(calls) = outbox.take() {
        let spans: Vec<_> = calls.iter().flat_map(Ended::spans).collect();
        let count = spans.len();
        let sent = catch_unwind(AssertUnwindSafe(|| collector.send(spans)));
        match sent.unwrap_or_else(|_| Err(anyhow!("a panic"))) {
            Ok(PartialSuccess {
                rejected_spans,
                error_message,
            }) => {
                let rejected = usize::try_from(rejected_spans).unwrap_or(0).min(count);
                counters.sent(count - rejected);
                counters.rejected(rejected);
                if rejected > 0 && !rejecting {
                    let printable = error_message.chars().filter(|c| !c.is_control());
                    let reason: String = printable.take(LONGEST_REASON).collect();
                    tracing::warn!(reason, "the collector rejects spans");
                }
                if failing {
                    tracing::info!("traces are sent again");
                }
                (failing, rejecting, pause) = (false, rejected > 0, PAUSE);
            }
            Err(error) => {
                counters.failed(count);
                if !failing {
                    tracing::warn!(error = format!("{error:#}"), "traces cannot be sent");
                }
                failing = true;
                if outbox.rest(pause) {
                    return;
                }
                pause = LONGEST_PAUSE.min(pause * 2);
            }
        }
    }
}
