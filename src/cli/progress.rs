//! Progress of a long command on standard error: a bar on a terminal, a line for each tenth
//! elsewhere.

use indicatif::{ProgressBar, ProgressStyle};
use std::cell::Cell;

/// A bar that counts up to a length.
pub(super) struct Progress {
    label: &'static str,
    unit: &'static str,
    bar: ProgressBar,
    /// The last tenth that was said.
    tenth: Cell<u64>,
}

impl Progress {
    /// For the command `label`, which counts in `unit`.
    pub(super) fn new(label: &'static str, unit: &'static str) -> anyhow::Result<Self> {
        let bar = ProgressBar::new(0);
        bar.set_style(ProgressStyle::with_template(&format!(
            "{{wide_bar}} {{human_pos}}/{{human_len}} {unit}, {{per_sec}}, {{eta}} left"
        ))?);
        Ok(Self {
            label,
            unit,
            bar,
            tenth: Cell::new(0),
        })
    }

    pub(super) fn set_length(&self, length: u64) {
        self.bar.set_length(length);
    }

    pub(super) fn inc(&self, count: u64) {
        self.bar.inc(count);
        self.say();
    }

    pub(super) fn set_position(&self, position: u64) {
        self.bar.set_position(position);
        self.say();
    }

    /// Prints a line of results beside the bar.
    pub(super) fn println(&self, line: &str) {
        self.bar.suspend(|| println!("{line}"));
    }

    fn say(&self) {
        let (done, all) = (self.bar.position(), self.bar.length().unwrap_or(0));
        let tenth = done
            .saturating_mul(10)
            .checked_div(all)
            .unwrap_or(0)
            .min(10);
        if self.bar.is_hidden() && tenth > self.tenth.get() {
            self.tenth.set(tenth);
            let (label, unit) = (self.label, self.unit);
            eprintln!("{label}: {done} of {all} {unit}");
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
