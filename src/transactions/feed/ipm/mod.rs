//! Mastercard's clearing files, format IPM.
//!
//! A file is a row of messages, each with four bytes of length (big-endian) before it; length 0
//! ends the file. Some files are blocked besides: after every 1,012 bytes come two bytes 0x40, and
//! the last block is filled with them. Text is EBCDIC or Latin-1; [`message`] has the form of a
//! message, [`kinds`] what they mean, [`transaction`] how one becomes an item.

mod amounts;
mod ebcdic;
mod frames;
mod kinds;
mod merchant;
mod message;
mod private;
mod shape;
mod source_id;
mod transaction;

pub(super) use ebcdic::Text;
pub(super) use frames::{BLOCK, BLOCK_DATA, FILL, Framing};

use super::source::Source;
use super::{FeedError, LONGEST_MESSAGE, What};
use std::io::Read;
use zeroize::{Zeroize, Zeroizing};

/// Reads one message after the other.
pub(super) struct Messages {
    framing: Framing,
    record: Zeroizing<Vec<u8>>,
    ended: bool,
}

impl Messages {
    pub(super) fn new(framing: Framing) -> Self {
        Self {
            framing,
            record: Zeroizing::new(Vec::with_capacity(LONGEST_MESSAGE)),
            ended: false,
        }
    }

    /// What the next message is; `None` after the closing one. `number` is of the last message.
    pub(super) fn next<R: Read>(
        &mut self,
        source: &mut Source<R>,
        number: &mut u64,
    ) -> Result<Option<What>, FeedError> {
        if self.ended {
            return Ok(None);
        }
        self.record.zeroize();
        if !self
            .framing
            .next(source, &mut self.record, number.saturating_add(1))?
        {
            self.ended = true;
            return Ok(None);
        }
        *number = number.saturating_add(1);
        Ok(Some(transaction::read(&mut self.record, self.framing.text)))
    }
}
