//! Nodes in the trail: start, stop, keys, and several of them at once.

use super::{assert_whole, config_file, export, only, operate, summary, text};
use crate::on_both;
use crate::support::gateway::{TestGateway, config, test_key};
use crate::support::{Backend, TestDatabase, until};
use issuer_gateway::client::sample;
use issuer_gateway::config::Config;
use serde_json::Value;

on_both!(start_stop_and_keys_are_in_the_trail, |backend: Backend| {
    let database = TestDatabase::empty(backend);
    let config = config(&database.url_text);
    let first = TestGateway::start_with(&config);
    assert!(assert_whole(&database).contains("note:"), "a node runs");
    first.stop();
    assert!(!assert_whole(&database).contains("note:"));
    TestGateway::start_with(&config).stop();
    assert!(!assert_whole(&database).contains("note:"));

    let node = [
        "data-key.create",
        "gateway-key.load",
        "kek.load",
        "node.start",
        "node.stop",
    ];
    let entries = export(&database, &[]);
    let once = ["node.start", "gateway-key.load", "kek.load", "node.stop"];
    let actions: Vec<String> = only(&entries, &node)
        .iter()
        .map(|entry| text(entry, "action").to_owned())
        .collect();
    assert_eq!(
        actions,
        [&["data-key.create"; 2][..], &once, &once].concat()
    );
    let subjects: Vec<Value> = only(&entries, &node[..1])
        .iter()
        .map(|entry| entry["subject"].clone())
        .collect();
    assert_eq!(subjects, ["seal 1", "index 1"]);

    // The second start vouches for the end of the first one's chain.
    let stop = &only(&entries, &["node.stop"])[0];
    let anchored = only(&entries, &["audit.anchor"]).into_iter().any(|anchor| {
        let end = format!("{}:{}", stop["seq"], text(stop, "hash"));
        text(&anchor, "subject") == text(stop, "chain") && text(&anchor, "detail") == end
    });
    assert!(anchored);
});

on_both!(two_nodes_write_chains_of_their_own, |backend: Backend| {
    let database = TestDatabase::new(backend);
    let config = config(&database.url_text);
    let nodes = [
        TestGateway::start_with(&config),
        TestGateway::start_with(&config),
    ];
    std::thread::scope(|scope| {
        for node in &nodes {
            for _ in 0..4 {
                scope.spawn(|| {
                    let client = node.client("demo");
                    for _ in 0..10 {
                        assert_eq!(client.enrol(&sample::enrolment("534403")).status, 200);
                    }
                });
            }
        }
        // Both write meanwhile.
        scope.spawn(|| assert_whole(&database));
    });
    for node in nodes {
        node.stop();
    }
    assert!(!assert_whole(&database).contains("note:"));
    let entries = only(&export(&database, &[]), &["user.enrol"]);
    assert_eq!(entries.len(), 80);
    let chains: std::collections::HashSet<&str> =
        entries.iter().map(|entry| text(entry, "chain")).collect();
    assert!(chains.len() >= 2);
});

on_both!(
    a_changed_configuration_is_in_the_trail,
    |backend: Backend| {
        let database = TestDatabase::new(backend);
        let file = config_file(&database);
        let gateway = TestGateway::start_with(&Config::load(&file).unwrap());
        let good = std::fs::read_to_string(&file).unwrap();
        let next = format!(
            "{good}[[keys.gateway]]\nfile = {:?}\nstate = \"active\"\n",
            test_key("gateway-next.pem")
        );
        // A key comes, a mistake is made, the key goes.
        for (reloads, text) in [next.as_str(), "nonsense", good.as_str()]
            .into_iter()
            .enumerate()
        {
            // In one step, so that nobody reads half of it.
            let partial = file.with_extension("partial");
            std::fs::write(&partial, text).unwrap();
            std::fs::rename(partial, &file).unwrap();
            let noted = "SELECT count(*) AS n FROM audit_entries WHERE action = 'config.reload'";
            until(&format!("noted: {text}"), || {
                database.number(noted) > reloads as i64
            });
        }
        gateway.stop();
        assert_whole(&database);
        let actions = ["config.reload", "gateway-key.load", "gateway-key.drop"];
        let entries = only(&export(&database, &[]), &actions);
        assert_eq!(
            summary(&entries),
            [
                "gateway-key.load accepted",
                "config.reload accepted",
                "gateway-key.load accepted",
                "config.reload refused invalid",
                "config.reload accepted",
                "gateway-key.drop accepted",
            ]
        );
        assert_eq!(text(&entries[2], "detail"), "active");
        assert_eq!(text(&entries[2], "subject"), text(&entries[5], "subject"));
    }
);

on_both!(a_rotation_is_in_the_trail, |backend: Backend| {
    let database = TestDatabase::new(backend);
    std::fs::copy(test_key("gateway.pem"), database.dir().join("gateway.pem")).unwrap();
    let file = config_file(&database);
    let text_of = std::fs::read_to_string(&file).unwrap();
    let elsewhere = test_key("gateway.pem").display().to_string();
    std::fs::write(&file, text_of.replace(&elsewhere, "gateway.pem")).unwrap();
    for arguments in [&["keys", "rotate"][..], &["keys", "rotate", "--promote"]] {
        assert!(operate(&database, arguments).status.success());
    }
    let entries = only(&export(&database, &[]), &["key.add", "key.promote"]);
    assert_eq!(
        summary(&entries),
        ["key.add accepted", "key.promote accepted"]
    );
    assert!(
        entries
            .iter()
            .all(|entry| text(entry, "actor") == "operator alice")
    );
    assert!(
        entries
            .iter()
            .all(|entry| !text(entry, "subject").is_empty())
    );
});
