//! The twelve months before an enrolment, in the background.
//!
//! Each enrolment leaves a job. What an issuer hands in is scored when it comes, so a job has to
//! do with two things alone: the transactions that were kept while the card was not enrolled, and
//! the answer to "is there any history?". A job ends once there are transactions, or a day after
//! the enrolment (cce-api.md 7.2).
//!
//! The rows are the queue (see [`crate::store::scoring_jobs`]): a node that dies loses nothing, and
//! several nodes share the work.

use super::retained;
use crate::gateway::Gateway;
use crate::housekeeping::{Job, Stop};
use crate::ids::IssuerId;
use crate::store::now;
use crate::store::scoring_jobs::{DueJob, JobState, Next};
use anyhow::Context;
use std::time::{Duration, Instant};

/// Jobs of one look: one transaction.
const BATCH: i64 = 64;

const MINUTE: i64 = 60 * 1_000_000;
const HOUR: i64 = 60 * MINUTE;
/// A node that has been silent for so long is dead: another one takes its jobs over.
const LEASE: i64 = 5 * MINUTE;
/// No job is older.
const DAY: i64 = 24 * HOUR;

/// How often the jobs that have not ended are counted.
const COUNT: Duration = Duration::from_secs(30);

/// Runs the jobs that are due.
#[derive(Debug, Default)]
pub struct ScoreHistory {
    counted: Option<Instant>,
}

impl Job for ScoreHistory {
    const NAME: &'static str = "history";
    const EVERY: Duration = Duration::from_secs(2);

    async fn run(&mut self, gateway: &Gateway, stop: &Stop) -> anyhow::Result<()> {
        for issuer_id in gateway.store.issuers_with_due_jobs(now()).await? {
            while !stop.is_asked() {
                let began = Instant::now();
                if !look(gateway, issuer_id).await? {
                    break;
                }
                // Half of the time belongs to the requests: on SQLite nobody else can write
                // meanwhile.
                tokio::time::sleep(began.elapsed()).await;
            }
        }
        if self.counted.is_none_or(|at| at.elapsed() >= COUNT) {
            let (pending, running) = gateway.store.unended_jobs().await?;
            let metrics = &gateway.metrics;
            metrics.set_scoring_jobs(JobState::Pending.as_str(), pending);
            metrics.set_scoring_jobs(JobState::Running.as_str(), running);
            self.counted = Some(Instant::now());
        }
        Ok(())
    }
}

/// Looks at some due jobs of an issuer; false: there are no more.
async fn look(gateway: &Gateway, issuer_id: IssuerId) -> anyhow::Result<bool> {
    let now = now();
    let retains = gateway.retain_unenrolled > 0;
    let decide = move |job: &DueJob| match retains {
        true => Next::Run(now.saturating_add(LEASE)),
        false => next(job, now),
    };
    let store = &gateway.store;
    let looked = store.look_at_jobs(issuer_id, now, BATCH, decide).await?;
    for (job, next) in &looked {
        let next = match next {
            Next::Run(lease) => run(gateway, issuer_id, job, *lease).await?,
            other => *other,
        };
        if let Next::End(state, _) = next {
            gateway.metrics.scoring_jobs_ended(state.as_str(), 1);
        }
    }
    Ok(!looked.is_empty())
}

/// Scores what was kept of the cardholder's card, and settles the job.
async fn run(
    gateway: &Gateway,
    issuer_id: IssuerId,
    job: &DueJob,
    lease: i64,
) -> anyhow::Result<Next> {
    let issuer = gateway
        .registry
        .issuers()
        .into_iter()
        .find(|i| i.id == issuer_id);
    let issuer = issuer.context("a job of an issuer that this node does not know")?;
    let (scored, next) = match retained::take_over(gateway, &issuer, &job.user_id).await {
        Ok(scored) => {
            let has_transactions = job.has_transactions || scored > 0;
            let job = DueJob {
                has_transactions,
                ..job.clone()
            };
            (scored, next(&job, now()))
        }
        Err(error) => {
            let error = format!("{error:#}");
            let user_id = job.user_id.as_str();
            tracing::warn!(user_id, error, "kept transactions are not scored yet");
            (0, after_failure(job, now()))
        }
    };
    let store = &gateway.store;
    store
        .settle_job(issuer_id, &job.user_id, lease, scored, next)
        .await?;
    Ok(next)
}

