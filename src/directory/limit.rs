//! A token bucket for each key, on each node.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Most buckets that are kept; beyond, full ones are dropped (a new one is full as well).
const KEPT: usize = 10_000;

/// Lets each key through so many times a second, after a burst.
#[derive(Debug)]
pub struct Limiter {
    per_second: f64,
    burst: f64,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Limiter {
    /// Both at least 1, so that whoever is refused may come again after a second.
    pub fn new(per_second: u32, burst: u32) -> Self {
        Self {
            per_second: f64::from(per_second.max(1)),
            burst: f64::from(burst.max(1)),
            buckets: Mutex::default(),
        }
    }

    /// Takes a token of `key`; false if there is none.
    pub fn allow(&self, key: &str, now: Instant) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= KEPT && !buckets.contains_key(key) {
            buckets.retain(|_, bucket| self.tokens(bucket, now) < self.burst);
        }
        let full = Bucket {
            tokens: self.burst,
            at: now,
        };
        let bucket = buckets.entry(key.to_owned()).or_insert(full);
        let tokens = self.tokens(bucket, now);
        let allowed = tokens >= 1.0;
        *bucket = Bucket {
            tokens: if allowed { tokens - 1.0 } else { tokens },
            at: now,
        };
        allowed
    }

    fn tokens(&self, bucket: &Bucket, now: Instant) -> f64 {
        let elapsed = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.tokens + elapsed * self.per_second).min(self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_then_so_many_a_second_for_each_key() {
        let limiter = Limiter::new(2, 3);
        let start = Instant::now();
        let passed = |key: &str, at: Instant| (0..10).filter(|_| limiter.allow(key, at)).count();
        assert_eq!(passed("a", start), 3);
        assert_eq!(passed("b", start), 3);
        assert_eq!(passed("a", start + Duration::from_secs(1)), 2);
        assert_eq!(passed("a", start + Duration::from_secs(100)), 3);
    }

    #[test]
    fn idle_keys_are_forgotten() {
        let limiter = Limiter::new(1, 1);
        let start = Instant::now();
        for number in 0..KEPT {
            limiter.allow(&number.to_string(), start);
        }
        limiter.allow("one more", start + Duration::from_secs(2));
        assert_eq!(limiter.buckets.lock().unwrap().len(), 1);
    }
}
