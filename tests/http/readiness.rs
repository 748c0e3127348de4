//! `/health/ready` says whether commits become durable: 503 while nothing can be written, 200 while
//! enrolments succeed.

use crate::lifecycle::behind_proxy;
use crate::on_both;
use crate::support::gateway::{TestGateway, assert_refused, config, user_id};
use crate::support::wire::exchange;
use crate::support::{Backend, TestDatabase, until};
use chrono::TimeDelta;
use issuer_gateway::client::sample;
use issuer_gateway::clock::Clock;
use issuer_gateway::config::Config;
use issuer_gateway::reloadable::Reloadable;
use issuer_gateway::store::{Commit, Outcome};
use serde_json::Value;
use std::sync::Mutex;
use std::sync::mpsc::channel;

fn ready(gateway: &TestGateway) -> (u16, Value) {
    let answer = exchange(&gateway.base_url, "GET", "/health/ready", &[], b"");
    (answer.status, answer.json())
}

/// Waits for 503 with this value of this part, or for 200 with it.
#[track_caller]
fn becomes(gateway: &TestGateway, status: u16, part: &str, value: &str) {
    until(&format!("{status} {part} {value}"), || {
        let (now, body) = ready(gateway);
        now == status && body[part] == value
    });
}

on_both!(
    a_node_is_ready_and_says_so_in_its_parts,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let (status, body) = ready(&gateway);
        assert_eq!(status, 200);
        let expected = serde_json::json!({
            "status": "ready", "writes": "ok", "reads": "ok", "clock": "ok", "jobs": "ok"
        });
        assert_eq!(body, expected);
        for part in ["all", "writes", "reads", "clock", "jobs"] {
            let name = format!(r#"issuer_gateway_ready{{part="{part}"}}"#);
            until(part, || gateway.metrics().contains(&name));
            until(part, || gateway.metric(&name) == 1.0);
        }
        for name in ["unwrap", "lookup", "calls", "feeds"] {
            let depth = format!(r#"issuer_gateway_queue_depth{{queue="{name}"}}"#);
            assert_eq!(gateway.metric(&depth), 0.0);
        }
    }
);

on_both!(
    an_idle_node_commits_a_heartbeat_that_leaves_no_audit_entry,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let database = gateway.database.as_ref().unwrap();
        until("a heartbeat", || database.count("node_heartbeats") == 1);
        let entries = database.count("audit_entries");
        let beat = || database.number("SELECT beat_at AS n FROM node_heartbeats");
        let first = beat();
        until("another one", || beat() > first);
        assert_eq!(database.count("audit_entries"), entries);
    }
);

on_both!(
    heartbeats_of_nodes_that_are_gone_are_removed,
    |backend: Backend| {
        let gateway = TestGateway::start_without_erasure(backend);
        let database = gateway.database.as_ref().unwrap();
        database.execute("INSERT INTO node_heartbeats (node, beat_at) VALUES ('gone', 0)");
        let (writer, store) = (&gateway.gateway.writer, &gateway.gateway.store);
        let done = gateway.block_on(async {
            let done = writer.commit(Commit::heartbeat("here")).await;
            store.forget_nodes().await.unwrap();
            done
        });
        assert_eq!(done, Ok(Outcome::Done));
        let nodes = database.texts("SELECT node AS t FROM node_heartbeats");
        assert!(nodes.contains(&"here".to_owned()), "{nodes:?}");
        assert!(!nodes.contains(&"gone".to_owned()), "{nodes:?}");
    }
);

on_both!(
    a_database_that_somebody_else_holds_makes_a_node_not_ready,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let client = gateway.client("demo");
        user_id(&client.enrol(&sample::enrolment("534403")));
        let lock = gateway.database.as_ref().unwrap().lock();
        let enrolment = sample::enrolment("534403");
        assert_refused(&client.enrol(&enrolment), 503, &["SERVICE_UNAVAILABLE"]);
        until("not ready", || ready(&gateway).0 == 503);
        drop(lock);
        becomes(&gateway, 200, "writes", "ok");
        until("an enrolment", || {
            client.enrol(&sample::enrolment("534403")).status == 200
        });
    }
);

