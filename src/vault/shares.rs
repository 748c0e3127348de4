//! A KEK as two shares for two custodians. Neither reveals anything alone: each is 32 random bytes,
//! and the KEK is the XOR of both.
//!
//! A share is one line: `issuer-gateway-kek-share.1.NUMBER.SPLIT.VALUE.CHECKSUM`, where 1 is the
//! version of the form, NUMBER 1 or 2, SPLIT 16 random hex digits that both shares of one split
//! have in common, VALUE 32 bytes in base64, and CHECKSUM the first 8 hex digits of the SHA-256 of
//! all that stands before its dot. The checksum finds typing errors; it is made of the share alone,
//! so it says nothing of the KEK, and neither does any other part.

use super::VaultError;
use super::key::{KEY, KeyBytes, decode_key, random_key};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::Zeroizing;

const LABEL: &str = "issuer-gateway-kek-share";
const VERSION: &str = "1";
/// Hex digits of a split's id.
const SPLIT: usize = 16;
/// Hex digits of a checksum.
const CHECKSUM: usize = 8;

/// Why two shares make no KEK. Holds numbers and ids of splits, no part of a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// It does not have a share's form.
    #[error(
        "not a KEK share: it must be one line that begins with {LABEL}, as vault split-kek wrote it"
    )]
    Malformed,
    /// The version of the form is none that this program knows.
    #[error("a KEK share of version {0}: this program reads version {VERSION}")]
    UnknownVersion(u32),
    /// Mistyped, cut or altered.
    #[error("the share's checksum does not fit: it was mistyped or altered")]
    Altered,
    /// One share came twice.
    #[error("share {0} came twice: the other custodian's share is needed")]
    SameNumber(u8),
    /// They were not made together.
    #[error("the shares come from two splits ({0} and {1}): both must come from the same one")]
    DifferentSplits(String, String),
}

/// One custodian's share, parsed. `Debug` shows which it is, never its value.
pub struct Share {
    number: u8,
    split: String,
    value: KeyBytes,
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Share({} of split {})", self.number, self.split)
    }
}

/// Two shares of `key`, numbers 1 and 2.
pub(super) fn split(key: &KeyBytes) -> Result<[Zeroizing<String>; 2], VaultError> {
    let mut id = [0; SPLIT / 2];
    openssl::rand::rand_bytes(&mut id).map_err(|_| VaultError::CannotSeal)?;
    let id = hex::encode(id);
    let random = random_key()?;
    let other = xor(key, &random);
    Ok([line(1, &id, &random), line(2, &id, &other)])
}

/// The key of two shares, in whichever order they come.
pub(super) fn join(one: &Share, other: &Share) -> Result<KeyBytes, ShareError> {
    if one.split != other.split {
        let (one, other) = (one.split.clone(), other.split.clone());
        return Err(ShareError::DifferentSplits(one, other));
    }
    if one.number == other.number {
        return Err(ShareError::SameNumber(one.number));
    }
    Ok(xor(&one.value, &other.value))
}

impl Share {
    /// Parses one line; white space around it does not matter.
    pub fn parse(text: &str) -> Result<Self, ShareError> {
        let text = text.trim();
        let rest = text.strip_prefix(LABEL).ok_or(ShareError::Malformed)?;
        let rest = rest.strip_prefix('.').ok_or(ShareError::Malformed)?;
        let (version, _) = rest.split_once('.').ok_or(ShareError::Malformed)?;
        if version != VERSION {
            let number = version.parse().map_err(|_| ShareError::Malformed)?;
            return Err(ShareError::UnknownVersion(number));
        }
        let (body, sum) = text.rsplit_once('.').ok_or(ShareError::Malformed)?;
        if sum != checksum(body) {
            return Err(ShareError::Altered);
        }
        let parts: Vec<&str> = body.split('.').collect();
        let [_, _, number, split, value] = parts.as_slice() else {
            return Err(ShareError::Malformed);
        };
        let number = match *number {
            "1" => 1,
            "2" => 2,
            _ => return Err(ShareError::Malformed),
        };
        if split.len() != SPLIT || !split.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(ShareError::Malformed);
        }
        Ok(Self {
            number,
            split: (*split).to_owned(),
            value: decode_key(value).ok_or(ShareError::Malformed)?,
        })
    }
}

fn xor(one: &KeyBytes, other: &KeyBytes) -> KeyBytes {
    let mut result = KeyBytes::default();
    for (result, (one, other)) in result.iter_mut().zip(one.iter().zip(other.iter())) {
        *result = one ^ other;
    }
    result
}

fn line(number: u8, split: &str, value: &KeyBytes) -> Zeroizing<String> {
    // Long enough from the start: a text that grows leaves copies behind.
    let length = LABEL.len() + VERSION.len() + 1 + SPLIT + KEY.div_ceil(3) * 4 + CHECKSUM + 5;
    let mut text = Zeroizing::new(String::with_capacity(length));
    for part in [LABEL, VERSION, &number.to_string(), split] {
        text.push_str(part);
        text.push('.');
    }
    STANDARD.encode_string(value.as_slice(), &mut text);
    let checksum = checksum(&text);
    text.push('.');
    text.push_str(&checksum);
    text
}

