//! The background jobs of a node and their supervision.
//!
//! Each piece of work is a [`Job`] with a name. [`Housekeeping`] runs it again and again and
//! survives its panics: it makes the job anew and tries it again after a pause, which doubles from
//! 1 s to 60 s. [`Roster`] counts the panics and knows when each job last succeeded. [`jobs`] has
//! one type for each job.

mod forgetting;
pub mod jobs;
mod roster;

pub use forgetting::ForgetOpenedKeys;
pub use roster::Roster;

use crate::gateway::Gateway;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Work in the background that is done again and again.
pub trait Job: Send + 'static {
    /// Its name in log and metrics: a short constant.
    const NAME: &'static str;

    /// The pause between two runs.
    const EVERY: Duration;

    /// Does the work that is due, and ends. A long run checks `stop` now and then.
    ///
    /// # Errors
    /// The next run tries again. `Housekeeping` logs the error and counts it under the job's name.
    fn run(
        &mut self,
        gateway: &Gateway,
        stop: &Stop,
    ) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Ends the pause early. By default nothing does.
    fn woken(&mut self, gateway: &Gateway) -> impl Future<Output = ()> + Send {
        let _ = gateway;
        std::future::pending()
    }

    /// What remains to be done at a shutdown, once no call is under way any more. By default
    /// nothing.
    ///
    /// # Errors
    /// They are logged.
    fn finish(&mut self, gateway: &Gateway) -> impl Future<Output = anyhow::Result<()>> + Send {
        let _ = gateway;
        std::future::ready(Ok(()))
    }
}

/// Says whether the node is stopping.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Whether it is.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    async fn asked(&mut self) {
        // An error means that `Housekeeping` is gone: a stop as well.
        self.0.wait_for(|stop| *stop).await.ok();
    }
}

/// The jobs of a running node.
pub struct Housekeeping {
    gateway: Arc<Gateway>,
    roster: Arc<Roster>,
    stop: watch::Sender<bool>,
    running: Mutex<Vec<(&'static str, JoinHandle<()>)>>,
}

impl Housekeeping {
    /// Without any job yet.
    ///
    /// # Errors
    /// Metrics that are registered already.
    pub fn new(gateway: Arc<Gateway>) -> Result<Self, prometheus::Error> {
        let roster = Arc::new(Roster::new(&gateway.metrics)?);
        Ok(Self {
            gateway,
            roster,
            stop: watch::Sender::new(false),
            running: Mutex::default(),
        })
    }

    /// How the jobs are doing.
    pub fn roster(&self) -> &Arc<Roster> {
        &self.roster
    }

    /// Starts a job. `make` makes it, now and after each panic.
    pub fn start<J: Job>(&self, make: impl Fn() -> J + Send + 'static) {
        let supervisor = Supervisor {
            gateway: Arc::clone(&self.gateway),
            roster: Arc::clone(&self.roster),
            stop: Stop(self.stop.subscribe()),
        };
        self.roster.starts(J::NAME);
        self.gateway.metrics.background_task(J::NAME);
        let handle = tokio::spawn(supervisor.keep_alive(make));
        self.lock().push((J::NAME, handle));
    }

    /// Lets every job end its run and do what remains. Those that have not ended by `deadline` are
    /// dropped; returns their names.
    pub async fn stop(&self, deadline: Instant) -> Vec<&'static str> {
        self.stop.send_replace(true);
        let running = std::mem::take(&mut *self.lock());
        let mut left = Vec::new();
        for (name, mut handle) in running {
            match tokio::time::timeout_at(deadline, &mut handle).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => tracing::error!(job = name, "the supervision of a job has failed"),
                Err(_) => {
                    handle.abort();
                    left.push(name);
                }
            }
        }
        left
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(&'static str, JoinHandle<()>)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Supervisor {
    gateway: Arc<Gateway>,
    roster: Arc<Roster>,
    stop: Stop,
}

impl Supervisor {
    async fn keep_alive<J: Job>(mut self, make: impl Fn() -> J) {
        let mut job = make();
        let mut panics = 0;
        while !self.stop.is_asked() {
            let ran = caught(job.run(&self.gateway, &self.stop)).await;
            if let Some(result) = ran {
                panics = 0;
                self.note::<J>(result);
                if self.pause(&mut job).await.is_some() {
                    continue;
                }
            }
            panics += 1;
            self.roster.panicked(J::NAME, panics);
            job = make();
            tokio::select! {
                () = self.stop.asked() => {}
                () = tokio::time::sleep(back_off(panics)) => {}
            }
        }
        match caught(job.finish(&self.gateway)).await {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                tracing::error!(job = J::NAME, error = format!("{error:#}"), "not finished");
            }
            None => self.roster.panicked(J::NAME, panics + 1),
        }
    }

    /// Until the next run, or a stop. `None` if the job panicked meanwhile.
    async fn pause<J: Job>(&mut self, job: &mut J) -> Option<()> {
        caught(async {
            tokio::select! {
                () = self.stop.asked() => {}
                () = tokio::time::sleep(J::EVERY) => {}
                () = job.woken(&self.gateway) => {}
            }
        })
        .await
    }

    fn note<J: Job>(&self, result: anyhow::Result<()>) {
        match result {
            Ok(()) => self.roster.succeeded(J::NAME),
            Err(error) => {
                self.roster.ran(J::NAME);
                self.gateway.metrics.background_failure(J::NAME);
                let error = format!("{error:#}");
                tracing::warn!(
                    job = J::NAME,
                    error,
                    "background work failed; will be tried again"
                );
            }
        }
    }
}

/// `None` if it panicked.
async fn caught<T>(work: impl Future<Output = T>) -> Option<T> {
    AssertUnwindSafe(work).catch_unwind().await.ok()
}

/// 1 s after the first panic in a row, then twice as long each time, 60 s at most.
fn back_off(panics: u32) -> Duration {
    let doubled = 1_u64 << panics.saturating_sub(1).min(6);
    Duration::from_secs(doubled.min(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_after_a_panic_doubles_up_to_a_minute() {
        let seconds: Vec<u64> = (1..=9).map(|panics| back_off(panics).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }
}
