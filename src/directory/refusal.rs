//! Every way in which a call of the users API can be refused; `http::directory_error` turns them
//! into answers.

use crate::store::StoreError;
use crate::store::directory::changes::Taken;
use crate::vault::VaultError;
use crate::violation::Violation;

/// Why a call was not done.
#[derive(Debug)]
pub enum DirectoryRefusal {
    /// No key, an unknown one, or one that does not reach this user: the documents know no 403.
    Unauthorized,
    /// The key calls too often.
    Limited,
    /// The body is not declared as JSON.
    MediaType,
    /// The body is compressed, or encoded otherwise in the way named here.
    ContentEncoding(&'static str),
    /// A body that breaks its rules, all of them.
    Invalid(Vec<Violation>),
    /// `?id=` is missing, there several times, or no number.
    InvalidId,
    /// The app has no such user.
    NotFound,
    /// Another user of the app has the e-mail address.
    EmailTaken,
    /// Another user of the app has the user id.
    UserIdTaken,
    /// A bounded queue is full; nothing was done.
    Overloaded,
    /// The database did not answer; whether a write in flight was done is unknown.
    Unavailable,
    /// A fault of ours.
    Internal(&'static str),
}

impl DirectoryRefusal {
    /// A stable name for log, metrics and audit trail.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unauthorized => "key-refused",
            Self::Limited => "rate-limited",
            Self::MediaType => "media-type",
            Self::ContentEncoding(_) => "content-encoding",
            Self::Invalid(_) => "rules-broken",
            Self::InvalidId => "id-malformed",
            Self::NotFound => "user-not-found",
            Self::EmailTaken => Taken::Email.reason(),
            Self::UserIdTaken => Taken::CardholderId.reason(),
            Self::Overloaded => "overloaded",
            Self::Unavailable => "store-unavailable",
            Self::Internal(_) => "internal",
        }
    }

    /// Whether the same request may succeed later unchanged: such a refusal decides nothing and
    /// earns no audit entry.
    pub fn is_recoverable(&self) -> bool {
        matches!(
            self,
            Self::Limited | Self::Overloaded | Self::Unavailable | Self::Internal(_)
        )
    }
}

impl From<StoreError> for DirectoryRefusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Overloaded => Self::Overloaded,
            error if error.is_recoverable() => Self::Unavailable,
            error => Self::Internal(error.reason()),
        }
    }
}

impl From<VaultError> for DirectoryRefusal {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Store(error) => error.into(),
            error => Self::Internal(error.reason()),
        }
    }
}