fn checksum(body: &str) -> String {
    let digest = Sha256::digest(body.as_bytes());
    hex::encode(digest.get(..CHECKSUM / 2).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Kek;
    use proptest::prelude::*;

    fn key(bytes: [u8; KEY]) -> KeyBytes {
        Zeroizing::new(bytes)
    }

    fn share(text: &str) -> Share {
        Share::parse(text).unwrap()
    }

    fn error(text: &str) -> Option<ShareError> {
        Share::parse(text).err()
    }

    /// A share as somebody would forge it: with a checksum that fits.
    fn forged(body: &str) -> String {
        format!("{body}.{}", checksum(body))
    }

    #[test]
    fn debug_shows_number_and_split_alone() {
        let [one, _] = split(&key([7; KEY])).unwrap();
        let one = share(&one);
        let shown = format!("{one:?}");
        assert_eq!(shown, format!("Share(1 of split {})", one.split));
    }

    proptest! {
        #[test]
        fn two_shares_make_the_key_in_either_order(bytes: [u8; KEY]) {
            let [one, two] = split(&key(bytes)).unwrap();
            let (one, two) = (share(&format!("  {}\r\n", *one)), share(&two));
            prop_assert_eq!(*join(&one, &two).unwrap(), bytes);
            prop_assert_eq!(*join(&two, &one).unwrap(), bytes);
        }

        /// Perfect secrecy: whatever share one custodian holds, for every KEK there is one share of
        /// the other that makes it, so holding one tells nothing of the KEK.
        #[test]
        fn either_share_alone_fits_every_key(bytes: [u8; KEY], any: [u8; KEY]) {
            for held in split(&key(bytes)).unwrap() {
                let held = share(&held);
                let value = xor(&key(any), &held.value);
                let other = share(&line(3 - held.number, &held.split, &value));
                prop_assert_eq!(*join(&held, &other).unwrap(), any);
            }
        }

        #[test]
        fn one_wrong_character_is_found(at in 0usize..200, with in "[ -~]") {
            let [text, _] = split(&key([7; KEY])).unwrap();
            let at = at % text.len();
            let mut wrong = text.to_string();
            wrong.replace_range(at..=at, &with);
            prop_assume!(wrong != *text && wrong.trim().len() == text.len());
            prop_assert!(Share::parse(&wrong).is_err());
        }

        #[test]
        fn no_text_makes_it_panic(text: String, tail in "[0-9a-f.=/+A-Z]{0,120}") {
            let _ = Share::parse(&text);
            let _ = Share::parse(&format!("{LABEL}.{tail}"));
            let _ = Share::parse(&forged(&format!("{LABEL}.1.{tail}")));
        }
    }

    #[test]
    fn the_form_is_one_line_without_the_key() {
        let kek = Kek::from_base64(&STANDARD.encode([0xab; KEY])).unwrap();
        for (number, text) in [1, 2].into_iter().zip(kek.split().unwrap()) {
            let parts: Vec<&str> = text.split('.').collect();
            assert_eq!(parts[..3], [LABEL, "1", &number.to_string()]);
            assert_eq!(
                parts[3..].iter().map(|p| p.len()).collect::<Vec<_>>(),
                [16, 44, 8]
            );
            assert_eq!(text.len(), text.capacity(), "it did not grow");
            assert!(!text.contains(kek.id()));
            let shown = format!("{:?}", share(&text));
            assert!(!shown.contains(parts[4]), "{shown}");
        }
    }

    #[test]
    fn no_two_splits_have_anything_in_common() {
        let kek = Kek::from_base64(&STANDARD.encode([0xab; KEY])).unwrap();
        let ([one, _], [other, _]) = (kek.split().unwrap(), kek.split().unwrap());
        let (one, other) = (share(&one), share(&other));
        assert_ne!(one.value, other.value);
        assert_ne!(one.split, other.split);
    }

    #[test]
    fn shares_that_do_not_belong_together_are_told_apart() {
        let [one, two] = split(&key([1; KEY])).unwrap();
        let [stranger, _] = split(&key([1; KEY])).unwrap();
        let (one, two, stranger) = (share(&one), share(&two), share(&stranger));
        for (number, doubled) in [(1, &one), (2, &two)] {
            assert_eq!(
                join(doubled, doubled).err(),
                Some(ShareError::SameNumber(number))
            );
        }
        let mixed = ShareError::DifferentSplits(stranger.split.clone(), two.split.clone());
        assert_eq!(join(&stranger, &two).err(), Some(mixed));
    }

    #[test]
    fn what_is_no_share_is_named() {
        let [text, _] = split(&key([1; KEY])).unwrap();
        let (body, _) = text.rsplit_once('.').unwrap();
        let kek = Kek::generate().unwrap();
        for malformed in [
            "",
            "issuer-gateway-kek-share",
            "issuer-gateway-kek-share.",
            &kek,
        ] {
            assert_eq!(error(malformed), Some(ShareError::Malformed), "{malformed}");
        }
        assert_eq!(error(body), Some(ShareError::Altered), "cut");
        assert_eq!(error(&text.to_uppercase()), Some(ShareError::Malformed));
        let two_in_one = format!("{}\n{}", *text, *text);
        assert_eq!(error(&two_in_one), Some(ShareError::Altered));
        let of_version_2 = forged(&body.replacen("share.1.", "share.2.", 1));
        assert_eq!(error(&of_version_2), Some(ShareError::UnknownVersion(2)));
        for forgery in [
            body.replacen("share.1.1.", "share.1.3.", 1),
            body.replacen("share.1.1.", "share.1..", 1),
            format!("{body}.more"),
            body[..body.len() - 4].to_owned(),
            format!("{LABEL}.1.1.0123.{}", STANDARD.encode([0; KEY])),
            format!("{LABEL}.1.1.0123456789abcdeg.{}", STANDARD.encode([0; KEY])),
        ] {
            assert_eq!(
                error(&forged(&forgery)),
                Some(ShareError::Malformed),
                "{forgery}"
            );
        }
    }
}
