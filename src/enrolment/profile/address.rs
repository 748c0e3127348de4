//! The billing address (cce-api.md 3.1, `Address`; names and country format 8.2, 8.3).

use crate::enrolment::StoredError;
use crate::enrolment::report::Need::{Optional, OptionalOrEmpty, Required};
use crate::enrolment::report::{Members, Report};
use crate::enrolment::stored::{self, Stored};
use crate::enrolment::text::{self, Rule};
use crate::footprint::Country;
use crate::text_form::TextForm;
use std::fmt;
use zeroize::Zeroizing;

/// A country code; [`Address::read`] also looks it up: ISO 3166-1 alpha-3, and `XKX` for Kosovo.
pub const COUNTRY_CODE: TextForm = TextForm::matching("^[A-Za-z]{3}$");
/// What an address is for (`home`).
pub const ADDRESS_KIND: TextForm = TextForm::printable(3, 20);
/// A neighbourhood.
pub const LOCALITY: TextForm = TextForm::printable(3, 30);
/// A postal code (cce-api.md 3.1): no hyphens, so neither ZIP+4 nor Polish codes. An empty text is
/// none.
pub const POSTAL_CODE: TextForm =
    TextForm::of_length(0, 12).and_pattern("^( *[A-Za-z0-9][A-Za-z0-9 ]*)?$");
/// A state or a city.
pub const STATE_OR_CITY: TextForm = TextForm::printable(3, 20);
/// A street line.
pub const ADDRESS_LINE: TextForm = TextForm::printable(3, 20);

/// A billing address. An update replaces it as a whole (cce-api.md 3.2).
pub struct Address {
    country_code: Zeroizing<String>,
    kind: Zeroizing<String>,
    locality: Option<Zeroizing<String>>,
    postal_code: Option<Zeroizing<String>>,
    state: Option<Zeroizing<String>>,
    city: Option<Zeroizing<String>>,
    line1: Option<Zeroizing<String>>,
    line2: Option<Zeroizing<String>>,
    line3: Option<Zeroizing<String>>,
}

impl Address {
    /// Reads `Address`: `countryCode` and `type` required, the others not.
    pub(in crate::enrolment) fn read(report: &mut Report, members: &Members) -> Option<Self> {
        let mut text = |need, path, parse: Parse| report.text(need, members, path, parse);
        let country_code = text(Required, "billingAddress.countryCode", country_code);
        let kind = text(Required, "billingAddress.type", kind);
        let locality = text(Optional, "billingAddress.locality", locality);
        let postal_code = text(OptionalOrEmpty, "billingAddress.postalCode", postal_code);
        let state = text(Optional, "billingAddress.state", state_or_city);
        let city = text(Optional, "billingAddress.city", state_or_city);
        let line1 = text(Optional, "billingAddress.line1", line);
        let line2 = text(Optional, "billingAddress.line2", line);
        let line3 = text(Optional, "billingAddress.line3", line);
        Some(Self {
            country_code: country_code?,
            kind: kind?,
            locality,
            postal_code,
            state,
            city,
            line1,
            line2,
            line3,
        })
    }

    /// The country, an ISO 3166-1 alpha-3 code in upper case.
    pub fn country_code(&self) -> &str {
        &self.country_code
    }

    /// The form that is sealed at rest:
    /// `{"city":"Brooklyn","countryCode":"USA","line1":"83 Mayfair Street", "line2":"Main
    /// Road","line3":"Snake Hill Ave","locality":"Rly Station","postalCode":"11746",
    /// "state":"Huntington","type":"work"}`; all but `countryCode` and `type` optional.
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        fn text(part: &Option<Zeroizing<String>>) -> Option<&str> {
            part.as_ref().map(|text| text.as_str())
        }
        stored::write(&[
            ("countryCode", Some(&self.country_code)),
            ("type", Some(&self.kind)),
            ("locality", text(&self.locality)),
            ("postalCode", text(&self.postal_code)),
            ("state", text(&self.state)),
            ("city", text(&self.city)),
            ("line1", text(&self.line1)),
            ("line2", text(&self.line2)),
            ("line3", text(&self.line3)),
        ])
    }

    /// Reads what [`Address::to_json`] wrote.
    pub fn from_json(json: &[u8]) -> Result<Self, StoredError> {
        let stored = Stored::read(json)?;
        Ok(Self {
            country_code: stored.required("countryCode")?,
            kind: stored.required("type")?,
            locality: stored.optional("locality")?,
            postal_code: stored.optional("postalCode")?,
            state: stored.optional("state")?,
            city: stored.optional("city")?,
            line1: stored.optional("line1")?,
            line2: stored.optional("line2")?,
            line3: stored.optional("line3")?,
        })
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(****)")
    }
}

/// Every part is text that one of these functions checks.
type Parse = fn(&str) -> Result<Zeroizing<String>, Rule>;

fn kind(text: &str) -> Result<Zeroizing<String>, Rule> {
    text::free(text, &ADDRESS_KIND)
}

fn locality(text: &str) -> Result<Zeroizing<String>, Rule> {
    text::free(text, &LOCALITY)
}

fn state_or_city(text: &str) -> Result<Zeroizing<String>, Rule> {
    text::free(text, &STATE_OR_CITY)
}

fn line(text: &str) -> Result<Zeroizing<String>, Rule> {
    text::free(text, &ADDRESS_LINE)
}

/// Three letters in any case, kept in upper case, and a code of ISO 3166-1 or Kosovo's.
fn country_code(text: &str) -> Result<Zeroizing<String>, Rule> {
    if text.len() != 3 || !text.bytes().all(|b| b.is_ascii_alphabetic()) {
        return Err("must be three letters".into());
    }
    let code = Zeroizing::new(text.to_ascii_uppercase());
    match Country::from_alpha3(&code) {
        Some(_) => Ok(code),
        None => Err("must be an ISO 3166-1 alpha-3 country code".into()),
    }
}

/// [`POSTAL_CODE`], with a rule in words for each way to miss it.
fn postal_code(text: &str) -> Result<Zeroizing<String>, Rule> {
    text::length(text, &POSTAL_CODE)?;
    if !text.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ') {
        return Err("must contain only letters A to Z, digits and blanks".into());
    }
    if text.chars().all(|c| c == ' ') {
        return Err("must not be blank".into());
    }
    Ok(text::owned(text))
}
