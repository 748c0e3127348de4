//! Files of transactions: bytes in, one transaction after the other out, in constant memory.
//!
//! - [`Reader`]: opens a feed, tells its format from its content, gives one [`Entry`] a record
//! - `csv`: our columns and Mastercard's file for scoring; `ipm`: clearing files
//! - `source`: the bytes, counted, summed and wiped; [`fault`]: what is wrong with a record
//!
//! Pure: no database, no clock, no files but the one that is read. A record that is wrong does not
//! fail its neighbours; a file whose records cannot be told apart any more ends with a
//! [`FeedError`].

mod csv;
mod detect;
pub mod fault;
mod ipm;
mod source;
#[cfg(test)]
mod tests;

pub use detect::Format;
pub use source::Sum;

use super::item::{Item, SourceId};
use chrono::{DateTime, FixedOffset};
use fault::Fault;
use source::Source;
use std::io::{self, Read};

/// Longest line of a CSV file, in bytes.
pub const LONGEST_LINE: usize = 64 * 1024;

/// Longest message of a clearing file, in bytes.
pub const LONGEST_MESSAGE: usize = 6_000;

/// A record of the feed.
#[derive(Debug)]
pub struct Entry {
    /// Of a CSV file its line, with the header as line 1; of a clearing file the message's number,
    /// counted from 1.
    pub number: u64,
    /// What it is.
    pub what: What,
}

/// What a record is.
#[derive(Debug)]
pub enum What {
    /// A transaction of a cardholder. If the feed says an instant instead of a local date, the
    /// item has that instant's date in UTC.
    Item(Box<Item>, Option<DateTime<FixedOffset>>),
    /// Nothing to score, and nothing wrong.
    Skipped(Skip),
    /// Something is wrong with it.
    Rejected(Box<Reject>),
}

/// Why a record is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skip {
    /// Headers, trailers, fees: no transaction.
    Administration,
    /// An authorisation: nothing was cleared.
    Authorisation,
    /// A message type, function or processing code that we do not know.
    Unknown,
    /// A card number that is not of 16 digits: no such card can be enrolled.
    OtherCard,
}

/// A record with a fault.
#[derive(Debug, PartialEq, Eq)]
pub struct Reject {
    /// Its source id, if that much could be read.
    pub source: Option<SourceId>,
    /// The last four digits of the card number, if there is one.
    pub last_four: Option<[u8; 4]>,
    /// What is wrong.
    pub fault: Fault,
}

/// Where a reader stands, after an [`Entry`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Bytes that were read.
    pub position: u64,
    /// The number of the last record.
    pub number: u64,
    /// SHA-256 of those bytes.
    pub sum: Sum,
}

/// Why a feed cannot be read, or read on. Everything before was in order.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The file system's words.
    #[error("the file cannot be read")]
    Io(#[from] io::Error),
    /// Neither format fits.
    #[error("the file is neither CSV with a header of known columns nor an IPM clearing file")]
    UnknownFormat,
    /// A CSV file whose first line does not name its columns.
    #[error("the first line must name the columns: {0}")]
    Header(String),
    /// A clearing file whose messages cannot be told apart any more.
    #[error("message {number}: {rule}")]
    Broken {
        /// The message that would come next, counted from 1.
        number: u64,
        /// What is wrong.
        rule: &'static str,
    },
}

/// Reads a feed.
pub struct Reader<R> {
    source: Source<R>,
    parser: Parser,
    number: u64,
}

enum Parser {
    Csv(Box<csv::Lines>),
    Ipm(ipm::Messages),
}

impl<R: Read> Reader<R> {
    /// Looks at the beginning of `input`, and takes `format` or what that shows.
    ///
    /// # Errors
    ///
    /// See [`FeedError`].
    pub fn open(input: R, format: Option<Format>) -> Result<Self, FeedError> {
        let mut source = Source::new(input);
        let head = source.peek(detect::HEAD)?;
        let parser = match format.or_else(|| detect::format(head)) {
            Some(Format::Csv) => Parser::Csv(Box::new(csv::Lines::open(head)?)),
            Some(Format::Ipm) => {
                let framing = detect::framing(head).ok_or(FeedError::Broken {
                    number: 1,
                    rule: "is no message of a clearing file",
                })?;
                Parser::Ipm(ipm::Messages::new(framing))
            }
            None => return Err(FeedError::UnknownFormat),
        };
        Ok(Self {
            source,
            parser,
            number: 0,
        })
    }

    /// Which format it is.
    pub fn format(&self) -> Format {
        match self.parser {
            Parser::Csv(_) => Format::Csv,
            Parser::Ipm(_) => Format::Ipm,
        }
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    ///
    /// See [`FeedError`]; nothing can be read after one.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, FeedError> {
        let what = match &mut self.parser {
            Parser::Csv(lines) => lines.next(&mut self.source, &mut self.number)?,
            Parser::Ipm(messages) => messages.next(&mut self.source, &mut self.number)?,
        };
        Ok(what.map(|what| Entry {
            number: self.number,
            what,
        }))
    }

    /// Where it stands.
    pub fn mark(&self) -> Mark {
        Mark {
            position: self.source.position(),
            number: self.number,
            sum: self.source.sum(),
        }
    }

    /// Goes on after `mark`, of another reader of the same content. Reads what lies before it, and
    /// tells `seen` the position on the way. `false`: the content is not the same.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn resume(&mut self, mark: &Mark, seen: impl FnMut(u64)) -> Result<bool, FeedError> {
        self.source.skip_to(mark.position, seen)?;
        self.number = mark.number;
        Ok(self.mark() == *mark)
    }
}
