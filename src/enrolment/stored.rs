//! The form in which cards and profiles are sealed at rest: one flat JSON object of strings.
//!
//! UTF-8, no blanks, absent members left out. Each type's `to_json` lists its members, with their
//! names on the wire. Reading checks the shape, not today's rules: a stored value must stay
//! readable when an issuer's rules change.

use crate::json::{self, Object};
use serde_json::{Map, Value};
use std::fmt::Write;
use zeroize::{Zeroize, Zeroizing};

/// Bytes set aside for a stored value: more than the longest one needs, so that the buffer
/// never moves and leaves no copy behind. Longest: `UserName`, 2 x 100 characters of 4 bytes.
const CAPACITY: usize = 2048;

/// Why an opened column could not be read back. It never carries a part of the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoredError {
    /// Not the JSON that `to_json` of the type writes.
    #[error("a stored value does not have its documented form")]
    Malformed,
}

impl StoredError {
    /// A stable name for log and audit.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "stored-value-malformed",
        }
    }
}

/// Writes one JSON object from the members that are there.
pub(super) fn write(members: &[(&str, Option<&str>)]) -> Zeroizing<Vec<u8>> {
    let mut object = Map::new();
    for (name, text) in members {
        if let Some(text) = text {
            object.insert((*name).to_owned(), Value::from(*text));
        }
    }
    let mut object = Value::Object(object);
    let mut out = Zeroizing::new(String::with_capacity(CAPACITY));
    // Writing into a String cannot fail.
    let _ = write!(out, "{object}");
    if let Value::Object(copies) = &mut object {
        for copy in copies.values_mut() {
            if let Value::String(text) = copy {
                text.zeroize();
            }
        }
    }
    Zeroizing::new(std::mem::take(&mut *out).into_bytes())
}

/// A stored JSON object, open for reading.
pub(super) struct Stored(Object);

impl Stored {
    /// Parses what [`write`] wrote.
    pub(super) fn read(json: &[u8]) -> Result<Self, StoredError> {
        json::parse_object(json)
            .map(Self)
            .map_err(|_| StoredError::Malformed)
    }

    /// The member called `name`, which must be there.
    pub(super) fn required(&self, name: &str) -> Result<Zeroizing<String>, StoredError> {
        self.optional(name)?.ok_or(StoredError::Malformed)
    }

    /// The member called `name`, if it is there.
    pub(super) fn optional(&self, name: &str) -> Result<Option<Zeroizing<String>>, StoredError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(Zeroizing::new(text.clone()))),
            Some(_) => Err(StoredError::Malformed),
        }
    }
}
