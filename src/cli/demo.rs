//! The demonstration of `make run`: real calls against the running sandbox, clear and sealed side
//! by side.

mod year;

use crate::client::identity::Identity;
use crate::client::{Answered, Client, Operation, Prepared, sample};
use crate::ids::CardholderId;
use crate::oauth1::SignatureMethod;
use crate::payload::EnvelopeKind;
use anyhow::{Context, ensure};
use serde_json::Value;
use std::path::Path;

/// Width of each of the two columns, in characters.
const COLUMN: usize = 56;
/// Sealed text is cut after this many lines.
const SEALED_LINES: usize = 12;

/// Runs the demonstration; fails if the gateway answers anything unexpected.
pub(super) fn run(description: &Path) -> anyhow::Result<()> {
    let (identity, issuer) = Identity::from_sandbox(description, "demo")?;
    let client = Client::new(identity)?;
    let prefix = issuer
        .account_ranges
        .first()
        .context("the demo issuer has no account range")?;
    let enrolment = sample::enrolment(prefix);

    title("1. Enrol a cardholder: POST /issuers/users");
    let request = prepare(&client, &Operation::Enrol, &enrolment)?;
    let answer = call(&client, &request, &enrolment)?;
    ensure!(
        answer.status == 200,
        "the enrolment was answered {}",
        answer.status
    );
    let user_id = answer
        .clear
        .as_ref()
        .and_then(|clear| clear.get("userid"))
        .and_then(Value::as_str)
        .and_then(CardholderId::parse);
    let user_id = user_id.context("the enrolment was answered without a userid")?;

    title("2. Change the postal code: PUT /issuers/users/{userid}");
    let update = sample::update();
    let request = prepare(&client, &Operation::Update(user_id.clone()), &update)?;
    let answer = call(&client, &request, &update)?;
    ensure!(
        answer.status == 200,
        "the update was answered {}",
        answer.status
    );

    title("3. The same card again is refused");
    let request = prepare(&client, &Operation::Enrol, &enrolment)?;
    let answer = client.send(&request)?;
    show_answer(&answer);
    ensure!(
        reason_code(&answer) == Some("USER_ALREADY_EXISTS"),
        "the duplicate was not refused"
    );

    title("4. A token with one character changed is refused, though it is signed");
    let request = tampered(&client, &request)?;
    let answer = client.send(&request)?;
    show_answer(&answer);
    ensure!(
        reason_code(&answer) == Some("CRYPTO_ERROR"),
        "the changed token was not refused"
    );

    year::run(&client, &user_id)?;
    println!();
    Ok(())
}

fn prepare(client: &Client, operation: &Operation, clear: &Value) -> anyhow::Result<Prepared> {
    client.prepare(
        operation,
        EnvelopeKind::Jwe,
        SignatureMethod::RsaSha256,
        clear.to_string().as_bytes(),
    )
}

fn call(client: &Client, request: &Prepared, clear: &Value) -> anyhow::Result<Answered> {
    let sealed = String::from_utf8_lossy(&request.body).into_owned();
    side_by_side(
        "request in clear",
        &format!("{clear:#}"),
        "what goes over the wire",
        &sealed,
    );
    let answer = client.send(request)?;
    let opened = answer
        .clear
        .as_ref()
        .map(|clear| format!("{clear:#}"))
        .unwrap_or_default();
    let title = format!("answer on the wire: HTTP {}", answer.status);
    side_by_side(
        "answer opened",
        &opened,
        &title,
        &String::from_utf8_lossy(&answer.body),
    );
    Ok(answer)
}

/// Changes one character in the middle of the ciphertext and signs the result properly.
fn tampered(client: &Client, request: &Prepared) -> anyhow::Result<Prepared> {
    let text = String::from_utf8(request.body.clone())?;
    let middle = text
        .rfind('.')
        .context("no JWE in the request")?
        .saturating_sub(40);
    let changed: String = text
        .char_indices()
        .map(|(index, c)| match c {
            'A' if index == middle => 'B',
            _ if index == middle => 'A',
            other => other,
        })
        .collect();
    client.sign(
        &Operation::Enrol,
        SignatureMethod::RsaSha256,
        changed.into_bytes(),
    )
}

fn reason_code(answer: &Answered) -> Option<&str> {
    answer
        .clear
        .as_ref()?
        .pointer("/Errors/Error/0/ReasonCode")?
        .as_str()
}

fn title(text: &str) {
    println!("\n== {text}\n");
}

fn show_answer(answer: &Answered) {
    println!("HTTP {}", answer.status);
    if let Some(clear) = &answer.clear {
        println!("{clear:#}");
    }
}

fn side_by_side(left_title: &str, left: &str, right_title: &str, right: &str) {
    let left: Vec<String> = left.lines().flat_map(wrap).collect();
    let mut right: Vec<String> = right.lines().flat_map(wrap).collect();
    let rows = left.len().max(SEALED_LINES);
    if right.len() > rows {
        let characters: usize = right.iter().skip(rows - 1).map(String::len).sum();
        right.truncate(rows - 1);
        right.push(format!("… {characters} more characters"));
    }
    println!("{left_title:<COLUMN$} | {right_title}");
    println!("{:-<COLUMN$}-+-{:-<COLUMN$}", "", "");
    let blank = String::new();
    for row in 0..left.len().max(right.len()) {
        let left = left.get(row).unwrap_or(&blank);
        let right = right.get(row).unwrap_or(&blank);
        println!("{left:<COLUMN$} | {right}");
    }
    println!();
}

fn wrap(line: &str) -> Vec<String> {
    let characters: Vec<char> = line.chars().collect();
    if characters.is_empty() {
        return vec![String::new()];
    }
    characters
        .chunks(COLUMN)
        .map(|chunk| chunk.iter().collect())
        .collect()
}
