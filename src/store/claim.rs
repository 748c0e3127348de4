//! Decides whether a write happens: its caller may withdraw it until it is begun; after that the
//! database decides.

use super::error::StoreError;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// How long a request waits for its answer, unless a COMMIT of its own is under way.
pub(super) const DEADLINE: Duration = Duration::from_millis(1_500);

const WAITING: u8 = 0;
const BEGUN: u8 = 1;
const WITHDRAWN: u8 = 2;

/// Shared by the asker and the thread that writes: one of them comes first.
#[derive(Debug, Clone, Default)]
pub(super) struct Claim(Arc<AtomicU8>);

impl Claim {
    /// The write goes ahead; false if the asker has withdrawn it.
    pub(super) fn begin(&self) -> bool {
        self.settle(BEGUN)
    }

    /// The write does not happen any more; false if it is under way already.
    fn withdraw(&self) -> bool {
        self.settle(WITHDRAWN)
    }

    fn settle(&self, to: u8) -> bool {
        let (from, order) = (WAITING, Ordering::AcqRel);
        match self.0.compare_exchange(from, to, order, Ordering::Acquire) {
            Ok(_) => true,
            Err(now) => now == to,
        }
    }
}

/// Waits for the outcome of a write. One that is not under way after `patience` is withdrawn; one
/// that is gets `commit` longer, since it would probably be stored and nobody would know. `ended`
/// is what it means that no outcome will come.
///
/// # Errors
/// [`StoreError::Timeout`]: withdrawn, nothing is stored. [`StoreError::InDoubt`]: no outcome in
/// time.
pub(super) async fn decided<T, E, N>(
    answer: impl Future<Output = Result<Result<T, E>, N>>,
    claim: &Claim,
    (patience, commit): (Duration, Duration),
    ended: StoreError,
) -> Result<T, E>
where
    E: From<StoreError>,
{
    let mut answer = pin!(answer);
    let mut late = false;
    loop {
        let wait = if late { commit } else { patience };
        match tokio::time::timeout(wait, &mut answer).await {
            Ok(Ok(result)) => return result,
            Ok(Err(_)) => return Err(ended.into()),
            Err(_) if !late && claim.withdraw() => return Err(StoreError::Timeout.into()),
            Err(_) if !late => late = true,
            Err(_) => return Err(StoreError::InDoubt.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    type Answer = Result<Result<(), StoreError>, ()>;

    async fn wait(claim: &Claim, answer: impl Future<Output = Answer>) -> Result<(), StoreError> {
        let ended = StoreError::internal("ended");
        decided(answer, claim, (DEADLINE, Duration::from_millis(1)), ended).await
    }

    #[test]
    fn one_side_comes_first() {
        let claim = Claim::default();
        assert!(claim.begin() && claim.begin() && !claim.withdraw());
        let claim = Claim::default();
        assert!(claim.withdraw() && !claim.begin());
    }

    #[tokio::test]
    async fn what_is_not_begun_is_withdrawn_at_the_deadline() {
        let claim = Claim::default();
        assert_eq!(wait(&claim, pending()).await, Err(StoreError::Timeout));
        assert!(!claim.begin());
    }

    #[tokio::test]
    async fn what_is_begun_is_waited_for_longer_and_then_in_doubt() {
        let claim = Claim::default();
        assert!(claim.begin());
        assert_eq!(wait(&claim, pending()).await, Err(StoreError::InDoubt));
        let late = async {
            tokio::time::sleep(DEADLINE + Duration::from_millis(1)).await;
            Answer::Ok(Ok(()))
        };
        let longer = Duration::from_secs(60);
        let ended = StoreError::internal("ended");
        assert_eq!(
            decided(late, &claim, (DEADLINE, longer), ended).await,
            Ok(())
        );
    }
}
