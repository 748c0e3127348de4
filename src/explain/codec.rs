//! Encodings, read as leniently as can be told apart.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// base64 or base64url, with or without padding.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let standard = text.replace('-', "+").replace('_', "/");
    LENIENT.decode(standard).ok()
}

/// Padded standard base64.
pub(super) fn to_base64(bytes: &[u8]) -> String {
    openssl::base64::encode_block(bytes)
}

/// base64url without padding.
pub(super) fn to_base64url(bytes: &[u8]) -> String {
    let text = to_base64(bytes);
    let text = text.trim_end_matches('=');
    text.replace('+', "-").replace('/', "_")
}

/// The longest beginning of a text that base64 can be, for one that was cut.
pub(super) fn base64_beginning(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let whole = text.len() - usize::from(text.len() % 4 == 1);
    base64(text.get(..whole)?)
}

/// Whether all characters are those of either base64.
pub(super) fn is_base64_text(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"+/-_=".contains(&b);
    !text.is_empty() && text.bytes().all(legal)
}

/// Hexadecimal in any case.
pub(super) fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The first character that is not of the alphabet, and its place from 1.
pub(super) fn foreign(text: &str, legal: impl Fn(char) -> bool) -> Option<(usize, char)> {
    let mut characters = text.chars().zip(1..);
    characters
        .find(|(c, _)| !legal(*c))
        .map(|(c, place)| (place, c))
}

/// `1 byte`, `2 bytes`.
pub(super) fn count(number: usize, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{s}")
}
