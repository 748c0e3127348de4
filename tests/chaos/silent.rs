//! Connections to PostgreSQL go silent while something goes on acknowledging: a balancer that keeps
//! sessions of a server that is gone.

use crate::checks::Known;
use crate::line::Line;
use crate::load::{Target, under_load};
use crate::node::{Node, Site};
use crate::size::Turn;
use crate::support::{Backend, TestDatabase};

/// How often it happens in a round.
const TIMES: usize = 2;

#[test]
fn connections_go_silent() {
    let mut turn = Turn::take("connections go silent");
    let site = Site::new(TestDatabase::new(Backend::Postgres));
    let target = Target::default();
    let mut known = Known::default();
    while turn.goes_on() {
        let url = &site.database.url_text;
        let (start, rest) = url.split_once('@').unwrap();
        let (host, name) = rest.split_once('/').unwrap();
        let line = Line::start(host.to_owned());
        let through = Node::start(&site.config_for(&format!("{start}@{}/{name}", line.address)));
        let calls = under_load(&target, |load| {
            target.set([through.address]);
            for _ in 0..TIMES {
                load.acknowledges(turn.choose(10..60));
                line.silence_present();
                // The present connections never come back; the node takes others by itself.
                load.acknowledges(10);
            }
            line.silence_all();
            load.refuses(1);
            let ended = through.terminate();
            assert!(ended.code().is_some(), "{ended}");
            target.set([]);
        });
        let mut node = site.start();
        known.check(&site, &mut node, &calls);
        assert_eq!(node.terminate().code(), Some(0));
    }
}
