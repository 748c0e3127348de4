//! CSV: a header with our columns or Mastercard's, then one transaction a line.
//!
//! Commas, quotes where a field holds a comma or a quote, LF or CRLF. A field holds no line break,
//! so a line that is wrong never takes its neighbours with it. A byte order mark at the start and
//! empty lines are skipped.

mod fields;
mod header;
mod row;

use super::fault::Fault;
use super::source::Source;
use super::{FeedError, LONGEST_LINE, Reject, What};
use fields::Fields;
use header::Header;
use std::io::Read;

/// Reads one line after the other.
pub(super) struct Lines {
    header: Header,
    fields: Fields,
}

/// Whether the head of a file begins with a line that names columns.
pub(super) fn looks_like_it(head: &[u8]) -> bool {
    Lines::open(head).is_ok()
}

impl Lines {
    /// Reads the header, at the head of the file.
    pub(super) fn open(head: &[u8]) -> Result<Self, FeedError> {
        let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let mut fields = Fields::new();
        let names = fields.split(without_return(line));
        let header = names
            .map_err(|fault| fault.to_string())
            .and_then(|names| Header::read(names.iter()))
            .map_err(FeedError::Header)?;
        Ok(Self { header, fields })
    }

    /// What the next line is; `None` at the end. `number` is of the last line.
    pub(super) fn next<R: Read>(
        &mut self,
        source: &mut Source<R>,
        number: &mut u64,
    ) -> Result<Option<What>, FeedError> {
        loop {
            let bytes = source.peek(LONGEST_LINE + 1)?;
            if bytes.is_empty() {
                return Ok(None);
            }
            *number = number.saturating_add(1);
            let longest = bytes.get(..LONGEST_LINE + 1).unwrap_or(bytes);
            let Some(end) = longest.iter().position(|byte| *byte == b'\n') else {
                if longest.len() > LONGEST_LINE {
                    skip_line(source)?;
                    let rule = format!("is longer than {LONGEST_LINE} bytes");
                    return Ok(Some(rejected(Fault::whole(rule))));
                }
                let (count, line) = (longest.len(), without_return(longest));
                let what = (*number > 1 && !line.is_empty())
                    .then(|| self.header.row(&mut self.fields, line));
                source.consume(count);
                return Ok(what);
            };
            let line = without_return(longest.get(..end).unwrap_or_default());
            let what =
                (*number > 1 && !line.is_empty()).then(|| self.header.row(&mut self.fields, line));
            source.consume(end + 1);
            if what.is_some() {
                return Ok(what);
            }
        }
    }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn rejected(fault: Fault) -> What {
    What::Rejected(Box::new(Reject {
        source: None,
        last_four: None,
        fault,
    }))
}

/// To the end of the line, however long it is.
fn skip_line<R: Read>(source: &mut Source<R>) -> Result<(), FeedError> {
    loop {
        let bytes = source.peek(1)?;
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let count = end.map_or(bytes.len(), |end| end + 1);
        let ended = end.is_some() || count == 0;
        source.consume(count);
        if ended {
            return Ok(());
        }
    }
}
