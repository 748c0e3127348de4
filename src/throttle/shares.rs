//! The share of this node that each issuer may take: calls at once, and calls a second.
//!
//! A call counts once its signature has verified, so nobody else uses up an issuer's share. An
//! issuer that calls alone may use the whole node.

use super::{Bucket, Rate};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// An issuer counts as one of those who share the node for this long after each of its calls.
const RECENT: Duration = Duration::from_secs(10);
/// How often issuers that have stopped calling are looked for.
const SWEEP: Duration = Duration::from_secs(1);

/// What each issuer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShareRules {
    /// Calls at once that the node has room for, of all issuers.
    pub places: usize,
    /// Calls of an issuer at once; `None`: as many as leave room for the issuers that call.
    pub each: Option<usize>,
    /// Calls of an issuer a second; `None`: no limit.
    pub rate: Option<Rate>,
}

impl ShareRules {
    /// Calls at once that an issuer may have while `running` of all are under way and `recent`
    /// issuers call. While half of the places are free, nobody has to be refused.
    fn most(&self, running: usize, recent: usize) -> usize {
        match self.each {
            Some(each) => each,
            None if recent <= 1 || running < self.places / 2 => usize::MAX,
            None => (self.places / recent).max(1),
        }
    }
}

/// The limit that a call of an issuer exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareLimit {
    /// Calls at once.
    Concurrency,
    /// Calls a second.
    Rate,
}

impl ShareLimit {
    /// A stable name for log and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Concurrency => "concurrency",
            Self::Rate => "rate",
        }
    }
}

/// The issuers that call this node, and what each has taken of it.
#[derive(Debug)]
pub struct Shares {
    rules: ShareRules,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By the issuer's number.
    issuers: HashMap<i32, Share>,
    /// Calls under way, of all issuers.
    running: usize,
    /// Issuers that have called lately.
    recent: usize,
    swept: Option<Instant>,
}

#[derive(Debug)]
struct Share {
    running: usize,
    seen: Instant,
    /// Whether `State::recent` has it.
    is_counted: bool,
    turns: Bucket,
}

impl Shares {
    /// The rules for every issuer.
    pub fn new(rules: ShareRules) -> Self {
        Self {
            rules,
            state: Mutex::default(),
        }
    }

