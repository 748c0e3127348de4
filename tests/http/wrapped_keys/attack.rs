//! What somebody does with a field-level message that is not his: CBC lets him choose the first
//! block of any suffix.

use crate::support::peer::{FieldLevel, base64url, from_base64url};
use issuer_gateway::client::sample;
use serde_json::{Value, json};

/// A captured message whose plaintext has the card number in a block of its own.
pub(super) struct Captured {
    message: FieldLevel,
    wrapped: Vec<u8>,
    text: Vec<u8>,
    card_number: String,
    /// Where the card number's block begins.
    at: usize,
}

impl Captured {
    pub(super) fn new() -> Self {
        Self::of(&sample::enrolment("534403"))
    }

    pub(super) fn of(enrolment: &Value) -> Self {
        let card_number = enrolment["cardNumber"].as_str().unwrap().to_owned();
        assert_eq!(card_number.len(), 16);
        let compact = enrolment.to_string();
        let member = format!(r#""cardNumber":"{card_number}""#);
        let start = compact.find(&member).unwrap() + member.len() - 17;
        // Blanks between the first brace and what follows move it to the beginning of a block.
        let blanks = " ".repeat(start.next_multiple_of(16) - start);
        let plaintext = format!("{{{blanks}{}", &compact[1..]);
        let at = plaintext.find(&card_number).unwrap();
        assert_eq!(at % 16, 0);
        let message = FieldLevel::new(plaintext);
        let [_, wrapped, text] = message.seal();
        Self {
            message,
            wrapped,
            text,
            card_number,
            at,
        }
    }

    fn body_of(&self, iv: &[u8], text: &[u8]) -> Vec<u8> {
        body(iv, &self.wrapped, text)
    }

    /// A right and a wrong guess, each under the same content key wrapped anew, which nobody but
    /// who made it can do: shows that the guesses would be answered.
    pub(super) fn control(&self) -> [Vec<u8>; 2] {
        [self.card_number.clone(), "0".repeat(16)].map(|number| {
            let [_, wrapped, _] = self.message.seal();
            let (iv, text) = self.guess_of(&number);
            body(&iv, &wrapped, text)
        })
    }

    /// The message as it was sent.
    pub(super) fn body(&self) -> Vec<u8> {
        self.body_of(&self.message.iv, &self.text)
    }

    /// The message with another last block, so that it does not open.
    pub(super) fn spoiled(&self) -> Vec<u8> {
        let mut text = self.text.clone();
        *text.last_mut().unwrap() ^= 1;
        let before = text.len() - 17;
        text[before] ^= 0xff;
        self.body_of(&self.message.iv, &text)
    }

    /// The message from the card number's block on, under an IV that turns a rightly guessed number
    /// into the beginning of an object: then a rule is broken; of a wrong guess comes something
    /// else.
    fn guess_of(&self, guess: &str) -> (Vec<u8>, &[u8]) {
        let wanted = br#"{"cardNumber":"x"#;
        let previous = &self.text[self.at - 16..self.at];
        let iv: Vec<u8> = previous
            .iter()
            .zip(guess.as_bytes())
            .zip(wanted)
            .map(|((previous, guess), wanted)| previous ^ guess ^ wanted)
            .collect();
        (iv, &self.text[self.at..])
    }

    /// The right number, and wrong ones.
    pub(super) fn guesses(&self) -> impl Iterator<Item = Vec<u8>> {
        let wrong = [0, 6, 15].map(|digit| {
            let mut number = self.card_number.clone().into_bytes();
            number[digit] = b'0' + (number[digit] - b'0' + 1) % 10;
            String::from_utf8(number).unwrap()
        });
        let mut numbers = vec![self.card_number.clone()];
        numbers.extend(wrong);
        numbers.push("0".repeat(16));
        numbers.into_iter().map(|number| {
            let (iv, text) = self.guess_of(&number);
            self.body_of(&iv, text)
        })
    }
}

fn body(iv: &[u8], wrapped: &[u8], text: &[u8]) -> Vec<u8> {
    json!({"encryptedData": hex::encode(text), "iv": hex::encode(iv),
           "encryptedKey": hex::encode(wrapped), "oaepHashingAlgorithm": "SHA256"})
    .to_string()
    .into_bytes()
}

/// Different messages under one wrapped key, each a valid enrolment.
pub(super) fn under_one_key(count: usize) -> Vec<Vec<u8>> {
    let mut message = FieldLevel::new("");
    let [_, wrapped, _] = message.seal();
    let one = |_| {
        let clear = FieldLevel::new(sample::enrolment("534403").to_string());
        message.padded.clone_from(&clear.padded);
        message.iv = clear.iv;
        let [iv, _, text] = message.seal();
        body(&iv, &wrapped, &text)
    };
    (0..count).map(one).collect()
}

/// A segment of a JWE with its last byte changed.
pub(super) fn another(segment: &str, at_least: usize) -> String {
    let mut bytes = from_base64url(segment);
    assert!(bytes.len() >= at_least);
    *bytes.last_mut().unwrap() ^= 1;
    base64url(&bytes)
}
