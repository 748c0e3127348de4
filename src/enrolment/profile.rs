//! The cardholder's profile: e-mail, name, address, locale, phone number.
//!
//! Each is sealed in a column of its own, so each has its own stored form: a JSON object whose
//! members are named as on the wire. All are wiped on drop and never shown by `Debug`.

mod address;
mod single;

pub use address::{
    ADDRESS_KIND, ADDRESS_LINE, Address, COUNTRY_CODE, LOCALITY, POSTAL_CODE, STATE_OR_CITY,
};
pub use single::{LOCALE, Locale, PHONE_NUMBER, PhoneNumber};

use super::StoredError;
use super::report::{Members, Need, Report};
use super::stored::{self, Stored};
use super::text::{self, NameCharacters, Rule};
use crate::text_form::TextForm;
use std::fmt;
use zeroize::Zeroizing;

/// What an e-mail address is for.
pub const EMAIL_KIND: TextForm = TextForm::printable(1, 10);
/// An e-mail address. The parser also checks the labels of the domain.
pub const EMAIL: TextForm = TextForm::of_length(5, 100).and_pattern(
    r"^[^\s\x00-\x1F\x7F-\x9F@]+@([^\s\x00-\x1F\x7F-\x9F@.]+\.)+[^\s\x00-\x1F\x7F-\x9F@.]{2,}$",
);

/// An e-mail address and, if sent, what it is for (`home`).
pub struct Email {
    kind: Option<Zeroizing<String>>,
    value: Zeroizing<String>,
}

impl Email {
    /// Reads `Email` (cce-api.md 3.1): `value` required, `type` not.
    pub(super) fn read(report: &mut Report, members: &Members) -> Option<Self> {
        let kind = report.text(Need::Optional, members, "email.type", |text| {
            text::free(text, &EMAIL_KIND)
        });
        let value = report.text(Need::Required, members, "email.value", email_value)?;
        Some(Self { kind, value })
    }

    /// The `type` member, 1 to 10 characters.
    pub fn kind(&self) -> Option<&str> {
        self.kind.as_ref().map(|kind| kind.as_str())
    }

    /// The address, 5 to 100 characters, as it was sent: its case is kept.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The form that is sealed at rest: `{"type":"home","value":"johnn.dooe@gmail.com"}`, `type`
    /// optional.
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        stored::write(&[("type", self.kind()), ("value", Some(&self.value))])
    }

    /// Reads what [`Email::to_json`] wrote.
    pub fn from_json(json: &[u8]) -> Result<Self, StoredError> {
        let stored = Stored::read(json)?;
        Ok(Self {
            kind: stored.optional("type")?,
            value: stored.required("value")?,
        })
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(****)")
    }
}

/// `local@domain.tld`, 5 to 100 characters (cce-api.md 3.1): one `@`, no white space, a domain of
/// two or more labels. RFC 5321 allows more (quotes, address literals); no cardholder has such an
/// address.
fn email_value(text: &str) -> Result<Zeroizing<String>, Rule> {
    text::length(text, &EMAIL)?;
    let solid = !text.chars().any(|c| c.is_whitespace() || c.is_control());
    match text.split_once('@') {
        Some((local, domain)) if solid && !local.is_empty() && is_domain(domain) => {
            Ok(text::owned(text))
        }
        _ => Err("must be an e-mail address of the form local@domain.tld".into()),
    }
}

/// Labels hold letters, digits and inner hyphens; beyond ASCII everything passes, for IDNs (RFC
/// 5890).
fn is_domain(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || !c.is_ascii();
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(letter)
    };
    text.split('.').all(label)
        && text
            .rsplit_once('.')
            .is_some_and(|(_, tld)| tld.chars().count() >= 2)
}

/// First and last name of the cardholder.
pub struct UserName {
    first: Zeroizing<String>,
    last: Zeroizing<String>,
}

impl UserName {
    /// Reads `UserName` (cce-api.md 3.1, characters 8.5): both members required.
    pub(super) fn read(
        report: &mut Report,
        members: &Members,
        characters: NameCharacters,
    ) -> Option<Self> {
        let parse = |text: &str| characters.user_name(text);
        let first = report.text(Need::Required, members, "name.firstName", parse);
        let last = report.text(Need::Required, members, "name.lastName", parse);
        Some(Self {
            first: first?,
            last: last?,
        })
    }

    /// The first name, 1 to 100 characters.
    pub fn first(&self) -> &str {
        &self.first
    }

    /// The last name, 1 to 100 characters.
    pub fn last(&self) -> &str {
        &self.last
    }

    /// The form that is sealed at rest: `{"firstName":"Johnn","lastName":"Dooe"}`, both required.
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        stored::write(&[
            ("firstName", Some(&self.first)),
            ("lastName", Some(&self.last)),
        ])
    }

    /// Reads what [`UserName::to_json`] wrote.
    pub fn from_json(json: &[u8]) -> Result<Self, StoredError> {
        let stored = Stored::read(json)?;
        Ok(Self {
            first: stored.required("firstName")?,
            last: stored.required("lastName")?,
        })
    }
}

impl fmt::Debug for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserName(****)")
    }
}

#[cfg(test)]
mod tests;
