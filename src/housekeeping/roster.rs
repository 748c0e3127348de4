//! The state of every background job: panics and last success, for metrics and readiness.

use crate::telemetry::Metrics;
use prometheus::{IntCounterVec, IntGaugeVec, Opts};
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A job that has panicked so often in a row is not kept alive.
const HOPELESS: u32 = 3;

/// How the background jobs are doing.
#[derive(Debug)]
pub struct Roster {
    panics: IntCounterVec,
    last_success: IntGaugeVec,
    hopeless: Mutex<BTreeSet<&'static str>>,
}

impl Roster {
    /// Registers its metrics, `issuer_gateway_job_panics_total` and
    /// `issuer_gateway_job_last_success_timestamp_seconds`.
    ///
    /// # Errors
    /// Those of the registry: they are registered already.
    pub fn new(metrics: &Metrics) -> Result<Self, prometheus::Error> {
        let panics = IntCounterVec::new(
            Opts::new(
                "issuer_gateway_job_panics_total",
                "Panics of background jobs, after which they were started again",
            ),
            &["job"],
        )?;
        let last_success = IntGaugeVec::new(
            Opts::new(
                "issuer_gateway_job_last_success_timestamp_seconds",
                "When a background job last did all it had to, seconds since 1970 UTC; 0: not yet",
            ),
            &["job"],
        )?;
        metrics.register(Box::new(panics.clone()))?;
        metrics.register(Box::new(last_success.clone()))?;
        Ok(Self {
            panics,
            last_success,
            hopeless: Mutex::default(),
        })
    }

    /// The jobs that cannot be kept alive: each has panicked at least three times in a row.
    pub fn hopeless(&self) -> Vec<&'static str> {
        self.lock().iter().copied().collect()
    }

    /// From now on the job has its lines in the metrics.
    pub(super) fn starts(&self, job: &'static str) {
        self.panics.with_label_values(&[job]);
        self.last_success.with_label_values(&[job]);
    }

    /// A run has done what it had to.
    pub(super) fn succeeded(&self, job: &'static str) {
        let now = chrono::Utc::now().timestamp();
        self.last_success.with_label_values(&[job]).set(now);
        self.ran(job);
    }

    /// A run has ended without a panic.
    pub(super) fn ran(&self, job: &'static str) {
        if self.lock().remove(job) {
            tracing::info!(job, "the job is at work again");
        }
    }

    /// A run has panicked, the `in_a_row`th in a row.
    pub(super) fn panicked(&self, job: &'static str, in_a_row: u32) {
        self.panics.with_label_values(&[job]).inc();
        tracing::error!(job, in_a_row, "a job panicked and is started again");
        if in_a_row >= HOPELESS {
            self.lock().insert(job);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<&'static str>> {
        self.hopeless.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_panics_in_a_row_are_hopeless_until_a_run_ends() {
        let roster = Roster::new(&Metrics::new().unwrap()).unwrap();
        for in_a_row in 1..HOPELESS {
            roster.panicked("job", in_a_row);
            assert!(roster.hopeless().is_empty());
        }
        roster.panicked("job", HOPELESS);
        assert_eq!(roster.hopeless(), ["job"]);
        roster.ran("job");
        assert!(roster.hopeless().is_empty());
        let counted = roster.panics.with_label_values(&["job"]).get();
        assert_eq!(counted, u64::from(HOPELESS));
    }
}
