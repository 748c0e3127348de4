//! One line, column by column, under the rules of the API.

use super::super::fault::{Fault, Place};
use super::super::{Reject, Skip, What};
use super::header::{COLUMNS, Column};
use crate::enrolment::card::Pan;
use crate::footprint::set::Mcc;
use crate::footprint::{Country, Currency, Money};
use crate::ids::CardholderId;
use crate::transactions::item::{Brand, Holder, Item, Kind, Merchant, SourceId};
use chrono::{DateTime, FixedOffset, NaiveDate};

/// The fields of a line by column.
#[derive(Default)]
pub(super) struct Row<'f>([&'f str; COLUMNS]);

impl<'f> Row<'f> {
    pub(super) fn set(&mut self, column: Column, text: &'f str) {
        if let Some(place) = self.0.get_mut(column as usize) {
            *place = text;
        }
    }

    /// The field; empty if the file has no such column.
    fn text(&self, column: Column) -> &'f str {
        self.0.get(column as usize).copied().unwrap_or_default()
    }

    /// The field as `parse` reads it.
    fn get<T>(
        &self,
        column: Column,
        rule: &'static str,
        parse: impl FnOnce(&'f str) -> Option<T>,
    ) -> Result<T, Fault> {
        let value = parse(self.text(column));
        value.ok_or_else(|| Fault::new(Place::Column(column.name()), rule))
    }

    /// The same, if it is not empty.
    fn optional<T>(
        &self,
        column: Column,
        rule: &'static str,
        parse: impl FnOnce(&'f str) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        let filled = !self.text(column).is_empty();
        filled.then(|| self.get(column, rule, parse)).transpose()
    }

    pub(super) fn read(&self) -> What {
        let card = self.text(Column::CardNumber).as_bytes();
        let last_four = card.last_chunk().copied();
        let id = self.text(Column::TransactionId);
        self.item().unwrap_or_else(|fault| {
            What::Rejected(Box::new(Reject {
                source: SourceId::parse(id),
                last_four: last_four.filter(|four: &[u8; 4]| four.iter().all(u8::is_ascii_digit)),
                fault,
            }))
        })
    }

    fn item(&self) -> Result<What, Fault> {
        let source = self.get(Column::TransactionId, SourceId::FORM, SourceId::parse)?;
        let kind = self.get(Column::Indicator, "must be CL, RFT, RV or AT", kind)?;
        let Some(kind) = kind else {
            return Ok(What::Skipped(Skip::Authorisation));
        };
        let currency = self.get(Column::Currency, "is no currency of ISO 4217", |text| {
            Currency::from_alpha(&text.to_ascii_uppercase())
        })?;
        let amount = Money::parse(self.text(Column::Amount), currency);
        let amount = amount
            .map_err(|error| Fault::new(Place::Column(Column::Amount.name()), error.to_string()))?;
        let down = kind != Kind::Purchase && amount.value().is_sign_positive();
        let (date, instant) = self.get(
            Column::Date,
            "must be YYYY-MM-DD, DD-MM-YYYY or an instant with its offset",
            when,
        )?;
        let item = Item {
            source,
            holder: self.holder()?,
            mcc: self.get(Column::Mcc, "must be 1 to 4 digits", Mcc::parse)?,
            amount: if down { -amount } else { amount },
            fallbacks: Vec::new(),
            date,
            kind,
            country: self.optional(Column::Country, "is no country of ISO 3166", |text| {
                Country::from_alpha3(&text.to_ascii_uppercase())
            })?,
            merchant: self.optional(
                Column::Merchant,
                "must be 1 to 25 characters",
                Merchant::parse,
            )?,
            brand: self.optional(Column::Brand, "must be MA, OTH or NC", Brand::parse)?,
            original: self.optional(Column::Original, SourceId::FORM, SourceId::parse)?,
            unscored: None,
        };
        Ok(What::Item(Box::new(item), instant))
    }

    fn holder(&self) -> Result<Holder, Fault> {
        let filled = |column| !self.text(column).is_empty();
        match (filled(Column::UserId), filled(Column::CardNumber)) {
            (true, false) => {
                let user = self.get(Column::UserId, CardholderId::RULE, CardholderId::parse);
                user.map(Holder::Id)
            }
            (false, true) => {
                let card = self.get(Column::CardNumber, "must be 16 digits", |text| {
                    Pan::from_digits(text)
                });
                card.map(Holder::Card)
            }
            _ => Err(Fault::whole("must have either a userid or a cardNumber")),
        }
    }
}

/// `Some(None)`: an authorisation. A file without indicators has cleared transactions.
fn kind(text: &str) -> Option<Option<Kind>> {
    Some(match text {
        "" | "CL" => Some(Kind::Purchase),
        "RFT" => Some(Kind::Refund),
        "RV" => Some(Kind::Reversal),
        "AT" => None,
        _ => return None,
    })
}

/// A local date, or an instant whose date the issuer's zone decides.
fn when(text: &str) -> Option<(NaiveDate, Option<DateTime<FixedOffset>>)> {
    if text.len() == 10 {
        let separated = |at: usize| text.as_bytes().get(at) == Some(&b'-');
        let form = if separated(4) { "%Y-%m-%d" } else { "%d-%m-%Y" };
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        return (digits == 8)
            .then(|| NaiveDate::parse_from_str(text, form).ok())?
            .map(|day| (day, None));
    }
    let instant = DateTime::parse_from_rfc3339(text).ok()?;
    Some((instant.to_utc().date_naive(), Some(instant)))
}
