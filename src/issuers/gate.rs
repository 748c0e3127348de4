//! Lets each issuer make one change at a time. Its further changes wait here, where they hold no
//! connection.

use crate::refusal::Refusal;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Changes of one issuer under way or waiting, on this node.
const PLACES: usize = 8;
/// How long a change waits for those before it.
const PATIENCE: Duration = Duration::from_secs(1);

/// The gate of one issuer. It outlives changes of the issuer.
#[derive(Debug)]
pub struct Gate {
    places: Semaphore,
    turn: Semaphore,
}

/// The right to change, until it is dropped.
pub struct Turn<'a> {
    _turn: SemaphorePermit<'a>,
    _place: SemaphorePermit<'a>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            places: Semaphore::new(PLACES),
            turn: Semaphore::new(1),
        }
    }
}

impl Gate {
    /// Waits up to one second until no other change of the issuer is under way on this node.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] if eight are under way or waiting, or the wait was too long.
    pub async fn enter(&self) -> Result<Turn<'_>, Refusal> {
        let place = self.places.try_acquire().map_err(|_| Refusal::Overloaded)?;
        let turn = tokio::time::timeout(PATIENCE, self.turn.acquire()).await;
        match turn {
            Ok(Ok(turn)) => Ok(Turn {
                _turn: turn,
                _place: place,
            }),
            _ => Err(Refusal::Overloaded),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use futures_util::future::join_all;
    use std::pin::pin;

    #[tokio::test]
    async fn one_goes_and_the_others_wait() {
        let gate = Gate::default();
        let first = gate.enter().await.unwrap();
        let mut second = pin!(gate.enter());
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        assert!(second.now_or_never().unwrap().is_ok());
    }

    #[tokio::test]
    async fn the_ninth_is_refused() {
        let gate = Gate::default();
        let turn = gate.enter().await.unwrap();
        let others = (1..PLACES).map(|_| async { gate.enter().await.map(drop) });
        let mut others = pin!(join_all(others));
        assert!(others.as_mut().now_or_never().is_none());
        assert!(matches!(gate.enter().await, Err(Refusal::Overloaded)));
        drop(turn);
        assert!(others.await.iter().all(Result::is_ok));
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let gate = Gate::default();
        let _turn = gate.enter().await.unwrap();
        assert!(matches!(gate.enter().await, Err(Refusal::Overloaded)));
    }
}
