//! Where one message ends and the next begins.

use super::super::source::Source;
use super::super::{FeedError, LONGEST_MESSAGE};
use super::ebcdic::Text;
use std::io::{self, Read};

/// Bytes of a block.
pub(in super::super) const BLOCK: usize = 1_014;

/// Bytes of data at its beginning.
pub(in super::super) const BLOCK_DATA: usize = 1_012;

/// What fills the rest, and the rest of the last block.
pub(in super::super) const FILL: u8 = 0x40;

/// How a file is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Framing {
    pub(in super::super) text: Text,
    pub(in super::super) blocked: bool,
}

impl Framing {
    /// Appends the next message to `record`; `false`: that was the last one.
    ///
    /// # Errors
    ///
    /// A file that ends too early or goes on after its end, or a length that no message has.
    pub(super) fn next<R: Read>(
        self,
        source: &mut Source<R>,
        record: &mut Vec<u8>,
        number: u64,
    ) -> Result<bool, FeedError> {
        let broken = |rule| FeedError::Broken { number, rule };
        let mut length = Vec::with_capacity(4);
        self.read(source, 4, &mut length)?;
        let length: [u8; 4] = length
            .try_into()
            .map_err(|_| broken("the file ends without its closing record: is it whole?"))?;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length == 0 {
            return if only_fill(source)? {
                Ok(false)
            } else {
                Err(broken("the file goes on after its closing record"))
            };
        }
        if length > LONGEST_MESSAGE {
            return Err(broken("has a length that no message has"));
        }
        self.read(source, length, record)?;
        if record.len() < length {
            return Err(broken("the file ends within the message: is it whole?"));
        }
        Ok(true)
    }

    /// Appends so many bytes of data; fewer at the end of the file.
    fn read<R: Read>(
        self,
        source: &mut Source<R>,
        mut count: usize,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        while count > 0 {
            let room = if self.blocked {
                let in_block = source.position() % BLOCK as u64;
                let in_block = usize::try_from(in_block).unwrap_or_default();
                if in_block >= BLOCK_DATA {
                    source.peek(BLOCK - in_block)?;
                    source.consume(BLOCK - in_block);
                    continue;
                }
                BLOCK_DATA - in_block
            } else {
                count
            };
            let bytes = source.peek(1)?;
            let bytes = bytes
                .get(..bytes.len().min(room).min(count))
                .unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            out.extend_from_slice(bytes);
            let taken = bytes.len();
            source.consume(taken);
            count -= taken;
        }
        Ok(())
    }
}

/// Reads to the end; says whether there was nothing but fill: what blocks end with, or zeros.
fn only_fill<R: Read>(source: &mut Source<R>) -> io::Result<bool> {
    loop {
        let rest = source.peek(1)?;
        if rest.iter().any(|byte| ![0, FILL].contains(byte)) {
            return Ok(false);
        }
        if rest.is_empty() {
            return Ok(true);
        }
        let count = rest.len();
        source.consume(count);
    }
}
