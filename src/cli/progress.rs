//! Progress of a long command on standard error: a bar on a terminal, a line for each tenth
//! elsewhere.

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use std::cell::Cell;
use std::time::Instant;

/// A bar that counts up to a length.
pub(super) struct Progress {
    label: &'static str,
    unit: &'static str,
    bar: ProgressBar,
    /// The last tenth that was said.
    tenth: Cell<u64>,
    /// Records that were counted beside the bar, and since when.
    counted: Cell<u64>,
    begun: Instant,
}

impl Progress {
    /// For the command `label`, which counts in `unit`.
    pub(super) fn new(label: &'static str, unit: &'static str) -> anyhow::Result<Self> {
        let template =
            format!("{{wide_bar}} {{human_pos}}/{{human_len}} {unit}, {{per_sec}}, {{eta}} left");
        Self::with_template(label, unit, &template)
    }

    /// For the command `label`, whose bar shows bytes of a file, and records beside it: see
    /// [`Progress::count`].
    pub(super) fn of_bytes(label: &'static str) -> anyhow::Result<Self> {
        let template = "{wide_bar} {bytes}/{total_bytes}, {msg}, {eta} left";
        let progress = Self::with_template(label, "bytes", template)?;
        progress.bar.set_message("0 records");
        Ok(progress)
    }

    fn with_template(
        label: &'static str,
        unit: &'static str,
        template: &str,
    ) -> anyhow::Result<Self> {
        let bar = ProgressBar::new(0);
        bar.set_style(ProgressStyle::with_template(template)?);
        Ok(Self {
            label,
            unit,
            bar,
            tenth: Cell::new(0),
            counted: Cell::new(0),
            begun: Instant::now(),
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

    /// So many records more are done; shown with their rate since the beginning.
    pub(super) fn count(&self, more: u64) {
        let counted = self.counted.get().saturating_add(more);
        self.counted.set(counted);
        let milliseconds = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let rate = counted.saturating_mul(1_000) / milliseconds.max(1);
        let (counted, rate) = (HumanCount(counted), HumanCount(rate));
        self.bar.set_message(format!("{counted} records, {rate}/s"));
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
