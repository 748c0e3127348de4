//! Ranges that issuers add: inside the operator's space, at most 500, none inside one's own, and
//! nobody is held up by them.

use super::{Issuer, TAKEN};
use crate::on_both;
use crate::support::gateway::{
    TestGateway, assert_refused, config, errors, issuer_toml, issuers_toml, test_key,
};
use crate::support::{Backend, TestDatabase, until};
use issuer_gateway::issuers::added_ranges::MOST;
use issuer_gateway::issuers::declaration;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

const INVALID: &str = "INVALID_REQUEST_PARAMETER";

fn add(ranges: &str) -> Value {
    json!({ "supportedAccountRange": ranges })
}

/// As many ranges of 8 digits, in the space of the test issuers.
fn list(first: usize, count: usize) -> String {
    let all: Vec<String> = (first..first + count)
        .map(|n| format!("99{n:06}"))
        .collect();
    all.join(",")
}

/// What `basic` has, without what was declared.
fn added(basic: &Issuer) -> String {
    let ranges = basic.profile()["supportedAccountRange"].clone();
    let ranges = ranges
        .as_str()
        .unwrap()
        .strip_prefix("510665,5050")
        .unwrap();
    ranges.trim_start_matches(',').to_owned()
}

on_both!(five_hundred_and_no_more, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let basic = Issuer::of(&gateway, "basic");
    let over = basic.put(&add(&list(0, MOST + 1)));
    assert_refused(&over, 400, &[INVALID]);
    assert_eq!(
        errors(&over)[0].3,
        "supportedAccountRange: at most 500 ranges can be added"
    );
    assert_eq!(added(&basic), "");
    basic.changed(&add(&list(0, MOST)));
    assert_eq!(added(&basic), list(0, MOST));
    assert_refused(&basic.put(&add("9800")), 400, &[INVALID]);
    // What is there already is no change, and everything else can still change.
    basic.changed(&add(&list(0, MOST)));
    basic.changed(&json!({"optOutURL": "https://basic.example/out"}));
    // A wider range takes the place of those inside it.
    basic.changed(&add("9900,9800"));
    assert_eq!(added(&basic), "9900,9800");
    let database = gateway.database.as_ref().unwrap();
    let stored = "SELECT count(*) AS n FROM account_ranges WHERE added";
    assert_eq!(database.number(stored), 2);
});

on_both!(none_lies_inside_ones_own, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let basic = Issuer::of(&gateway, "basic");
    // 510665 and 5050 are declared.
    basic.changed(&add("51066512,5050,50501,9801,980122,98011111"));
    assert_eq!(added(&basic), "9801");
    // The declared one stays beside a wider one.
    basic.changed(&add("5106"));
    assert_eq!(added(&basic), "9801,5106");
});

on_both!(the_operator_says_where, |backend: Backend| {
    let space = "self_service_ranges = [\"2\", \"5\", \"6\", \"7\", \"9\"]\n";
    let toml = issuers_toml();
    assert_eq!(toml.matches(space).count(), 3);
    // By default there is no space.
    let gateway = TestGateway::start_declaring(backend, &toml.replace(space, ""));
    let demo = Issuer::of(&gateway, "demo");
    let nowhere = demo.put(&add("5611"));
    assert_refused(&nowhere, 400, &[INVALID]);
    assert_eq!(
        errors(&nowhere)[0].3,
        "supportedAccountRange: must lie in the space in which the operator lets this issuer add ranges"
    );
    // Outside it nobody learns what others have.
    assert_refused(&demo.put(&add("222300")), 400, &[INVALID]);
    // What is declared already may be sent.
    let same = demo.changed(&add("534403,53440312"));
    assert_eq!(same["supportedAccountRange"], "534403,518145,5424");

    let narrow = space.replace("\"2\", \"5\", \"6\", \"7\", \"9\"", "\"56\", \"2223\"");
    gateway.apply_issuers(&toml.replace(space, &narrow));
    for outside in ["5711", "6011", "222", "5611,5711"] {
        assert_refused(&demo.put(&add(outside)), 400, &[INVALID]);
    }
    assert_refused(&demo.put(&add("22230012")), 400, &[TAKEN]);
    assert_refused(&demo.put(&add("5711,222300")), 400, &[INVALID, TAKEN]);
    demo.changed(&add("5611,222311"));
    assert_eq!(
        demo.profile()["supportedAccountRange"],
        "534403,518145,5424,5611,222311"
    );
});