/// A job that could not be done is tried again after 1, 2, 4 ... minutes, an hour at most, for a
/// day.
fn after_failure(job: &DueJob, now: i64) -> Next {
    if now.saturating_sub(job.created_at) >= DAY {
        return Next::End(JobState::Failed, now);
    }
    let doubled = MINUTE.saturating_mul(1_i64 << job.attempts.clamp(0, 6));
    Next::Wait(now.saturating_add(doubled.min(HOUR)))
}

/// Deletes kept transactions that are too old, or whose card cannot be found any more because its
/// index key is gone.
#[derive(Debug)]
pub struct ForgetRetained;

impl Job for ForgetRetained {
    const NAME: &'static str = "retained-purge";
    const EVERY: Duration = Duration::from_secs(60);

    async fn run(&mut self, gateway: &Gateway, stop: &Stop) -> anyhow::Result<()> {
        let kept = i64::from(gateway.retain_unenrolled).saturating_mul(DAY);
        let oldest = gateway.vault.current().oldest_index_version();
        for issuer in gateway.registry.issuers() {
            let purge = || {
                let before = now().saturating_sub(kept);
                gateway.store.purge_retained(issuer.id, before, oldest)
            };
            while !stop.is_asked() && purge().await? > 0 {}
        }
        Ok(())
    }
}

/// What becomes of a job at `now`.
fn next(job: &DueJob, now: i64) -> Next {
    let age = now.saturating_sub(job.created_at);
    if job.has_transactions {
        Next::End(JobState::Done, now)
    } else if age >= DAY {
        Next::End(JobState::NoHistory, now)
    } else if age < HOUR {
        Next::Wait(job.created_at.saturating_add(HOUR))
    } else {
        Next::Wait(job.created_at.saturating_add(DAY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::CardholderId;

    #[test]
    fn a_failed_run_backs_off_for_a_day() {
        let at = |attempts, age| {
            let job = DueJob {
                user_id: CardholderId::random(),
                created_at: 0,
                attempts,
                has_transactions: false,
            };
            after_failure(&job, age)
        };
        assert_eq!(at(0, 10), Next::Wait(10 + MINUTE));
        assert_eq!(at(3, 10), Next::Wait(10 + 8 * MINUTE));
        assert_eq!(at(90, 10), Next::Wait(10 + HOUR));
        assert_eq!(at(0, DAY), Next::End(JobState::Failed, DAY));
    }

    #[test]
    fn a_job_ends_with_its_transactions_or_after_a_day() {
        let job = |has_transactions| DueJob {
            user_id: CardholderId::random(),
            created_at: 1_000,
            attempts: 0,
            has_transactions,
        };
        let at = |age: i64, has_transactions| next(&job(has_transactions), 1_000 + age);
        assert_eq!(at(0, true), Next::End(JobState::Done, 1_000));
        assert_eq!(at(0, false), Next::Wait(1_000 + HOUR));
        assert_eq!(at(HOUR - 1, false), Next::Wait(1_000 + HOUR));
        assert_eq!(at(HOUR, false), Next::Wait(1_000 + DAY));
        assert_eq!(at(DAY - 1, false), Next::Wait(1_000 + DAY));
        assert_eq!(at(DAY, false), Next::End(JobState::NoHistory, 1_000 + DAY));
        assert_eq!(at(DAY, true), Next::End(JobState::Done, 1_000 + DAY));
        assert_eq!(at(-HOUR, false), Next::Wait(1_000 + HOUR));
    }
}
