//! Whether a node can do its work: for load balancers, metrics and the log.
//!
//! A node is ready if it can write: the last batch was committed, and no commit has been under way
//! or waiting for longer than [`PATIENCE`]. While nobody calls,
//! [`Heartbeat`](crate::housekeeping::jobs::Heartbeat) commits a row of the node's own. The node
//! must also have the database's time, keep its jobs alive, and not be stopping. Reads are reported
//! but do not count: lookups without a connection do not keep enrolments from being committed.

use crate::clock;
use crate::gateway::Gateway;
use crate::housekeeping::{Job, Roster, Stop};
use prometheus::{Gauge, IntGaugeVec, Opts};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A commit that has been under way, or has waited, for longer hangs.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// Set when a shutdown has begun: not ready any more, though still answering.
#[derive(Debug, Default)]
pub struct Draining(AtomicBool);

impl Draining {
    /// From now on `/health/ready` says no, and every answer closes its connection.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it has.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How writing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// Batches are committed.
    Ok,
    /// The database refused the last batch.
    Failing,
    /// A batch is under way, or waits, for longer than [`PATIENCE`].
    Hanging,
}

/// What is known of a node at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signs {
    /// A shutdown has begun.
    pub draining: bool,
    /// How writing goes.
    pub writes: Writes,
    /// The database answered the last read.
    pub reads: bool,
    /// The node's clock is at most 30 s from the database's.
    pub clock: bool,
    /// Background jobs that cannot be kept alive.
    pub hopeless: Vec<&'static str>,
}

/// Yes or no, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether calls should be sent here.
    pub ready: bool,
    /// `status` and one member for each part.
    pub body: Value,
}

impl Signs {
    /// What follows from them.
    pub fn verdict(&self) -> Verdict {
        let works = self.writes == Writes::Ok && self.clock && self.hopeless.is_empty();
        let ready = works && !self.draining;
        let status = match (self.draining, ready) {
            (true, _) => "draining",
            (false, true) => "ready",
            (false, false) => "not ready",
        };
        let writes = match self.writes {
            Writes::Ok => "ok",
            Writes::Failing => "failing",
            Writes::Hanging => "hanging",
        };
        let or = |ok: bool, else_: &'static str| if ok { "ok" } else { else_ };
        let body = json!({
            "status": status,
            "writes": writes,
            "reads": or(self.reads, "failing"),
            "clock": or(self.clock, "off"),
            "jobs": or(self.hopeless.is_empty(), "failing"),
        });
        Verdict { ready, body }
    }
}

/// Judges a node.
pub struct Readiness {
    gateway: Arc<Gateway>,
    roster: Arc<Roster>,
    draining: Arc<Draining>,
    parts: IntGaugeVec,
    database_ahead: Gauge,
}

impl Readiness {
    /// Registers `issuer_gateway_ready` and `issuer_gateway_database_clock_ahead_seconds`.
    ///
    /// # Errors
    /// Those of the registry: they are registered already.
    pub fn new(
        gateway: &Arc<Gateway>,
        roster: &Arc<Roster>,
        draining: &Arc<Draining>,
    ) -> Result<Self, prometheus::Error> {
        let parts = IntGaugeVec::new(
            Opts::new(
                "issuer_gateway_ready",
                "1: this part of readiness is well; part \"all\" is what /health/ready says",
            ),
            &["part"],
        )?;
        let database_ahead = Gauge::new(
            "issuer_gateway_database_clock_ahead_seconds",
            "How far the database's clock is ahead of this node's; negative: behind",
        )?;
        gateway.metrics.register(Box::new(parts.clone()))?;
        gateway.metrics.register(Box::new(database_ahead.clone()))?;
        Ok(Self {
            gateway: Arc::clone(gateway),
            roster: Arc::clone(roster),
            draining: Arc::clone(draining),
            parts,
            database_ahead,
        })
    }

    /// Looks at everything that is known in memory.
    pub fn judge(&self) -> Signs {
        let gateway = &self.gateway;
        let health = gateway.writer.health();
        let under_way = health.oldest_under_way.map(|since| since.elapsed());
        let oldest = under_way.max(health.oldest_waiting);
        let writes = if oldest.is_some_and(|age| age > PATIENCE) {
            Writes::Hanging
        } else if health.last_failure > health.last_commit || !gateway.beats.load(Ordering::Relaxed)
        {
            Writes::Failing
        } else {
            Writes::Ok
        };
        Signs {
            draining: self.draining.has_begun(),
            writes,
            reads: gateway.reads.load(Ordering::Relaxed),
            clock: gateway.clock.is_within(clock::TOLERANCE),
            hopeless: self.roster.hopeless(),
        }
    }
}

/// Keeps the metrics of readiness, and logs when it changes.
pub struct WatchReadiness {
    readiness: Arc<Readiness>,
    last: Option<Signs>,
}

impl WatchReadiness {
    /// For this node.
    pub fn new(readiness: Arc<Readiness>) -> Self {
        Self {
            readiness,
            last: None,
        }
    }
}

impl Job for WatchReadiness {
    const NAME: &'static str = "readiness";
    const EVERY: Duration = Duration::from_secs(1);

    async fn run(&mut self, gateway: &Gateway, _: &Stop) -> anyhow::Result<()> {
        let signs = self.readiness.judge();
        let Verdict { ready, body } = signs.verdict();
        for (part, well) in [
            ("all", ready),
            ("writes", signs.writes == Writes::Ok),
            ("reads", signs.reads),
            ("clock", signs.clock),
            ("jobs", signs.hopeless.is_empty()),
        ] {
            let gauge = self.readiness.parts.with_label_values(&[part]);
            gauge.set(i64::from(well));
        }
        if let Some(ahead) = gateway.clock.database_ahead() {
            self.readiness.database_ahead.set(ahead.as_seconds_f64());
        }
        if self.last.as_ref() != Some(&signs) {
            let hopeless = signs.hopeless.join(", ");
            match ready || signs.draining {
                true => tracing::info!(%body, "readiness"),
                false => tracing::error!(%body, hopeless, "readiness"),
            }
            self.last = Some(signs);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well() -> Signs {
        Signs {
            draining: false,
            writes: Writes::Ok,
            reads: true,
            clock: true,
            hopeless: Vec::new(),
        }
    }

    #[test]
    fn each_part_counts_but_reads() {
        type Change = fn(&mut Signs);
        let cases: [(Change, bool, &str, &str); 7] = [
            (|_| (), true, "status", "ready"),
            (|s| s.reads = false, true, "reads", "failing"),
            (|s| s.writes = Writes::Failing, false, "writes", "failing"),
            (|s| s.writes = Writes::Hanging, false, "writes", "hanging"),
            (|s| s.clock = false, false, "clock", "off"),
            (|s| s.hopeless.push("job"), false, "jobs", "failing"),
            (|s| s.draining = true, false, "status", "draining"),
        ];
        for (change, ready, member, value) in cases {
            let mut signs = well();
            change(&mut signs);
            let verdict = signs.verdict();
            assert_eq!(verdict.ready, ready, "{signs:?}");
            assert_eq!(verdict.body[member], value);
            let status = verdict.body["status"].as_str().unwrap();
            assert_eq!(status == "ready", ready);
        }
    }
}
