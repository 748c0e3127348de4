//! One issuer's latency alone, and while another floods.

use super::Run;
use super::table::Table;
use crate::linux::outcome::Outcome;

/// What an issuer at its share has.
#[derive(Debug)]
pub(crate) struct Fairness {
    /// While nobody else calls.
    pub(crate) alone: Run,
    /// While another issuer sends many times its share.
    pub(crate) beside: Run,
    /// What became of the other's calls.
    pub(crate) other: Other,
}

/// The issuer that floods.
#[derive(Debug)]
pub(crate) struct Other {
    run: Run,
    sent_per_second: f64,
    refused: u64,
}

impl Other {
    pub(crate) fn of(outcome: &Outcome) -> Self {
        Self {
            run: Run::of(outcome),
            sent_per_second: outcome.sent_per_second(),
            refused: outcome.answered(503),
        }
    }
}

impl Fairness {
    /// The p99 beside the flood, in times of the p99 alone.
    pub(crate) fn p99_ratio(&self) -> f64 {
        self.beside.p99_ms / self.alone.p99_ms
    }

    pub(super) fn show(&self, table: &mut Table) {
        table.heading("fairness, an issuer at a quarter of the peak");
        table.run("alone", &self.alone, "");
        let note = format!("p99 = {:.2} of alone, goal: <= 1.20", self.p99_ratio());
        table.run("beside an issuer at ten times that", &self.beside, &note);
        let note = format!(
            "sent per second: {:.0}, refused: {}",
            self.other.sent_per_second, self.other.refused
        );
        table.run("the other issuer", &self.other.run, &note);
    }
}
