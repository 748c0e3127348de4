//! The network between callers and gateway: answers are cut, connections are refused. A caller
//! whose answer was lost learns the id by signing anew.

use crate::checks::Known;
use crate::line::Line;
use crate::load::{CALLERS, Target, under_load};
use crate::node::Site;
use crate::on_both;
use crate::size::Turn;
use crate::support::{Backend, TestDatabase};

/// How often answers are cut in a round.
const TIMES: usize = 3;

on_both!(answers_are_cut, |backend: Backend| {
    let mut turn = Turn::take(&format!("answers are cut, {backend:?}"));
    let site = Site::new(TestDatabase::new(backend));
    let mut node = site.start();
    let line = Line::start(node.address.to_string());
    let target = Target::default();
    target.set([line.address]);
    let mut known = Known::default();
    while turn.goes_on() {
        let calls = under_load(&target, |load| {
            for _ in 0..TIMES {
                load.acknowledges(10);
                line.cut_answers_after(turn.choose(0..300));
                load.loses(5 * CALLERS);
                line.refuse();
                load.loses(CALLERS);
                line.restore();
            }
            load.acknowledges(10);
        });
        let learned = known.check(&site, &mut node, &calls);
        assert!(learned > 0, "no lost answer was that of a stored call");
    }
    assert_eq!(node.terminate().code(), Some(0));
});
