//! How long statements take, seen where Diesel sends them.

use diesel::connection::{Instrumentation, InstrumentationEvent};
use prometheus::core::Collector;
use prometheus::{Histogram, HistogramOpts};
use std::fmt;
use std::time::Instant;

/// Seconds from a statement to its answer.
const SECONDS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
];

/// The statements of some connections: `issuer_gateway_statement_seconds`. Cheap to clone.
#[derive(Clone)]
pub struct Statements(Option<Histogram>);

impl fmt::Debug for Statements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Statements({})", self.count())
    }
}

impl Statements {
    /// `by` is who sends them: `pool`, or the name of a writer.
    pub fn by(by: &str) -> Self {
        let options = HistogramOpts::new(
            "issuer_gateway_statement_seconds",
            "Time of a database statement from its sending to its answer",
        );
        let options = options.const_label("by", by).buckets(SECONDS.to_vec());
        Self(Histogram::with_opts(options).ok())
    }

    /// How many have been answered.
    pub fn count(&self) -> u64 {
        self.0.as_ref().map_or(0, Histogram::get_sample_count)
    }

    /// To be registered.
    pub fn collector(&self) -> Option<Box<dyn Collector>> {
        let histogram = self.0.clone()?;
        Some(Box::new(histogram))
    }

    /// For one connection.
    pub(super) fn timer(&self) -> Timer {
        Timer {
            statements: self.clone(),
            began: None,
        }
    }
}

/// Times the statements of one connection.
pub(super) struct Timer {
    statements: Statements,
    began: Option<Instant>,
}

impl Timer {
    pub(super) fn begin(&mut self) {
        self.began = Some(Instant::now());
    }

    pub(super) fn end(&mut self) {
        if let (Some(began), Some(histogram)) = (self.began.take(), &self.statements.0) {
            histogram.observe(began.elapsed().as_secs_f64());
        }
    }
}

impl Instrumentation for Timer {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartQuery { .. } => self.begin(),
            InstrumentationEvent::FinishQuery { .. } => self.end(),
            _ => {}
        }
    }
}
