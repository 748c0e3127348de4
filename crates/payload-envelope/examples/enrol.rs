//! Enrols a made-up card in a sandbox: encrypts, signs, sends, and opens the encrypted answer.
//!
//! Start the sandbox in another window with `make run`, then:
//!
//! ```text
//! cargo run --example enrol [sandbox/sandbox.json]
//! ```
#![expect(clippy::print_stdout, reason = "an example talks to people")]

use oauth1_rsa::{SignatureMethod, SigningKey};
use openssl::pkey::PKey;
use openssl::x509::X509;
use payload_envelope::{
    DecryptionKey, EnvelopeKind, KeyRing, KeyState, Recipient, json, open, seal,
};
use serde_json::{Value, json};
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

fn main() -> Result<(), Box<dyn Error>> {
    // The sandbox's file says where it is, and where the demo issuer's keys are.
    let file = std::env::args().nth(1);
    let file = PathBuf::from(file.as_deref().unwrap_or("sandbox/sandbox.json"));
    let sandbox: Value = serde_json::from_slice(&fs::read(&file)?)?;
    let text = |pointer: &str| {
        let text = sandbox.pointer(pointer).and_then(Value::as_str);
        text.ok_or_else(|| format!("{}: no {pointer}", file.display()))
    };
    let folder = file.parent().unwrap_or(&file);
    let read = |pointer: &str| -> Result<Vec<u8>, Box<dyn Error>> {
        Ok(fs::read(folder.join(text(pointer)?))?)
    };

    // Each key is parsed once; a real client keeps these three.
    let certificate = X509::from_pem(&read("/gateway/certificate")?)?;
    let recipient = Recipient::from_certificate(&certificate)?;
    let own = PKey::private_key_from_pem(&read("/issuers/demo/decryption_key")?)?;
    let own = DecryptionKey::new(own, None, Vec::new(), KeyState::Primary)?;
    let ring = KeyRing::new(vec![own])?;
    let signing = PKey::private_key_from_pem(&read("/issuers/demo/signing_key")?)?;
    let consumer_key = text("/issuers/demo/consumer_key")?.to_owned();
    let signing = SigningKey::from_private_key(signing, consumer_key)?;

    // Encrypt, then sign exactly the bytes that are sent.
    let clear = enrolment(&card_number(text("/issuers/demo/account_ranges/0")?)?);
    let body = seal(EnvelopeKind::Jwe, &recipient, &json::to_ascii(&clear))?;
    let url = format!("{}/issuers/users", text("/base_url")?);
    let authorization = signing.sign("POST", &url, &body, SignatureMethod::RsaSha256)?;
    let mut answer = ureq::post(&url)
        .header("Authorization", authorization)
        .header("Content-Type", "application/json")
        .config()
        .http_status_as_error(false)
        .build()
        .send(&body)?;

    println!("{}", answer.status());
    let body = answer.body_mut().read_to_vec()?;
    if !answer.status().is_success() {
        return Err(String::from_utf8_lossy(&body).into());
    }
    let opened = open(&ring, &body)?;
    let answer = Value::Object(opened.object.members().clone());
    println!("{answer:#}");
    Ok(())
}

/// A complete enrolment of a made-up cardholder.
fn enrolment(card_number: &str) -> Value {
    json!({
        "email": {"type": "home", "value": "jane.sample@example.com"},
        "name": {"firstName": "Jane", "lastName": "Sample"},
        "cardholderName": "Jane Sample",
        "cardNumber": card_number,
        "cardBaseCurrency": "USD",
        "expiryInfo": {"month": "10", "year": "2039"},
        "billingAddress": {
            "countryCode": "USA", "type": "home", "locality": "Rly Station", "postalCode": "11746",
            "state": "New York", "city": "Brooklyn", "line1": "83 Mayfair Street", "line2": "Main Road"
        },
        "locale": "en-US"
    })
}

/// A card number of 16 digits that begins with `range`, goes on with the time, and passes Luhn.
fn card_number(range: &str) -> Result<String, Box<dyn Error>> {
    let micros = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
    let varying = micros.to_string();
    let mut digits: String = range
        .chars()
        .chain(varying.chars().rev())
        .take(15)
        .collect();
    let sum: u32 = digits
        .chars()
        .rev()
        .filter_map(|digit| digit.to_digit(10))
        .enumerate()
        .map(|(index, digit)| match (index % 2, digit) {
            (0, 0..=4) => digit * 2,
            (0, _) => digit * 2 - 9,
            _ => digit,
        })
        .sum();
    digits.push_str(&((10 - sum % 10) % 10).to_string());
    Ok(digits)
}
