//! From a message to an item.
//!
//! **Sign.** A purchase counts up and a credit down; a chargeback and a reversal (PDS 0025 begins
//! with `R`) turn that round, each of them.

use super::super::fault::{Fault, Place};
use super::super::{Reject, Skip, What};
use super::ebcdic::Text;
use super::kinds::{self, Process};
use super::message::{self, Message, number};
use super::{amounts, merchant, private, source_id};
use crate::enrolment::card::Pan;
use crate::footprint::set::Mcc;
use crate::transactions::item::{Holder, Item, Kind, SourceId, Unscored};
use chrono::NaiveDate;

/// What the record is.
pub(super) fn read(record: &mut [u8], text: Text) -> What {
    let mut known = Known::default();
    match whole(record, text, &mut known) {
        Ok(what) => what,
        Err(fault) => What::Rejected(Box::new(Reject {
            source: known.source,
            last_four: known.last_four,
            fault,
        })),
    }
}

/// What was known of a message before its fault.
#[derive(Default)]
struct Known {
    source: Option<SourceId>,
    last_four: Option<[u8; 4]>,
}

fn whole(record: &mut [u8], text: Text, known: &mut Known) -> Result<What, Fault> {
    let mti = message::message_type(record, text)?;
    let chargeback = match kinds::message(&mti) {
        kinds::Message::Administration => return Ok(What::Skipped(Skip::Administration)),
        kinds::Message::Unknown => return Ok(What::Skipped(Skip::Unknown)),
        kinds::Message::Presentment => false,
        kinds::Message::Chargeback => true,
    };
    let message = Message::decode(record, text)?;
    let card = message.required(2)?;
    known.last_four = card
        .last_chunk()
        .copied()
        .filter(|four: &[u8; 4]| four.iter().all(u8::is_ascii_digit));
    if !chargeback && !kinds::is_presentment(message.required(24)?) {
        return Ok(What::Skipped(Skip::Unknown));
    }
    let Some(process) = kinds::process(message.required(3)?) else {
        return Ok(What::Skipped(Skip::Unknown));
    };
    let [reversal, exponents] = private::find(&message, [private::REVERSAL, private::EXPONENTS])?;
    let reversal = reversal.is_some_and(|content| content.starts_with(b"R"));
    let pan = match pan(card)? {
        Some(pan) => pan,
        None => return Ok(What::Skipped(Skip::OtherCard)),
    };
    let last_four = pan.last_four().as_bytes();
    let source = source_id::make(&message, &mti, reversal, last_four)?;
    known.source = Some(source.clone());
    let original = reversal
        .then(|| source_id::make(&message, &mti, false, last_four))
        .transpose()?;

    let down = (process == Process::Credit) ^ chargeback ^ reversal;
    let mut money = amounts::read(&message, exponents)?.into_iter();
    let mut next = || money.next().map(|money| if down { -money } else { money });
    let amount = next().ok_or_else(|| Fault::new(Place::Element(4), "is missing"))?;
    let fallbacks = std::iter::from_fn(next).collect();
    let place = message.element(43).unwrap_or_default();
    let item = Item {
        source,
        holder: Holder::Card(pan),
        mcc: mcc(message.required(26)?)?,
        amount,
        fallbacks,
        date: date(message.required(12)?)?,
        kind: match (reversal, down) {
            (true, _) => Kind::Reversal,
            (false, true) => Kind::Refund,
            (false, false) => Kind::Purchase,
        },
        country: merchant::country(place),
        merchant: merchant::name(place),
        brand: None,
        original,
        unscored: match process {
            Process::Purchase | Process::Credit => None,
            Process::Cash => Some(Unscored::Cash),
            Process::Payment => Some(Unscored::Transfer),
        },
    };
    Ok(What::Item(Box::new(item), None))
}

/// `None`: a number of another length, 8 to 19 digits.
fn pan(digits: &[u8]) -> Result<Option<Pan>, Fault> {
    let text = std::str::from_utf8(digits).unwrap_or_default();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || !(8..=19).contains(&text.len()) {
        return Err(Fault::new(Place::Element(2), "must be 8 to 19 digits"));
    }
    Ok(Pan::from_digits(text))
}

fn mcc(digits: &[u8]) -> Result<Mcc, Fault> {
    let code = number(digits).and_then(|code| u16::try_from(code).ok());
    let code = code.and_then(Mcc::new);
    code.ok_or_else(|| Fault::new(Place::Element(26), "must be 4 digits"))
}

/// `yyMMddHHmmss` of the years 2000 to 2099: local time where the purchase took place.
fn date(digits: &[u8]) -> Result<NaiveDate, Fault> {
    let fault = || Fault::new(Place::Element(12), "must be a date and time, yyMMddHHmmss");
    if digits.len() != 12 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(fault());
    }
    let part = |at: usize| digits.get(at..at + 2).and_then(number).unwrap_or_default();
    let two = |at| u32::try_from(part(at)).unwrap_or_default();
    let year = i32::try_from(2000 + part(0)).unwrap_or_default();
    NaiveDate::from_ymd_opt(year, two(2), two(4)).ok_or_else(fault)
}
