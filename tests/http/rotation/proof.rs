//! Every key rotates while nodes serve under full load, and no caller notices.
//!
//! Each node has a configuration and key files of its own; the operator keeps the originals and
//! brings them over. Four things happen at once, each in the order that docs/operations.md gives:
//! gateway keys, the issuers' certificates, data keys, and, once, `reseal` and `rotate-index`. In
//! the middle all nodes are given a configuration with a broken key.

mod calls;
mod certificates;
mod checks;
mod data_keys;
mod gateway_keys;
mod load;
mod operator;
mod records;

use super::deployment::Deployment;
use crate::support::gateway::TestGateway;
use crate::support::{Backend, TestDatabase};
use calls::Caller;
use certificates::{Issuer, IssuersFile};
use issuer_gateway::directory::{ApiKey, KeyKind};
use issuer_gateway::store::audit::AuditDraft;
use issuer_gateway::store::now;
use load::Load;
use operator::Operator;
use records::Recorder;
use std::thread::ScopedJoinHandle;

/// Where issuers believe that the gateway is: what they sign. A load balancer would choose the
/// node.
const ORIGIN: &str = "https://api.gateway.example";

/// The issuers, and a range of cards of each.
const ISSUERS: [(&str, &str); 3] = [("alpha", "5344"), ("beta", "5181"), ("gamma", "5424")];
/// Threads that call without a pause for each issuer. With those below they and the nodes keep two
/// cores busy.
const CALLERS: usize = 1;
/// Threads that call the users API without a pause.
const RECORDERS: usize = 1;

/// How much is rotated on how many nodes.
struct Size {
    nodes: usize,
    /// New gateway keys, each of them primary for a while, each with a reload on every node.
    gateway_keys: usize,
    /// In each round all three issuers get new certificates, to sign and to read answers with.
    certificate_rounds: usize,
    /// New primary data keys.
    data_keys: usize,
}

#[test]
fn three_nodes_on_postgresql() {
    prove(
        Backend::Postgres,
        &Size {
            nodes: 3,
            gateway_keys: 100,
            certificate_rounds: 34,
            data_keys: 100,
        },
    );
}

#[test]
fn one_node_on_sqlite() {
    prove(
        Backend::Sqlite,
        &Size {
            nodes: 1,
            gateway_keys: 6,
            certificate_rounds: 3,
            data_keys: 12,
        },
    );
}

struct Node {
    gateway: TestGateway,
    deployment: Deployment,
}

impl Node {
    /// Where this node answers what a client calls elsewhere.
    fn url(&self, url: &str) -> String {
        url.replacen(ORIGIN, &self.gateway.base_url, 1)
    }
}

struct Installation {
    nodes: Vec<Node>,
    /// What the operator keeps and brings to the nodes.
    original: Deployment,
    issuers_file: IssuersFile,
    issuers: Vec<Issuer>,
    /// An app key of the users API.
    app_key: String,
    /// Dropped last.
    database: TestDatabase,
}

impl Installation {
    fn start(backend: Backend, nodes: usize) -> Self {
        let database = TestDatabase::new(backend);
        let original = Deployment::new(&database.url_text);
        original.replace(
            "[metrics]",
            &format!(
                "public_base_urls = [\"{ORIGIN}\"]\n[users]\nrequests_per_second = 100000\nburst = 100000\n[metrics]"
            ),
        );
        let operator = Operator::new(&original);
        let issuers = ISSUERS.map(|(name, range)| Issuer::new(name, range, &original));
        let issuers_file = IssuersFile::new();
        issuers_file.apply(&operator, &issuers, 0..=0);
        let key = ApiKey::generate(KeyKind::App).unwrap();
        let draft = AuditDraft::local("users.add-app");
        let adding = operator
            .store
            .add_directory_app("app", false, key.stored(now()), draft);
        operator.run(adding).unwrap();
        let node = || {
            let deployment = original.copy();
            Node {
                gateway: deployment.start(),
                deployment,
            }
        };
        Self {
            nodes: (0..nodes).map(|_| node()).collect(),
            original,
            issuers_file,
            issuers: issuers.into(),
            app_key: key.expose().to_owned(),
            database,
        }
    }
}

fn prove(backend: Backend, size: &Size) {
    let installation = &Installation::start(backend, size.nodes);
    let load = &Load::new();
    let (cardholders, records) = std::thread::scope(|scope| {
        let going_on = load.until_dropped();
        let callers: Vec<_> = installation
            .issuers
            .iter()
            .flat_map(|issuer| (0..CALLERS).map(move |_| issuer))
            .enumerate()
            .map(|(number, issuer)| {
                let caller = Caller::new(installation, issuer, number);
                scope.spawn(move || caller.run(load))
            })
            .collect();
        let recorders: Vec<_> = (0..RECORDERS)
            .map(|number| {
                let recorder = Recorder::new(installation, number);
                scope.spawn(move || recorder.run(load))
            })
            .collect();
        let rotating = [
            scope.spawn(|| gateway_keys::rotate(installation, load, size.gateway_keys)),
            scope.spawn(|| certificates::rotate(installation, size.certificate_rounds)),
            scope.spawn(|| data_keys::rotate(installation, load, size.data_keys)),
        ];
        let rotated = rotating.map(ScopedJoinHandle::join);
        drop(going_on);
        let cardholders: Vec<_> = callers
            .into_iter()
            .flat_map(|caller| caller.join().unwrap())
            .collect();
        let records: Vec<_> = recorders
            .into_iter()
            .flat_map(|recorder| recorder.join().unwrap())
            .collect();
        // What failed for callers tells more than a rotation that waited for them in vain.
        load.assert_no_failure();
        for stream in rotated {
            stream.unwrap();
        }
        (cardholders, records)
    });
    checks::rotated(installation, size);
    checks::nothing_under_an_old_key(installation, size);
    checks::everybody_opens(installation, &cardholders, &records);
    checks::trail_holds(installation);
}
