//! What is wrong with a record, in words that quote nothing of it.

use std::borrow::Cow;
use std::fmt;

/// Where in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The line or the message as a whole.
    Whole,
    /// A column of a CSV file.
    Column(&'static str),
    /// A data element of a message.
    Element(usize),
    /// A private subelement of a message.
    Private(u16),
}

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// Goes on after the place: `must be 12 digits`.
    pub rule: Cow<'static, str>,
}

impl Fault {
    pub(super) fn new(place: Place, rule: impl Into<Cow<'static, str>>) -> Self {
        let rule = rule.into();
        Self { place, rule }
    }

    pub(super) fn whole(rule: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Place::Whole, rule)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => out.write_str("it"),
            Self::Column(name) => out.write_str(name),
            Self::Element(number) => write!(out, "DE {number}"),
            Self::Private(tag) => write!(out, "PDS {tag:04}"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.place, self.rule)
    }
}
