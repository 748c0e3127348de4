//! Every request is sent several times at once, to every node, and again after a kill -9: it is
//! accepted once.

use crate::calls::{Ending, issuer, send, sign};
use crate::checks::Known;
use crate::load::Call;
use crate::node::{Node, Site};
use crate::on_both;
use crate::size::Turn;
use crate::support::gateway::TestClient;
use crate::support::{Backend, TestDatabase};
use issuer_gateway::client::sample;

/// Requests of a round.
const REQUESTS: usize = 60;
/// How often each is sent to each node at the same moment.
const COPIES: usize = 3;

on_both!(nothing_is_accepted_twice, |backend: Backend| {
    let mut turn = Turn::take(&format!("nothing is accepted twice, {backend:?}"));
    let site = Site::new(TestDatabase::new(backend));
    // A SQLite file has one node.
    let count = match backend {
        Backend::Sqlite => 1,
        Backend::Postgres => 2,
    };
    let mut nodes: Vec<Node> = (0..count).map(|_| site.start()).collect();
    let mut known = Known::default();
    let client = issuer();
    while turn.goes_on() {
        let calls: Vec<Call> = (0..REQUESTS).map(|_| at_once(&client, &nodes)).collect();
        let killed = turn.choose(0..nodes.len());
        nodes[killed].kill_and_restart(&site);
        for call in &calls {
            for node in &nodes {
                let again = send(&client, node.address, &call.request);
                assert_eq!(again, Ending::Unauthorized);
            }
        }
        known.check(&site, &mut nodes[killed], &calls);
    }
});

/// Sends one enrolment to all nodes, [`COPIES`] times each, at once: one is answered 200, all
/// others 401.
fn at_once(client: &TestClient, nodes: &[Node]) -> Call {
    let clear = sample::enrolment("5424");
    let request = sign(client, &clear);
    let sent = &request;
    let endings: Vec<Ending> = std::thread::scope(|scope| {
        let sending: Vec<_> = nodes
            .iter()
            .flat_map(|node| std::iter::repeat_n(node.address, COPIES))
            .map(|address| scope.spawn(move || send(client, address, sent)))
            .collect();
        sending.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let ids: Vec<&String> = endings
        .iter()
        .filter_map(|ending| match ending {
            Ending::Acknowledged(id) => Some(id),
            _ => None,
        })
        .collect();
    let refused = endings
        .iter()
        .filter(|ending| **ending == Ending::Unauthorized);
    assert_eq!(
        (ids.len(), refused.count()),
        (1, endings.len() - 1),
        "{endings:?}"
    );
    Call {
        acknowledged: Some(ids[0].clone()),
        clear,
        request,
    }
}
