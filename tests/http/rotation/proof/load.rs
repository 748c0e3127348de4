//! What the callers count while the keys rotate.

use crate::support::until;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Kinds of calls: four of issuers, four of the users API.
const KINDS: usize = 8;
/// Failures that are shown; all are counted.
const SHOWN: usize = 20;

pub(super) struct Load {
    begun: Instant,
    going_on: AtomicBool,
    /// How often each kind of call ended as it should.
    right: Mutex<BTreeMap<&'static str, usize>>,
    failures: Mutex<Vec<String>>,
}

/// The load goes on until this is dropped, also by a panic.
pub(super) struct GoingOn<'a>(&'a Load);

impl Drop for GoingOn<'_> {
    fn drop(&mut self) {
        self.0.going_on.store(false, Ordering::Relaxed);
    }
}

impl Load {
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            going_on: AtomicBool::new(true),
            right: Mutex::default(),
            failures: Mutex::default(),
        }
    }

    pub(super) fn until_dropped(&self) -> GoingOn<'_> {
        GoingOn(self)
    }

    pub(super) fn goes_on(&self) -> bool {
        self.going_on.load(Ordering::Relaxed)
    }

    /// Counts a call that ended as it should, or keeps why it did not.
    pub(super) fn note(&self, kind: &'static str, outcome: anyhow::Result<()>) {
        match outcome {
            Ok(()) => *self.right.lock().unwrap().entry(kind).or_insert(0) += 1,
            Err(error) => {
                let after = self.begun.elapsed().as_secs_f32();
                let failure = format!("after {after:.1} s: {kind}: {error:#}");
                self.failures.lock().unwrap().push(failure);
            }
        }
    }

    fn right(&self) -> usize {
        self.right.lock().unwrap().values().sum()
    }

    /// Waits until so many more calls were answered as they should be.
    pub(super) fn wait_for(&self, calls: usize) {
        let wanted = self.right() + calls;
        until("calls are answered", || self.right() >= wanted);
    }

    /// Calls of every kind were made, and all of them ended as they should.
    #[expect(
        clippy::print_stdout,
        reason = "with --nocapture: how much load it was"
    )]
    pub(super) fn assert_no_failure(&self) {
        let right = self.right.lock().unwrap();
        let failures = self.failures.lock().unwrap();
        assert!(
            failures.is_empty(),
            "{} failed beside {right:?}:\n{}",
            failures.len(),
            failures[..failures.len().min(SHOWN)].join("\n")
        );
        println!("answered as they should be: {right:?}");
        assert_eq!(right.len(), KINDS, "{right:?}");
    }
}
