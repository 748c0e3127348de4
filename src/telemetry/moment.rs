//! What is looked up at each scrape, because nothing happens when it changes.

use crate::queue::Fill;
use prometheus::{GaugeVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Gauges of one moment. Set before the page is made.
pub struct Moment {
    depth: IntGaugeVec,
    capacity: IntGaugeVec,
    oldest: GaugeVec,
    pool: IntGaugeVec,
    pool_capacity: IntGauge,
    generation: IntGauge,
    registry: IntGauge,
    key_age: IntGaugeVec,
    sealed: IntCounterVec,
    /// What each data key had sealed at the last scrape.
    before: Mutex<HashMap<i32, u64>>,
}

impl Moment {
    pub(super) fn new(all: &Registry) -> Result<Self, prometheus::Error> {
        let gauges = |name: &str, help: &str, labels: &[&str]| {
            let gauges = IntGaugeVec::new(Opts::new(name, help), labels)?;
            all.register(Box::new(gauges.clone()))?;
            Ok::<_, prometheus::Error>(gauges)
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            all.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        let moment = Self {
            depth: gauges(
                "issuer_gateway_queue_depth",
                "Jobs that wait in a queue",
                &["queue"],
            )?,
            capacity: gauges(
                "issuer_gateway_queue_capacity",
                "Jobs that may wait in a queue; further ones are refused",
                &["queue"],
            )?,
            oldest: GaugeVec::new(
                Opts::new(
                    "issuer_gateway_queue_oldest_seconds",
                    "How long the first job in a queue has waited; 0 if none waits",
                ),
                &["queue"],
            )?,
            pool: gauges(
                "issuer_gateway_pool_connections",
                "Database connections of the pool, in use and idle, and threads that wait for one",
                &["state"],
            )?,
            pool_capacity: gauge(
                "issuer_gateway_pool_capacity",
                "Database connections that the pool opens at most",
            )?,
            generation: gauge(
                "issuer_gateway_vault_generation",
                "Generation of the data keys that this node has in force",
            )?,
            registry: gauge(
                "issuer_gateway_registry_version",
                "Version of the issuers that this node has in force",
            )?,
            key_age: gauges(
                "issuer_gateway_data_key_age_seconds",
                "Age of each data key that is not retired",
                &["purpose", "version"],
            )?,
            sealed: IntCounterVec::new(
                Opts::new(
                    "issuer_gateway_sealed_values_total",
                    "Values that this node has sealed with a data key itself, not with a key of a row",
                ),
                &["version"],
            )?,
            before: Mutex::default(),
        };
        all.register(Box::new(moment.oldest.clone()))?;
        all.register(Box::new(moment.sealed.clone()))?;
        Ok(moment)
    }

    /// A queue, by its name.
    pub fn queue(&self, name: &str, fill: Fill) {
        let labels = [name];
        self.depth.with_label_values(&labels).set(int(fill.waiting));
        let capacity = self.capacity.with_label_values(&labels);
        capacity.set(int(fill.capacity));
        let age = fill.oldest.unwrap_or_default().as_secs_f64();
        self.oldest.with_label_values(&labels).set(age);
    }

    /// The store's pool: so many connections in each state, and how many there may be.
    pub fn pool(&self, states: [(&str, usize); 3], capacity: u32) {
        for (state, connections) in states {
            self.pool.with_label_values(&[state]).set(int(connections));
        }
        self.pool_capacity.set(capacity.into());
    }

    /// What this node has in force: data keys and issuers.
    pub fn in_force(&self, generation: i64, registry: i64) {
        self.generation.set(generation);
        self.registry.set(registry);
    }

    /// Every data key: purpose, version and age.
    pub fn data_keys<'a>(&self, keys: impl Iterator<Item = (&'a str, i32, Duration)>) {
        self.key_age.reset();
        for (purpose, version, age) in keys {
            let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
            let gauge = self
                .key_age
                .with_label_values(&[purpose, &version.to_string()]);
            gauge.set(seconds);
        }
    }

    /// How many values a data key has sealed since it was loaded. The count begins again with 0
    /// when the data keys change.
    pub fn sealed(&self, version: i32, values: u64) {
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let last = before.insert(version, values).unwrap_or_default();
        let counter = self.sealed.with_label_values(&[version.to_string()]);
        counter.inc_by(values.checked_sub(last).unwrap_or(values));
    }
}

fn int(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
