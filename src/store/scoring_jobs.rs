//! A job for each enrolment: the scoring of the months before it.
//!
//! The rows are the queue, so it survives the end of any process. A look at due jobs locks their
//! rows and skips those that another node looks at. A job that runs has a lease: once it has ended
//! without news, as after kill -9, another node takes the job over. Every statement is of one
//! issuer, but for the one that tells which issuers have due jobs.

use super::connection::{AnyConnection, on_backend};
use super::error::StoreError;
use super::pool::Store;
use super::schema::scoring_jobs;
use crate::ids::{CardholderId, IssuerId};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use std::collections::BTreeMap;

/// The states of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum JobState {
    /// `pending`: looked at next at `next_at`.
    Pending,
    /// `running`: on a node, until `next_at`.
    Running,
    /// `done`: all that was stored of the window is scored.
    Done,
    /// `no_history`: nothing came in a day.
    NoHistory,
    /// `failed`: it could not be done in a day.
    Failed,
}

impl JobState {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Running,
        Self::Done,
        Self::NoHistory,
        Self::Failed,
    ];

    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Done => "done",
            Self::NoHistory => "no_history",
            Self::Failed => "failed",
        }
    }

    /// From the stored text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// A job that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueJob {
    /// Whose enrolment it is.
    pub user_id: CardholderId,
    /// When, microseconds since 1970 UTC.
    pub created_at: i64,
    /// How often it has run.
    pub attempts: i32,
    /// Whether transactions of the cardholder are stored.
    pub has_transactions: bool,
}

/// What becomes of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Next {
    /// It runs, on a lease up to this moment.
    Run(i64),
    /// It is looked at again at this moment.
    Wait(i64),
    /// It has ended in this state, at this moment.
    End(JobState, i64),
}

/// A job, for people.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = scoring_jobs)]
pub struct ScoringJob {
    /// See [`JobState`].
    pub status: String,
    /// First moment of the window, microseconds since 1970 UTC, as are all times.
    pub window_from: i64,
    /// How often it has run.
    pub attempts: i32,
    /// When it is looked at next.
    pub next_at: i64,
    /// Transactions of before the enrolment that it has scored.
    pub scored: i32,
    /// When it ended.
    pub ended_at: Option<i64>,
}

// The state stands in the texts: only so do both databases use the partial index
// `scoring_jobs_due`.
const ISSUERS: &str = "SELECT DISTINCT issuer_id AS n FROM scoring_jobs \
    WHERE status IN ('pending', 'running') AND next_at <= $1 ORDER BY issuer_id";
const DUE: &str = "SELECT j.user_id, j.created_at, j.attempts, EXISTS (SELECT 1 FROM transaction_ledgers l \
        WHERE l.issuer_id = $1 AND l.user_id = j.user_id) AS has_transactions \
    FROM scoring_jobs j WHERE j.issuer_id = $1 AND j.status IN ('pending', 'running') AND j.next_at <= $2 \
    ORDER BY j.next_at LIMIT $3";
const UNENDED: &str = "SELECT status, count(*) AS n FROM scoring_jobs WHERE status IN ('pending', 'running') \
    GROUP BY status";

#[derive(QueryableByName)]
struct DueRow {
    #[diesel(sql_type = Text)]
    user_id: String,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
    #[diesel(sql_type = Integer)]
    attempts: i32,
    #[diesel(sql_type = Bool)]
    has_transactions: bool,
}

impl Store {
    /// The issuers with jobs that are due at `now`.
    pub async fn issuers_with_due_jobs(&self, now: i64) -> Result<Vec<IssuerId>, StoreError> {
        #[derive(QueryableByName)]
        struct Issuer {
            #[diesel(sql_type = Integer)]
            n: i32,
        }
        self.read(move |conn| {
            let query = diesel::sql_query(ISSUERS).bind::<BigInt, _>(now);
            let rows: Vec<Issuer> = query.load(conn)?;
            Ok(rows.into_iter().map(|row| IssuerId(row.n)).collect())
        })
        .await
    }

    /// Looks at jobs of an issuer that are due at `now`, at most `limit`, and does with each what
    /// `decide` says. Returns them with that; none: there are none that no other node looks at.
    pub async fn look_at_jobs<F>(
        &self,
        issuer_id: IssuerId,
        now: i64,
        limit: i64,
        decide: F,
    ) -> Result<Vec<(DueJob, Next)>, StoreError>
    where
        F: Fn(&DueJob) -> Next + Send + 'static,
    {
        self.maintain(move |conn| {
            let due = due(conn, issuer_id, now, limit)?;
            let decided: Vec<_> = due.into_iter().map(|job| (decide(&job), job)).collect();
            let mut by_next: BTreeMap<Next, Vec<&str>> = BTreeMap::new();
            for (next, job) in &decided {
                by_next.entry(*next).or_default().push(job.user_id.as_str());
            }
            for (next, user_ids) in by_next {
                set(conn, issuer_id, &user_ids, next)?;
            }
            Ok(decided.into_iter().map(|(next, job)| (job, next)).collect())
        })
        .await
    }

