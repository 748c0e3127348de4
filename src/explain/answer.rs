//! What was answered: it tells what cannot be known from the call alone, such as a card that is
//! enrolled already.

use super::recorded::{Answer, Recorded};
use super::report::{Cause, StepId, Verdict};
use super::walk::Walk;
use serde_json::Value;

pub(super) fn examine(walk: &mut Walk, call: &Recorded) {
    let Some(answer) = &call.answer else {
        walk.leave_out(&[StepId::Answer]);
        return;
    };
    let (code, details) = first_error(answer);
    let found = match code.as_deref() {
        Some(code) => format!("{} {code}", answer.status),
        None => answer.status.to_string(),
    };
    if let (Some(fault), true) = (&answer.fault, answer.status < 400) {
        let found = format!("{found}, with the fault that was asked for: {fault}");
        walk.passed(StepId::Answer, found);
        return;
    }
    if let Some(fault) = &answer.fault {
        let cause = Cause::new(
            "answer.fault",
            format!("The sandbox was asked for this answer: {fault}."),
            "Nothing is wrong with the call. Take the fault back in the console, or leave the \
             header X-Sandbox-Fault out.",
        );
        if !walk.has_failed() {
            walk.failed(StepId::Answer, found, "no fault", cause);
        }
        return;
    }
    if answer.status < 400 {
        walk.passed(StepId::Answer, found);
        return;
    }
    if walk.has_failed() {
        walk.told(StepId::Answer, Verdict::NotReached, found);
        return;
    }
    let code = code.unwrap_or_default();
    let opened = walk.reached(StepId::Tag) == Some(Verdict::Passed);
    let cause = match code.as_str() {
        "CRYPTO_ERROR" if !opened => Cause::new(
            "payload.answered",
            "The gateway could not open the payload, and what this needs is not here.",
            "Explain the call with the gateway's private key: in the sandbox, or with --config.",
        ),
        code => why(answer, code, &details),
    };
    walk.failed(StepId::Answer, found, "200 or 202", cause);
}

/// `ReasonCode` and `Details` of the first error.
fn first_error(answer: &Answer) -> (Option<String>, String) {
    let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let error = body
        .as_ref()
        .and_then(|body| body.pointer("/Errors/Error/0"));
    let text = |name: &str| {
        let value = error.and_then(|error| error.get(name));
        value.and_then(Value::as_str).map(str::to_owned)
    };
    (text("ReasonCode"), text("Details").unwrap_or_default())
}

fn why(answer: &Answer, code: &str, details: &str) -> Cause {
    match code {
        "USER_ALREADY_EXISTS" => Cause::new(
            "card.enrolled_already",
            "The card is enrolled already.",
            "Use the userid in Details, update or delete that cardholder, or take another card \
             number.",
        )
        .with("cardNumber", details, "must not be enrolled already"),
        "INVALID_BODY_HASH" => Cause::new(
            "body_hash.answered",
            "oauth_body_hash is not the hash of the body, which is not here.",
            "Give the body with --body FILE to learn more.",
        ),
        "USER_NOT_FOUND" => Cause::new(
            "user.not_found",
            "This issuer has no such user.",
            "Take the userid of the enrolment's answer, and the issuer that enrolled the card.",
        ),
        "USER_INACTIVE" | "USER_TERMINATE_IN_PROGRESS" => Cause::new(
            "user.not_active",
            "The user is deactivated, or being removed.",
            "An operator can activate a user again; a removed one has to be enrolled anew.",
        ),
        "CRYPTO_ERROR" => Cause::new(
            "wrapped_key.reused",
            "The payload opens, but its content key has opened another message before, or the \
             payload was opened for another issuer.",
            "Make a new content key for each message: encrypt again, also when you send a request \
             again.",
        ),
        "INVALID_REQUEST_PARAMETER" => Cause::new(
            "rules.answered",
            format!("A value breaks a rule: {details}."),
            "Send a value that keeps the rule; /docs has the form of every field.",
        ),
        "SERVICE_UNAVAILABLE" => Cause::new(
            "answer.unavailable",
            "The gateway was at its limit, or could not reach its database.",
            "Send the same call again after Retry-After; its nonce is not used up.",
        ),
        _ if answer.status == 413 => Cause::new(
            "http.body_too_large",
            "The body is larger than the gateway accepts.",
            "Send fewer transactions at once, or have the operator raise server.max_body_bytes.",
        ),
        _ => Cause::new(
            "answer.refused",
            match code {
                "" => format!("The gateway answered {}.", answer.status),
                code => format!("The gateway answered {} {code}.", answer.status),
            },
            match details {
                "" => "The answer's Description says more.",
                _ => details,
            },
        ),
    }
}
