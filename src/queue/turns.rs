//! Waiting jobs by caller: each turn is the next caller's, so a caller with many jobs does not hold
//! up one with few.

use std::collections::VecDeque;

/// Empty queues that are kept for the next caller, so that a turn allocates nothing.
const SPARE: usize = 16;

/// Jobs that wait, and whose turn it is.
pub(super) struct Turns<T> {
    /// Callers with waiting jobs, in the order of their turns. There are few, so looking for one
    /// goes through them.
    callers: VecDeque<Line<T>>,
    spare: Vec<VecDeque<T>>,
    len: usize,
}

/// The jobs of one caller, never empty.
struct Line<T> {
    caller: i32,
    jobs: VecDeque<T>,
}

impl<T> Turns<T> {
    pub(super) fn new() -> Self {
        Self {
            callers: VecDeque::new(),
            spare: Vec::new(),
            len: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends to the caller's jobs. A caller with none has the last turn.
    pub(super) fn push(&mut self, caller: i32, job: T) {
        self.len += 1;
        let mut lines = self.callers.iter_mut();
        if let Some(line) = lines.find(|line| line.caller == caller) {
            line.jobs.push_back(job);
            return;
        }
        let mut jobs = self.spare.pop().unwrap_or_default();
        jobs.push_back(job);
        self.callers.push_back(Line { caller, jobs });
    }

    /// The first job of the caller whose turn it is.
    pub(super) fn pop(&mut self) -> Option<T> {
        let mut line = self.callers.pop_front()?;
        let job = line.jobs.pop_front();
        if !line.jobs.is_empty() {
            self.callers.push_back(line);
        } else if self.spare.len() < SPARE {
            self.spare.push(line.jobs);
        }
        self.len = self.len.saturating_sub(1);
        job
    }

    /// The first job of each caller.
    pub(super) fn firsts(&self) -> impl Iterator<Item = &T> {
        self.callers.iter().filter_map(|line| line.jobs.front())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_take_turns_and_each_keeps_its_order() {
        let mut turns = Turns::new();
        for job in [1, 2, 3, 4] {
            turns.push(7, job);
        }
        turns.push(8, 10);
        turns.push(9, 20);
        turns.push(9, 21);
        assert_eq!(turns.len(), 7);
        assert!(turns.firsts().eq(&[1, 10, 20]));
        let taken: Vec<_> = (0..4).filter_map(|_| turns.pop()).collect();
        assert_eq!(taken, [1, 10, 20, 2]);
        turns.push(8, 11);
        let taken: Vec<_> = std::iter::from_fn(|| turns.pop()).collect();
        assert_eq!(taken, [21, 3, 11, 4]);
        assert!(turns.is_empty());
    }

    #[test]
    fn one_caller_is_served_in_order() {
        let mut turns = Turns::new();
        (0..100).for_each(|job| turns.push(0, job));
        assert!(std::iter::from_fn(|| turns.pop()).eq(0..100));
    }
}
