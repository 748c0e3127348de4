//! kill -9 of the gateway, again and again.

use crate::checks::Known;
use crate::load::{Target, under_load};
use crate::node::Site;
use crate::on_both;
use crate::size::Turn;
use crate::support::{Backend, TestDatabase};

/// How often it is killed in a round.
const KILLS: usize = 5;

on_both!(the_gateway_is_killed, |backend: Backend| {
    let mut turn = Turn::take(&format!("the gateway is killed, {backend:?}"));
    let site = Site::new(TestDatabase::new(backend));
    let target = Target::default();
    let mut known = Known::default();
    let mut node = site.start();
    while turn.goes_on() {
        let calls = under_load(&target, |load| {
            for _ in 0..KILLS {
                target.set([node.address]);
                load.acknowledges(turn.choose(1..60));
                node.kill_and_restart(&site);
            }
            target.set([node.address]);
            load.acknowledges(10);
        });
        known.check(&site, &mut node, &calls);
    }
});
