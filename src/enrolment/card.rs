//! The card of an enrolment: PAN, expiry, cardholder name, currency.
//!
//! All of it is cardholder data in the sense of PCI DSS: wiped on drop, never in `Debug`, without
//! `Display` and `Serialize`. The only ways out are the accessors and [`Card::to_json`], whose
//! result is meant to be sealed at once.

use super::StoredError;
use super::report::{Members, Need, Report};
use super::stored::{self, Stored};
use super::text::{self, NameCharacters, Rule};
use crate::text_form::TextForm;
use chrono::{Datelike, NaiveDate};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A card number (cce-api.md 3.1).
pub const CARD_NUMBER: TextForm = TextForm::matching("^[0-9]{16}$");
/// The month of an expiry date.
pub const EXPIRY_MONTH: TextForm = TextForm::matching("^(0[1-9]|1[0-2])$");
/// The year of an expiry date.
pub const EXPIRY_YEAR: TextForm = TextForm::matching("^[0-9]{4}$");
/// A currency code; whether there is such a currency is a business rule.
pub const CURRENCY_CODE: TextForm = TextForm::matching("^[A-Za-z]{3}$");

/// A primary account number of exactly 16 ASCII digits (cce-api.md 3.1).
///
/// Its check digit may still be wrong: that is a business rule, see [`Pan::passes_luhn`].
pub struct Pan(Zeroizing<String>);

impl Pan {
    pub(super) fn parse(text: &str) -> Result<Self, Rule> {
        if all_digits(text, 16) {
            Ok(Self(text::owned(text)))
        } else {
            Err("must be exactly 16 digits".into())
        }
    }

    /// From exactly 16 digits.
    pub fn from_digits(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }

    /// The 16 digits, for sealing and for the blind index.
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// The last four digits, which may be shown (cce-api.md 3.3).
    pub fn last_four(&self) -> &str {
        self.0.get(12..).unwrap_or_default()
    }

    /// Whether the last digit is the Luhn check digit of the others (ISO/IEC 7812-1, annex B).
    pub fn passes_luhn(&self) -> bool {
        let digits = self.0.bytes().rev().map(|b| u32::from(b - b'0'));
        let sum: u32 = digits
            .enumerate()
            .map(|(place, digit)| match (place % 2, digit) {
                (0, _) => digit,
                (_, 0..=4) => 2 * digit,
                (_, _) => 2 * digit - 9,
            })
            .sum();
        sum.is_multiple_of(10)
    }
}

impl fmt::Debug for Pan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pan(****)")
    }
}

/// The month through whose last day a card is valid.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Expiry {
    month: u8,
    year: u16,
}

impl Expiry {
    /// Reads `CardExpiry` (cce-api.md 3.1): both members required, and not over before `today`.
    pub(super) fn read(report: &mut Report, members: &Members, today: NaiveDate) -> Option<Self> {
        let month = report.text(Need::Required, members, "expiryInfo.month", parse_month);
        let year = report.text(Need::Required, members, "expiryInfo.year", parse_year);
        let expiry = Self {
            month: month?,
            year: year?,
        };
        if expiry.is_over(today) {
            return report.invalid("expiryInfo", "must not be in the past".into());
        }
        Some(expiry)
    }

    /// 1 to 12.
    pub fn month(&self) -> u8 {
        self.month
    }

    /// 0 to 9999.
    pub fn year(&self) -> u16 {
        self.year
    }

    /// Whether the card's last day lies before `today`.
    pub fn is_over(&self, today: NaiveDate) -> bool {
        (i32::from(self.year), u32::from(self.month)) < (today.year(), today.month())
    }
}

impl fmt::Debug for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Expiry(****)")
    }
}

fn parse_month(text: &str) -> Result<u8, Rule> {
    match text.parse() {
        Ok(month) if all_digits(text, 2) && (1..=12).contains(&month) => Ok(month),
        _ => Err("must be two digits, 01 to 12".into()),
    }
}

fn parse_year(text: &str) -> Result<u16, Rule> {
    match text.parse() {
        Ok(year) if all_digits(text, 4) => Ok(year),
        _ => Err("must be four digits".into()),
    }
}

