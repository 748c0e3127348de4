//! What is going on: a bar on a terminal, a line for each step elsewhere.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// How often the bar is drawn while nothing moves it.
const TICK: Duration = Duration::from_millis(500);

/// The bar of the step under way.
pub(crate) struct Progress {
    started: Instant,
    terminal: bool,
    bar: ProgressBar,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            terminal: std::io::stderr().is_terminal(),
            bar: ProgressBar::hidden(),
        }
    }

    /// Begins a step of `length` units.
    pub(crate) fn step(&mut self, length: u64, text: &str) {
        self.bar.finish_and_clear();
        if !self.terminal {
            let elapsed = self.started.elapsed().as_secs();
            eprintln!("[{:>2}:{:02}] {text}", elapsed / 60, elapsed % 60);
            return;
        }
        let style = "[{elapsed_precise}] {wide_msg} {bar:40} {percent:>3} %";
        self.bar = ProgressBar::new(length);
        if let Ok(style) = ProgressStyle::with_template(style) {
            self.bar.set_style(style);
        }
        self.bar.set_elapsed(self.started.elapsed());
        self.bar.set_message(text.to_owned());
        self.bar.enable_steady_tick(TICK);
    }

    /// A step whose units are milliseconds.
    pub(crate) fn timed_step(&mut self, length: Duration, text: &str) {
        self.step(millis(length), text);
    }

    /// The bar, for threads that move it.
    pub(crate) fn bar(&self) -> &ProgressBar {
        &self.bar
    }

    /// Says something that stays.
    pub(crate) fn note(&self, text: &str) {
        self.bar.suspend(|| eprintln!("        {text}"));
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Milliseconds for a bar.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
