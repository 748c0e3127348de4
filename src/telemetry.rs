//! Logs and metrics. Neither ever holds a value of a request: only our own ids, reasons and counts.

mod callers;
mod malformed;
mod moment;
mod spans;

pub use moment::Moment;
pub use spans::Spans;

use crate::config::{Log, LogFormat};
use callers::Callers;
use malformed::Malformed;
use prometheus::Histogram;
use prometheus::core::Collector;
#[cfg(target_os = "linux")]
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};
use std::io::IsTerminal;
use std::time::Duration;
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Request durations in seconds; an RSA private operation alone is about a quarter millisecond.
const BUCKETS: &[f64] = &[
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
];

/// Refusals that have an alert: their lines in the metrics begin with zero.
const ALARMING: [&str; 5] = [
    "internal",
    "panic",
    "overloaded",
    "store-unavailable",
    "signature-invalid",
];

/// Results of a reload.
const SUCCESS: &str = "success";
const FAILURE: &str = "failure";
/// Seconds that a caller's clock may be off; beyond the window a call is refused.
const SKEW: &[f64] = &[
    -300.0, -60.0, -10.0, -5.0, -2.0, -1.0, 0.0, 1.0, 2.0, 5.0, 10.0, 60.0, 300.0,
];

/// 1, with what was built in its labels.
fn build_info() -> Result<IntGaugeVec, prometheus::Error> {
    let info = IntGaugeVec::new(
        Opts::new("issuer_gateway_build_info", "What runs here"),
        &["version", "platform"],
    )?;
    let platform = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    let labels = [env!("CARGO_PKG_VERSION"), &platform];
    info.with_label_values(&labels).set(1);
    Ok(info)
}

/// Starts logging to standard error. A second call in one process changes nothing.
///
/// Panics are logged by place only: a panic's message may quote data.
pub fn init_logging(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.filter)
        .map_err(|_| anyhow::anyhow!("configuration: log.filter: not a tracing filter"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let ours = filter_fn(may_be_logged);
    let _ = match log.format {
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .finish()
            .with(ours)
            .with(Malformed::new())
            .try_init(),
        LogFormat::Text => builder
            .with_target(false)
            .finish()
            .with(ours)
            .with(Malformed::new())
            .try_init(),
    };
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(place, "panic");
    }));
    Ok(())
}

/// Whatever `log.filter` says, libraries log from `info` upwards alone: below that they quote what
/// came over the wire (actix-http does with headers that it refuses).
fn may_be_logged(line: &Metadata<'_>) -> bool {
    line.target().starts_with("issuer_gateway") || *line.level() <= Level::INFO
}

/// The gateway's counters. Labels are drawn from closed sets.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    refusals: IntCounterVec,
    refusals_summed: IntCounterVec,
    crypto_refusals: IntCounterVec,
    issuers: IntGauge,
    background_failures: IntCounterVec,
    reloads: IntCounterVec,
    expiries: IntGaugeVec,
    beginnings: IntGaugeVec,
    users_erased: IntCounter,
    erasures_pending: IntGauge,
    scoring_jobs: IntGaugeVec,
    scoring_jobs_ended: IntCounterVec,
    transactions: IntCounterVec,
    clock_skew: Histogram,
    callers: Callers,
    /// Spans of traces.
    pub spans: Spans,
    /// What is looked up when the page is made.
    pub moment: Moment,
}

