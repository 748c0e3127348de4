//! The `Authorization` header: read by the gateway's parser; what that refuses is looked at again.

use super::super::codec;
use super::super::diff::visible;
use super::super::recorded::Recorded;
use super::super::report::{Cause, StepId};
use super::super::walk::Walk;
use super::clock::milliseconds;
use crate::oauth1::{Authorization, HeaderFault, SignatureError};
use std::borrow::Cow;

/// What the further checks go on with.
pub(super) struct Header<'c> {
    /// As it came, or with one fault mended.
    pub(super) text: Cow<'c, str>,
}

/// `None`: nothing can be read out of it.
pub(super) fn examine<'c>(walk: &mut Walk, call: &'c Recorded) -> Option<Header<'c>> {
    const EXPECTED: &str = "OAuth name=\"value\",…, once";
    let all: Vec<&str> = call.all("authorization").collect();
    let text = match all.as_slice() {
        [single] => *single,
        [] => {
            let cause = missing(call);
            walk.failed(StepId::Header, "none", EXPECTED, cause);
            return None;
        }
        several => {
            let cause = Cause::new(
                "header.twice",
                format!("The call has {} Authorization headers.", several.len()),
                "Send one; the HTTP library may add a second one for user and password.",
            );
            walk.failed(StepId::Header, several.join(" | "), EXPECTED, cause);
            return None;
        }
    };
    let error = match Authorization::parse(text) {
        Ok(authorization) => {
            let found = format!(
                "OAuth with {} parameters beside oauth_signature",
                authorization.signed().count()
            );
            walk.passed(StepId::Header, found);
            return Some(Header { text: text.into() });
        }
        Err(error) => error,
    };
    let (cause, mended) = why(error, text);
    let expected = error.detail().unwrap_or(EXPECTED);
    walk.failed(StepId::Header, visible(text), expected, cause);
    let mended = mended.filter(|text| Authorization::parse(text).is_ok())?;
    Some(Header {
        text: mended.into(),
    })
}

fn missing(call: &Recorded) -> Cause {
    let in_query = call.query().is_some_and(|query| query.contains("oauth_"));
    let in_body = call
        .body
        .windows(16)
        .any(|window| window == b"oauth_signature=");
    if in_query || in_body {
        return Cause::new(
            "header.elsewhere",
            "The OAuth parameters are not in the Authorization header.",
            "Send them as Authorization: OAuth name=\"value\",…, not in the query or the body.",
        );
    }
    Cause::new(
        "header.missing",
        "The call has no Authorization header.",
        "Sign the call. If the client does, something on the way removes the header: an HTTP \
         library does so when it follows a redirect to another host.",
    )
}

/// The reason for the parser's error, and the header with it mended if that can be done.
fn why(error: SignatureError, text: &str) -> (Cause, Option<String>) {
    let cause = match error {
        SignatureError::MissingAuthorization => {
            let scheme = text.split_whitespace().next().unwrap_or_default();
            Cause::new(
                "header.scheme",
                format!("The Authorization header is of the scheme {scheme}, not OAuth."),
                "Send Authorization: OAuth oauth_consumer_key=\"…\",… (OAuth 1.0a, not a bearer \
                 token).",
            )
        }
        SignatureError::MalformedHeader(fault) => malformed(fault, text),
        SignatureError::DuplicateParameter(name) => Cause::new(
            "header.parameter_twice",
            format!("The header has {name} twice."),
            "Send each parameter once.",
        ),
        SignatureError::MissingParameter(name) => Cause::new(
            "header.parameter_missing",
            format!("The header has no {name}."),
            format!("Send {name}, and sign it with the others."),
        ),
        SignatureError::MalformedParameter(name) => return parameter(name, text),
        other => Cause::new(
            "header.malformed",
            format!("The header is not acceptable: {other}."),
            "Write it as OAuth name=\"value\",….",
        ),
    };
    (cause, None)
}

