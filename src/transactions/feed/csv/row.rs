//! One line, column by column, under the rules of the API.

use super::super::fault::{Fault, Place};
use super::super::{Reject, Skip, What};
use super::header::{COLUMNS, Column};
use crate::enrolment::card::Pan;
use crate::ids::CardholderId;
use crate::transactions::fields::{self, Rule};
use crate::transactions::item::{Brand, Holder, Item, Kind, SourceId};
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
        parse: impl FnOnce(&'f str) -> Result<T, Rule>,
    ) -> Result<T, Fault> {
        let place = Place::Column(column.name());
        parse(self.text(column)).map_err(|rule| Fault::new(place, rule))
    }

    /// The same, if it is not empty.
    fn optional<T>(
        &self,
        column: Column,
        parse: impl FnOnce(&'f str) -> Result<T, Rule>,
    ) -> Result<Option<T>, Fault> {
        let filled = !self.text(column).is_empty();
        filled.then(|| self.get(column, parse)).transpose()
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
        let source = self.get(Column::TransactionId, fields::source)?;
        // A file without indicators has cleared transactions.
        let kind = self.optional(Column::Indicator, fields::kind)?;
        let kind = kind.unwrap_or(Kind::Purchase);
        if kind == Kind::Authorisation {
            return Ok(What::Skipped(Skip::Authorisation));
        }
        let currency = self.get(Column::Currency, fields::currency)?;
        let amount = self.get(Column::Amount, |text| fields::amount(text, currency))?;
        let (date, instant) = self.get(Column::Date, |text| {
            when(text).ok_or(
                "must be a day (YYYY-MM-DD or DD-MM-YYYY) or an instant with offset (RFC 3339)"
                    .into(),
            )
        })?;
        let item = Item {
            source,
            holder: self.holder()?,
            mcc: self.get(Column::Mcc, fields::mcc)?,
            amount: fields::signed(kind, amount),
            fallbacks: Vec::new(),
            date,
            kind,
            country: self.optional(Column::Country, fields::country)?,
            merchant: self.optional(Column::Merchant, fields::merchant)?,
            brand: self.optional(Column::Brand, |text| {
                Brand::parse(text).ok_or("must be MA, OTH or NC".into())
            })?,
            original: self.optional(Column::Original, fields::source)?,
            unscored: None,
        };
        Ok(What::Item(Box::new(item), instant))
    }

    fn holder(&self) -> Result<Holder, Fault> {
        let user = self.optional(Column::UserId, |text| {
            CardholderId::parse(text).ok_or(CardholderId::RULE.into())
        })?;
        let card = self.optional(Column::CardNumber, |text| {
            Pan::from_digits(text).ok_or("must be exactly 16 digits".into())
        })?;
        match (user, card) {
            (Some(user), None) => Ok(Holder::Id(user)),
            (None, Some(card)) => Ok(Holder::Card(card)),
            _ => Err(Fault::whole("must have either a userid or a cardNumber")),
        }
    }
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
