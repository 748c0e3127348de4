//! The speed and the patience of a pass over many rows: a limit in rows a second, pauses on SQLite
//! for the serving process, and more tries while the database is away.

use super::StoreError;
use std::num::NonZeroU32;
use std::time::Duration;
use tokio::time::sleep;

/// Pauses after a database that is busy or away, in milliseconds; then the pass gives up and may be
/// run again.
const PAUSES_MS: [u64; 10] = [50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000];

/// On SQLite a pass rests after each transaction, this many times as long as the transaction took.
/// SQLite has one writer, and the others wait for it: if they look a dozen times a second, they
/// meet a free file.
const REST: u32 = 3;
/// The shortest rest: a waiting connection looks again after some milliseconds.
const LEAST_REST: Duration = Duration::from_millis(5);

/// How much a pass may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows of one transaction, or of one query where nothing is written.
    pub batch: NonZeroU32,
    /// Rows rewritten (verified, deleted) in a second at most.
    pub rows_per_second: Option<NonZeroU32>,
}

/// Spreads rows over time.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    rows_per_second: Option<NonZeroU32>,
}

impl Pace {
    /// At most so many rows a second.
    pub fn new(rows_per_second: Option<NonZeroU32>) -> Self {
        Self { rows_per_second }
    }

    /// The most rows to be done at once: no more than those of a second.
    pub fn batch(self, wanted: NonZeroU32) -> NonZeroU32 {
        self.rows_per_second
            .map_or(wanted, |limit| limit.min(wanted))
    }

    /// How long to wait after `rows` rows that took so long. Per batch: a fast batch does not make
    /// up for a slow one, so the limit holds over any stretch of the pass.
    pub fn wait(self, rows: u64, took: Duration) -> Duration {
        let due = self.rows_per_second.map_or(0, |limit| {
            rows.saturating_mul(1_000_000) / u64::from(limit.get())
        });
        Duration::from_micros(due).saturating_sub(took)
    }
}

/// How long to let the serving process in after a transaction on SQLite that took so long.
pub fn rest(took: Duration) -> Duration {
    (took * REST).max(LEAST_REST)
}

/// Tries again while the database is busy or away. So `attempt` may run twice to its end.
///
/// # Errors
/// What the last try ended with, or the first that another try cannot mend.
pub async fn patiently<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    for pause in PAUSES_MS {
        match attempt().await {
            Err(error) if error.is_recoverable() => sleep(Duration::from_millis(pause)).await,
            result => return result,
        }
    }
    attempt().await
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn per_second(rows: u32) -> Pace {
        Pace::new(NonZeroU32::new(rows))
    }

    #[test]
    fn rows_take_their_time() {
        let pace = per_second(50);
        assert_eq!(pace.wait(25, Duration::ZERO), 500 * MS);
        assert_eq!(pace.wait(25, 100 * MS), 400 * MS);
        assert_eq!(pace.wait(25, 700 * MS), Duration::ZERO);
        assert_eq!(pace.wait(0, Duration::ZERO), Duration::ZERO);
        let free = Pace::new(None);
        assert_eq!(free.wait(1_000_000, Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn a_batch_is_never_more_than_the_rows_of_a_second() {
        let hundred = NonZeroU32::new(100).unwrap();
        assert_eq!(per_second(7).batch(hundred).get(), 7);
        assert_eq!(per_second(700).batch(hundred), hundred);
        assert_eq!(Pace::new(None).batch(hundred), hundred);
    }

    #[test]
    fn a_rest_is_long_enough_for_others() {
        assert_eq!(rest(MS), 5 * MS);
        assert_eq!(rest(20 * MS), 60 * MS);
    }
}