#[test]
fn a_frozen_database_makes_an_idle_node_not_ready() {
    let (gateway, proxy) = behind_proxy();
    user_id(&gateway.client("demo").enrol(&sample::enrolment("534403")));
    proxy.hold();
    // Nobody calls: the heartbeat finds it out.
    until("not ready", || {
        let (status, body) = ready(&gateway);
        status == 503 && body["writes"] != "ok"
    });
    until("the metric", || {
        gateway.metric(r#"issuer_gateway_ready{part="writes"}"#) == 0.0
    });
    proxy.restore();
    becomes(&gateway, 200, "writes", "ok");
}

#[test]
fn a_read_only_database_makes_a_node_not_ready() {
    let gateway = TestGateway::start(Backend::Postgres);
    let database = gateway.database.as_ref().unwrap();
    let name = database
        .texts("SELECT current_database()::text AS t")
        .remove(0);
    let others = "SELECT count(pg_terminate_backend(pid)) AS n FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let read_only = |yes: &str| {
        database.execute(&format!(
            "BEGIN; SET TRANSACTION READ WRITE; ALTER DATABASE {name} SET default_transaction_read_only = {yes}; COMMIT"
        ));
        database.number(others);
    };
    read_only("on");
    becomes(&gateway, 503, "writes", "failing");
    becomes(&gateway, 503, "reads", "ok");
    read_only("off");
    becomes(&gateway, 200, "writes", "ok");
}

on_both!(
    a_pool_without_a_free_connection_does_not_make_a_node_not_ready,
    |backend: Backend| {
        let database = TestDatabase::new(backend);
        let mut config = config(&database.url_text);
        config.database.pool_size = 1;
        let gateway = TestGateway::start_with(&config);
        let (release, released) = channel::<()>();
        let released = Mutex::new(released);
        let (holding, is_held) = channel();
        let store = gateway.gateway.store.clone();
        let hold = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            // The caller gives up in time; the query goes on holding the connection.
            runtime.block_on(async {
                store
                    .read(move |_| {
                        holding.send(()).ok();
                        released.lock().unwrap().recv().ok();
                        Ok(())
                    })
                    .await
            })
        });
        is_held.recv().unwrap();
        becomes(&gateway, 200, "reads", "failing");
        let client = gateway.client("demo");
        for _ in 0..3 {
            user_id(&client.enrol(&sample::enrolment("534403")));
            let (status, body) = ready(&gateway);
            assert_eq!((status, body["writes"].as_str()), (200, Some("ok")));
        }
        release.send(()).ok();
        hold.join().unwrap().ok();
        becomes(&gateway, 200, "reads", "ok");
    }
);

fn wrong_by(config: &Config, seconds: i64) -> anyhow::Result<TestGateway> {
    TestGateway::try_start(config, Clock::wrong_by(TimeDelta::seconds(seconds)))
}

on_both!(
    a_node_whose_clock_is_off_is_not_ready_and_far_off_does_not_start,
    |backend: Backend| {
        let database = TestDatabase::new(backend);
        let config = config(&database.url_text);
        for (seconds, clock) in [(20, "ok"), (40, "off"), (-40, "off")] {
            let gateway = wrong_by(&config, seconds).unwrap();
            let (status, body) = ready(&gateway);
            assert_eq!(body["clock"], clock, "{seconds}");
            assert_eq!(status == 200, clock == "ok", "{seconds}");
            let ahead = "issuer_gateway_database_clock_ahead_seconds";
            until("the metric", || {
                (gateway.metric(ahead) + f64::from(i32::try_from(seconds).unwrap())).abs() < 10.0
            });
        }
        for (seconds, side) in [(400, "ahead of"), (-400, "behind")] {
            let refused = wrong_by(&config, seconds).err().unwrap().to_string();
            assert!(refused.contains(side), "{refused}");
            assert!(refused.contains("oauth.window_seconds"), "{refused}");
        }
    }
);

on_both!(
    a_node_whose_clock_gets_further_off_than_the_window_takes_no_signed_call,
    |backend: Backend| {
        let database = TestDatabase::new(backend);
        let mut config = config(&database.url_text);
        let gateway = wrong_by(&config, 100).unwrap();
        let enrolment = sample::enrolment("534403");
        user_id(&gateway.client("demo").enrol(&enrolment));
        config.oauth.window_seconds = 60;
        let address = gateway.base_url.strip_prefix("http://").unwrap();
        let live = Reloadable::load(&config, address.parse().unwrap()).unwrap();
        gateway.gateway.swap(live);
        let answer = gateway.client("demo").enrol(&enrolment);
        assert_refused(&answer, 503, &["SERVICE_UNAVAILABLE"]);
    }
);
