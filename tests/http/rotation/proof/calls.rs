//! An issuer's server: enrols and updates without a pause, and tries what must be refused.

use super::certificates::Issuer;
use super::load::Load;
use super::{Installation, Node};
use crate::support::document::assert_documented;
use anyhow::{Context, ensure};
use issuer_gateway::client::{Answered, Client, Operation, Prepared, sample};
use issuer_gateway::ids::CardholderId;
use issuer_gateway::oauth1::SignatureMethod;
use issuer_gateway::payload::EnvelopeKind;
use serde_json::{Value, json};

/// Whom a caller has enrolled, and what must be stored of them.
pub(super) struct Cardholder {
    pub(super) issuer: &'static str,
    pub(super) user_id: String,
    pub(super) stored: Value,
}

pub(super) struct Caller<'a> {
    nodes: &'a [Node],
    issuer: &'a Issuer,
    /// Counts calls: chooses node and envelope.
    calls: usize,
    cardholders: Vec<Cardholder>,
}

impl<'a> Caller<'a> {
    pub(super) fn new(installation: &'a Installation, issuer: &'a Issuer, number: usize) -> Self {
        Self {
            nodes: &installation.nodes,
            issuer,
            calls: number,
            cardholders: Vec::new(),
        }
    }

    /// Calls until the load ends.
    pub(super) fn run(mut self, load: &Load) -> Vec<Cardholder> {
        load.note("enrolment", self.enrol());
        let mut turn = 0;
        while load.goes_on() {
            match turn % 4 {
                0 => load.note("enrolment", self.enrol()),
                1 => load.note("update", self.update(turn)),
                2 => load.note("duplicate", self.enrol_again(turn)),
                _ => load.note("enrolment twice at once", self.enrol_twice_at_once()),
            }
            turn += 1;
        }
        self.cardholders
    }

    fn enrol(&mut self) -> anyhow::Result<()> {
        let clear = sample::enrolment(self.issuer.range);
        let answer = self.call(&Operation::Enrol, &clear)?;
        self.enrolled(&answer, clear)
    }

    /// Changes the address of somebody enrolled before.
    fn update(&mut self, turn: usize) -> anyhow::Result<()> {
        let number = turn * 31 % self.cardholders.len().max(1);
        let cardholder = self.cardholders.get(number).context("nobody to update")?;
        let user_id = cardholder.user_id.clone();
        let mut clear = sample::update();
        clear["billingAddress"]["postalCode"] = json!(format!("{:05}", turn % 100_000));
        let id = CardholderId::parse(&user_id).unwrap();
        let answer = self.call(&Operation::Update(id), &clear)?;
        let card = &self.cardholders[number].stored["cardNumber"];
        expect_reference(&answer, card, Some(&user_id))?;
        for (member, value) in clear.as_object().unwrap() {
            self.cardholders[number].stored[member] = value.clone();
        }
        Ok(())
    }

    /// A card that any server of the issuer has enrolled before, under whichever index key, is
    /// refused.
    fn enrol_again(&mut self, turn: usize) -> anyhow::Result<()> {
        let clear = {
            let enrolled = self.issuer.enrolled.lock().unwrap();
            let number = turn * 7_919 % enrolled.len().max(1);
            enrolled.get(number).context("nobody enrolled")?.clone()
        };
        let answer = self.call(&Operation::Enrol, &clear)?;
        expect_taken(&answer)
    }

    /// Of two at the same moment, on two nodes if there are, one is enrolled and one is refused.
    fn enrol_twice_at_once(&mut self) -> anyhow::Result<()> {
        let clear = sample::enrolment(self.issuer.range);
        let client = self.issuer.client();
        let one = self.prepare(&client, &Operation::Enrol, &clear)?;
        let other = self.prepare(&client, &Operation::Enrol, &clear)?;
        let (one, other) = std::thread::scope(|scope| {
            let one = scope.spawn(|| send(&client, &one));
            let other = send(&client, &other);
            (one.join().unwrap(), other)
        });
        drop(client);
        let (enrolled, refused) = match (one?, other?) {
            (one, other) if one.status == 200 => (one, other),
            (one, other) => (other, one),
        };
        expect_taken(&refused)?;
        self.enrolled(&enrolled, clear)
    }

    fn enrolled(&mut self, answer: &Answered, clear: Value) -> anyhow::Result<()> {
        let user_id = expect_reference(answer, &clear["cardNumber"], None)?;
        self.issuer.enrolled.lock().unwrap().push(clear.clone());
        self.cardholders.push(Cardholder {
            issuer: self.issuer.name,
            user_id,
            stored: clear,
        });
        Ok(())
    }

    fn call(&mut self, operation: &Operation, clear: &Value) -> anyhow::Result<Answered> {
        let client = self.issuer.client();
        let request = self.prepare(&client, operation, clear)?;
        send(&client, &request)
    }

    /// For the next node, in the other envelope.
    fn prepare(
        &mut self,
        client: &Client,
        operation: &Operation,
        clear: &Value,
    ) -> anyhow::Result<Prepared> {
        self.calls += 1;
        let envelope = match self.calls / self.nodes.len() % 2 {
            0 => EnvelopeKind::Jwe,
            _ => EnvelopeKind::FieldLevel,
        };
        let clear = clear.to_string();
        let signature = SignatureMethod::RsaSha256;
        let mut request = client.prepare(operation, envelope, signature, clear.as_bytes())?;
        request.url = self.nodes[self.calls % self.nodes.len()].url(&request.url);
        Ok(request)
    }
}

fn send(client: &Client, request: &Prepared) -> anyhow::Result<Answered> {
    let answer = client.send(request)?;
    assert_documented(request.method, &request.url, &answer);
    Ok(answer)
}

/// Done, for this card: the answer, which came encrypted, names the user.
fn expect_reference(
    answer: &Answered,
    card: &Value,
    user_id: Option<&str>,
) -> anyhow::Result<String> {
    let (status, clear) = (answer.status, &answer.clear);
    ensure!(status == 200, "{status} {clear:?}");
    let sealed = String::from_utf8_lossy(&answer.body);
    ensure!(sealed.contains("encryptedData"), "in clear: {clear:?}");
    let clear = clear.as_ref().context("no object")?;
    let id = clear["userid"].as_str().context("no userid")?;
    let last_four = &card.as_str().unwrap()[12..];
    let told = json!({"userid": user_id.unwrap_or(id), "cardNumberLastFourDigits": last_four, "status": "ACTIVE"});
    ensure!(*clear == told, "{clear} instead of {told}");
    Ok(id.to_owned())
}

/// Refused because the card is enrolled.
fn expect_taken(answer: &Answered) -> anyhow::Result<()> {
    let (status, clear) = (answer.status, &answer.clear);
    let code = clear
        .as_ref()
        .and_then(|clear| clear.pointer("/Errors/Error/0/ReasonCode"));
    ensure!(
        status == 400 && code == Some(&json!("USER_ALREADY_EXISTS")),
        "{status} {clear:?}"
    );
    Ok(())
}
