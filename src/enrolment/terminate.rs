//! `POST /issuers/user-deletions`: an issuer lets go of cardholders (cce-api.md 3.9, 7.5).
//!
//! The call only accepts the deletion: when it is answered, the cardholders are durably marked.
//! [`super::erasure`] erases them in the background.

use crate::attempt::{Action, Attempt};
use crate::call::Call;
use crate::gateway::Gateway;
use crate::ids::CardholderId;
use crate::json;
use crate::refusal::Refusal;
use crate::store::writer::Termination;
use crate::violation::{Code, Violation};
use serde_json::{Value, json};
use std::collections::HashSet;

/// Most ids in one call (cce-api.md 3.9).
pub const MOST_USER_IDS: usize = 500;
/// The same in words.
pub const LIST_SIZE_RULE: &str = "must hold 1 to 500 user ids";

/// Accepts the users of a signed list for deletion. Returns the body to send: the accepted ids in
/// the order of the request, each once, in lower case as enrolment answered them.
pub async fn terminate(gateway: &Gateway, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let attempt = Attempt::begin(gateway, call, Action::DeleteCardholders)?;
    let termination = match prepare(&attempt).await {
        Ok(termination) => termination,
        Err(refusal) => return Err(attempt.refuse(refusal).await),
    };
    let accepted = termination.user_ids.clone();
    attempt.commit(termination).await?;
    gateway.erasure.notify_one();
    let accepted: Vec<&str> = accepted.iter().map(CardholderId::as_str).collect();
    Ok(json::to_ascii(&json!(accepted)).to_vec())
}

/// Checks the list and looks up which of its users are this issuer's. Writes nothing.
///
/// The look-up may come before the commit: a user's state only moves forward. So every user found
/// here is TERMINATING or DELETED after the commit.
async fn prepare(attempt: &Attempt<'_>) -> Result<Termination, Refusal> {
    let call = attempt.call;
    attempt.require_active()?;
    call.require_json()?;
    let mut accepted = user_ids(call.body)?;
    let issuer_id = attempt.issuer().id;
    let store = &attempt.gateway.store;
    let known = store.known_users(issuer_id, &accepted).await?;
    accepted.retain(|id| known.contains(id.as_str()));
    if accepted.is_empty() {
        return Err(Refusal::CardholderNotFound);
    }
    Ok(Termination {
        issuer_id,
        user_ids: accepted,
        at: call.now.timestamp_micros(),
    })
}

/// The ids of the list, each once, in order of their first appearance.
///
/// Refuses a list of the wrong size before it looks at the items, so an answer never names more
/// than 500.
fn user_ids(body: &[u8]) -> Result<Vec<CardholderId>, Vec<Violation>> {
    let list =
        json::parse(body).map_err(|error| vec![Violation::invalid("", error.to_string())])?;
    let Value::Array(items) = list else {
        let rule = "must be a JSON array of user ids";
        return Err(vec![Violation::invalid("", rule)]);
    };
    if !(1..=MOST_USER_IDS).contains(&items.len()) {
        return Err(vec![Violation {
            code: Code::ListSize,
            path: "".into(),
            rule: LIST_SIZE_RULE.into(),
        }]);
    }
    let mut ids = Vec::with_capacity(items.len());
    let mut seen = HashSet::with_capacity(items.len());
    let mut violations = Vec::new();
    for (position, item) in items.iter().enumerate() {
        match item.as_str().and_then(CardholderId::parse) {
            Some(id) if seen.insert(id.clone()) => ids.push(id),
            Some(_) => {}
            None => violations.push(Violation::invalid(
                format!("[{position}]"),
                CardholderId::RULE,
            )),
        }
    }
    if violations.is_empty() {
        Ok(ids)
    } else {
        Err(violations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "c8b38606-12b2-43c6-a641-be8eb0ab9dec";
    const B: &str = "f5d88571-ac15-465a-a0d8-1ad1327b9a06";

    fn read(list: &Value) -> Result<Vec<String>, Vec<(Code, String)>> {
        user_ids(list.to_string().as_bytes())
            .map(|ids| ids.iter().map(|id| id.as_str().to_owned()).collect())
            .map_err(|violations| {
                let pair = |v: Violation| (v.code, v.path.into_owned());
                violations.into_iter().map(pair).collect()
            })
    }

    #[test]
    fn ids_come_once_each_in_lower_case_and_in_order() {
        let sent = json!([B, A.to_uppercase(), B, A]);
        assert_eq!(read(&sent), Ok(vec![B.to_owned(), A.to_owned()]));
    }

    #[test]
    fn every_malformed_id_is_reported_by_its_position() {
        let too_long = format!("{A}0");
        let sent = json!([A, too_long, B, "", 7, null, [A], format!(" {}", &A[1..])]);
        let invalid = |path: &str| (Code::InvalidRequestParameter, path.to_owned());
        let expected = ["[1]", "[3]", "[4]", "[5]", "[6]", "[7]"].map(invalid);
        assert_eq!(read(&sent), Err(expected.to_vec()));
    }

    #[test]
    fn the_size_is_counted_as_sent() {
        let size = Err(vec![(Code::ListSize, String::new())]);
        assert_eq!(read(&json!([])), size);
        assert_eq!(read(&json!(vec![A; 501])), size);
        assert_eq!(read(&json!(vec!["x"; 501])), size);
        assert_eq!(read(&json!(vec![A; 500])), Ok(vec![A.to_owned()]));
    }

    #[test]
    fn only_an_array_is_a_list() {
        for body in [
            "",
            "{}",
            "null",
            "\"x\"",
            "[",
            "[\"x\"] y",
            "[{\"a\":1,\"a\":2}]",
        ] {
            let violations = user_ids(body.as_bytes()).unwrap_err();
            assert_eq!(violations.len(), 1, "{body}");
            assert_eq!(violations[0].code, Code::InvalidRequestParameter, "{body}");
        }
    }
}
