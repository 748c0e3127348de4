//! How far a pass is: a bar on a terminal, a line for each tenth elsewhere; both on standard error.

use crate::rotation::Event;
use indicatif::{ProgressBar, ProgressStyle};
use std::cell::Cell;

/// Rows that do not fit go to standard output, as results do.
pub(super) struct Progress {
    label: &'static str,
    bar: ProgressBar,
    /// The last tenth that was said.
    tenth: Cell<u64>,
}

impl Progress {
    pub(super) fn new(label: &'static str) -> anyhow::Result<Self> {
        let bar = ProgressBar::new(0);
        bar.set_style(ProgressStyle::with_template(
            "{wide_bar} {human_pos}/{human_len} rows, {per_sec}, {eta} left",
        )?);
        Ok(Self {
            label,
            bar,
            tenth: Cell::new(0),
        })
    }

    pub(super) fn show(&self, event: &Event<'_>) {
        match event {
            Event::Due(rows) => self.bar.set_length(*rows),
            Event::Rows(rows) => {
                self.bar.inc(*rows);
                self.say();
            }
            Event::Misfit { key, misfit } => {
                self.bar.suspend(|| println!("BROKEN {key}: {misfit}"));
            }
        }
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
            eprintln!("{}: {done} of {all} rows", self.label);
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
