//! The bytes of a feed, read once from front to back. They hold card numbers, so the buffer is
//! wiped on drop.

use sha2::{Digest, Sha256};
use std::io::{self, Read};
use zeroize::Zeroizing;

/// Bytes in the buffer: more than the longest line, so that a line is always seen whole.
const BUFFER: usize = 256 * 1024;

/// Digest of what was read.
pub type Sum = [u8; 32];

/// Reads from `input`, counts, and keeps the SHA-256 of what was consumed.
pub(super) struct Source<R> {
    input: R,
    buffer: Zeroizing<Vec<u8>>,
    /// The part of the buffer that was read and not yet consumed.
    start: usize,
    end: usize,
    ended: bool,
    position: u64,
    sum: Sha256,
}

impl<R: Read> Source<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            buffer: Zeroizing::new(vec![0; BUFFER]),
            start: 0,
            end: 0,
            ended: false,
            position: 0,
            sum: Sha256::new(),
        }
    }

    /// How many bytes were consumed.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// SHA-256 of the bytes that were consumed.
    pub(super) fn sum(&self) -> Sum {
        self.sum.clone().finalize().into()
    }

    /// The bytes in the buffer; without consuming them.
    fn buffered(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// The next bytes: at least `wanted` (at most the buffer's length), fewer only at the end.
    pub(super) fn peek(&mut self, wanted: usize) -> io::Result<&[u8]> {
        if self.end - self.start < wanted && !self.ended {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            while self.end < wanted.min(BUFFER) && !self.ended {
                let room = self.buffer.get_mut(self.end..).unwrap_or_default();
                match self.input.read(room) {
                    Ok(0) => self.ended = true,
                    Ok(count) => self.end += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(self.buffered())
    }

    /// Consumes so many of the bytes that [`Source::peek`] showed.
    pub(super) fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        let consumed = self.buffer.get(self.start..self.start + count);
        self.sum.update(consumed.unwrap_or_default());
        self.start += count;
        self.position += u64::try_from(count).unwrap_or_default();
    }

    /// Consumes everything up to `position`, or to the end; tells `seen` the position on the way.
    pub(super) fn skip_to(&mut self, position: u64, mut seen: impl FnMut(u64)) -> io::Result<()> {
        while self.position < position {
            let left = usize::try_from(position - self.position).unwrap_or(usize::MAX);
            let count = self.peek(1)?.len().min(left);
            if count == 0 {
                break;
            }
            self.consume(count);
            seen(self.position);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time, after an interruption each.
    struct Slow<'a>(&'a [u8], bool);

    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let count = self.0.len().min(1);
            out[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn peeking_gives_at_least_what_is_wanted_and_less_only_at_the_end() {
        let mut source = Source::new(Slow(b"abcdef", false));
        assert_eq!(source.peek(4).unwrap(), b"abcd");
        source.consume(3);
        assert_eq!(source.peek(2).unwrap(), b"de");
        assert_eq!(source.peek(9).unwrap(), b"def");
        assert_eq!(source.position(), 3);
    }

    #[test]
    fn the_sum_is_that_of_what_was_consumed() {
        let bytes: Vec<u8> = (0..=255).cycle().take(3 * BUFFER + 5).collect();
        let cut = BUFFER + 17;
        let mut source = Source::new(bytes.as_slice());
        let mut seen = Vec::new();
        let to = u64::try_from(cut).unwrap();
        source.skip_to(to, |position| seen.push(position)).unwrap();
        assert_eq!(source.position(), to);
        assert_eq!(seen.last(), Some(&to));
        let expected: Sum = Sha256::digest(&bytes[..cut]).into();
        assert_eq!(source.sum(), expected);
        assert_eq!(source.peek(3).unwrap()[..3], bytes[cut..cut + 3]);
        source.skip_to(u64::MAX, |_| {}).unwrap();
        let all: Sum = Sha256::digest(&bytes).into();
        assert_eq!(source.sum(), all);
    }
}
