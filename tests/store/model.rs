//! Random acts by several writers against a model in memory: whatever they are told, and whatever
//! is stored in the end, some order of the acts, one after the other, explains.
//!
//! A case is a few rounds. All acts of a round are asked for at once, through two writers; then
//! [`order`] looks for an order in which the [`reference`] gives each act the answer that it got
//! and ends with what the database holds. PROPTEST_CASES=N makes N cases instead of a few.

mod acts;
mod commits;
mod observed;
mod order;
mod reference;

use crate::fixture::{Rig, draft, writer};
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use crate::trail::verify;
use acts::{Round, Scene, Told};
use futures_util::future::{join, join_all};
use issuer_gateway::ids::AppId;
use issuer_gateway::rotation::primary::rotate_seal;
use issuer_gateway::store::directory::apps::NewKey;
use issuer_gateway::store::{Writer, now};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use reference::Reference;
use tokio::runtime::Handle;

on_both!(some_order_explains_what_writers_do);

/// How many cases are tried.
const CASES: u32 = 32;

/// What all cases share; each has issuers, keys and an app of its own in there.
struct Site {
    rig: Rig,
    second: Writer,
    cases: i32,
}

async fn some_order_explains_what_writers_do(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let second = writer(&database);
    let rig = play_cases(&database, rig, second, CASES).await;
    // Nobody has half of anything, and the trail is whole.
    database.assert_whole();
    assert_eq!(
        verify(&rig.store).await,
        Ok(u64::try_from(database.count("audit_entries")).unwrap())
    );
}

/// Plays cases, so many unless PROPTEST_CASES says it.
pub async fn play_cases(database: &TestDatabase, rig: Rig, second: Writer, cases: u32) -> Rig {
    let site = std::cell::RefCell::new(Site {
        rig,
        second,
        cases: 0,
    });
    let mut config = Config {
        failure_persistence: None,
        // Who comes first is not in the case: a smaller one may fail or not.
        max_shrink_iters: 100,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    let tried = tokio::task::block_in_place(|| {
        TestRunner::new(config).run(&acts::rounds(), |rounds| {
            let site = &mut *site.borrow_mut();
            site.cases += 1;
            Handle::current()
                .block_on(play(site, database, &rounds))
                .map_err(TestCaseError::fail)
        })
    });
    if let Err(failure) = tried {
        panic!("{failure}");
    }
    site.into_inner().rig
}

/// Plays one case; says what no order explains.
async fn play(site: &Site, database: &TestDatabase, rounds: &[Round]) -> Result<(), String> {
    let app_id = app(site).await;
    let mut scene = Scene::new(site.cases, app_id);
    let mut model = Reference::new(site.rig.vault.current().generation());
    for round in rounds {
        let keys = site.rig.vault.current();
        let acts = scene.acts(round, &keys);
        let commits = acts.iter().zip(&round.acts).map(|(act, asked)| {
            let writer = if asked.second {
                &site.second
            } else {
                &site.rig.writer
            };
            writer.commit(act.commit(&scene, &keys, &site.rig))
        });
        let rotation = async {
            if round.rotate {
                rotate_seal(&site.rig.store, &site.rig.vault).await.unwrap();
            }
        };
        let (outcomes, ()) = join(join_all(commits), rotation).await;
        let mut told = Vec::new();
        for (act, outcome) in acts.into_iter().zip(outcomes) {
            match outcome {
                Ok(outcome) => told.push(Told { act, outcome }),
                Err(error) => return Err(format!("{act:?}: {error}")),
            }
        }
        let goal = tokio::task::block_in_place(|| observed::state(database, &scene));
        model = order::explain(model, &told, round.rotate, &goal)
            .ok_or_else(|| format!("no order explains {told:#?} and {goal:#?}"))?;
    }
    Ok(())
}

async fn app(site: &Site) -> AppId {
    let name = format!("app {}", site.cases);
    let key = NewKey {
        key_hash: format!("{:032}", site.cases).into_bytes(),
        key_id: name.clone(),
        created_at: now(),
    };
    let added = site
        .rig
        .store
        .add_directory_app(&name, false, key, draft("directory.add-app"));
    added.await.unwrap()
}
