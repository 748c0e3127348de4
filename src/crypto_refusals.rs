//! Payloads of an issuer that do not open: counted, slowed down, and told to the operator.
//!
//! A client with a wrong key causes a few of them. Somebody who tries ciphertexts causes many, and
//! what he learns from each is worth as much as he gets of them. So each issuer has [`BURST`]
//! refusals at once, then [`PER_SECOND`] a second; others wait for their turn, as timers do, on no
//! thread. Once the next turn is [`MAX_DELAY`] away, its encrypted calls are refused before
//! anything is decrypted, until it is nearer. Each node counts for itself. What opens is never
//! slowed down.

use crate::ids::IssuerId;
use crate::issuers::Issuer;
use crate::refusal::Refusal;
use crate::telemetry::Metrics;
use crate::throttle::{Bucket, Rate};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Refusals that an issuer gets in a second for long.
const PER_SECOND: u32 = 10;
/// Refusals that an issuer gets at once after a pause.
const BURST: u32 = 100;
/// Both as a rate.
const RATE: Rate = Rate::new(PER_SECOND, BURST);
/// The longest that a refusal waits for its turn.
const MAX_DELAY: Duration = Duration::from_secs(5);
/// The next turn is never further away, so this is how long an issuer is refused after a flood.
const FURTHEST: Duration = Duration::from_secs(60);
/// How often the operator is told of the same issuer.
const WINDOW: Duration = Duration::from_secs(60);
/// From so many refusals of an issuer in a window on.
const MANY: u32 = 20;

/// The refusals of each issuer on this node.
#[derive(Debug, Default)]
pub struct CryptoRefusals {
    issuers: Mutex<HashMap<IssuerId, Recent>>,
}

#[derive(Debug)]
struct Recent {
    /// Whose turn it is: when the next refusal is answered.
    turns: Bucket,
    window_began: Instant,
    refusals: u32,
    /// Of wrapped keys that belong to another message.
    reused: u32,
}

/// What a refusal is to be told as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alarm {
    /// There are many of them.
    Many,
    /// A wrapped key came a second time, which no client does.
    Reused,
}

impl CryptoRefusals {
    /// Refuses a call that would wait too long if its payload did not open. Before anything is
    /// decrypted, so it depends on former refusals alone.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`].
    pub fn require_turn(&self, issuer: &Issuer) -> Result<(), Refusal> {
        if self.wait(issuer.id, Instant::now()) < MAX_DELAY {
            Ok(())
        } else {
            Err(Refusal::Overloaded)
        }
    }

    /// Counts a refusal, tells of it where that is due, and waits until it may be answered.
    pub async fn refused(&self, issuer: &Issuer, refusal: &Refusal, metrics: &Metrics) {
        let client_id = issuer.client_id.as_str();
        metrics.crypto_refusal(client_id, refusal.reason());
        let reused = matches!(refusal, Refusal::WrappedKeyReused);
        let (wait, alarm) = self.note(issuer.id, reused, Instant::now());
        match alarm {
            Some(Alarm::Many) => tracing::warn!(
                issuer = client_id,
                refusals = MANY,
                "many payloads of this issuer do not open"
            ),
            Some(Alarm::Reused) => tracing::error!(
                issuer = client_id,
                "this issuer sent a wrapped key again, with another message or as another's: somebody tries ciphertexts"
            ),
            None => {}
        }
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    fn wait(&self, issuer_id: IssuerId, now: Instant) -> Duration {
        let issuers = self.lock();
        let recent = issuers.get(&issuer_id);
        recent.map_or(Duration::ZERO, |recent| recent.turns.wait(now))
    }

    fn note(&self, issuer_id: IssuerId, reused: bool, now: Instant) -> (Duration, Option<Alarm>) {
        let mut issuers = self.lock();
        let recent = issuers.entry(issuer_id).or_insert(Recent {
            turns: Bucket::new(),
            window_began: now,
            refusals: 0,
            reused: 0,
        });
        if now.saturating_duration_since(recent.window_began) >= WINDOW {
            recent.window_began = now;
            recent.refusals = 0;
            recent.reused = 0;
        }
        recent.refusals = recent.refusals.saturating_add(1);
        recent.reused = recent.reused.saturating_add(u32::from(reused));
        let alarm = if reused && recent.reused == 1 {
            Some(Alarm::Reused)
        } else {
            (recent.refusals == MANY).then_some(Alarm::Many)
        };
        let wait = recent.turns.take(RATE, now, FURTHEST);
        (wait.min(MAX_DELAY), alarm)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IssuerId, Recent>> {
        self.issuers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: IssuerId = IssuerId(1);
    const B: IssuerId = IssuerId(2);
    const TURN: Duration = Duration::from_millis(100);

    #[test]
    fn a_burst_is_answered_at_once_and_the_rest_in_turn() {
        let refusals = CryptoRefusals::default();
        let now = Instant::now();
        let waits: Vec<_> = (0..1_000).map(|_| refusals.note(A, false, now).0).collect();
        assert!(waits[..100].iter().all(Duration::is_zero));
        assert_eq!(waits[100..102], [TURN, 2 * TURN]);
        assert_eq!(waits.iter().max(), Some(&MAX_DELAY));
        assert_eq!(refusals.wait(A, now), FURTHEST, "refused from now on");
        assert_eq!(refusals.wait(B, now), Duration::ZERO);
        assert_eq!(refusals.note(B, false, now).0, Duration::ZERO);
        let later = now + FURTHEST;
        assert_eq!(refusals.wait(A, later), Duration::ZERO);
        assert_eq!(refusals.note(A, false, later).0, Duration::ZERO);
    }

    #[test]
    fn what_comes_more_slowly_never_waits() {
        let refusals = CryptoRefusals::default();
        let start = Instant::now();
        for turn in 0..1_000 {
            assert_eq!(
                refusals.note(A, true, start + TURN * turn).0,
                Duration::ZERO
            );
        }
    }

    #[test]
    fn the_operator_is_told_once_in_a_window() {
        let refusals = CryptoRefusals::default();
        let start = Instant::now();
        for window in 0..3 {
            let now = start + WINDOW * window;
            let alarms: Vec<_> = (0..500)
                .filter_map(|_| refusals.note(A, false, now).1)
                .collect();
            assert_eq!(alarms, [Alarm::Many]);
            let alarms: Vec<_> = (0..500)
                .filter_map(|_| refusals.note(A, true, now).1)
                .collect();
            assert_eq!(alarms, [Alarm::Reused]);
            assert_eq!(refusals.note(B, true, now).1, Some(Alarm::Reused));
        }
    }
}
