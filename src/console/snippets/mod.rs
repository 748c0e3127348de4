//! The shortest working client in each language, filled in for this very sandbox.
//!
//! `tests/interop/snippets` runs those in bash, Java, Node, Python and Rust as the console gives
//! them out. The others say how far they were tried.

use crate::client::identity::{SandboxFile, SandboxIssuer};
use crate::client::sample;
use anyhow::Context;
use std::path::Path;

/// A client in one language.
pub struct Snippet {
    /// The language, for people.
    pub language: &'static str,
    /// The file's name.
    pub file: &'static str,
    /// What it needs.
    pub note: &'static str,
    /// The text, filled in.
    pub code: String,
}

/// Language, file, note, text.
type Template = (&'static str, &'static str, &'static str, &'static str);

const TEMPLATES: [Template; 9] = [
    (
        "curl and openssl",
        "enrol.sh",
        "No library at all: each step is in sight.",
        include_str!("enrol.sh"),
    ),
    (
        "Java",
        "Enrol.java",
        "Mastercard's client-encryption and oauth1-signer.",
        include_str!("Enrol.java"),
    ),
    (
        "Node",
        "enrol.mjs",
        "Mastercard's client-encryption and oauth1-signer.",
        include_str!("enrol.mjs"),
    ),
    (
        "Python",
        "enrol.py",
        "Mastercard's client-encryption and oauth1-signer, and requests.",
        include_str!("enrol.py"),
    ),
    (
        "Go",
        "enrol.go",
        "Mastercard's client-encryption-go and oauth1-signer-go. Tried by hand; no test runs it.",
        include_str!("enrol.go"),
    ),
    (
        "C#",
        "Enrol.cs",
        "Mastercard's ClientEncryption.Core and OAuth1Signer.Core; .NET 8 or later. Its calls were tried by hand, in older syntax; not run as it is here.",
        include_str!("Enrol.cs"),
    ),
    (
        "PHP",
        "enrol.php",
        "Mastercard's client-encryption and oauth1-signer; PHP's extensions openssl and ctype. Tried by hand; no test runs it.",
        include_str!("enrol.php"),
    ),
    (
        "Ruby",
        "enrol.rb",
        "Mastercard's client-encryption and oauth1-signer. Tried by hand; no test runs it.",
        include_str!("enrol.rb"),
    ),
    (
        "Rust",
        "enrol.rs",
        "This project's own crates, oauth1-rsa and payload-envelope.",
        include_str!("enrol.rs"),
    ),
];

/// All of them for one issuer of the sandbox in `folder`, with a card number that was not used
/// before.
///
/// # Errors
/// The sandbox has no issuer of that name.
pub fn all(folder: &Path, sandbox: &SandboxFile, name: &str) -> anyhow::Result<Vec<Snippet>> {
    let issuer = sandbox.issuers.get(name).context("no such issuer")?;
    let filled = TEMPLATES.map(|(language, file, note, template)| Snippet {
        language,
        file,
        note,
        code: fill(template, folder, sandbox, issuer),
    });
    Ok(filled.into())
}

fn fill(template: &str, folder: &Path, sandbox: &SandboxFile, issuer: &SandboxIssuer) -> String {
    let path = |file: &Path| folder.join(file).display().to_string();
    let prefix = issuer.account_ranges.first().map_or("", String::as_str);
    let values = [
        ("@BASE_URL@", sandbox.base_url.clone()),
        ("@CONSUMER_KEY@", issuer.consumer_key.clone()),
        ("@SIGNING_KEY@", path(&issuer.signing_key)),
        ("@SIGNING_P12@", path(&issuer.signing_p12)),
        ("@DECRYPTION_KEY@", path(&issuer.decryption_key)),
        ("@DECRYPTION_P12@", path(&issuer.decryption_p12)),
        ("@P12_PASSWORD@", issuer.p12_password.clone()),
        ("@GATEWAY_CERTIFICATE@", path(&sandbox.gateway.certificate)),
        ("@JSON@", enrolment(&sample::card_number(prefix))),
    ];
    values
        .iter()
        .fold(template.to_owned(), |text, (name, value)| {
            text.replace(name, value)
        })
}

/// An enrolment as the donation feature demands it, in lines that fit a page.
fn enrolment(card_number: &str) -> String {
    format!(
        r#"{{
  "cardNumber": "{card_number}", "cardholderName": "Jane Sample", "cardBaseCurrency": "USD",
  "expiryInfo": {{"month": "10", "year": "2039"}}, "locale": "en-US",
  "name": {{"firstName": "Jane", "lastName": "Sample"}},
  "email": {{"type": "home", "value": "jane.sample@example.com"}},
  "billingAddress": {{"countryCode": "USA", "type": "home", "postalCode": "11746",
    "state": "New York", "city": "Brooklyn", "line1": "83 Mayfair Street"}}
}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::identity::SandboxGateway;
    use std::path::PathBuf;

    #[test]
    fn every_placeholder_is_filled_in() {
        let file = |name: &str| PathBuf::from("demo").join(name);
        let issuer = SandboxIssuer {
            client_id: "c".to_owned(),
            consumer_key: "c!k".to_owned(),
            signing_key: file("signing.pem"),
            signing_p12: file("signing.p12"),
            decryption_key: file("decryption.pem"),
            decryption_p12: file("decryption.p12"),
            p12_password: "p".to_owned(),
            account_ranges: vec!["534403".to_owned()],
            donation: true,
            responses: "mirror".to_owned(),
        };
        let sandbox = SandboxFile {
            base_url: "http://127.0.0.1:8080".to_owned(),
            gateway: SandboxGateway {
                certificate: PathBuf::from("gateway-cert.pem"),
                fingerprint: "f".to_owned(),
                ec_certificate: None,
            },
            issuers: [("demo".to_owned(), issuer)].into(),
            users: None,
            insecure_keys: false,
            cardholders: [].into(),
        };
        let folder = Path::new("/sandbox");
        let snippets = all(folder, &sandbox, "demo").unwrap();
        assert_eq!(snippets.len(), 9);
        for snippet in &snippets {
            for (_, after) in snippet
                .code
                .match_indices('@')
                .map(|(at, _)| snippet.code.split_at(at + 1))
            {
                let name: String = after.chars().take_while(char::is_ascii_uppercase).collect();
                assert!(name.len() < 2, "{}: @{name}", snippet.file);
            }
            assert!(
                snippet.code.contains("/sandbox/gateway-cert.pem"),
                "{}",
                snippet.file
            );
            assert!(
                snippet.code.contains("\"cardNumber\": \"534403"),
                "{}",
                snippet.file
            );
        }
        assert!(all(folder, &sandbox, "nobody").is_err());
    }
}
