//! Columns of text.

use super::Run;
use crate::linux::rsa::{Yardstick, median};

/// Characters of the first column.
const NAME: usize = 38;

/// The table, line by line.
pub(super) struct Table {
    rsa_per_second: f64,
    lines: Vec<String>,
    /// Printed before the next line under it, so that a part without lines has none.
    heading: Option<String>,
}

impl Table {
    /// A table whose first line is the yardstick.
    pub(super) fn new(yardstick: &Yardstick) -> Self {
        let rsa = yardstick.per_second();
        let (low, high) = yardstick.spread();
        let head = format!(
            "{:<NAME$} {:>9} {:>6} {:>9} {:>9} {:>10}  {}",
            "", "per s", "ratio", "p50 ms", "p99 ms", "generator", "goal, note"
        );
        let first = format!(
            "{:<NAME$} {rsa:>9.0} {:>6.3} {:>9} {:>9} {:>10}  {} threads, {:.3} ms each; median of {}, {:.0} % to {:.0} %",
            "RSA-2048 private operations, bare",
            1.0,
            "",
            "",
            "",
            yardstick.threads(),
            yardstick.operation_ms(),
            yardstick.samples(),
            low * 100.0,
            high * 100.0
        );
        Self {
            rsa_per_second: rsa,
            lines: vec![head, first],
            heading: None,
        }
    }

    pub(super) fn heading(&mut self, text: &str) {
        self.heading = Some(text.to_owned());
    }

    /// Any line.
    pub(super) fn text(&mut self, text: &str) {
        if let Some(heading) = self.heading.take() {
            self.lines.push(format!("-- {heading}"));
        }
        self.lines.push(text.to_owned());
    }

    pub(super) fn run(&mut self, name: &str, run: &Run, note: &str) {
        self.text(&format!(
            "{name:<NAME$} {:>9.0} {:>6.3} {:>9.2} {:>9.2} {:>8.0} %  {note}",
            run.per_second,
            run.per_second / self.rsa_per_second,
            run.p50_ms,
            run.p99_ms,
            run.generator * 100.0,
        ));
    }

    /// The median of runs, if there are any, and how far they are apart.
    pub(super) fn runs(&mut self, name: &str, runs: &[Run], note: &str) {
        let Some(middle) = Run::median_of(runs) else {
            return;
        };
        let rates: Vec<f64> = runs.iter().map(|run| run.per_second).collect();
        let low = rates.iter().copied().fold(f64::MAX, f64::min) / median(&rates) * 100.0;
        let high = rates.iter().copied().fold(0.0, f64::max) / median(&rates) * 100.0;
        let note = match runs.len() {
            1 => note.to_owned(),
            count => format!("{note:<8} {count} runs, {low:.0} % to {high:.0} %"),
        };
        self.run(name, &middle, &note);
    }

    pub(super) fn print(&self) {
        for line in &self.lines {
            println!("{}", line.trim_end());
        }
    }
}
