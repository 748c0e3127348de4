//! Private subelements (PDS): four digits of tag, three of length, content, one after the other.

use super::super::fault::{Fault, Place};
use super::message::{Message, number};
use super::shape::PRIVATE;

/// Whether a message is a reversal.
pub(super) const REVERSAL: u16 = 25;

/// Decimal places of currencies: groups of three digits (ISO 4217) and one digit.
pub(super) const EXPONENTS: u16 = 148;

/// The content of those subelements that are asked for.
///
/// All subelements of the message are read: a wrong length is found wherever it is.
pub(super) fn find<'r, const N: usize>(
    message: &Message<'r>,
    wanted: [u16; N],
) -> Result<[Option<&'r [u8]>; N], Fault> {
    let mut found = [None; N];
    for element in PRIVATE {
        let mut rest = message.element(element).unwrap_or_default();
        while !rest.is_empty() {
            let fault = |rule: &'static str| Fault::new(Place::Element(element), rule);
            let (head, content) = rest
                .split_at_checked(7)
                .ok_or_else(|| fault("ends within the tag or length of a PDS"))?;
            let (tag, length) = head.split_at_checked(4).unwrap_or_default();
            let tag = number(tag).ok_or_else(|| fault("has a PDS tag that is no number"))?;
            let length = number(length)
                .and_then(|length| usize::try_from(length).ok())
                .ok_or_else(|| fault("has a PDS length that is no number"))?;
            let (content, after) = content
                .split_at_checked(length)
                .ok_or_else(|| fault("has a PDS that is longer than the element"))?;
            let places = wanted.iter().zip(&mut found);
            for (_, place) in places.filter(|(wanted, _)| i64::from(**wanted) == tag) {
                *place = Some(content);
            }
            rest = after;
        }
    }
    Ok(found)
}