impl Metrics {
    /// Registers all metrics.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let metrics = Self {
            callers: Callers::new(&registry)?,
            moment: Moment::new(&registry)?,
            spans: Spans::new(&registry)?,
            transactions: IntCounterVec::new(
                Opts::new(
                    "issuer_gateway_transactions_total",
                    "Transactions that this node has taken from issuers, by what became of each",
                ),
                &["outcome"],
            )?,
            clock_skew: Histogram::with_opts(
                HistogramOpts::new(
                    "issuer_gateway_call_clock_seconds",
                    "How far the timestamps of verified calls are ahead of this node's clock; negative: behind",
                )
                .buckets(SKEW.to_vec()),
            )?,
            registry,
            requests: IntCounterVec::new(
                Opts::new("issuer_gateway_requests_total", "Requests answered"),
                &["method", "route", "status"],
            )?,
            seconds: HistogramVec::new(
                HistogramOpts::new(
                    "issuer_gateway_request_seconds",
                    "Time from header to answer",
                )
                .buckets(BUCKETS.to_vec()),
                &["method", "route"],
            )?,
            refusals: IntCounterVec::new(
                Opts::new(
                    "issuer_gateway_refusals_total",
                    "Requests refused, by stable reason",
                ),
                &["reason"],
            )?,
            refusals_summed: IntCounterVec::new(
                Opts::new(
                    "issuer_gateway_refusals_summed_total",
                    "Refused signatures that are counted in the audit trail instead of listed",
                ),
                &["reason"],
            )?,
            crypto_refusals: IntCounterVec::new(
                Opts::new(
                    "issuer_gateway_crypto_refusals_total",
                    "Payloads that did not open, by issuer (client id) and stable reason",
                ),
                &["issuer", "reason"],
            )?,
            issuers: IntGauge::new("issuer_gateway_issuers", "Issuers in memory")?,
            background_failures: IntCounterVec::new(
                Opts::new(
                    "issuer_gateway_background_failures_total",
                    "Background work that failed and will be tried again",
                ),
                &["task"],
            )?,
            reloads: IntCounterVec::new(
                Opts::new(
                    "issuer_gateway_reloads_total",
                    "Changed configurations taken up or refused",
                ),
                &["result"],
            )?,
            expiries: IntGaugeVec::new(
                Opts::new(
                    "issuer_gateway_expires_seconds",
                    "Time until a key or certificate ends; negative: ended",
                ),
                &["kind", "name"],
            )?,
            beginnings: IntGaugeVec::new(
                Opts::new(
                    "issuer_gateway_begins_seconds",
                    "Time until a certificate that is not valid yet begins",
                ),
                &["kind", "name"],
            )?,
            users_erased: IntCounter::new(
                "issuer_gateway_users_erased_total",
                "Deleted users whose data this node has erased",
            )?,
            erasures_pending: IntGauge::new(
                "issuer_gateway_erasures_pending",
                "Users of the whole installation whose deletion was accepted and who are not erased yet",
            )?,
            scoring_jobs: IntGaugeVec::new(
                Opts::new(
                    "issuer_gateway_scoring_jobs",
                    "Enrolments of the whole installation whose months before are not scored yet",
                ),
                &["state"],
            )?,
            scoring_jobs_ended: IntCounterVec::new(
                Opts::new(
                    "issuer_gateway_scoring_jobs_ended_total",
                    "Enrolments whose months before this node has scored, or has given up",
                ),
                &["state"],
            )?,
        };
        metrics
            .registry
            .register(Box::new(metrics.transactions.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.clock_skew.clone()))?;
        metrics.registry.register(Box::new(build_info()?))?;
        #[cfg(target_os = "linux")]
        metrics
            .registry
            .register(Box::new(ProcessCollector::for_self()))?;
        metrics
            .registry
            .register(Box::new(metrics.requests.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.seconds.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.refusals.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.refusals_summed.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.crypto_refusals.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.issuers.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.background_failures.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.reloads.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.expiries.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.beginnings.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.users_erased.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.erasures_pending.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.scoring_jobs.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.scoring_jobs_ended.clone()))?;
        if let Some(caused) = malformed::caused() {
            metrics.registry.register(Box::new(caused))?;
        }
        // Prometheus sees no increase in a line that begins with its first event.
        for reason in ALARMING {
            metrics.refusals.with_label_values(&[reason]);
        }
        for result in [SUCCESS, FAILURE] {
            metrics.reloads.with_label_values(&[result]);
        }
        metrics.scoring_jobs_ended("failed", 0);
        Ok(metrics)
    }

    /// Takes up metrics that a part of the gateway keeps itself.
    pub fn register(&self, collector: Box<dyn Collector>) -> Result<(), prometheus::Error> {
        self.registry.register(collector)
    }

    /// One request was answered.
    pub fn request(&self, method: &str, route: &str, status: u16, elapsed: Duration) {
        self.requests
            .with_label_values(&[method, route, &status.to_string()])
            .inc();
        self.seconds
            .with_label_values(&[method, route])
            .observe(elapsed.as_secs_f64());
    }

    /// A call of a proven issuer was answered; `refused` is why it was not done.
    pub fn issuer_call(&self, client_id: &str, refused: Option<&str>, elapsed: Duration) {
        self.callers.answered(client_id, refused, elapsed);
    }

    /// A call of this issuer exceeded a limit of its share.
    pub fn issuer_limited(&self, client_id: &str, limit: &str) {
        self.callers.limited(client_id, limit);
    }

    /// A verified call's timestamp is so many seconds ahead of our clock.
    pub fn call_clock(&self, seconds: i64) {
        let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
        self.clock_skew.observe(f64::from(seconds));
    }

    /// This came of one transaction of an issuer's.
    pub fn transaction(&self, outcome: &'static str) {
        self.transactions.with_label_values(&[outcome]).inc();
    }

    /// One request was refused.
    pub fn refusal(&self, reason: &str) {
        self.refusals.with_label_values(&[reason]).inc();
    }

    /// One refused signature gets no audit entry of its own.
    pub fn refusal_summed(&self, reason: &str) {
        self.refusals_summed.with_label_values(&[reason]).inc();
    }

    /// A payload of an issuer on board did not open.
    pub fn crypto_refusal(&self, client_id: &str, reason: &str) {
        self.crypto_refusals
            .with_label_values(&[client_id, reason])
            .inc();
    }

    /// How many issuers are in memory.
    pub fn set_issuers(&self, count: usize) {
        self.issuers.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// From now on the background task has its line.
    pub fn background_task(&self, task: &str) {
        self.background_failures.with_label_values(&[task]);
    }

    /// A background task failed and will be tried again.
    pub fn background_failure(&self, task: &str) {
        self.background_failures.with_label_values(&[task]).inc();
    }

    /// A changed configuration was taken up, or refused.
    pub fn reload(&self, taken_up: bool) {
        let result = if taken_up { SUCCESS } else { FAILURE };
        self.reloads.with_label_values(&[result]).inc();
    }

    /// Everything that has an end: kind, name, seconds to its beginning if it is to come, and
    /// seconds to its end.
    pub fn expiries<'a>(&self, all: impl Iterator<Item = (&'a str, &'a str, Option<i64>, i64)>) {
        self.expiries.reset();
        self.beginnings.reset();
        for (kind, name, begins, ends) in all {
            self.expiries.with_label_values(&[kind, name]).set(ends);
            if let Some(begins) = begins {
                self.beginnings.with_label_values(&[kind, name]).set(begins);
            }
        }
    }

    /// This node has erased `count` users.
    pub fn users_erased(&self, count: u64) {
        self.users_erased.inc_by(count);
    }

    /// So many users wait to be erased, by any node.
    pub fn set_erasures_pending(&self, count: i64) {
        self.erasures_pending.set(count);
    }

    /// So many scoring jobs are in this state, on any node.
    pub fn set_scoring_jobs(&self, state: &'static str, count: i64) {
        self.scoring_jobs.with_label_values(&[state]).set(count);
    }

    /// This node has ended scoring jobs in this state.
    pub fn scoring_jobs_ended(&self, state: &'static str, count: u64) {
        let ended = self.scoring_jobs_ended.with_label_values(&[state]);
        ended.inc_by(count);
    }

    /// The Prometheus text page.
    pub fn render(&self) -> String {
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .unwrap_or_default()
    }
}
