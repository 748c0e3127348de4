//! Stops a node in order and in time: a step that hangs does not keep the next one from running.

use super::{RunningApp, Signals};
use crate::audit::node;
use crate::gateway::Gateway;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

/// The steps of a shutdown after the requests have this part of the time, [`RESERVE`] at most.
const RESERVE_PART: u32 = 3;
/// The most that is kept from the requests for the steps after them.
const RESERVE: Duration = Duration::from_secs(5);
/// The collector has this long to take the last spans.
const FLUSH: Duration = Duration::from_secs(3);
/// The orderly end comes so much before the one that a watchdog makes, or earlier.
const MARGIN: Duration = Duration::from_millis(500);

/// When which step of a shutdown has to be over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Plan {
    drained: Instant,
    served: Instant,
    written: Instant,
    over: Instant,
}

impl Plan {
    /// For a shutdown that begins at `now`, drains for `drain` and takes at most `limit`.
    fn new(now: Instant, drain: Duration, limit: Duration) -> Self {
        let limit = limit - MARGIN.min(limit / 10);
        let drain = drain.min(limit / 2);
        let reserve = ((limit - drain) / RESERVE_PART).min(RESERVE);
        Self {
            drained: now + drain,
            served: now + limit - reserve,
            written: now + limit - reserve / 3,
            over: now + limit,
        }
    }
}

impl RunningApp {
    /// Says not ready for `server.drain_delay_s`, stops accepting, finishes the requests in flight,
    /// ends the background jobs, lets the writer commit its queue, and closes the audit trail. All
    /// of it takes `server.shutdown_timeout_s` at most: the stop leaves a hanging step behind.
    ///
    /// # Errors
    /// Names the steps that were left behind.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop_unless_hurried(std::future::pending()).await
    }

    /// Waits for Ctrl-C or SIGTERM, then stops; a second one cuts the drain delay short. Whatever
    /// hangs, the process is ended `server.shutdown_timeout_s` after the signal.
    ///
    /// # Errors
    /// As [`RunningApp::stop`].
    pub async fn run_until(mut self, signals: &mut Signals) -> anyhow::Result<()> {
        let gateway = Arc::clone(&self.gateway);
        signals.limit(self.shutdown_limit, move || {
            tracing::error!("the shutdown hangs; the process is ended");
            report_doubt(&gateway);
        });
        if signals.have_come() {
            // Nobody can have noticed yet that this node serves.
            self.drain_delay = Duration::ZERO;
        }
        signals.come().await;
        self.stop_unless_hurried(signals.come_again()).await
    }

    async fn stop_unless_hurried(self, hurry: impl Future<Output = ()>) -> anyhow::Result<()> {
        let plan = Plan::new(Instant::now(), self.drain_delay, self.shutdown_limit);
        let mut left = Vec::new();
        self.draining.begin();
        if let Some(console) = &self.console {
            // Browsers that watch the list would be waited for.
            console.log.close();
        }
        tokio::select! {
            () = tokio::time::sleep_until(plan.drained) => {}
            () = hurry => {}
        }
        let handles: Vec<_> = self.servers.iter().map(|(handle, _)| handle).collect();
        let stops = handles.into_iter().map(|handle| handle.stop(true));
        let stopped = futures_util::future::join_all(stops);
        if timeout_at(plan.served, stopped).await.is_err() {
            left.push("requests in flight");
        }
        for (_, server) in self.servers {
            match timeout_at(plan.served, server).await {
                Ok(Ok(Ok(()))) | Err(_) => {}
                Ok(Ok(Err(error))) => {
                    tracing::error!(%error, "a listener has failed");
                    left.push("a listener");
                }
                Ok(Err(_)) => {
                    tracing::error!("a listener has panicked");
                    left.push("a listener");
                }
            }
        }
        // Half of the time that is left is the writer's.
        let now = Instant::now();
        let finished = now + plan.written.saturating_duration_since(now) / 2;
        left.extend(self.housekeeping.stop(finished).await);
        if !end_stages(&self.gateway, plan.written).await {
            report_doubt(&self.gateway);
            left.push("commits");
        }
        match timeout_at(plan.over, node::stopped(&self.gateway.store)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(%error, "the stop is not in the audit trail");
                left.push("the entry of the stop in the audit trail");
            }
            Err(_) => {
                tracing::error!("the stop may not be in the audit trail");
                left.push("the entry of the stop in the audit trail");
            }
        }
        if let Some(witness) = &self.gateway.witness {
            match timeout_at(plan.over, witness.note()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::error!(%error, "the stop is not in the witness of the audit trail");
                    left.push("the witness of the audit trail");
                }
                Err(_) => left.push("the witness of the audit trail"),
            }
        }
        flush_traces(&self.gateway, plan.over).await;
        if left.is_empty() {
            tracing::info!("stopped");
            return Ok(());
        }
        tracing::error!(left_behind = left.join(", "), "stopped, not in order");
        anyhow::bail!("the shutdown left behind: {}", left.join(", "))
    }
}

/// Ends finder and writer once they have done their queues. False: they have not by `deadline`.
async fn end_stages(gateway: &Arc<Gateway>, deadline: Instant) -> bool {
    let gateway = Arc::clone(gateway);
    aside("stop", deadline, move || {
        gateway.writer.stop();
        gateway.feeds.stop();
        gateway.finder.stop();
    })
    .await
}

/// Sends the spans that wait. No shutdown fails for a collector that is away.
async fn flush_traces(gateway: &Arc<Gateway>, deadline: Instant) {
    if gateway.traces.is_none() {
        return;
    }
    let gateway = Arc::clone(gateway);
    let patience = deadline
        .saturating_duration_since(Instant::now())
        .min(FLUSH);
    let flush = move || {
        if let Some(traces) = &gateway.traces {
            traces.stop(patience);
        }
    };
    aside("flush", deadline, flush).await;
}

/// Does `work` on a thread of its own: all blocking threads of the runtime may be waiting for the
/// database. False: it has not ended by `deadline`.
async fn aside(name: &str, deadline: Instant, work: impl FnOnce() + Send + 'static) -> bool {
    let (ended, has_ended) = oneshot::channel();
    let started = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            work();
            ended.send(()).ok();
        });
    started.is_ok() && matches!(timeout_at(deadline, has_ended).await, Ok(Ok(())))
}

/// Says what nobody can know of the commits that have not ended.
fn report_doubt(gateway: &Gateway) {
    let health = gateway.writer.health();
    tracing::error!(
        under_way = health.commits_under_way,
        waiting = health.waiting,
        "commits under way may or may not become durable; those that wait are not begun"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(drain: u64, limit: u64) -> [f64; 4] {
        let now = Instant::now();
        let seconds = Duration::from_secs;
        let plan = Plan::new(now, seconds(drain), seconds(limit));
        [plan.drained, plan.served, plan.written, plan.over]
            .map(|at| (at - now).as_secs_f64() * 10.0)
            .map(f64::round)
            .map(|tenths| tenths / 10.0)
    }

    #[test]
    fn every_step_has_time_and_all_end_before_the_limit() {
        assert_eq!(plan(5, 30), [5.0, 24.5, 27.8, 29.5]);
        assert_eq!(plan(0, 30), [0.0, 24.5, 27.8, 29.5]);
        // A delay longer than the limit leaves half of it to the rest.
        assert_eq!(plan(60, 30)[0], 14.8);
        let short = plan(5, 1);
        assert!(short.is_sorted() && short[3] < 1.0, "{short:?}");
    }
}