on_both!(the_declaration_wins, |backend: Backend| {
    let toml = issuers_toml();
    let gateway = TestGateway::start_declaring(backend, &toml);
    let (demo, compat) = (Issuer::of(&gateway, "demo"), Issuer::of(&gateway, "compat"));
    demo.changed(&add("6011,6012,6013,56119999,7777"));
    compat.changed(&add("6500"));

    // Another issuer gets them, by equality, as a part and as the whole; the file does not even
    // name `demo`.
    let new = issuer_toml("new", &["6011", "60120000", "5611"], true)
        + "responses = \"dashboards-only\"\n[[issuer.signing]]\nconsumer_key = \"new!key\"\n\
           certificate = \"issuer-signing-cert.pem\"\n";
    let applied = gateway.apply_issuers(&new);
    let names: Vec<_> = applied.iter().map(|a| a.client_id.as_str()).collect();
    assert_eq!(names, ["new", "demo"]);
    assert_eq!(applied[1].withdrawn, ["6011", "6012", "56119999"]);
    assert_eq!(
        demo.profile()["supportedAccountRange"],
        "534403,518145,5424,6013,7777"
    );
    let database = gateway.database.as_ref().unwrap();
    let audited = database.texts(
        "SELECT detail AS t FROM audit_entries WHERE subject = 'demo' AND detail LIKE 'withdrawn%'",
    );
    assert_eq!(audited, ["withdrawn 6011,6012,56119999"]);

    // A wider declaration of its own, and a space that became narrower.
    let narrow = toml
        .replacen("\"534403\", ", "\"534403\", \"6013\", ", 1)
        .replacen("\"6\", \"7\", \"9\"", "\"6\", \"9\"", 1);
    let applied = gateway.apply_issuers(&narrow);
    assert_eq!(applied[0].withdrawn, ["7777"]);
    assert_eq!(
        demo.profile()["supportedAccountRange"],
        "534403,6013,518145,5424"
    );
    assert_eq!(
        compat.profile()["supportedAccountRange"],
        "222300,552433,6500"
    );
    // What another issuer has been declared stays refused.
    let clash = toml.replace("\"510665\"", "\"6011\"");
    let declared = declaration::parse(&clash, &test_key("")).unwrap();
    let draft = issuer_gateway::store::audit::AuditDraft::accepted(0, "test", "issuer.apply");
    let refused = gateway.block_on(gateway.gateway.store.apply_issuers(declared, draft));
    assert_eq!(refused.unwrap_err().reason(), "account-range-overlap");
});

on_both!(
    changes_of_one_issuer_leave_connections_to_others,
    |backend: Backend| {
        // Background jobs that write wait for the lock, too, each with a connection of its own.
        const CONNECTIONS: u32 = 7;
        let database = TestDatabase::new(backend);
        let mut config = config(&database.url_text);
        config.database.pool_size = CONNECTIONS;
        let gateway = TestGateway::start_with(&config);
        // Nobody can write now, and twice as many changes come as the pool has connections.
        let lock = database.lock();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let changes: Vec<_> = (0..2 * CONNECTIONS)
                .map(|number| {
                    let gateway = &gateway;
                    scope.spawn(move || {
                        let demo = Issuer::of(gateway, "demo");
                        demo.put(&add(&format!("60{number:02}"))).status
                    })
                })
                .collect();
            let watch = scope.spawn(|| {
                let mut looks = 0;
                while !done.load(Ordering::Relaxed) || looks == 0 {
                    let ping = gateway.block_on(gateway.gateway.store.ping());
                    assert!(ping.is_ok(), "a connection is left: {ping:?}");
                    looks += 1;
                }
            });
            until("the changes have ended", || {
                changes.iter().all(|change| change.is_finished()) || watch.is_finished()
            });
            done.store(true, Ordering::Relaxed);
            watch.join().unwrap();
            for change in changes {
                // The lock is held: none is done, and each may come again.
                assert_eq!(change.join().unwrap(), 503);
            }
        });
        drop(lock);
        Issuer::of(&gateway, "demo").changed(&add("6099"));
    }
);
