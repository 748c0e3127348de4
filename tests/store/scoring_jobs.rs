//! The jobs of enrolments: each look takes what is due, once, on any number of connections.

use crate::fixture::{Rig, declaration, draft, enrol};
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use issuer_gateway::ids::{CardholderId, IssuerId};
use issuer_gateway::store::Store;
use issuer_gateway::store::scoring_jobs::{DueJob, JobState, Next};
use std::collections::BTreeSet;

on_both!(
    a_job_is_due_at_its_time_and_ends_once,
    many_nodes_take_each_job_once,
    a_lease_that_ends_goes_to_another_node,
    stored_transactions_are_noticed,
);

struct Jobs {
    database: TestDatabase,
    store: Store,
    issuer: IssuerId,
    users: Vec<CardholderId>,
}

impl Jobs {
    async fn of(backend: Backend, count: usize) -> Self {
        let database = TestDatabase::new(backend);
        let store = Store::open(&database.url(), 8);
        let file = vec![declaration("demo", &["5344"])];
        let applied = store.apply_issuers(file, draft("issuer.apply")).await;
        let issuer = applied.unwrap()[0].issuer_id;
        let rig = Rig::new(&database).await;
        let mut users = Vec::new();
        for number in 0..count {
            let user = rig.user(issuer, &format!("5344{number:012}"));
            users.push(user.user_id.clone());
            rig.writer.commit(enrol(user)).await.unwrap();
        }
        Self {
            database,
            store,
            issuer,
            users,
        }
    }

    async fn look(&self, now: i64, decide: fn(&DueJob) -> Next) -> Vec<(DueJob, Next)> {
        let looked = self.store.look_at_jobs(self.issuer, now, 100, decide).await;
        looked.unwrap()
    }

    async fn state(&self, user: usize) -> String {
        let job = self.store.scoring_job(self.issuer, &self.users[user]).await;
        job.unwrap().unwrap().status
    }
}

async fn a_job_is_due_at_its_time_and_ends_once(backend: Backend) {
    let jobs = Jobs::of(backend, 1).await;
    let due = async |now| jobs.store.issuers_with_due_jobs(now).await.unwrap();
    assert_eq!(due(10).await, [jobs.issuer]);
    assert_eq!(jobs.look(10, |_| Next::Wait(500)).await.len(), 1);
    assert_eq!(jobs.store.unended_jobs().await, Ok((1, 0)));
    assert!(due(499).await.is_empty());
    assert!(jobs.look(499, |_| Next::Wait(9)).await.is_empty());
    assert_eq!(due(500).await, [jobs.issuer]);
    let ended = jobs
        .look(500, |_| Next::End(JobState::NoHistory, 500))
        .await;
    assert_eq!(ended.len(), 1);
    assert_eq!(jobs.state(0).await, "no_history");
    assert!(due(i64::MAX).await.is_empty());
    assert!(jobs.look(i64::MAX, |_| Next::Wait(9)).await.is_empty());
    assert_eq!(jobs.store.unended_jobs().await, Ok((0, 0)));
    let job = jobs.store.scoring_job(jobs.issuer, &jobs.users[0]).await;
    let job = job.unwrap().unwrap();
    assert_eq!((job.ended_at, job.attempts), (Some(500), 0));
}

async fn many_nodes_take_each_job_once(backend: Backend) {
    let jobs = Jobs::of(backend, 40).await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (store, issuer) = (jobs.store.clone(), jobs.issuer);
            tokio::spawn(async move {
                let mut taken = Vec::new();
                loop {
                    let run = |_: &DueJob| Next::Run(1_000);
                    let looked = store.look_at_jobs(issuer, 10, 7, run).await.unwrap();
                    if looked.is_empty() {
                        return taken;
                    }
                    taken.extend(looked.into_iter().map(|(job, _)| job.user_id.to_string()));
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.unwrap());
    }
    assert_eq!(all.len(), 40);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 40);
    assert_eq!(jobs.store.unended_jobs().await, Ok((0, 40)));
}

async fn a_lease_that_ends_goes_to_another_node(backend: Backend) {
    let jobs = Jobs::of(backend, 1).await;
    let user = &jobs.users[0];
    assert_eq!(jobs.look(10, |_| Next::Run(100)).await.len(), 1);
    // The node is killed: nobody settles the job.
    assert!(jobs.look(99, |_| Next::Run(200)).await.is_empty());
    let again = jobs.look(100, |_| Next::Run(200)).await;
    assert_eq!(again[0].0.attempts, 1);
    let settle = async |lease, scored, next| {
        let settled = jobs
            .store
            .settle_job(jobs.issuer, user, lease, scored, next);
        settled.await.unwrap()
    };
    // The first node comes back: its lease is gone.
    assert!(!settle(100, 9, Next::End(JobState::Failed, 150)).await);
    assert!(settle(200, 3, Next::Wait(300)).await);
    assert!(!settle(200, 3, Next::Wait(400)).await);
    assert_eq!(jobs.look(300, |_| Next::Run(400)).await[0].0.attempts, 2);
    assert!(settle(400, 4, Next::End(JobState::Done, 350)).await);
    let job = jobs.store.scoring_job(jobs.issuer, user).await;
    let job = job.unwrap().unwrap();
    assert_eq!(
        (job.status.as_str(), job.scored, job.attempts),
        ("done", 7, 3)
    );
}

async fn stored_transactions_are_noticed(backend: Backend) {
    let jobs = Jobs::of(backend, 2).await;
    let content = match backend {
        Backend::Sqlite => "x'00'",
        Backend::Postgres => "'\\x00'",
    };
    let (issuer, user) = (jobs.issuer.0, &jobs.users[1]);
    jobs.database.execute(&format!(
        "INSERT INTO transaction_ledgers (issuer_id, user_id, content, seal_key, updated_at) \
         VALUES ({issuer}, '{user}', {content}, 1, 1)"
    ));
    let looked = jobs
        .look(10, |job| match job.has_transactions {
            true => Next::End(JobState::Done, 10),
            false => Next::Wait(20),
        })
        .await;
    assert_eq!(looked.len(), 2);
    assert_eq!(jobs.state(0).await, "pending");
    assert_eq!(jobs.state(1).await, "done");
}
