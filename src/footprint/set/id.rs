//! The name of a factor set.

use std::fmt;
use std::sync::Arc;

/// 1 to 40 lower-case letters, digits, dots, hyphens and underscores, beginning with a letter or a
/// digit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SetId(Arc<str>);

/// Why a text names no set of an operator's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SetIdError {
    /// Other characters, or another length.
    #[error(
        "must be 1 to 40 lower-case letters, digits, dots, hyphens and underscores, and begin with a letter or a digit"
    )]
    Malformed,
    /// Begins with `ig-`.
    #[error("must not begin with ig-: those are the gateway's own sets")]
    Reserved,
}

impl SetId {
    /// The id of a set of an operator's own.
    ///
    /// # Errors
    ///
    /// Other characters, other lengths, or a beginning of `ig-`.
    pub fn of_operator(text: &str) -> Result<Self, SetIdError> {
        let id = Self::stored(text).ok_or(SetIdError::Malformed)?;
        if text.starts_with("ig-") {
            return Err(SetIdError::Reserved);
        }
        Ok(id)
    }

    /// The id of any set, as a stored score names it; `None` if no set can be called so.
    pub fn stored(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let begins = text.bytes().next().is_some_and(allowed);
        let shaped = text
            .bytes()
            .all(|byte| allowed(byte) || b".-_".contains(&byte));
        (begins && shaped && text.len() <= 40).then(|| Self(text.into()))
    }

    pub(super) fn builtin(id: &'static str) -> Self {
        Self(id.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SetId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}