    /// Does `next` with a job that runs on this lease, and notes how much it has scored. False if
    /// the lease has gone to another node, or the job to nowhere.
    pub async fn settle_job(
        &self,
        issuer_id: IssuerId,
        user_id: &CardholderId,
        lease: i64,
        scored: i32,
        next: Next,
    ) -> Result<bool, StoreError> {
        let user_id = user_id.as_str().to_owned();
        self.maintain(move |conn| {
            let running = diesel::update(scoring_jobs::table.find((issuer_id.0, &user_id)))
                .filter(scoring_jobs::status.eq(JobState::Running.as_str()))
                .filter(scoring_jobs::next_at.eq(lease))
                .set(scoring_jobs::scored.eq(scoring_jobs::scored + scored))
                .execute(conn)?;
            if running == 1 {
                set(conn, issuer_id, &[&user_id], next)?;
            }
            Ok(running == 1)
        })
        .await
    }

    /// The job of a cardholder.
    pub async fn scoring_job(
        &self,
        issuer_id: IssuerId,
        user_id: &CardholderId,
    ) -> Result<Option<ScoringJob>, StoreError> {
        let user_id = user_id.as_str().to_owned();
        self.read(move |conn| {
            let job = scoring_jobs::table.find((issuer_id.0, &user_id));
            Ok(job.select(ScoringJob::as_select()).first(conn).optional()?)
        })
        .await
    }

    /// How many jobs are pending, and how many run.
    pub async fn unended_jobs(&self) -> Result<(i64, i64), StoreError> {
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = Text)]
            status: String,
            #[diesel(sql_type = BigInt)]
            n: i64,
        }
        self.read(|conn| {
            let rows: Vec<Count> = diesel::sql_query(UNENDED).load(conn)?;
            let of = |state: JobState| {
                let row = rows.iter().find(|row| row.status == state.as_str());
                row.map_or(0, |row| row.n)
            };
            Ok((of(JobState::Pending), of(JobState::Running)))
        })
        .await
    }
}

fn due(
    conn: &mut AnyConnection,
    issuer_id: IssuerId,
    now: i64,
    limit: i64,
) -> Result<Vec<DueJob>, StoreError> {
    let rows: Vec<DueRow> = on_backend!(conn, c => {
        sqlite: diesel::sql_query(DUE)
            .bind::<Integer, _>(issuer_id.0).bind::<BigInt, _>(now).bind::<BigInt, _>(limit)
            .load(c)?,
        postgres: diesel::sql_query(format!("{DUE} FOR UPDATE OF j SKIP LOCKED"))
            .bind::<Integer, _>(issuer_id.0).bind::<BigInt, _>(now).bind::<BigInt, _>(limit)
            .load(c)?,
    });
    let job = |row: DueRow| {
        let user_id = CardholderId::parse(&row.user_id);
        Ok(DueJob {
            user_id: user_id.ok_or_else(|| StoreError::internal("a job of no user id"))?,
            created_at: row.created_at,
            attempts: row.attempts,
            has_transactions: row.has_transactions,
        })
    };
    rows.into_iter().map(job).collect()
}

/// For rows that the transaction has locked.
fn set(
    conn: &mut AnyConnection,
    issuer_id: IssuerId,
    user_ids: &[&str],
    next: Next,
) -> QueryResult<()> {
    let (state, next_at, ended_at, runs) = match next {
        Next::Run(lease) => (JobState::Running, lease, None, 1),
        Next::Wait(until) => (JobState::Pending, until, None, 0),
        Next::End(state, at) => (state, at, Some(at), 0),
    };
    let jobs = scoring_jobs::table
        .filter(scoring_jobs::issuer_id.eq(issuer_id.0))
        .filter(scoring_jobs::user_id.eq_any(user_ids.iter().copied()));
    diesel::update(jobs)
        .set((
            scoring_jobs::status.eq(state.as_str()),
            scoring_jobs::next_at.eq(next_at),
            scoring_jobs::ended_at.eq(ended_at.into_sql::<Nullable<BigInt>>()),
            scoring_jobs::attempts.eq(scoring_jobs::attempts + runs),
        ))
        .execute(conn)?;
    Ok(())
}
