//! A token bucket for each key, on each node.

use super::{Bucket, Rate};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Most buckets that are kept; after that, full ones are dropped (a new one is full as well).
const KEPT: usize = 10_000;

/// Lets each key through at one rate.
#[derive(Debug)]
pub struct Buckets {
    rate: Rate,
    buckets: Mutex<HashMap<String, Bucket>>,
}

impl Buckets {
    /// The rate of every key.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            buckets: Mutex::default(),
        }
    }

    /// Takes a token of `key`; false if there is none.
    pub fn allow(&self, key: &str, now: Instant) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turns) = buckets.get_mut(key) {
            return turns.take_now(self.rate, now);
        }
        if buckets.len() >= KEPT {
            buckets.retain(|_, turns| !turns.is_rested(self.rate, now));
        }
        buckets
            .entry(key.to_owned())
            .or_default()
            .take_now(self.rate, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_then_so_many_a_second_for_each_key() {
        let buckets = Buckets::new(Rate::new(2, 3));
        let start = Instant::now();
        let passed = |key: &str, at: Instant| (0..10).filter(|_| buckets.allow(key, at)).count();
        assert_eq!(passed("a", start), 3);
        assert_eq!(passed("b", start), 3);
        assert_eq!(passed("a", start + Duration::from_secs(1)), 2);
        assert_eq!(passed("a", start + Duration::from_secs(100)), 3);
    }

    #[test]
    fn idle_keys_are_forgotten() {
        let buckets = Buckets::new(Rate::new(1, 1));
        let start = Instant::now();
        for number in 0..KEPT {
            buckets.allow(&number.to_string(), start);
        }
        buckets.allow("one more", start + Duration::from_secs(2));
        assert_eq!(buckets.buckets.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_key_that_has_used_up_its_tokens_is_not_forgotten() {
        let buckets = Buckets::new(Rate::new(1, 2));
        let start = Instant::now();
        assert!(buckets.allow("busy", start) && buckets.allow("busy", start));
        for number in 0..2 * KEPT {
            buckets.allow(&number.to_string(), start);
        }
        assert!(!buckets.allow("busy", start));
    }
}
