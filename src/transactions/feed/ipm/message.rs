//! One message of a clearing file: type, two bitmaps, data elements.
//!
//! | bytes | what |
//! | --- | --- |
//! | 4 | message type, four digits |
//! | 16 | two bitmaps, binary: bit 1 (the second one is there) to bit 128 |
//! | rest | the elements whose bits are set, in order |
//!
//! Every length is checked against the rest of the record, and nothing may be left over.

use super::super::fault::{Fault, Place};
use super::ebcdic::Text;
use super::shape::{self, Shape};
use std::ops::Range;

/// Bytes before the first element.
const HEAD: usize = 20;

/// Elements are numbered from 1, the second bitmap, to this.
const LAST: usize = 128;

/// A message whose elements were found; all text is Latin-1 by now.
pub(super) struct Message<'r> {
    record: &'r [u8],
    elements: [Range<usize>; LAST + 1],
}

/// The message type, four digits in Latin-1.
pub(super) fn message_type(record: &[u8], text: Text) -> Result<[u8; 4], Fault> {
    let mut mti = *record
        .first_chunk::<4>()
        .ok_or_else(|| Fault::whole("is shorter than a message type"))?;
    text.decode(&mut mti);
    if mti.iter().all(u8::is_ascii_digit) {
        Ok(mti)
    } else {
        Err(Fault::whole("does not begin with a message type"))
    }
}

impl<'r> Message<'r> {
    /// Finds the elements of a record, and turns their text into Latin-1 where it is.
    pub(super) fn decode(record: &'r mut [u8], text: Text) -> Result<Self, Fault> {
        let short = || Fault::whole("is shorter than its two bitmaps");
        let bitmap: [u8; 16] = record
            .get(4..HEAD)
            .and_then(|bits| bits.try_into().ok())
            .ok_or_else(short)?;
        let bitmap = u128::from_be_bytes(bitmap);
        let set = |element: usize| bitmap >> (LAST - element) & 1 == 1;
        if !set(1) {
            return Err(Fault::whole("has no second bitmap"));
        }
        let mut elements = [const { 0..0 }; LAST + 1];
        let mut at = HEAD;
        for element in (2..=LAST).filter(|element| set(*element)) {
            let fault = |rule: &'static str| Fault::new(Place::Element(element), rule);
            let shape = shape::of(element)
                .ok_or_else(|| fault("is not known: what follows it cannot be found"))?;
            let length = match shape {
                Shape::Fixed(length) => length,
                Shape::Variable(digits) => {
                    let digits = record
                        .get_mut(at..at + digits)
                        .ok_or_else(|| fault("is cut"))?;
                    at += digits.len();
                    text.decode(digits);
                    number(digits)
                        .and_then(|length| usize::try_from(length).ok())
                        .ok_or_else(|| fault("has a length that is no number"))?
                }
            };
            let content = record
                .get_mut(at..at + length)
                .ok_or_else(|| fault("is longer than the rest of the record"))?;
            if element != shape::BINARY {
                text.decode(content);
            }
            if let Some(place) = elements.get_mut(element) {
                *place = at..at + length;
            }
            at += length;
        }
        if at != record.len() {
            return Err(Fault::whole("goes on after its last data element"));
        }
        Ok(Self { record, elements })
    }

    /// The content of an element; `None` if it is not there or empty.
    pub(super) fn element(&self, number: usize) -> Option<&'r [u8]> {
        let range = self.elements.get(number)?.clone();
        self.record.get(range).filter(|bytes| !bytes.is_empty())
    }

    /// The same, which must be there.
    pub(super) fn required(&self, number: usize) -> Result<&'r [u8], Fault> {
        self.element(number)
            .ok_or_else(|| Fault::new(Place::Element(number), "is missing"))
    }
}

/// A number of at most 18 digits; `None` if there are others than digits, or none.
pub(super) fn number(digits: &[u8]) -> Option<i64> {
    let fits = (1..=18).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    fits.then(|| {
        let number = digits.iter().fold(0, |sum: i64, digit| {
            sum.saturating_mul(10)
                .saturating_add(i64::from(digit.saturating_sub(b'0')))
        });
        Some(number)
    })?
}
