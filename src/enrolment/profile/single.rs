//! The parts of a profile that are one string: locale and phone number.

use crate::enrolment::StoredError;
use crate::enrolment::stored::{self, Stored};
use crate::enrolment::text::{self, Rule};
use crate::text_form::TextForm;
use std::fmt;
use zeroize::Zeroizing;

/// A locale. The spec gives no form, so the gateway checks none.
pub const LOCALE: TextForm = TextForm::printable(1, 100);
/// A phone number in E.164 form (spec/README.md, decision 3).
pub const PHONE_NUMBER: TextForm = TextForm::matching(r"^\+[1-9][0-9]{6,14}$");

/// The cardholder's locale (`en-US`): [`LOCALE`].
pub struct Locale(Zeroizing<String>);

impl Locale {
    pub(in crate::enrolment) fn parse(text: &str) -> Result<Self, Rule> {
        text::free(text, &LOCALE).map(Self)
    }

    /// The locale, as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that is sealed at rest: `{"locale":"en-US"}`.
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        stored::write(&[("locale", Some(&self.0))])
    }

    /// Reads what [`Locale::to_json`] wrote.
    pub fn from_json(json: &[u8]) -> Result<Self, StoredError> {
        Stored::read(json)?.required("locale").map(Self)
    }
}

impl fmt::Debug for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Locale(****)")
    }
}

/// A phone number: [`PHONE_NUMBER`].
pub struct PhoneNumber(Zeroizing<String>);

impl PhoneNumber {
    pub(in crate::enrolment) fn parse(text: &str) -> Result<Self, Rule> {
        let digits = text.strip_prefix('+').unwrap_or_default();
        let fits = (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit());
        if fits {
            Ok(Self(text::owned(text)))
        } else {
            Err("must be an E.164 number: a plus sign and 7 to 15 digits, the first not 0".into())
        }
    }

    /// The number with its plus sign.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that is sealed at rest: `{"phoneNumber":"+12025550123"}`.
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        stored::write(&[("phoneNumber", Some(&self.0))])
    }

    /// Reads what [`PhoneNumber::to_json`] wrote.
    pub fn from_json(json: &[u8]) -> Result<Self, StoredError> {
        Stored::read(json)?.required("phoneNumber").map(Self)
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(****)")
    }
}
