//! `user show|set-status` and `issuer set-donation`, on a gateway while it runs.

use crate::config_file::ready;
use crate::on_both;
use crate::process::{Running, run, text};
use crate::support::gateway::{TestClient, assert_refused, consumer_key, user_id};
use crate::support::{Backend, TestDatabase};
use issuer_gateway::client::sample;
use issuer_gateway::ids::CardholderId;
use std::time::{Duration, Instant};

fn operators_change_users_while_it_runs(backend: Backend) {
    let database = TestDatabase::empty(backend);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    let operate = |args: &[&str]| {
        let mut all = vec!["--config", text(&config)];
        all.extend(args);
        run(&all)
    };
    let (_running, base_url) = Running::serve(&config, &[]);
    let client = TestClient::new(
        &base_url,
        &consumer_key("demo"),
        "issuer-signing",
        Some("issuer-encryption"),
    );
    let enrolment = sample::enrolment("534403");
    let id = user_id(&client.enrol(&enrolment));
    let card = enrolment["cardNumber"].as_str().unwrap();

    let shown = operate(&["user", "show", &id.to_uppercase()]).ok();
    for part in [id.as_str(), "demo", "ACTIVE", &card[12..]] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    for secret in [card, "Jane", "example.com", "Mayfair"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let nobody = CardholderId::random();
    operate(&["user", "show", nobody.as_str()]).refused(&["no user"]);
    operate(&["user", "show", "short"]).refused(&["not a user id"]);
    operate(&["user", "show", &id, "--issuer", "compat"]).refused(&["no user"]);

    // At once, without waiting for anything.
    operate(&["user", "set-status", &id, "inactive"]).ok();
    assert_refused(
        &client.update(&id, &sample::update()),
        401,
        &["USER_INACTIVE"],
    );
    operate(&["user", "set-status", &id, "ACTIVE", "--issuer", "demo"]).ok();
    assert_eq!(client.update(&id, &sample::update()).status, 200);
    operate(&["user", "set-status", nobody.as_str(), "ACTIVE"]).refused(&["no user"]);
    let wrong = operate(&["user", "set-status", &id, "DELETED"]);
    assert_eq!(wrong.code, Some(2));

    operate(&["issuer", "set-donation", "nobody", "on"]).refused(&["nobody"]);
    let already = operate(&["issuer", "set-donation", "demo", "on"]).ok();
    assert!(already.contains("on already"), "{already}");
    operate(&["issuer", "set-donation", "demo", "off"]).ok();
    let on = operate(&["issuer", "set-donation", "demo", "ON"]).ok();
    assert!(on.contains("must enrol again"), "{on}");
    let shown = operate(&["user", "show", &id]).ok();
    assert!(shown.contains("must enrol again      true"), "{shown}");
    let give_up = Instant::now() + Duration::from_secs(30);
    loop {
        let answer = client.update(&id, &sample::update());
        if answer.status == 404 {
            assert_refused(&answer, 404, &["USER_NOT_FOUND"]);
            break;
        }
        assert!(Instant::now() < give_up, "{:?}", answer.clear);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(user_id(&client.enrol(&enrolment)), id);

    let audited = database.texts(
        "SELECT action || ' ' || outcome AS t FROM audit_entries \
         WHERE actor = 'operator tester' AND action <> 'issuer.apply' ORDER BY chain, seq",
    );
    for entry in [
        "user.set-status accepted",
        "issuer.set-donation accepted",
        "issuer.set-donation refused",
    ] {
        assert!(audited.contains(&entry.to_owned()), "{audited:?}");
    }
}

on_both!(blocking: operators_change_users_while_it_runs);