fn all_digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|b| b.is_ascii_digit())
}

/// Three letters in upper case, the form of an ISO 4217 code.
///
/// Whether there is such a currency is a business rule, see [`Currency::is_money`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Currency(String);

impl Currency {
    pub(super) fn parse(text: &str) -> Result<Self, Rule> {
        if text.len() == 3 && text.bytes().all(|b| b.is_ascii_alphabetic()) {
            Ok(Self(text.to_ascii_uppercase()))
        } else {
            Err("must be three letters".into())
        }
    }

    /// The code, in upper case.
    pub fn code(&self) -> &str {
        &self.0
    }

    /// Whether this is a currency in use that amounts can be converted to.
    ///
    /// No: codes that are not on the list, funds (`CHE`), metals, testing and "no currency" (`XAU`,
    /// `XTS`, `XXX`), withdrawn currencies (`HRK`). `VES` is on ISO's list beside `VED`, though the
    /// crate's table calls it superseded.
    pub fn is_money(&self) -> bool {
        iso_currency::Currency::from_code(&self.0).is_some_and(|currency| {
            currency.flags().is_empty() || currency == iso_currency::Currency::VES
        })
    }
}

/// The name as it is on the card: first name, blank, last name; 1 to 100 characters.
pub struct CardholderName(Zeroizing<String>);

impl CardholderName {
    pub(super) fn parse(text: &str, characters: NameCharacters) -> Result<Self, Rule> {
        characters.cardholder_name(text).map(Self)
    }

    /// The name, as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CardholderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardholderName(****)")
    }
}

/// All that an enrolment says about the card.
pub struct Card {
    /// The card number.
    pub pan: Pan,
    /// Valid until then.
    pub expiry: Expiry,
    /// Whose name is on the card.
    pub cardholder_name: CardholderName,
    /// The currency that the card is billed in.
    pub currency: Currency,
}

impl Card {
    /// The form that is sealed at rest: `{"cardBaseCurrency":"USD","cardNumber":"2223006448842520",
    /// "cardholderName":"Johnn Dooe","expiryMonth":"01","expiryYear":"2039"}`, all required but the
    /// number, which is left out if it is not to be stored.
    pub fn to_json(&self, store_pan: bool) -> Zeroizing<Vec<u8>> {
        let month = Zeroizing::new(format!("{:02}", self.expiry.month));
        let year = Zeroizing::new(format!("{:04}", self.expiry.year));
        stored::write(&[
            ("cardBaseCurrency", Some(self.currency.code())),
            ("cardNumber", store_pan.then(|| self.pan.digits())),
            ("cardholderName", Some(self.cardholder_name.as_str())),
            ("expiryMonth", Some(&month)),
            ("expiryYear", Some(&year)),
        ])
    }
}

/// A card as it was stored.
pub struct StoredCard {
    /// The card number, if it is stored.
    pub pan: Option<Pan>,
    /// Valid until then.
    pub expiry: Expiry,
    /// Whose name is on the card.
    pub cardholder_name: CardholderName,
    /// The currency that the card is billed in.
    pub currency: Currency,
}

impl StoredCard {
    /// Reads what [`Card::to_json`] wrote.
    pub fn from_json(json: &[u8]) -> Result<Self, StoredError> {
        let stored = Stored::read(json)?;
        let malformed = |_| StoredError::Malformed;
        let pan = stored.optional("cardNumber")?;
        let pan = pan.map(|digits| Pan::parse(&digits)).transpose();
        Ok(Self {
            pan: pan.map_err(malformed)?,
            expiry: Expiry {
                month: parse_month(&stored.required("expiryMonth")?).map_err(malformed)?,
                year: parse_year(&stored.required("expiryYear")?).map_err(malformed)?,
            },
            cardholder_name: CardholderName(stored.required("cardholderName")?),
            currency: Currency::parse(&stored.required("cardBaseCurrency")?).map_err(malformed)?,
        })
    }
}

impl fmt::Debug for StoredCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredCard(****)")
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Card(****)")
    }
}

#[cfg(test)]
mod tests;
