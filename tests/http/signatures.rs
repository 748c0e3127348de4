//! OAuth 1.0a over HTTP (wire-formats.md, O1 to O7). Base strings are written by hand and signed by
//! the `rsa` crate: neither the escaping nor the signing here is the product's own.

mod accepted;
mod attempts;
mod nonces;
mod origins;
mod refused;

use crate::support::gateway::{TestGateway, consumer_key, errors};
use crate::support::http::send;
use crate::support::peer::{base64_standard, rsa_key};
use issuer_gateway::client::Answered;
use rsa::rand_core::OsRng;
use rsa::sha2::Sha256;
use rsa::signature::{RandomizedSigner, SignatureEncoding, Signer};
use rsa::{pkcs1v15, pss};
use sha2::Digest;
use std::time::{SystemTime, UNIX_EPOCH};

const ENROL: &str = "/issuers/users";

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

/// RFC 3986 escaping, written out.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// What an official library signs and sends, except for the query's pairs, which each test writes.
#[derive(Clone)]
struct Signed {
    method: &'static str,
    /// The URL as the client knows it, without a query.
    url: String,
    /// Sorted by name.
    oauth: Vec<(String, String)>,
    /// Name of the test key that signs.
    key: &'static str,
}

impl Signed {
    /// A request of the issuer `demo` to `url`.
    fn new(method: &'static str, url: &str, body: &[u8]) -> Self {
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let oauth = [
            (
                "oauth_body_hash",
                base64_standard(&sha2::Sha256::digest(body)),
            ),
            ("oauth_consumer_key", consumer_key("demo")),
            ("oauth_nonce", nonce[..16].to_owned()),
            ("oauth_signature_method", "RSA-SHA256".to_owned()),
            ("oauth_timestamp", now().to_string()),
            ("oauth_version", "1.0".to_owned()),
        ];
        Self {
            method,
            url: url.to_owned(),
            oauth: oauth.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            key: "issuer-signing",
        }
    }

    /// `POST /issuers/users` at a gateway.
    fn enrol(gateway: &TestGateway, body: &[u8]) -> Self {
        Self::new("POST", &format!("{}{ENROL}", gateway.base_url), body)
    }

    /// With another value of one parameter, or with one more.
    fn with(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.oauth.push((name.to_owned(), value.to_owned()));
        self.oauth.sort();
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.oauth.retain(|(known, _)| known != name);
        self
    }

    /// The parameter string: the query's pairs that sort before the `oauth_*` pairs, these, and
    /// those after.
    fn parameters(&self, before: &str, after: &str) -> String {
        self.joined(before, after, str::to_owned)
    }

    /// The same as RFC 5849 has it: the `oauth_*` values escaped.
    fn strict_parameters(&self, before: &str, after: &str) -> String {
        self.joined(before, after, escape)
    }

    fn joined(&self, before: &str, after: &str, spell: fn(&str) -> String) -> String {
        let pair = |(name, value): &(String, String)| format!("{name}={}", spell(value));
        let oauth: Vec<String> = self.oauth.iter().map(pair).collect();
        let parts = [before, &oauth.join("&"), after];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join("&")
    }

    fn base_string(&self, parameters: &str) -> String {
        format!(
            "{}&{}&{}",
            self.method,
            escape(&self.url),
            escape(parameters)
        )
    }

    fn rsa_sha256(&self, base_string: &str) -> Vec<u8> {
        let key = pkcs1v15::SigningKey::<Sha256>::new(rsa_key(self.key));
        key.sign(base_string.as_bytes()).to_vec()
    }

    fn rsa_pss(&self, base_string: &str, salt_bytes: usize) -> Vec<u8> {
        let key = pss::SigningKey::<Sha256>::new_with_salt_len(rsa_key(self.key), salt_bytes);
        key.sign_with_rng(&mut OsRng, base_string.as_bytes())
            .to_vec()
    }

    /// The header as official libraries write it.
    fn header(&self, signature: &[u8]) -> String {
        let mut text = String::from("OAuth ");
        for (name, value) in &self.oauth {
            text.push_str(&format!(r#"{name}="{value}","#));
        }
        text + &format!(
            r#"oauth_signature="{}""#,
            escape(&base64_standard(signature))
        )
    }

    /// The header of a request with a query, signed with RSA-SHA256.
    fn header_over(&self, parameters: &str) -> String {
        self.header(&self.rsa_sha256(&self.base_string(parameters)))
    }

    /// The header of a request without a query, signed with RSA-SHA256.
    fn authorization(&self) -> String {
        self.header_over(&self.parameters("", ""))
    }

    /// The same with RSA-PSS.
    fn pss_authorization(self) -> String {
        let pss = self.with("oauth_signature_method", "RSA-PSS");
        pss.header(&pss.rsa_pss(&pss.base_string(&pss.parameters("", "")), 32))
    }
}

/// Sends JSON with these headers to a path of the gateway.
fn call(
    gateway: &TestGateway,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answered {
    let mut all = vec![("Content-Type", "application/json")];
    all.extend_from_slice(headers);
    send(method, &format!("{}{target}", gateway.base_url), &all, body)
}

/// `POST /issuers/users` with this authorization.
fn enrol(gateway: &TestGateway, authorization: &str, body: &[u8]) -> Answered {
    call(
        gateway,
        "POST",
        ENROL,
        &[("Authorization", authorization)],
        body,
    )
}

/// The answer is this one error of the gateway's.
#[track_caller]
fn assert_gateway_error(answer: &Answered, status: u16, code: &str, case: &str) {
    let expected = ("Gateway".to_owned(), code.to_owned(), false);
    let got = errors(answer).into_iter();
    let got = got.map(|(source, code, recoverable, _)| (source, code, recoverable));
    let got = (answer.status, got.collect::<Vec<_>>());
    assert_eq!(got, (status, vec![expected]), "{case}");
}

#[track_caller]
fn assert_unauthenticated(answer: &Answered, case: &str) {
    assert_gateway_error(answer, 401, "AUTHENTICATION_FAILED", case);
}

/// How many requests the gateway has refused for this reason, by its metrics page.
fn refusals(gateway: &TestGateway, reason: &str) -> u64 {
    let mut page = ureq::get(&gateway.metrics_url).call().unwrap();
    let page = page.body_mut().read_to_string().unwrap();
    let start = format!("issuer_gateway_refusals_total{{reason=\"{reason}\"}} ");
    let mut counts = page.lines().filter_map(|line| line.strip_prefix(&start));
    counts.next().map_or(0, |count| count.parse().unwrap())
}
