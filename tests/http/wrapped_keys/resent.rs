//! The same bytes again, newly signed: possible whatever became of the first try.

use crate::on_both;
use crate::support::Backend;
use crate::support::gateway::{TestClient, TestGateway, assert_refused, errors, user_id};
use crate::support::http::post;
use crate::support::peer::{FieldLevel, Jwe};
use crate::support::until;
use issuer_gateway::client::{Answered, sample};

/// The id that the last word of `Details` is.
fn named(answer: &Answered) -> String {
    assert_refused(answer, 400, &["USER_ALREADY_EXISTS"]);
    let details = errors(answer).remove(0).3;
    let details = details.as_str().unwrap();
    details.rsplit(' ').next().unwrap().to_owned()
}

/// Sends a body, newly signed each time, until it is not 503 any more.
fn until_answered(client: &TestClient, body: &[u8]) -> Answered {
    let mut last = None;
    until("an answer by the content", || {
        let answer = post(client, &[], body);
        let answered = answer.status != 503;
        last = Some(answer);
        answered
    });
    last.unwrap()
}

on_both!(
    the_same_bytes_after_a_503_are_answered_by_their_content,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let database = gateway.database.as_ref().unwrap();
        let client = gateway.client("demo");
        for (number, body) in [
            Jwe::new(sample::enrolment("534403").to_string()).body(),
            FieldLevel::new(sample::enrolment("534403").to_string()).body(),
        ]
        .iter()
        .enumerate()
        {
            let locked = database.lock();
            assert_eq!(post(&client, &[], body).status, 503);
            drop(locked);
            // Either the first try was not written, or it was, and the id is told.
            let answer = until_answered(&client, body);
            let id = named(&post(&client, &[], body));
            if answer.status != 200 {
                assert_eq!(named(&answer), id);
            }
            let users = database.texts("SELECT user_id AS t FROM users ORDER BY created_at");
            assert_eq!(users.len(), number + 1);
            assert!(users.contains(&id));
        }
    }
);

on_both!(
    a_card_that_is_taken_names_its_cardholder,
    |backend: Backend| {
        let gateway = TestGateway::start_without_erasure(backend);
        let client = gateway.client("demo");
        let enrolment = sample::enrolment("534403");
        let id = user_id(&client.enrol(&enrolment));
        assert_eq!(named(&client.enrol(&enrolment)), id);
        // Not active any more: the card is still this user's.
        gateway.set_user_status(
            "demo",
            &id,
            issuer_gateway::store::cardholders::CardholderStatus::Inactive,
        );
        assert_eq!(named(&client.enrol(&enrolment)), id);
        assert_eq!(client.delete(&[&id]).status, 202);
        assert_eq!(named(&client.enrol(&enrolment)), id);
    }
);