fn malformed(fault: HeaderFault, text: &str) -> Cause {
    match fault {
        HeaderFault::TooLong | HeaderFault::TooManyParameters => Cause::new(
            "header.too_long",
            format!("The header has {}.", codec::count(text.len(), "byte")),
            "Send at most 8192 bytes and 32 parameters.",
        ),
        HeaderFault::ForeignParameter => {
            let names = pairs(text).map(|(name, _)| name);
            let foreign: Vec<&str> = names
                .filter(|name| !name.starts_with("oauth_") && !name.eq_ignore_ascii_case("realm"))
                .collect();
            Cause::new(
                "header.foreign_parameter",
                format!(
                    "The header has {}, which OAuth does not know.",
                    foreign.join(", ")
                ),
                "Send the realm and oauth_* parameters alone; parameters of the query stay in the \
                 query.",
            )
        }
        HeaderFault::Value => Cause::new(
            "header.value",
            "A value of the header has characters that are not allowed there.",
            "Percent-encode values: printable ASCII, without \\ and &.",
        ),
        HeaderFault::NotAList => {
            let list = text.split_once(' ').map_or("", |(_, list)| list);
            let (what, advice) = if !list.contains('"') {
                (
                    "The values of the header are not in quotes.",
                    "Put each value in double quotes: oauth_nonce=\"abc\".",
                )
            } else if list.contains("\"&") || list.contains("\";") || list.contains("\" oauth_") {
                (
                    "The parameters of the header are not separated by commas.",
                    "Separate them by commas: oauth_nonce=\"abc\",oauth_version=\"1.0\".",
                )
            } else if list.trim_end().ends_with(',') {
                (
                    "The header ends with a comma.",
                    "Separate parameters by commas, without one after the last.",
                )
            } else if list.matches('"').count() % 2 == 1 {
                (
                    "A quote of the header is never closed: it was cut, or a value has a quote in \
                     it.",
                    "Percent-encode values, and send the whole header in one line.",
                )
            } else {
                (
                    "The header is no list of name=\"value\".",
                    "Write it as OAuth name=\"value\",name=\"value\".",
                )
            };
            Cause::new("header.malformed", what, advice)
        }
    }
}

/// A parameter whose value breaks its format.
fn parameter(name: &'static str, text: &str) -> (Cause, Option<String>) {
    let raw = pairs(text)
        .find(|(known, _)| *known == name)
        .map_or("", |(_, value)| value);
    let value = percent_encoding::percent_decode_str(raw).decode_utf8_lossy();
    match name {
        "oauth_signature" => return signature(text, raw, &value),
        "oauth_timestamp" => {
            let digits = value.bytes().all(|b| b.is_ascii_digit());
            if digits && value.len() >= 13 {
                return (milliseconds(&value), None);
            }
            return (
                Cause::new(
                    "timestamp.not_seconds",
                    format!("oauth_timestamp is {value:?}."),
                    "Send whole seconds since 1970 as digits, without a fraction, not a date.",
                ),
                None,
            );
        }
        _ => {}
    }
    let cause = Cause::new(
        "header.parameter_malformed",
        format!("{name} is {value:?}, which breaks its format."),
        match name {
            "oauth_nonce" => "Send 1 to 128 letters, digits and -._~+/=.",
            "oauth_consumer_key" => "Send the consumer key exactly: 1 to 256 visible characters.",
            _ => "Percent-encode the value as UTF-8.",
        },
    );
    (cause, None)
}

