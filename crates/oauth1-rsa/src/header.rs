//! The `Authorization: OAuth name="value",…` header (RFC 5849, section 3.5.1).
//!
//! Parsing is tolerant where official libraries differ (order, blanks, bare or percent-encoded
//! values) and strict where a second reading would be possible: every parameter once, none that
//! OAuth does not know, and no `&` in a value, because values enter the base string unescaped and
//! an `&` could stand for a pair that the client had in its query.

use super::error::{HeaderFault, known};
use super::{SignatureError, verify::SignatureMethod};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::fmt;

const MAX_HEADER_BYTES: usize = 8 * 1024;
const MAX_PARAMETERS: usize = 32;
const BLANKS: [char; 2] = [' ', '\t'];

/// Signatures are standard base64; whether it is padded does not matter.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A parsed header. Nothing in it is trusted before [`verify`](Self::verify) has passed.
///
/// It borrows from the header's text; only percent-encoded values are copied.
pub struct Authorization<'h> {
    consumer_key: Cow<'h, str>,
    nonce: Cow<'h, str>,
    timestamp: i64,
    method: Option<SignatureMethod>,
    signature: Vec<u8>,
    /// Everything that is signed, as it came: all parameters but `realm` and `oauth_signature`.
    signed: Vec<(&'h str, Cow<'h, str>)>,
}

impl<'h> Authorization<'h> {
    /// Parses the value of an `Authorization` header of at most 8 KiB and 32 parameters.
    ///
    /// Required are `oauth_consumer_key` (1..=256 visible ASCII characters), `oauth_nonce` (1..=128
    /// letters, digits and `-._~+/=`; official libraries send 8 to 32 letters and digits),
    /// `oauth_timestamp` (1..=12 decimal digits), `oauth_signature_method` and `oauth_signature`
    /// (base64). A request with several `Authorization` headers must be refused by the caller.
    pub fn parse(header: &'h str) -> Result<Self, SignatureError> {
        if header.len() > MAX_HEADER_BYTES {
            return Err(HeaderFault::TooLong.into());
        }
        let mut parameters = parameters(header)?;
        let encoded_signature = match parameters.iter().position(|p| p.0 == "oauth_signature") {
            Some(index) => parameters.swap_remove(index).1,
            None => return Err(SignatureError::MissingParameter("oauth_signature")),
        };
        let signature = BASE64
            .decode(encoded_signature.as_bytes())
            .map_err(|_| SignatureError::MalformedParameter("oauth_signature"))?;
        let required = |name: &'static str, legal: fn(&str) -> bool| {
            let value = find(&parameters, name).ok_or(SignatureError::MissingParameter(name))?;
            match legal(value) {
                true => Ok(value.clone()),
                false => Err(SignatureError::MalformedParameter(name)),
            }
        };
        Ok(Self {
            consumer_key: required("oauth_consumer_key", is_consumer_key)?,
            nonce: required("oauth_nonce", is_nonce)?,
            timestamp: required("oauth_timestamp", is_timestamp)?
                .parse()
                .map_err(|_| SignatureError::MalformedParameter("oauth_timestamp"))?,
            method: SignatureMethod::from_name(&required("oauth_signature_method", |_| true)?),
            signature,
            signed: parameters,
        })
    }

    /// The whole `oauth_consumer_key`.
    pub fn consumer_key(&self) -> &str {
        &self.consumer_key
    }

    /// The part of the consumer key before its first `!` (all of it if there is none): the client
    /// id.
    pub fn client_id(&self) -> &str {
        let key = self.consumer_key();
        key.split_once('!').map_or(key, |(id, _)| id)
    }

    /// The nonce, to be accepted once per consumer key.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// The timestamp in seconds since 1970, UTC.
    pub fn timestamp(&self) -> i64 {
        self.timestamp
    }

    /// The signature method, `None` if it is none of ours.
    pub(super) fn method(&self) -> Option<SignatureMethod> {
        self.method
    }

    pub(super) fn version(&self) -> Option<&str> {
        find(&self.signed, "oauth_version").map(Cow::as_ref)
    }

    pub(super) fn body_hash(&self) -> Option<&str> {
        find(&self.signed, "oauth_body_hash").map(Cow::as_ref)
    }

    /// The signature, decoded; as long as the modulus if it was made with RSA.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Name and decoded value of each parameter that the signature covers, in the header's order:
    /// all but `realm` and `oauth_signature`.
    pub fn signed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.signed
            .iter()
            .map(|(name, value)| (*name, value.as_ref()))
    }
}

impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization")
            .field("client_id", &self.client_id())
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}

/// Whether official libraries could send `text` as a consumer key.
pub(super) fn is_consumer_key(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Whether `text` is a nonce by the rule of [`Authorization::parse`].
pub(super) fn is_nonce(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    (1..=128).contains(&text.len()) && text.bytes().all(legal)
}

fn is_timestamp(text: &str) -> bool {
    (1..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

fn find<'a, 'h>(parameters: &'a [(&'h str, Cow<'h, str>)], name: &str) -> Option<&'a Cow<'h, str>> {
    let (_, value) = parameters.iter().find(|(n, _)| *n == name)?;
    Some(value)
}

/// All parameters but `realm`, decoded, in the header's order.
fn parameters(header: &str) -> Result<Vec<(&str, Cow<'_, str>)>, SignatureError> {
    let (scheme, list) = header
        .trim_matches(BLANKS)
        .split_once(BLANKS)
        .ok_or(SignatureError::MissingAuthorization)?;
    if !scheme.eq_ignore_ascii_case("OAuth") {
        return Err(SignatureError::MissingAuthorization);
    }
    let mut found: Vec<(&str, Cow<'_, str>)> = Vec::with_capacity(8);
    let mut realm_seen = false;
    let mut rest = list;
    loop {
        let (name, value, tail) = first_parameter(rest).ok_or(HeaderFault::NotAList)?;
        let is_realm = name.eq_ignore_ascii_case("realm");
        if (is_realm && realm_seen) || found.iter().any(|(n, _)| *n == name) {
            let name = if is_realm { Some("realm") } else { known(name) };
            return Err(SignatureError::DuplicateParameter(
                name.unwrap_or("oauth_*"),
            ));
        }
        if is_realm {
            realm_seen = true;
        } else if name.starts_with("oauth_") {
            if found.len() == MAX_PARAMETERS {
                return Err(HeaderFault::TooManyParameters.into());
            }
            let value = decode(value).ok_or_else(|| match known(name) {
                Some(name) => SignatureError::MalformedParameter(name),
                None => HeaderFault::Value.into(),
            })?;
            found.push((name, value));
        } else {
            // A foreign name would be signed like a query pair: a pair could then be taken out of
            // the query and put here without the signature noticing.
            return Err(HeaderFault::ForeignParameter.into());
        }
        match tail.strip_prefix(',') {
            Some(next) => rest = next,
            None if tail.is_empty() => return Ok(found),
            None => return Err(HeaderFault::NotAList.into()),
        }
    }
}

/// Name and raw value of the first `name="value"`, and what follows it.
fn first_parameter(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.split_once('=')?;
    let name = name.trim_matches(BLANKS);
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if name.is_empty() || !name.bytes().all(legal) {
        return None;
    }
    let quoted = rest.trim_start_matches(BLANKS).strip_prefix('"')?;
    let (value, tail) = quoted.split_once('"')?;
    Some((name, value, tail.trim_start_matches(BLANKS)))
}

/// Percent-decodes a value; `+` stays `+`. `None` if it is not printable ASCII, or an escape is not
/// UTF-8.
fn decode(raw: &str) -> Option<Cow<'_, str>> {
    let printable = raw
        .bytes()
        .all(|b| (b' '..=b'~').contains(&b) && b != b'\\');
    let escapes_are_whole = raw.split('%').skip(1).all(|after| {
        let mut digits = after.bytes();
        let mut hex = || digits.next().is_some_and(|b| b.is_ascii_hexdigit());
        hex() && hex()
    });
    if !printable || !escapes_are_whole {
        return None;
    }
    let value = percent_decode_str(raw).decode_utf8().ok()?;
    (!value.contains('&')).then_some(value)
}

#[cfg(test)]
mod tests;
