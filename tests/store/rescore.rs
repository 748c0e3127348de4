//! Every month of every cardholder under another factor set, while transactions come in.

mod world;

use crate::fixture::draft;
use crate::on_both;
use crate::support::Backend;
use issuer_gateway::footprint::{Country, Currency, Money, Month};
use issuer_gateway::footprints::Scorers;
use issuer_gateway::store::factors::FactorFile;
use issuer_gateway::transactions::item::{Item, Kind, SourceId};
use issuer_gateway::transactions::post::Posted;
use issuer_gateway::transactions::rescore::{Rescored, Run, Target};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use world::{OWN, World, total};

on_both!(
    everybody_is_of_the_new_set_and_told_so,
    an_interrupted_run_is_begun_again,
    two_runs_and_new_transactions_at_once,
    a_reversal_stays_the_opposite_of_its_original,
    stale_scores_are_made_anew,
    months_that_cannot_be_read_stay,
);

async fn everybody_is_of_the_new_set_and_told_so(backend: Backend) {
    let world = World::of(backend, 3).await;
    world.purchases().await;
    let last_year = Month::of(world.day(11));
    let before = world.months(0).await;
    assert_eq!(before.ledger.notice, None);
    let done = world.rescore(&world.target().await).await;
    assert_eq!((done.cardholders, done.transactions), (3, 9));
    assert!(done.misfits.is_empty());
    for user in 0..3 {
        let after = world.months(user).await;
        assert_eq!(after.ledger.set.as_str(), OWN);
        let notice = after.ledger.notice.clone().unwrap();
        assert_eq!(notice.former.as_str(), "ig-2026.1");
        // Twelve months: not the one before them.
        assert_eq!(notice.before, total(&before, last_year));
        assert_eq!(notice.after, total(&after, last_year));
        assert_ne!(notice.before, notice.after);
        assert!(notice.at > 0);
        assert_eq!(
            after.ledger.fingerprints,
            world.months(user).await.ledger.fingerprints
        );
    }
    // Again: nothing is left to do, and nothing comes twice.
    let again = world.rescore(&world.target().await).await;
    assert_eq!(again, Rescored::default());
    let posted = world
        .post(vec![
            world.item(0, "p-0-0", 10, 0),
            world.item(0, "new", 10, 0),
        ])
        .await;
    let [Posted::Stored(known), Posted::Stored(new)] = posted.as_slice() else {
        panic!("{posted:?}");
    };
    assert!(known.again && !new.again);
    // A new transaction is scored under the cardholder's set.
    assert_eq!(new.scorer.set().id().as_str(), OWN);
    assert_eq!(new.scored, known.scored);
}

async fn an_interrupted_run_is_begun_again(backend: Backend) {
    let world = Arc::new(World::of(backend, 270).await);
    let items = (0..270).map(|user| world.item(user, "p", 10, 0)).collect();
    world.post(items).await;
    let target = world.target().await;
    let (killed, kill_at) = (world.clone(), target.clone());
    let task = tokio::spawn(async move {
        let run = Run {
            store: &killed.rig.store,
            vault: &killed.rig.vault,
            issuer: &killed.issuer,
            target: &kill_at,
            per_second: None,
        };
        run.run(|_| panic!("killed after the first page")).await
    });
    assert!(task.await.unwrap_err().is_panic());
    let mut sets = Vec::new();
    for user in 0..270 {
        sets.push(world.set(user).await);
    }
    let own = sets.iter().filter(|set| *set == OWN).count();
    assert_eq!(own, 256);
    let done = world.rescore(&target).await;
    assert_eq!((done.cardholders, done.transactions), (14, 14));
    for user in 0..270 {
        assert_eq!(world.set(user).await, OWN);
    }
}

async fn two_runs_and_new_transactions_at_once(backend: Backend) {
    let world = Arc::new(World::of(backend, 60).await);
    world.purchases().await;
    let target = world.target().await;
    let over = Arc::new(AtomicBool::new(false));
    let posting = tokio::spawn({
        let (world, over) = (world.clone(), over.clone());
        async move {
            let mut count = 0;
            while !over.load(Ordering::Relaxed) || count == 0 {
                let items = (0..60).map(|user| world.item(user, &format!("n-{count}"), 1, 0));
                let posted = world.post(items.collect()).await;
                assert!(
                    posted
                        .iter()
                        .all(|posted| matches!(posted, Posted::Stored(_)))
                );
                count += 1;
            }
            count
        }
    });
    // A reader never meets months of two sets: that would be an error.
    let reading = tokio::spawn({
        let (world, over) = (world.clone(), over.clone());
        async move {
            while !over.load(Ordering::Relaxed) {
                for user in 0..60 {
                    world.months(user).await;
                }
            }
        }
    });
    let runs = [0, 1].map(|_| {
        let (world, target) = (world.clone(), target.clone());
        tokio::spawn(async move { world.rescore(&target).await })
    });
    let mut cardholders = 0;
    for run in runs {
        let done = run.await.unwrap();
        assert!(done.misfits.is_empty());
        cardholders += done.cardholders;
    }
    over.store(true, Ordering::Relaxed);
    reading.await.unwrap();
    let posted = posting.await.unwrap();
    // Each once, whichever run came first.
    assert_eq!(cardholders, 60);
    for user in 0..60 {
        let months = world.months(user).await;
        assert_eq!(months.ledger.set.as_str(), OWN);
        let count: usize = months
            .months
            .values()
            .map(|month| month.transactions.len())
            .sum();
        assert_eq!(count, 3 + posted);
        total(&months, Month::new(2000, 1).unwrap());
    }
}

