//! Base64 as official clients write it, and as we do.
//!
//! Node's JWE library leaves `/` in segments that are otherwise base64url, and old releases pad. So
//! decoding takes either alphabet, even mixed, with or without padding; in everything else it is
//! strict, so that one text is never read in two ways.

use base64::alphabet;
use base64::engine::{Engine, GeneralPurpose, general_purpose};

const PADDED: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, general_purpose::PAD);
const UNPADDED: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, general_purpose::NO_PAD);

/// Decodes base64 or base64url, mixed or not, padded in full or not at all.
///
/// `None` for any other character (white space too), partial padding, an impossible length, and
/// non-zero bits after the last byte (RFC 4648, 3.5).
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let standard: Vec<u8> = text
        .bytes()
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        })
        .collect();
    let engine = if standard.ends_with(b"=") {
        PADDED
    } else {
        UNPADDED
    };
    engine.decode(&standard).ok()
}

/// Encodes as base64url without padding (RFC 7515, section 2): the one form of a JWE that every
/// client reads.
pub(crate) fn encode(bytes: &[u8]) -> String {
    general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// Encodes as standard base64 with padding (RFC 4648, section 4).
pub(crate) fn encode_padded(bytes: &[u8]) -> String {
    general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_alphabet_mixed_padded_or_not() {
        let bytes = [0xfb, 0xff, 0xfe, 0x3e, 0x3f, 0xbf, 0xff];
        for text in [
            "+//+Pj+//w==",
            "-__-Pj-__w",
            "-_/-Pj+//w",
            "-//+Pj-_/w==",
            "+__+Pj-//w",
        ] {
            assert_eq!(decode(text).as_deref(), Some(&bytes[..]), "{text}");
        }
        assert_eq!(decode(""), Some(Vec::new()));
        assert_eq!(encode(&bytes), "-__-Pj-__w");
        assert_eq!(encode_padded(&bytes), "+//+Pj+//w==");
    }

    #[test]
    fn nothing_else() {
        for text in [
            "QQ=",
            "QQ===",
            "Q",
            "QUFB=",
            "=",
            "==",
            "====",
            "Q=Q=",
            "QQ==QQ==",
            "QR",
            "QQ\n",
            " QQ",
            "QU FB",
            "QU\tFB",
            "QUF.",
            "QUF\u{e9}",
            "QUF\0",
            "QUF*",
            "QUF,",
        ] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }
}
