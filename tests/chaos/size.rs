//! How long a test goes on, whose turn it is, and the choices it makes.

use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A test's turn: how often it repeats what it does, and a source of choices that a seed repeats.
pub(crate) struct Turn {
    random: u64,
    rounds: usize,
    until: Option<Instant>,
    done: usize,
    _alone: MutexGuard<'static, ()>,
}

fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    let Ok(value) = text.parse() else {
        panic!("{name}: not a number: {text}");
    };
    Some(value)
}

impl Turn {
    /// Waits until no other test runs. Prints the seed.
    pub(crate) fn take(name: &str) -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let seed = setting("CHAOS_SEED").unwrap_or_else(|| u64::from(now().subsec_nanos()));
        println!("{name}: CHAOS_SEED={seed}");
        let seconds = setting("CHAOS_SECONDS").map(Duration::from_secs);
        Self {
            random: seed,
            rounds: setting("CHAOS_ROUNDS").unwrap_or(1),
            until: seconds.map(|seconds| Instant::now() + seconds),
            done: 0,
            _alone: alone,
        }
    }

    /// Whether another round is due: `CHAOS_SECONDS` wins over `CHAOS_ROUNDS`; the default is one
    /// round.
    pub(crate) fn goes_on(&mut self) -> bool {
        self.done += 1;
        match self.until {
            Some(until) => self.done == 1 || Instant::now() < until,
            None => self.done <= self.rounds,
        }
    }

    /// A number from `range` (splitmix64).
    pub(crate) fn choose(&mut self, range: std::ops::Range<usize>) -> usize {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let width = u64::try_from(range.len()).unwrap();
        range.start + usize::try_from(mixed % width).unwrap()
    }
}