async fn a_reversal_stays_the_opposite_of_its_original(backend: Backend) {
    let world = World::of(backend, 1).await;
    let reversal = |source: &str, original: &str, months_ago| Item {
        kind: Kind::Reversal,
        original: SourceId::parse(original),
        ..world.item(0, source, -10, months_ago)
    };
    // Both in the month of the original, though the reversal is of a later day.
    world
        .post(vec![
            world.item(0, "a", 10, 2),
            reversal("not-a", "a", 1),
            world.item(0, "b", 10, 2),
            world.item(0, "c", 7, 2),
        ])
        .await;
    world.rescore(&world.target().await).await;
    // Of an original that was scored under the former set.
    world.post(vec![reversal("not-b", "b", 0)]).await;
    let months = world.months(0).await;
    assert_eq!(months.months.len(), 1);
    let month = months.months.values().next().unwrap();
    assert_eq!(month.transactions.len(), 5);
    let score = |source: &str| {
        let id = SourceId::parse(source).unwrap();
        let found = month.transactions.iter().find(|t| t.source == id);
        found.unwrap().scored.clone()
    };
    for (original, reversal) in [("a", "not-a"), ("b", "not-b")] {
        assert_eq!(score(original).reversed(), score(reversal));
    }
    let first = Month::new(2000, 1).unwrap();
    assert_eq!(total(&months, first), score("c").sums().co2e);
}

async fn stale_scores_are_made_anew(backend: Backend) {
    let world = World::of(backend, 2).await;
    // The compiled-in rates end months before.
    let kronor = |source: &str| Item {
        amount: Money::parse("100", Currency::from_alpha("SEK").unwrap()).unwrap(),
        country: Country::from_alpha3("USA"),
        ..world.item(0, source, 1, 0)
    };
    world
        .post(vec![kronor("a"), world.item(1, "b", 10, 12)])
        .await;
    let known = world.scorers().await;
    let refresh = |scorers: Arc<Scorers>| {
        let all = scorers.sets().map(|set| {
            let scorer = scorers.get(set).unwrap();
            (set.clone(), Arc::clone(scorer))
        });
        Target::Refresh(all.collect())
    };
    assert_eq!(world.rescore(&refresh(known)).await.transactions, 0);
    let day = world.day(0);
    let rates = format!("date,currency,per_eur\n{day},SEK,20\n{day},USD,2\n");
    let file = FactorFile {
        kind: "rates".to_owned(),
        set_id: None,
        file: "rates.csv".to_owned(),
        checksum: "sum".to_owned(),
        row_count: 2,
        kept: 2,
    };
    let loaded = world
        .rig
        .store
        .load_factors(1, vec![(file, rates)], draft("factors.load"));
    assert!(loaded.await.unwrap());
    let before = world.months(0).await;
    let done = world.rescore(&refresh(world.scorers().await)).await;
    assert_eq!((done.cardholders, done.transactions), (1, 1));
    let after = world.months(0).await;
    assert_eq!(after.ledger.set, before.ledger.set);
    assert_eq!(after.ledger.notice, None);
    let first = Month::new(2000, 1).unwrap();
    assert_ne!(total(&after, first), total(&before, first));
}

async fn months_that_cannot_be_read_stay(backend: Backend) {
    let world = World::of(backend, 3).await;
    world.purchases().await;
    let broken = &world.users[1];
    let content = match backend {
        Backend::Sqlite => "x'0000000100'",
        Backend::Postgres => "'\\x0000000100'",
    };
    world.database.execute(&format!(
        "UPDATE transaction_months SET content = {content} WHERE user_id = '{broken}'"
    ));
    let done = world.rescore(&world.target().await).await;
    assert_eq!(done.cardholders, 2);
    assert_eq!(done.misfits, [broken.to_string()]);
    for user in [0, 2] {
        assert_eq!(world.set(user).await, OWN);
    }
}
