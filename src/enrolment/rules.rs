//! The rules for a decrypted enrolment and a decrypted update (cce-api.md 3.1, 3.2, 7.1, 7.2, 8).
//!
//! Both functions find every broken rule of a request: first the format rules in the order of the
//! schema's fields, then the business rules. A business rule is judged whenever its own field is
//! well-formed, whatever the others are. Unknown members are ignored; `null` is "not sent".

use super::card::{Card, CardholderName, Currency, Expiry, Pan};
use super::profile::{Address, Email, Locale, PhoneNumber, UserName};
use super::report::Need::{Optional, Required};
use super::report::Report;
use super::text::NameCharacters;
use crate::issuers::account_range::AccountRange;
use crate::json::Object;
use crate::violation::{Code, Violation};
use chrono::NaiveDate;

/// What an issuer's configuration adds to the rules.
#[derive(Debug, Clone, Copy)]
pub struct IssuerRules<'a> {
    /// Donation ON: all eight fields of an enrolment are required (cce-api.md 7.1).
    pub donation: bool,
    /// Names may have all letters of Unicode, blanks, hyphens and periods (cce-api.md 8.5).
    pub unicode_names: bool,
    /// A card number must lie in one of these (cce-api.md 7.2).
    pub account_ranges: &'a [AccountRange],
}

impl IssuerRules<'_> {
    fn name_characters(&self) -> NameCharacters {
        NameCharacters {
            unicode: self.unicode_names,
        }
    }
}

/// An enrolment that breaks no rule. With donation ON nothing is `None`.
#[derive(Debug)]
pub struct Enrolment {
    /// The card to enrol.
    pub card: Card,
    /// Always required, donation or not (cce-api.md 8.1).
    pub email: Email,
    /// The cardholder's name.
    pub name: Option<UserName>,
    /// The cardholder's address.
    pub billing_address: Option<Address>,
    /// The cardholder's locale.
    pub locale: Option<Locale>,
}

/// An update that breaks no rule. What is `None` stays as it is stored (cce-api.md 3.2).
#[derive(Debug)]
pub struct ProfileUpdate {
    /// The new name.
    pub name: UserName,
    /// The new locale.
    pub locale: Locale,
    /// Replaces the whole stored address.
    pub billing_address: Option<Address>,
    /// The new e-mail address (spec/README.md, decision 3).
    pub email: Option<Email>,
    /// The new phone number (spec/README.md, decision 3).
    pub phone_number: Option<PhoneNumber>,
}

/// Checks the payload of `POST /issuers/users`; `today` decides whether the card has expired.
///
/// # Errors
/// Every broken rule, in order; never an empty list.
pub fn enrolment(
    payload: &Object,
    rules: &IssuerRules<'_>,
    today: NaiveDate,
) -> Result<Enrolment, Vec<Violation>> {
    let members = payload.members();
    let characters = rules.name_characters();
    let with_donation = if rules.donation { Required } else { Optional };
    let mut report = Report::default();

    let email = report.object(Required, members, "email", Email::read);
    let name = report.object(with_donation, members, "name", |report, members| {
        UserName::read(report, members, characters)
    });
    let cardholder_name = report.text(Required, members, "cardholderName", |text| {
        CardholderName::parse(text, characters)
    });
    let pan = report.text(Required, members, "cardNumber", Pan::parse);
    let currency = report.text(Required, members, "cardBaseCurrency", Currency::parse);
    let expiry = report.object(Required, members, "expiryInfo", |report, members| {
        Expiry::read(report, members, today)
    });
    let billing_address = report.object(with_donation, members, "billingAddress", Address::read);
    let locale = report.text(with_donation, members, "locale", Locale::parse);

    if let Some(pan) = &pan {
        judge_pan(&mut report, pan, rules.account_ranges);
    }
    if let Some(currency) = &currency {
        judge_currency(&mut report, currency);
    }

    match (email, cardholder_name, pan, currency, expiry) {
        (Some(email), Some(cardholder_name), Some(pan), Some(currency), Some(expiry))
            if report.is_clean() =>
        {
            let card = Card {
                pan,
                expiry,
                cardholder_name,
                currency,
            };
            Ok(Enrolment {
                card,
                email,
                name,
                billing_address,
                locale,
            })
        }
        _ => Err(report.into_violations()),
    }
}

/// Checks the payload of `PUT /issuers/users/{userid}`.
///
/// Donation OFF refuses the operation before its payload is opened (cce-api.md 7.1), so
/// `rules.donation` plays no part here.
///
/// # Errors
/// Every broken rule, in order; never an empty list.
pub fn update(payload: &Object, rules: &IssuerRules<'_>) -> Result<ProfileUpdate, Vec<Violation>> {
    let members = payload.members();
    let characters = rules.name_characters();
    let mut report = Report::default();

    let name = report.object(Required, members, "name", |report, members| {
        UserName::read(report, members, characters)
    });
    let locale = report.text(Required, members, "locale", Locale::parse);
    let billing_address = report.object(Optional, members, "billingAddress", Address::read);
    let email = report.object(Optional, members, "email", Email::read);
    let phone_number = report.text(Optional, members, "phoneNumber", PhoneNumber::parse);

    match (name, locale) {
        (Some(name), Some(locale)) if report.is_clean() => Ok(ProfileUpdate {
            name,
            locale,
            billing_address,
            email,
            phone_number,
        }),
        _ => Err(report.into_violations()),
    }
}

fn judge_pan(report: &mut Report, pan: &Pan, account_ranges: &[AccountRange]) {
    let covered = || {
        account_ranges
            .iter()
            .any(|range| range.covers(pan.digits()))
    };
    if !pan.passes_luhn() {
        report.business(
            Code::InvalidFpan,
            "cardNumber",
            "must have a correct check digit",
        );
    } else if !covered() {
        report.business(
            Code::InvalidFpan,
            "cardNumber",
            "must lie in one of the issuer's account ranges",
        );
    }
}

fn judge_currency(report: &mut Report, currency: &Currency) {
    if !currency.is_money() {
        report.business(
            Code::UnsupportedCurrency,
            "cardBaseCurrency",
            "must be an ISO 4217 currency in use",
        );
    }
}

#[cfg(test)]
mod tests;