    /// Takes a place for a call of this issuer, until the place is dropped.
    ///
    /// # Errors
    /// The limit that the call exceeds. It has used up nothing.
    pub fn enter(&self, issuer: i32, now: Instant) -> Result<Place<'_>, ShareLimit> {
        let mut state = self.lock();
        state.sweep(self.rules.rate, now);
        let State {
            issuers,
            running,
            recent,
            ..
        } = &mut *state;
        let share = issuers.entry(issuer).or_insert(Share {
            running: 0,
            seen: now,
            is_counted: false,
            turns: Bucket::new(),
        });
        share.seen = now;
        if !share.is_counted {
            share.is_counted = true;
            *recent += 1;
        }
        if share.running >= self.rules.most(*running, *recent) {
            return Err(ShareLimit::Concurrency);
        }
        if let Some(rate) = self.rules.rate
            && !share.turns.take_now(rate, now)
        {
            return Err(ShareLimit::Rate);
        }
        share.running += 1;
        *running += 1;
        Ok(Place {
            shares: self,
            issuer,
        })
    }

    fn leave(&self, issuer: i32) {
        let mut state = self.lock();
        state.running = state.running.saturating_sub(1);
        if let Some(share) = state.issuers.get_mut(&issuer) {
            share.running = share.running.saturating_sub(1);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts the issuers that have called lately, and forgets those of whom nothing is left to
    /// know.
    fn sweep(&mut self, rate: Option<Rate>, now: Instant) {
        let is_due = |swept| now.saturating_duration_since(swept) >= SWEEP;
        if !self.swept.is_none_or(is_due) {
            return;
        }
        self.swept = Some(now);
        let mut recent = 0;
        self.issuers.retain(|_, share| {
            let is_recent = now.saturating_duration_since(share.seen) < RECENT;
            share.is_counted = is_recent || share.running > 0;
            recent += usize::from(share.is_counted);
            share.is_counted || rate.is_some_and(|rate| !share.turns.is_rested(rate, now))
        });
        self.recent = recent;
    }
}

/// A call under way. Dropping it gives the place back.
#[derive(Debug)]
pub struct Place<'a> {
    shares: &'a Shares,
    issuer: i32,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.shares.leave(self.issuer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: i32 = 1;
    const B: i32 = 2;
    const C: i32 = 3;

    fn shares(each: Option<usize>, rate: Option<Rate>) -> Shares {
        Shares::new(ShareRules {
            places: 12,
            each,
            rate,
        })
    }

    /// The places that an issuer gets out of a hundred tries.
    fn taken(shares: &Shares, issuer: i32, now: Instant) -> Vec<Place<'_>> {
        (0..100)
            .filter_map(|_| shares.enter(issuer, now).ok())
            .collect()
    }

    #[test]
    fn an_issuer_alone_may_use_everything() {
        let shares = shares(None, None);
        assert_eq!(taken(&shares, A, Instant::now()).len(), 100);
    }

    #[test]
    fn issuers_that_call_together_leave_room_for_each_other() {
        let shares = shares(None, None);
        let now = Instant::now();
        let of_a = taken(&shares, A, now);
        let of_b = taken(&shares, B, now);
        assert_eq!(of_b.len(), 6, "half of the places");
        assert_eq!(shares.enter(A, now).err(), Some(ShareLimit::Concurrency));
        drop(of_a);
        assert_eq!(taken(&shares, A, now).len(), 6);
        assert_eq!(taken(&shares, C, now).len(), 4, "a third for each of three");
        drop(of_b);
    }

    #[test]
    fn nobody_is_refused_while_half_of_the_places_are_free() {
        let shares = shares(None, None);
        let now = Instant::now();
        for issuer in 3..20 {
            drop(shares.enter(issuer, now).unwrap());
        }
        assert_eq!(taken(&shares, A, now).len(), 6);
    }

    #[test]
    fn an_issuer_that_has_stopped_calling_takes_no_share() {
        let shares = shares(None, None);
        let start = Instant::now();
        drop(shares.enter(B, start).unwrap());
        let _held = taken(&shares, A, start);
        let later = start + RECENT - Duration::from_nanos(1);
        assert!(shares.enter(A, later).is_err());
        let of_a = taken(&shares, A, start + RECENT + SWEEP);
        assert_eq!(of_a.len(), 100);
        assert_eq!(shares.lock().issuers.len(), 1, "B is forgotten");
    }

    #[test]
    fn a_fixed_number_at_once_holds_for_each_issuer_even_alone() {
        let shares = shares(Some(2), None);
        let now = Instant::now();
        let of_a = taken(&shares, A, now);
        assert_eq!((of_a.len(), taken(&shares, B, now).len()), (2, 2));
        assert_eq!(shares.enter(A, now).err(), Some(ShareLimit::Concurrency));
        drop(of_a);
        assert!(shares.enter(A, now).is_ok());
    }

    #[test]
    fn a_rate_holds_for_each_issuer_and_a_refusal_uses_up_nothing() {
        let shares = shares(Some(1), Some(Rate::new(2, 3)));
        let start = Instant::now();
        let place = shares.enter(A, start).unwrap();
        assert_eq!(taken(&shares, A, start).len(), 0, "one is under way");
        drop(place);
        let one_by_one = |issuer, now| {
            let tries = (0..100).filter(|_| shares.enter(issuer, now).is_ok());
            tries.count()
        };
        assert_eq!(one_by_one(A, start), 2, "the rest of the burst");
        assert_eq!(shares.enter(A, start).err(), Some(ShareLimit::Rate));
        assert_eq!(one_by_one(B, start), 3);
        assert_eq!(one_by_one(A, start + Duration::from_secs(1)), 2);
    }
}
