//! Requests ready for the wire: encrypted and signed before the clock starts.

use super::rsa::cores;
use super::sandbox::{PUBLIC_URL, Sandbox};
use anyhow::{Context, bail};
use indicatif::ProgressBar;
use issuer_gateway::client::{Client, Operation, Prepared, sample};
use issuer_gateway::ids::CardholderId;
use issuer_gateway::oauth1::SignatureMethod;
use issuer_gateway::payload::EnvelopeKind;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// Card numbers have 16 digits, the last of which checks the others.
const CARD_DIGITS: usize = 15;

/// Which requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Enrolments in a JWE.
    Jwe,
    /// The same, encrypted to the gateway's EC key.
    JweEc,
    /// Enrolments of another issuer's cards, in a JWE.
    JweOfOther,
    /// Enrolments with field-level encryption.
    FieldLevel,
    /// Updates in a JWE.
    Update,
}

/// The bytes to send, and what the answer has to say.
pub(crate) struct Request {
    pub(crate) bytes: Box<[u8]>,
    /// The card's last four digits.
    pub(crate) last_four: String,
}

/// Someone to be updated.
pub(crate) struct User {
    pub(crate) id: CardholderId,
    pub(crate) last_four: String,
}

/// Hands out card numbers, each once.
pub(crate) struct Cards {
    range: String,
    next: AtomicU64,
}

impl Cards {
    pub(crate) fn new(range: &str) -> Self {
        Self {
            range: range.to_owned(),
            next: AtomicU64::new(0),
        }
    }

    /// The next card number without its check digit.
    pub(crate) fn next(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let width = CARD_DIGITS.saturating_sub(self.range.len());
        format!("{}{number:0width$}", self.range)
    }
}

/// Prepares `count` requests on all cores; `users` is for updates alone, taken in turn.
pub(crate) fn prepare(
    sandbox: &Sandbox,
    cards: &Cards,
    kind: Kind,
    users: &[User],
    count: usize,
    bar: &ProgressBar,
) -> anyhow::Result<Vec<Request>> {
    let threads = cores();
    let numbers: Vec<usize> = (0..count).collect();
    let parts = numbers.chunks(count.div_ceil(threads).max(1));
    std::thread::scope(|scope| {
        let running: Vec<_> = parts
            .map(|part| {
                scope.spawn(move || {
                    let requests = part.iter().map(|number| {
                        bar.inc(1);
                        match kind {
                            Kind::Jwe => enrolment(sandbox, cards, EnvelopeKind::Jwe),
                            Kind::JweEc => jwe_by(&sandbox.ec_client, cards),
                            Kind::JweOfOther => jwe_by(&sandbox.other.0, cards),
                            Kind::FieldLevel => enrolment(sandbox, cards, EnvelopeKind::FieldLevel),
                            Kind::Update => {
                                let user = users.get(number % users.len().max(1));
                                update(sandbox, user.context("nobody to update")?)
                            }
                        }
                    });
                    requests.collect::<anyhow::Result<Vec<Request>>>()
                })
            })
            .collect();
        let mut all = Vec::with_capacity(count);
        for thread in running {
            match thread.join() {
                Ok(requests) => all.append(&mut requests?),
                Err(_) => bail!("a preparing thread panicked"),
            }
        }
        Ok(all)
    })
}

/// The enrolment of a card of the given number (without check digit), for checks.
pub(crate) fn enrolment_of(
    sandbox: &Sandbox,
    card: &str,
    envelope: EnvelopeKind,
) -> anyhow::Result<(Prepared, String)> {
    enrolment_by(&sandbox.client, card, envelope)
}

fn enrolment_by(
    client: &Client,
    card: &str,
    envelope: EnvelopeKind,
) -> anyhow::Result<(Prepared, String)> {
    let mut clear = sample::enrolment(card);
    if let Some(email) = clear.pointer_mut("/email/value") {
        *email = format!("holder-{card}@example.com").into();
    }
    let number = clear.get("cardNumber").and_then(|number| number.as_str());
    let last_four = number.and_then(|number| number.get(12..));
    let last_four = last_four
        .context("the sample has no card number")?
        .to_owned();
    let prepared = client.prepare(
        &Operation::Enrol,
        envelope,
        SignatureMethod::RsaSha256,
        clear.to_string().as_bytes(),
    )?;
    Ok((prepared, last_four))
}

fn enrolment(sandbox: &Sandbox, cards: &Cards, envelope: EnvelopeKind) -> anyhow::Result<Request> {
    let (prepared, last_four) = enrolment_of(sandbox, &cards.next(), envelope)?;
    on_the_wire(&prepared, last_four)
}

fn jwe_by(client: &Client, cards: &Cards) -> anyhow::Result<Request> {
    let (prepared, last_four) = enrolment_by(client, &cards.next(), EnvelopeKind::Jwe)?;
    on_the_wire(&prepared, last_four)
}

pub(crate) fn update(sandbox: &Sandbox, user: &User) -> anyhow::Result<Request> {
    let prepared = sandbox.client.prepare(
        &Operation::Update(user.id.clone()),
        EnvelopeKind::Jwe,
        SignatureMethod::RsaSha256,
        sample::update().to_string().as_bytes(),
    )?;
    on_the_wire(&prepared, user.last_four.clone())
}

/// HTTP/1.1, with the headers that official clients send.
pub(crate) fn on_the_wire(prepared: &Prepared, last_four: String) -> anyhow::Result<Request> {
    let host = PUBLIC_URL.trim_start_matches("https://");
    let path = prepared
        .url
        .strip_prefix(PUBLIC_URL)
        .context("not our URL")?;
    let mut head = String::with_capacity(1_024);
    write!(
        head,
        "{} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json; charset=utf-8\r\n\
         Accept: application/json\r\nAuthorization: {}\r\nContent-Length: {}\r\n\r\n",
        prepared.method,
        prepared.authorization,
        prepared.body.len()
    )?;
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&prepared.body);
    Ok(Request {
        bytes: bytes.into_boxed_slice(),
        last_four,
    })
}
