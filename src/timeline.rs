//! When each step of a call began and ended, and how long it waited in a queue meanwhile.
//!
//! It is the one source of a call's times: a sandbox's console shows them, and traces send them.
//! A call has one only where somebody looks at it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The steps of a call that are timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The body comes in.
    Body,
    /// The signature is verified.
    Signature,
    /// The users API: a key has shown who calls.
    Key,
    /// Issuer, media type, envelope and what the path names are checked.
    Checks,
    /// A cardholder is looked up.
    Lookup,
    /// The payload is decrypted.
    Decryption,
    /// The rules are applied.
    Rules,
    /// Rows are sealed and committed.
    Commit,
    /// The answer is made and sealed.
    Answer,
}

impl Step {
    /// In words, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Body => "body read",
            Self::Signature => "signature",
            Self::Key => "key",
            Self::Checks => "checks",
            Self::Lookup => "lookup",
            Self::Decryption => "decryption",
            Self::Rules => "rules",
            Self::Commit => "seal and commit",
            Self::Answer => "answer",
        }
    }
}

/// A step that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lap {
    /// Which.
    pub step: Step,
    /// When the one before it had ended.
    pub from: Instant,
    /// When it had ended.
    pub to: Instant,
    /// Its wait in a queue; the last one if there were several.
    pub wait: Option<Wait>,
}

/// A wait in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// When the job was queued.
    pub queued: Instant,
    /// When a thread took it; `None`: none did before the step ended.
    pub taken: Option<Instant>,
}

/// The times of one call.
pub struct Timeline {
    begun: Instant,
    marks: Mutex<Marks>,
}

struct Marks {
    last: Instant,
    wait: Option<Wait>,
    laps: Vec<Lap>,
}

impl Timeline {
    /// Its first step begins now.
    pub fn begin() -> Self {
        let begun = Instant::now();
        let marks = Marks {
            last: begun,
            wait: None,
            laps: Vec::new(),
        };
        Self {
            begun,
            marks: Mutex::new(marks),
        }
    }

    /// When the first step began.
    pub fn begun(&self) -> Instant {
        self.begun
    }

    /// A step ends now. It began where the one before it has ended.
    pub fn reached(&self, step: Step) {
        let mut marks = self.marks();
        let to = Instant::now();
        let lap = Lap {
            step,
            from: marks.last,
            to,
            wait: marks.wait.take(),
        };
        marks.last = to;
        marks.laps.push(lap);
    }

    /// The call waits in a queue from now on.
    pub fn queued(&self) {
        self.marks().wait = Some(Wait {
            queued: Instant::now(),
            taken: None,
        });
    }

    /// A thread has taken the call's job out of the queue.
    pub fn taken(&self) {
        if let Some(wait) = &mut self.marks().wait {
            wait.taken = Some(Instant::now());
        }
    }

    /// The steps so far, in their order.
    pub fn laps(&self) -> Vec<Lap> {
        self.marks().laps.clone()
    }

    /// How long each step took, in the order in which they were first done. A step that came again
    /// is added to its first time.
    pub fn steps(&self) -> Vec<(Step, Duration)> {
        let mut steps: Vec<(Step, Duration)> = Vec::new();
        for lap in &self.marks().laps {
            let took = lap.to.saturating_duration_since(lap.from);
            match steps.iter_mut().find(|(known, _)| *known == lap.step) {
                Some((_, time)) => *time += took,
                None => steps.push((lap.step, took)),
            }
        }
        steps
    }

    fn marks(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_comes_again_is_one_step() {
        let timeline = Timeline::begin();
        for step in [Step::Body, Step::Signature, Step::Commit, Step::Signature] {
            timeline.reached(step);
        }
        let steps = timeline.steps();
        let steps: Vec<_> = steps.iter().map(|(step, _)| *step).collect();
        assert_eq!(steps, [Step::Body, Step::Signature, Step::Commit]);
        assert_eq!(timeline.laps().len(), 4);
    }

    #[test]
    fn steps_follow_each_other_and_a_wait_belongs_to_the_step_it_ends_in() {
        let timeline = Timeline::begin();
        timeline.taken();
        timeline.queued();
        timeline.taken();
        timeline.reached(Step::Decryption);
        timeline.queued();
        timeline.reached(Step::Commit);
        timeline.reached(Step::Answer);
        let [opened, committed, answered] = timeline.laps()[..] else {
            unreachable!("three steps")
        };
        let wait = opened.wait.unwrap();
        assert!(opened.from <= wait.queued && wait.taken.unwrap() <= opened.to);
        assert_eq!(opened.to, committed.from);
        assert_eq!(committed.wait.unwrap().taken, None);
        assert_eq!((committed.to, answered.wait), (answered.from, None));
    }
}
