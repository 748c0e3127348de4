//! `oauth_signature_method` and `oauth_version`.

use super::super::report::{Cause, StepId};
use super::super::walk::Walk;
use super::parameter;
use crate::oauth1::{Authorization, SignatureMethod};

/// The names that are accepted.
const NAMES: &str = "RSA-SHA256 or RSA-PSS";

pub(super) fn examine(walk: &mut Walk, authorization: &Authorization<'_>) {
    let method = parameter(authorization, "oauth_signature_method").unwrap_or_default();
    let known = [SignatureMethod::RsaSha256, SignatureMethod::RsaPss]
        .iter()
        .any(|known| known.name() == method);
    if !known {
        walk.failed(StepId::Method, method, NAMES, unknown(method));
        return;
    }
    match parameter(authorization, "oauth_version") {
        Some(version) if version != "1.0" => {
            let cause = Cause::new(
                "header.version",
                format!("oauth_version is {version}."),
                "Send oauth_version=\"1.0\", or leave it out.",
            );
            walk.failed(StepId::Method, version, "1.0", cause);
        }
        _ => walk.passed(StepId::Method, method),
    }
}

fn unknown(method: &str) -> Cause {
    let upper = method.to_ascii_uppercase();
    if upper.starts_with("HMAC") {
        return Cause::new(
            "method.hmac",
            format!("{method} signs with a shared secret, which no issuer has here."),
            "Sign with the RSA private key of the consumer key: RSA-SHA256.",
        );
    }
    if upper == "PLAINTEXT" {
        return Cause::new(
            "method.plaintext",
            "PLAINTEXT signs nothing.",
            "Sign with the RSA private key of the consumer key: RSA-SHA256.",
        );
    }
    if upper == "RSA-SHA1" {
        return Cause::new(
            "method.sha1",
            "RSA-SHA1 is the method of OAuth 1.0a as published; here SHA-256 is required.",
            "Sign the SHA-256 of the base string, and name the method RSA-SHA256.",
        );
    }
    let bare: String = upper.chars().filter(char::is_ascii_alphanumeric).collect();
    let means_pss = bare.contains("PSS");
    let (meant, sure) = match means_pss {
        true => ("RSA-PSS", true),
        false => ("RSA-SHA256", bare.contains("RSA") && bare.contains("256")),
    };
    let what = if sure {
        format!("The signature method is called {meant} here, not {method}.")
    } else {
        format!("{method} is no signature method of this gateway.")
    };
    Cause::new(
        "method.name",
        what,
        format!(
            "Write {meant} exactly, in the header and in the base string; the name is signed, so \
             sign again."
        ),
    )
}
