//! The fields of one line.

use super::super::LONGEST_LINE;
use super::super::fault::Fault;
use csv_core::{ReadRecordResult, Reader};
use zeroize::Zeroizing;

/// Most columns of a file.
pub(super) const MOST: usize = 64;

/// A place for the fields of a line, used for one line after the other and wiped at the end.
pub(super) struct Fields {
    reader: Reader,
    text: Zeroizing<Vec<u8>>,
    ends: [usize; MOST],
}

/// The fields of a line, in UTF-8.
#[derive(Clone, Copy)]
pub(super) struct Split<'f> {
    text: &'f str,
    ends: &'f [usize],
}

impl Fields {
    pub(super) fn new() -> Self {
        Self {
            reader: Reader::new(),
            text: Zeroizing::new(vec![0; LONGEST_LINE]),
            ends: [0; MOST],
        }
    }

    /// Splits a line that has no line break and is not empty.
    pub(super) fn split(&mut self, line: &[u8]) -> Result<Split<'_>, Fault> {
        let quotes = line.iter().filter(|byte| **byte == b'"').count();
        if quotes % 2 == 1 {
            return Err(Fault::whole("has a quote that is not closed"));
        }
        self.reader.reset();
        let (result, read, written, count) =
            self.reader
                .read_record(line, &mut self.text, &mut self.ends);
        // The line's end is the record's: an empty input says so.
        let (result, written, count) = match result {
            ReadRecordResult::InputEmpty if read == line.len() => {
                let text = self.text.get_mut(written..).unwrap_or_default();
                let ends = self.ends.get_mut(count..).unwrap_or_default();
                let (result, _, more, last) = self.reader.read_record(&[], text, ends);
                (result, written + more, count + last)
            }
            other => (other, written, count),
        };
        if result != ReadRecordResult::Record {
            return Err(Fault::whole(format!("must have at most {MOST} fields")));
        }
        let text = std::str::from_utf8(self.text.get(..written).unwrap_or_default());
        Ok(Split {
            text: text.map_err(|_| Fault::whole("is not UTF-8"))?,
            ends: self.ends.get(..count).unwrap_or_default(),
        })
    }
}

impl<'f> Split<'f> {
    pub(super) fn count(self) -> usize {
        self.ends.len()
    }

    pub(super) fn iter(self) -> impl Iterator<Item = &'f str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let places = starts.zip(self.ends.iter().copied());
        places.map(move |(start, end)| self.text.get(start..end).unwrap_or_default())
    }
}
