//! The writer's metrics that are computed when they are scraped.

use super::WriterHealth;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Gauge, IntGauge, Opts};
use std::time::Duration;

/// Looked up at each scrape: what changes without anything being counted.
pub(in crate::store::writer) struct Gauges<F> {
    health: F,
    oldest_commit: Gauge,
    connected: IntGauge,
}

impl<F: Fn() -> WriterHealth + Send + Sync> Gauges<F> {
    /// `writer` is the writer's name.
    pub(in crate::store::writer) fn new(
        writer: &str,
        health: F,
    ) -> Result<Self, prometheus::Error> {
        let named = |name: &str, help: &str| Opts::new(name, help).const_label("writer", writer);
        Ok(Self {
            health,
            oldest_commit: Gauge::with_opts(named(
                "issuer_gateway_oldest_commit_seconds",
                "Age of the oldest batch under way; 0 if none is under way",
            ))?,
            connected: IntGauge::with_opts(named(
                "issuer_gateway_writers_connected",
                "Writer threads that have a database connection",
            ))?,
        })
    }
}

impl<F: Fn() -> WriterHealth + Send + Sync> Collector for Gauges<F> {
    fn desc(&self) -> Vec<&Desc> {
        let all: [&dyn Collector; 2] = [&self.oldest_commit, &self.connected];
        all.into_iter().flat_map(Collector::desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let health = (self.health)();
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let seconds = |age: Option<Duration>| age.unwrap_or_default().as_secs_f64();
        let oldest = health.oldest_under_way.map(|since| since.elapsed());
        self.oldest_commit.set(seconds(oldest));
        self.connected.set(count(health.connected));
        let all: [&dyn Collector; 2] = [&self.oldest_commit, &self.connected];
        all.into_iter().flat_map(Collector::collect).collect()
    }
}
