//! The source id of a message: the same for a message that comes again, in the same file or in
//! another, and another one for every other message.
//!
//! The SHA-256 of: a label, the acquirer's reference (DE 31), message type, function
//! (DE 24), processing code (DE 3), amount (DE 4), currency (DE 49), whether it is a reversal, and
//! the card number's last four digits. Each part has its length before it.
//!
//! **Why not the card number's blind index.** Blind indexes change when the index key is rotated;
//! the id of a message would change with it, and an archived file would count twice. A hash of the
//! whole number without a key could be tried out. Neither is needed: a cardholder's transactions
//! are looked up by id among that cardholder's own, so the id only has to tell apart two cards of
//! one cardholder, and the acquirer's reference alone already does.
//!
//! A message without DE 31 is known by its life cycle (DE 63), retrieval reference (DE 37),
//! approval code (DE 38) and time (DE 12) together.

use super::super::fault::Fault;
use super::message::Message;
use crate::transactions::item::SourceId;
use sha2::{Digest, Sha256};

/// Changes if ever the parts or their order do.
const LABEL: &[u8] = b"issuer-gateway ipm 1";

/// Elements by which a message without an acquirer's reference is known.
const OTHERWISE: [usize; 4] = [63, 37, 38, 12];

/// The id of a message, or of the one that it reverses.
pub(super) fn make(
    message: &Message<'_>,
    mti: &[u8],
    reversal: bool,
    last_four: &[u8],
) -> Result<SourceId, Fault> {
    let element = |number| message.element(number).unwrap_or_default();
    let mut sum = Sha256::new();
    let mut add = |part: &[u8]| {
        sum.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        sum.update(part);
    };
    add(LABEL);
    add(element(31));
    if element(31).is_empty() {
        if OTHERWISE
            .iter()
            .take(2)
            .all(|number| element(*number).is_empty())
        {
            return Err(Fault::whole(
                "has no reference: none of DE 31, DE 37 and DE 63",
            ));
        }
        OTHERWISE.iter().for_each(|number| add(element(*number)));
    }
    add(mti);
    [24, 3, 4, 49]
        .iter()
        .for_each(|number| add(element(*number)));
    add(if reversal { b"R" } else { b"" });
    add(last_four);
    Ok(SourceId::Clearing(sum.finalize().into()))
}
