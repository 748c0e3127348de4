//! The number of jobs in a queue, looked up at each scrape.

use crate::queue::Backlog;
use prometheus::IntGauge;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;

/// `issuer_gateway_NAME_queue_depth`
#[derive(Debug)]
pub struct QueueDepth {
    backlog: Backlog,
    gauge: IntGauge,
}

impl QueueDepth {
    /// For the queue that `backlog` belongs to; `name` is a short constant.
    ///
    /// # Errors
    /// A name that cannot be a metric's.
    pub fn new(name: &'static str, backlog: Backlog) -> Result<Self, prometheus::Error> {
        let gauge = IntGauge::new(
            format!("issuer_gateway_{name}_queue_depth"),
            format!("Jobs that wait in the queue: {name}"),
        )?;
        Ok(Self { backlog, gauge })
    }
}

impl Collector for QueueDepth {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let jobs = i64::try_from(self.backlog.jobs()).unwrap_or(i64::MAX);
        self.gauge.set(jobs);
        self.gauge.collect()
    }
}
