//! PostgreSQL is killed, and frozen: SIGSTOP, while its kernel goes on acknowledging.

use crate::checks::Known;
use crate::cluster::Cluster;
use crate::load::{CALLERS, Target, under_load};
use crate::node::Site;
use crate::size::Turn;
use crate::support::TestDatabase;

/// How often each happens in a round.
const TIMES: usize = 3;

fn site(cluster: &Cluster) -> Site {
    Site::new(TestDatabase::on_server(&cluster.url()))
}

#[test]
fn postgresql_is_killed() {
    let mut turn = Turn::take("PostgreSQL is killed");
    let cluster = Cluster::start();
    let site = site(&cluster);
    let target = Target::default();
    let mut node = site.start();
    let mut known = Known::default();
    target.set([node.address]);
    while turn.goes_on() {
        let calls = under_load(&target, |load| {
            for _ in 0..TIMES {
                load.acknowledges(turn.choose(1..60));
                cluster.kill();
                load.refuses(1);
                cluster.restart();
                load.acknowledges(10);
            }
        });
        known.check(&site, &mut node, &calls);
    }
    assert_eq!(node.terminate().code(), Some(0));
}

#[test]
fn postgresql_is_frozen() {
    let mut turn = Turn::take("PostgreSQL is frozen");
    let cluster = Cluster::start();
    let site = site(&cluster);
    let target = Target::default();
    let mut known = Known::default();
    while turn.goes_on() {
        let mut node = Some(site.start());
        let calls = under_load(&target, |load| {
            target.set(
                node.as_ref()
                    .map(|node| node.address)
                    .into_iter()
                    .collect::<Vec<_>>(),
            );
            for _ in 0..TIMES {
                load.acknowledges(turn.choose(1..60));
                let frozen = cluster.freeze();
                // Each caller has an answer although nothing can be written.
                load.refuses(2 * CALLERS);
                cluster.thaw(&frozen);
                load.acknowledges(10);
            }
            // It ends in time although the commits under way do not.
            let frozen = cluster.freeze();
            load.refuses(1);
            let ended = node.take().expect("a node").terminate();
            assert!(ended.code().is_some(), "{ended}");
            cluster.thaw(&frozen);
            target.set([]);
        });
        let mut node = site.start();
        known.check(&site, &mut node, &calls);
        assert_eq!(node.terminate().code(), Some(0));
    }
}