/// A signature that is not standard base64: the usual ways to get there, each mended to see
/// whether it verifies.
fn signature(text: &str, raw: &str, value: &str) -> (Cause, Option<String>) {
    let decoded_again = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
    let without_white: String = value.chars().filter(|c| !c.is_whitespace()).collect();
    let as_standard = value.replace('-', "+").replace('_', "/");
    let (cause, mended) = if value.contains('%') && codec::base64(&decoded_again).is_some() {
        (
            Cause::new(
                "header.signature_encoded_twice",
                "oauth_signature is percent-encoded twice.",
                "Encode it once: + is %2B, not %252B.",
            ),
            decoded_again.into_owned(),
        )
    } else if without_white != value && codec::base64(&without_white).is_some() {
        let plus = value.contains(' ') && !value.contains(['\r', '\n']);
        let (what, advice) = if plus {
            (
                "oauth_signature has blanks where base64 has +: it was form-decoded.",
                "Percent-encode the + of the signature as %2B.",
            )
        } else {
            (
                "oauth_signature is base64 in several lines.",
                "Encode without line breaks (openssl base64 -A, Base64.NO_WRAP, base64 -w0).",
            )
        };
        let mended = match plus {
            true => value.replace(' ', "+"),
            false => without_white,
        };
        (
            Cause::new("header.signature_line_breaks", what, advice),
            mended,
        )
    } else if as_standard != value && codec::base64(&as_standard).is_some() {
        (
            Cause::new(
                "header.signature_base64url",
                "oauth_signature is base64url.",
                "Use standard base64, with + and /, and percent-encode it.",
            ),
            as_standard,
        )
    } else if let (true, Some(beginning)) =
        (codec::is_base64_text(value), codec::base64_beginning(value))
    {
        let cause = Cause::new(
            "signature.cut",
            format!(
                "oauth_signature is cut: its base64 ends in the middle, after {}.",
                codec::count(beginning.len(), "byte")
            ),
            "Send the whole signature: 344 characters for a key of 2048 bits. A column, a log or a \
             variable may be too short for it.",
        );
        (cause, codec::to_base64(&beginning))
    } else {
        let found = codec::foreign(value, |c| {
            c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')
        });
        let place = found.map_or_else(String::new, |(place, c)| {
            format!(": character {place} is {:?}", visible(&c.to_string()))
        });
        let cause = Cause::new(
            "header.signature_not_base64",
            format!("oauth_signature is not base64{place}."),
            "Encode the signature's bytes in standard base64, then percent-encode that.",
        );
        return (cause, None);
    };
    let mended = percent_encoding::utf8_percent_encode(&mended, percent_encoding::NON_ALPHANUMERIC);
    let mended = text.replacen(
        &format!("oauth_signature=\"{raw}\""),
        &format!("oauth_signature=\"{mended}\""),
        1,
    );
    (cause, Some(mended))
}

/// Name and raw value of what looks like `name="value"`.
fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text.split_once(' ').map_or("", |(_, list)| list);
    std::iter::from_fn(move || {
        let (name, after) = rest.split_once("=\"")?;
        let (value, tail) = after.split_once('"')?;
        rest = tail;
        let name = name.rsplit([',', ' ', '\t', '&', ';']).next();
        Some((name.unwrap_or_default(), value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        let error = Authorization::parse(text).err().unwrap();
        why(error, text).0.code
    }

    #[test]
    fn each_malformed_header_has_its_reason() {
        let good = r#"oauth_consumer_key="a!b",oauth_nonce="n",oauth_timestamp="1700000000",oauth_signature_method="RSA-SHA256",oauth_signature="AAAA""#;
        let with = |from: &str, to: &str| format!("OAuth {}", good.replace(from, to));
        for (text, expected) in [
            ("Bearer abc".to_owned(), "header.scheme"),
            (with("\"", ""), "header.malformed"),
            (with(",", "&"), "header.malformed"),
            (with("AAAA\"", "AAAA\","), "header.malformed"),
            (with("AAAA\"", "AAAA"), "header.malformed"),
            (with("oauth_nonce=", "nonce="), "header.foreign_parameter"),
            (with("oauth_nonce=\"n\",", ""), "header.parameter_missing"),
            (
                with("oauth_nonce=\"n\"", "oauth_nonce=\"n\",oauth_nonce=\"n\""),
                "header.parameter_twice",
            ),
            (with("\"n\"", "\"{n}\""), "header.parameter_malformed"),
            (
                with("1700000000", "1700000000123"),
                "timestamp.milliseconds",
            ),
            (with("1700000000", "2026-11-27"), "timestamp.not_seconds"),
            (with("AAAA", "AA%252BA"), "header.signature_encoded_twice"),
            (with("AAAA", "AAAA%0AAAAA"), "header.signature_line_breaks"),
            (with("AAAA", "AA_-"), "header.signature_base64url"),
            (with("AAAA", "AAAAA"), "signature.cut"),
            (with("AAAA", "A*AA"), "header.signature_not_base64"),
        ] {
            assert_eq!(code(&text), expected, "{text}");
        }
    }

    #[test]
    fn a_mended_signature_is_the_one_that_was_meant() {
        let text = r#"OAuth oauth_consumer_key="a!b",oauth_nonce="n",oauth_timestamp="1700000000",oauth_signature_method="RSA-SHA256",oauth_signature="ab%252Bd""#;
        let error = Authorization::parse(text).err().unwrap();
        let mended = why(error, text).1.unwrap();
        let authorization = Authorization::parse(&mended).unwrap();
        assert_eq!(authorization.signature(), codec::base64("ab+d").unwrap());
    }
}
