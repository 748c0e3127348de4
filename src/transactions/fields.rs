//! The fields of a transaction, as every feed has them (scoring.md 12.1).
//!
//! A field is refused by the rule that it breaks, in words, and never with a part of the value.

use super::item::{Kind, Merchant, SourceId};
use crate::footprint::set::Mcc;
use crate::footprint::{Country, Currency, Money, MoneyError};
use crate::issuers::Issuer;
use crate::text_form::TextForm;
use chrono::{DateTime, NaiveDate};
use std::borrow::Cow;

/// `transactionId` and `originalTransactionId`.
pub const SOURCE_ID: TextForm = TextForm::of_length(1, SourceId::LONGEST).and_pattern("^[\\w-]*$");
/// `userid`.
pub const USER_ID: TextForm = TextForm::matching("^[0-9A-Fa-f-]{36}$");
/// `mcc`.
pub const MCC: TextForm = TextForm::matching("^[0-9]{1,4}$");
/// `amount.currencyCode` and `countryISOCode`.
pub const LETTERS: TextForm = TextForm::matching("^[A-Za-z]{3}$");
/// `merchantName`.
pub const MERCHANT: TextForm = TextForm::printable(1, Merchant::LONGEST);

/// A broken rule, in words.
pub type Rule = Cow<'static, str>;

/// `transactionId` and `originalTransactionId`.
pub fn source(text: &str) -> Result<SourceId, Rule> {
    SourceId::parse(text).ok_or(SourceId::FORM.into())
}

/// `mcc`: 1 to 4 digits; leading zeros may be missing.
pub fn mcc(text: &str) -> Result<Mcc, Rule> {
    Mcc::parse(text).ok_or("must be 1 to 4 digits".into())
}

/// `amount.currencyCode`: ISO 4217, whatever its case.
pub fn currency(text: &str) -> Result<Currency, Rule> {
    let code = text.to_ascii_uppercase();
    Currency::from_alpha(&code).ok_or("must be an ISO 4217 currency code of three letters".into())
}

/// `amount.value`: a decimal number with at most the currency's decimal places, at most 10^9
/// either way.
pub fn amount(text: &str, currency: Currency) -> Result<Money, Rule> {
    Money::parse(text, currency).map_err(|error: MoneyError| error.to_string().into())
}

/// `countryISOCode` of the merchant.
pub fn country(text: &str) -> Result<Country, Rule> {
    let code = text.to_ascii_uppercase();
    Country::from_alpha3(&code).ok_or("must be an ISO 3166-1 alpha-3 country code".into())
}

/// `merchantName`.
pub fn merchant(text: &str) -> Result<Merchant, Rule> {
    let rule = "must be 1 to 25 characters long, without control characters";
    Merchant::parse(text).ok_or(rule.into())
}

/// `date`: `YYYY-MM-DD` or `DD-MM-YYYY` is the local day of the purchase; an instant with an offset
/// is on a day of the issuer's time zone.
pub fn date(text: &str, issuer: &Issuer) -> Result<NaiveDate, Rule> {
    let day = |form| NaiveDate::parse_from_str(text, form).ok();
    let local = match text.len() {
        10 if text.as_bytes().get(2) == Some(&b'-') => day("%d-%m-%Y"),
        10 => day("%Y-%m-%d"),
        _ => DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|instant| issuer.local_date(instant.to_utc())),
    };
    local.ok_or(
        "must be a day (YYYY-MM-DD or DD-MM-YYYY) or an instant with offset (RFC 3339)".into(),
    )
}

/// `indicator`: `CL` cleared, `RFT` refund, `RV` reversal, `AT` authorisation.
pub fn kind(text: &str) -> Result<Kind, Rule> {
    match text {
        "CL" => Ok(Kind::Purchase),
        "RFT" => Ok(Kind::Refund),
        "RV" => Ok(Kind::Reversal),
        "AT" => Ok(Kind::Authorisation),
        _ => Err("must be CL, RFT, RV or AT".into()),
    }
}

/// An amount as it counts: what comes back is negative, however it was sent.
pub fn signed(kind: Kind, amount: Money) -> Money {
    match kind {
        Kind::Refund | Kind::Reversal if amount.value().is_sign_positive() => -amount,
        _ => amount,
    }
}
