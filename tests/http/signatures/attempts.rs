//! Requests around a good one that must be refused (O6), each with the reason that logs and metrics
//! give.

use super::{ENROL, Signed, consumer_key, now};
use crate::support::gateway::TestGateway;
use crate::support::peer::base64_standard;

/// One request that must be refused.
pub(super) struct Attempt {
    pub(super) case: String,
    pub(super) target: String,
    pub(super) authorization: Vec<String>,
    pub(super) body: Vec<u8>,
    /// As logs and metrics name it.
    pub(super) reason: &'static str,
}

/// Everything that must be refused instead of an enrolment with this body.
pub(super) fn attempts(gateway: &TestGateway, body: &[u8]) -> Vec<Attempt> {
    let mut attempts = Attempts {
        gateway,
        body: body.to_vec(),
        all: Vec::new(),
    };
    attempts.bodies();
    attempts.request_lines();
    attempts.senders();
    attempts.methods();
    attempts.parameters();
    attempts.headers();
    attempts.all
}

/// Collects attempts around one good request.
struct Attempts<'a> {
    gateway: &'a TestGateway,
    body: Vec<u8>,
    all: Vec<Attempt>,
}

impl Attempts<'_> {
    fn signed(&self) -> Signed {
        Signed::enrol(self.gateway, &self.body)
    }

    /// The good body with another header.
    fn header(&mut self, case: &str, authorization: String, reason: &'static str) {
        self.target(case, ENROL, authorization, reason);
    }

    /// The good body to another target.
    fn target(&mut self, case: &str, target: &str, authorization: String, reason: &'static str) {
        self.all.push(Attempt {
            case: case.to_owned(),
            target: target.to_owned(),
            authorization: vec![authorization],
            body: self.body.clone(),
            reason,
        });
    }

    fn bodies(&mut self) {
        let mut changed = self.body.clone();
        changed.push(b' ');
        for (case, body) in [("body changed", changed), ("body gone", Vec::new())] {
            let authorization = self.signed().authorization();
            self.header(case, authorization, "body-hash-mismatch");
            self.all.last_mut().unwrap().body = body;
        }
        let hash = |hash: &str| self.signed().with("oauth_body_hash", hash).authorization();
        let empty = hash("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        let (none, short) = (hash(""), hash("47DEQpj8HBSa"));
        let absent = self.signed().without("oauth_body_hash").authorization();
        self.header("hash of no bytes", empty, "body-hash-mismatch");
        self.header("empty hash", none, "body-hash-mismatch");
        self.header("short hash", short, "body-hash-mismatch");
        self.header("no hash", absent, "body-hash-missing");
    }

    fn request_lines(&mut self) {
        let plain = self.signed();
        let with_query = |before: &str| {
            let signed = self.signed();
            signed.header_over(&signed.parameters(before, ""))
        };
        let (lang, both) = (with_query("lang=en-US"), with_query("id=1&lang=en-US"));
        for (case, query, authorization) in [
            ("query added", "?lang=en-US", plain.authorization()),
            ("query removed", "", lang.clone()),
            ("query changed", "?lang=en-GB", lang.clone()),
            ("query name changed", "?LANG=en-US", lang.clone()),
            ("pair added", "?lang=en-US&x=1", lang.clone()),
            (
                "pair doubled with another value",
                "?lang=en-US&lang=sv",
                lang,
            ),
            ("pair removed", "?lang=en-US", both),
        ] {
            self.target(
                case,
                &format!("{ENROL}{query}"),
                authorization,
                "signature-invalid",
            );
        }
        for query in [
            "?oauth_nonce=x",
            "?oauth%5Fnonce=x",
            "?a=b&%6fauth_version=1.0",
        ] {
            let authorization = self.signed().authorization();
            self.target(
                query,
                &format!("{ENROL}{query}"),
                authorization,
                "parameter-in-query",
            );
        }
        let put = Signed {
            method: "PUT",
            ..self.signed()
        };
        self.header("another method", put.authorization(), "signature-invalid");
        let base = self.gateway.base_url.clone();
        for url in [
            format!("{base}/Issuers/users"),
            format!("{base}/issuers/users/"),
            format!("{base}/cts{ENROL}"),
            format!("{}{ENROL}", base.replace("http:", "https:")),
            format!("http://127.0.0.1{ENROL}"),
            format!("https://other-tenant.example{ENROL}"),
        ] {
            let signed = Signed {
                url: url.clone(),
                ..self.signed()
            };
            self.header(
                &format!("signed for {url}"),
                signed.authorization(),
                "signature-invalid",
            );
        }
    }

    fn senders(&mut self) {
        for key in ["nobody!00", "demo", "demo!ffff", "", "a b"] {
            let malformed = key.is_empty() || key.contains(' ');
            let reason = if malformed {
                "malformed-parameter"
            } else {
                "signature-invalid"
            };
            let signed = self.signed().with("oauth_consumer_key", key);
            self.header(
                &format!("consumer key {key:?}"),
                signed.authorization(),
                reason,
            );
        }
        let foreign = Signed {
            key: "other-issuer-signing",
            ..self.signed()
        };
        self.header(
            "another issuer's key",
            foreign.authorization(),
            "signature-invalid",
        );
        let compat = self
            .signed()
            .with("oauth_consumer_key", &consumer_key("compat"));
        self.header(
            "another issuer's consumer key",
            compat.authorization(),
            "signature-invalid",
        );
        // `basic` signs with the same key: a header cannot be handed on to it.
        let exchanged = self.signed().authorization().replace("\"demo!", "\"basic!");
        self.header("consumer key exchanged", exchanged, "signature-invalid");
    }

    fn methods(&mut self) {
        for method in [
            "HMAC-SHA1",
            "HMAC-SHA256",
            "RSA-SHA1",
            "RSA-SHA512",
            "PLAINTEXT",
            "rsa-sha256",
            "",
        ] {
            let signed = self.signed().with("oauth_signature_method", method);
            self.header(
                method,
                signed.authorization(),
                "unsupported-signature-method",
            );
        }
        let pss = self.signed().with("oauth_signature_method", "RSA-PSS");
        let base_string = pss.base_string(&pss.parameters("", ""));
        for salt in [0, 20, 31, 33, 222] {
            let header = pss.header(&pss.rsa_pss(&base_string, salt));
            self.header(
                &format!("PSS with a salt of {salt}"),
                header,
                "signature-invalid",
            );
        }
        let header = pss.header(&pss.rsa_sha256(&base_string));
        self.header("PKCS#1 as PSS", header, "signature-invalid");
        let plain = self.signed();
        let header =
            plain.header(&plain.rsa_pss(&plain.base_string(&plain.parameters("", "")), 32));
        self.header("PSS as PKCS#1", header, "signature-invalid");
    }

    fn parameters(&mut self) {
        let good = self.signed().authorization();
        for name in [
            "oauth_nonce",
            "oauth_consumer_key",
            "oauth_timestamp",
            "oauth_body_hash",
            "oauth_signature",
        ] {
            for value in ["x", ""] {
                self.header(
                    &format!("two {name}"),
                    format!("{good},{name}=\"{value}\""),
                    "duplicate-parameter",
                );
            }
        }
        let realms = good.replace("OAuth ", "OAuth realm=\"\",realm=\"\",");
        self.header("two realms", realms, "duplicate-parameter");
        for name in [
            "oauth_nonce",
            "oauth_consumer_key",
            "oauth_timestamp",
            "oauth_signature_method",
        ] {
            let signed = self.signed().without(name);
            self.header(
                &format!("no {name}"),
                signed.authorization(),
                "missing-parameter",
            );
        }
        let (unsigned, _) = good.split_once(",oauth_signature=").unwrap();
        self.header("no signature", unsigned.to_owned(), "missing-parameter");
        for (signature, reason) in [
            ("", "signature-invalid"),
            ("AAAA", "signature-invalid"),
            ("***", "malformed-parameter"),
            (&base64_standard(&[0; 256]), "signature-invalid"),
            (&base64_standard(&[0xff; 256]), "signature-invalid"),
        ] {
            let header = format!("{unsigned},oauth_signature=\"{signature}\"");
            self.header(&format!("signature {signature:.8}"), header, reason);
        }
        for (name, value) in [
            ("oauth_nonce", ""),
            ("oauth_nonce", &"x".repeat(129)),
            ("oauth_nonce", "a b"),
            ("oauth_timestamp", ""),
            ("oauth_timestamp", "-1"),
            ("oauth_timestamp", "1e9"),
            ("oauth_timestamp", "99999999999999999999"),
        ] {
            let signed = self.signed().with(name, value);
            self.header(
                &format!("{name} {value:.8}"),
                signed.authorization(),
                "malformed-parameter",
            );
        }
        let signed = self.signed().with("oauth_version", "2.0");
        self.header("version 2.0", signed.authorization(), "unsupported-version");
        // One second more than the window; ahead with room, because time goes on until the gateway
        // looks.
        for timestamp in [now() - 301, now() + 900, 0, 999_999_999_999] {
            let signed = self
                .signed()
                .with("oauth_timestamp", &timestamp.to_string());
            self.header(
                &format!("timestamp {timestamp}"),
                signed.authorization(),
                "timestamp-out-of-window",
            );
        }
        let milliseconds = self
            .signed()
            .with("oauth_timestamp", &(now() * 1000).to_string());
        self.header(
            "milliseconds",
            milliseconds.authorization(),
            "malformed-parameter",
        );
    }

    fn headers(&mut self) {
        let good = self.signed().authorization();
        for (case, header, reason) in [
            ("Bearer", "Bearer abc".to_owned(), "missing-authorization"),
            ("Basic", "Basic YTpi".to_owned(), "missing-authorization"),
            ("scheme alone", "OAuth".to_owned(), "missing-authorization"),
            ("no parameters", "OAuth x".to_owned(), "malformed-header"),
            ("trailing comma", format!("{good},"), "malformed-header"),
            ("semicolons", good.replace("\",", "\";"), "malformed-header"),
            ("no quotes", good.replace('"', ""), "malformed-header"),
            (
                "a foreign parameter",
                format!("{good},lang=\"en-US\""),
                "malformed-header",
            ),
            (
                "a pair inside a value",
                format!("{good},oauth_z=\"&lang=en-US\""),
                "malformed-header",
            ),
            (
                "too long",
                good.replace("OAuth ", &format!("OAuth realm=\"{}\",", "x".repeat(8192))),
                "malformed-header",
            ),
        ] {
            self.header(case, header, reason);
        }
        for (case, authorization) in [
            ("no header", vec![]),
            ("the same header twice", vec![good.clone(), good.clone()]),
            (
                "a second header",
                vec![good.clone(), "Bearer abc".to_owned()],
            ),
        ] {
            self.header(case, String::new(), "missing-authorization");
            self.all.last_mut().unwrap().authorization = authorization;
        }
    }
}
