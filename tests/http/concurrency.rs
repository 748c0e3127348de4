//! What many requests at the same moment, and several nodes on one database, must not break.

use crate::on_both;
use crate::support::gateway::{TestClient, TestGateway, assert_refused, config, user_id};
use crate::support::http::send;
use crate::support::{Backend, TestDatabase};
use issuer_gateway::client::{Answered, Operation, sample};
use serde_json::Value;
use std::sync::Barrier;

/// Enrols `clear` once for each client, all at the same moment.
fn enrol_at_once(clients: &[TestClient], clear: &Value) -> Vec<Answered> {
    let start = Barrier::new(clients.len());
    std::thread::scope(|scope| {
        let enrolments: Vec<_> = clients
            .iter()
            .map(|client| {
                scope.spawn(|| {
                    let request = client.prepare(&Operation::Enrol, clear);
                    start.wait();
                    client.send(&request)
                })
            })
            .collect();
        enrolments
            .into_iter()
            .map(|enrolment| enrolment.join().unwrap())
            .collect()
    })
}

/// Exactly one enrolled, all others were told so, and the database holds one cardholder.
fn assert_one_enrolled(answers: &[Answered], database: &TestDatabase) {
    let (enrolled, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(enrolled.len(), 1);
    for answer in &refused {
        assert_refused(answer, 400, &["USER_ALREADY_EXISTS"]);
    }
    let total = i64::try_from(answers.len()).unwrap();
    assert_eq!(refused.len(), answers.len() - 1);
    for table in ["users", "cards", "scoring_jobs"] {
        assert_eq!(database.count(table), 1, "{table}");
    }
    assert_eq!(database.count("oauth_nonces"), total);
    let of = |outcome: &str| {
        database.number(&format!(
            "SELECT count(*) AS n FROM audit_entries WHERE action = 'user.enrol' AND outcome = '{outcome}'"
        ))
    };
    assert_eq!((of("accepted"), of("refused")), (1, total - 1));
}

on_both!(
    a_hundred_enrolments_of_one_card_make_one_cardholder,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let clients: Vec<_> = (0..100).map(|_| gateway.client("demo")).collect();
        let answers = enrol_at_once(&clients, &sample::enrolment("534403"));
        assert_one_enrolled(&answers, gateway.database.as_ref().unwrap());
    }
);

#[test]
fn a_hundred_enrolments_over_two_nodes_make_one_cardholder() {
    let database = TestDatabase::new(Backend::Postgres);
    let nodes = [(); 2].map(|()| TestGateway::start_with(&config(&database.url_text)));
    let clients: Vec<_> = (0..100)
        .map(|number| nodes[number % 2].client("demo"))
        .collect();
    let answers = enrol_at_once(&clients, &sample::enrolment("534403"));
    assert_one_enrolled(&answers, &database);
}

#[test]
fn a_signed_request_is_accepted_by_one_of_two_nodes_and_by_none_after_a_restart() {
    const ORIGIN: &str = "https://api.gateway.example";
    let database = TestDatabase::new(Backend::Postgres);
    let mut config = config(&database.url_text);
    config.server.public_base_urls = vec![ORIGIN.to_owned()];
    let nodes = [(); 2].map(|()| TestGateway::start_with(&config));
    let client = nodes[0].client_at("demo", ORIGIN);
    let request = client.prepare(&Operation::Enrol, &sample::enrolment("534403"));
    let send_to = |node: &TestGateway| {
        let url = format!("{}/issuers/users", node.base_url);
        let headers = [
            ("Authorization", request.authorization.as_str()),
            ("Content-Type", "application/json"),
        ];
        send("POST", &url, &headers, &request.body)
    };
    let answers: Vec<_> = std::thread::scope(|scope| {
        let sending: Vec<_> = (0..20)
            .map(|number| {
                let (node, send_to) = (&nodes[number % 2], &send_to);
                scope.spawn(move || send_to(node))
            })
            .collect();
        sending.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let (accepted, replayed): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(accepted.len(), 1);
    for answer in replayed {
        assert_refused(answer, 401, &["AUTHENTICATION_FAILED"]);
    }
    drop(nodes);
    let restarted = TestGateway::start_with(&config);
    assert_refused(&send_to(&restarted), 401, &["AUTHENTICATION_FAILED"]);
    assert_eq!(database.count("users"), 1);
}

on_both!(
    updates_of_one_user_at_once_are_all_done,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let client = gateway.client("demo");
        let id = user_id(&client.enrol(&sample::enrolment("534403")));
        std::thread::scope(|scope| {
            for _ in 0..20 {
                let (gateway, id) = (&gateway, &id);
                scope.spawn(move || {
                    let answer = gateway.client("demo").update(id, &sample::update());
                    assert_eq!(answer.status, 200, "{:?}", answer.clear);
                });
            }
        });
    }
);
