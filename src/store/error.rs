//! The one error of the store, and the one place that reads database errors.
//!
//! Database messages quote values (PostgreSQL's DETAIL above all), so the store keeps none. An
//! error carries its kind, and the table and constraint by name.

use super::connection::libpq::{self, SqlState};
use super::connection::line::was_given_up;
use crate::queue::Refused;
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};
use std::borrow::Cow;
use std::fmt;

const LOST: &str = "the connection was lost";
const ENDED: &str = "the connection was ended";
const SILENT: &str = "it did not answer for too long: the connection is given up";

/// Why the store could not do what was asked. No text in it comes from a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No connection, or the connection was lost; where it broke during COMMIT the outcome is
    /// unknown.
    #[error("the database is not available: {0}")]
    Unavailable(Cow<'static, str>),
    /// Too many requests wait already; nothing was tried.
    #[error("too many requests wait for the database")]
    Overloaded,
    /// Another connection holds a lock for too long, or transactions kept colliding.
    #[error("the database is busy")]
    Busy,
    /// The database did not answer within its statement timeout or our deadline.
    #[error("the database did not answer in time")]
    Timeout,
    /// A COMMIT was under way and its outcome did not become known in time: it may be stored.
    #[error("the database did not confirm in time: it may be stored or not")]
    InDoubt,
    /// The end of an audit chain, which the database had confirmed, is not there any more. Nothing
    /// was written; the loss is declared in a new chain, and the same can be tried again.
    #[error("the database has lost confirmed entries of the audit trail")]
    ChainLost,
    /// The database, or what stands before it, cannot be used at all; what to change.
    #[error("{0}")]
    Unsupported(Cow<'static, str>),
    /// A unique key is taken.
    #[error("{0} is taken already")]
    Duplicate(UniqueKey),
    /// A fault of ours, of the schema or of the data.
    #[error("internal database error: {0}")]
    Internal(Fault),
}

impl StoreError {
    /// Stable id for logs, metrics and audit.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "database-unavailable",
            Self::Overloaded => "database-overloaded",
            Self::Busy => "database-busy",
            Self::Timeout => "database-timeout",
            Self::InDoubt => "database-in-doubt",
            Self::ChainLost => "database-chain-lost",
            Self::Unsupported(_) => "database-unsupported",
            Self::Duplicate(_) => "database-duplicate",
            Self::Internal(_) => "database-internal",
        }
    }

    /// True if the same request may well pass later: the caller answers 503.
    pub fn is_recoverable(&self) -> bool {
        !matches!(
            self,
            Self::Unsupported(_) | Self::Duplicate(_) | Self::Internal(_)
        )
    }

    /// Whether the connection is gone with it, and with it the word on a COMMIT under way.
    pub(super) fn ended_connection(&self) -> bool {
        [LOST, ENDED, SILENT]
            .iter()
            .any(|text| *self == Self::Unavailable(Cow::Borrowed(text)))
    }

    pub(super) fn internal(kind: &'static str) -> Self {
        Self::Internal(Fault {
            kind,
            table: None,
            constraint: None,
        })
    }
}

/// The unique keys that an application error can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UniqueKey {
    /// `cards`: the PAN of an issuer, or the card of a user.
    Card,
    /// `users`: the user id of an issuer.
    Cardholder,
    /// `oauth_nonces`.
    Nonce,
    /// `issuers`: the client id.
    Issuer,
    /// `account_ranges`: the prefix.
    AccountRange,
    /// `data_keys`: purpose and version.
    DataKey,
    /// `directory_apps`: the name, or that only one app is anonymous.
    App,
    /// Any other.
    Other,
}

impl fmt::Display for UniqueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Card => "the card",
            Self::Cardholder => "the user id",
            Self::Nonce => "the nonce",
            Self::Issuer => "the client id",
            Self::AccountRange => "the account range",
            Self::DataKey => "the data-key version",
            Self::App => "the app's name, or the place of the one anonymous app,",
            Self::Other => "a unique key",
        })
    }
}

/// What is known of an internal fault: names from the schema, nothing from the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The kind of error, in words.
    pub kind: &'static str,
    /// The table, where the database names it.
    pub table: Option<String>,
    /// The constraint, where the database names it.
    pub constraint: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind)?;
        if let Some(table) = &self.table {
            write!(f, ", table {table}")?;
        }
        if let Some(constraint) = &self.constraint {
            write!(f, ", constraint {constraint}")?;
        }
        Ok(())
    }
}

/// The end of a chain is not where the database had confirmed it: see [`StoreError::ChainLost`].
#[derive(Debug, thiserror::Error)]
#[error("the chain does not end where it did")]
struct ChainLost;

/// What an append to the audit trail answers that did not find its chain's end.
pub(super) fn chain_lost() -> diesel::result::Error {
    diesel::result::Error::QueryBuilderError(Box::new(ChainLost))
}

/// Whether an append to the audit trail did not find its chain's end.
pub(super) fn is_chain_lost(error: &diesel::result::Error) -> bool {
    matches!(error, diesel::result::Error::QueryBuilderError(inner) if inner.is::<ChainLost>())
}

impl From<Refused> for StoreError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full => Self::Overloaded,
            Refused::Closed => Self::Unavailable("the gateway is stopping".into()),
        }
    }
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::DatabaseError(kind, info) => from_database(&kind, info.as_ref()),
            DieselError::NotFound => Self::internal("row not found"),
            DieselError::BrokenTransactionManager => lost(),
            error if is_chain_lost(&error) => Self::ChainLost,
            DieselError::RollbackErrorOnCommit { commit_error, .. } => Self::from(*commit_error),
            DieselError::SerializationError(_) => Self::internal("value does not fit its column"),
            DieselError::DeserializationError(_) => Self::internal("row does not fit its type"),
            _ => Self::internal("query failed"),
        }
    }
}

/// Whether somebody else was in the way: [`StoreError::Busy`], told without taking the error.
pub(super) fn is_busy(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => true,
        DieselError::DatabaseError(kind, info) => {
            from_database(kind, info.as_ref()) == StoreError::Busy
        }
        _ => false,
    }
}

fn from_database(kind: &DatabaseErrorKind, info: &dyn DatabaseErrorInformation) -> StoreError {
    let kind = match kind {
        DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
            return lost();
        }
        DatabaseErrorKind::ReadOnlyTransaction => {
            return StoreError::Unavailable("it is read-only".into());
        }
        DatabaseErrorKind::SerializationFailure => return StoreError::Busy,
        DatabaseErrorKind::Unknown
            if let Some(error) = libpq::sqlstate(info.message()).and_then(by_sqlstate) =>
        {
            return error;
        }
        DatabaseErrorKind::UniqueViolation => return StoreError::Duplicate(unique_key(info)),
        DatabaseErrorKind::ForeignKeyViolation => "foreign key violated",
        DatabaseErrorKind::NotNullViolation => "not-null constraint violated",
        DatabaseErrorKind::CheckViolation => "check constraint violated",
        _ => match known_message(info.message()) {
            Some(error) => return error,
            None => "statement refused",
        },
    };
    StoreError::Internal(Fault {
        kind,
        table: info.table_name().map(str::to_owned),
        constraint: info.constraint_name().map(str::to_owned),
    })
}

fn lost() -> StoreError {
    StoreError::Unavailable(if was_given_up() { SILENT } else { LOST }.into())
}

/// What PostgreSQL says of itself, whatever its language: classes 08, 40, 53, 55, 57 and 58 are not
/// the request's fault.
fn by_sqlstate(state: SqlState) -> Option<StoreError> {
    let unavailable = |text| Some(StoreError::Unavailable(Cow::Borrowed(text)));
    match &state {
        b"57014" => Some(StoreError::Timeout),
        b"25006" => unavailable("it is read-only"),
        b"53100" => unavailable("the disk is full"),
        // Idle in a transaction, or the transaction itself, for too long: the server ends the
        // session.
        b"25P03" | b"25P04" => unavailable(ENDED),
        [b'0', b'8', ..] => Some(lost()),
        [b'4', b'0', ..] | [b'5', b'5', ..] => Some(StoreError::Busy),
        [b'5', b'3', ..] => unavailable("it is out of resources"),
        [b'5', b'7', ..] => unavailable(ENDED),
        [b'5', b'8', ..] => unavailable("input/output error"),
        _ => None,
    }
}

/// SQLite's messages, which are English; and PostgreSQL's, where a linker has kept its SQLSTATE
/// from us (see [`libpq`]) and `lc_messages` leaves them English.
fn known_message(message: &str) -> Option<StoreError> {
    const KNOWN: [(&str, StoreError); 11] = [
        ("deadlock detected", StoreError::Busy),
        // Citus, between machines.
        ("distributed deadlock", StoreError::Busy),
        ("due to lock timeout", StoreError::Busy),
        ("database is locked", StoreError::Busy),
        ("database table is locked", StoreError::Busy),
        ("due to statement timeout", StoreError::Timeout),
        (
            "terminating connection",
            StoreError::Unavailable(Cow::Borrowed(ENDED)),
        ),
        (
            "disk I/O error",
            StoreError::Unavailable(Cow::Borrowed("input/output error")),
        ),
        (
            "database or disk is full",
            StoreError::Unavailable(Cow::Borrowed("the disk is full")),
        ),
        (
            "unable to open database file",
            StoreError::Unavailable(Cow::Borrowed("the file cannot be opened")),
        ),
        (
            "readonly database",
            StoreError::Unavailable(Cow::Borrowed("it is read-only")),
        ),
    ];
    KNOWN
        .into_iter()
        .find_map(|(text, error)| message.contains(text).then_some(error))
}

/// PostgreSQL names the table; SQLite says `UNIQUE constraint failed: cards.issuer_id, ...`.
fn unique_key(info: &dyn DatabaseErrorInformation) -> UniqueKey {
    let table = info.table_name().or_else(|| {
        let (_, columns) = info.message().split_once("constraint failed: ")?;
        columns.split_once('.').map(|(table, _)| table)
    });
    match table {
        Some("cards") => UniqueKey::Card,
        Some("users") => UniqueKey::Cardholder,
        Some("oauth_nonces") => UniqueKey::Nonce,
        Some("issuers") => UniqueKey::Issuer,
        Some("account_ranges") => UniqueKey::AccountRange,
        Some("data_keys") => UniqueKey::DataKey,
        Some("directory_apps") => UniqueKey::App,
        _ => UniqueKey::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(kind: DatabaseErrorKind, message: &str) -> StoreError {
        DieselError::DatabaseError(kind, Box::new(message.to_owned())).into()
    }

    #[test]
    fn messages_are_sorted_and_never_kept() {
        use DatabaseErrorKind as Kind;
        let cases = [
            (Kind::Unknown, "deadlock detected", "database-busy"),
            (Kind::Unknown, "database is locked", "database-busy"),
            (
                Kind::Unknown,
                "canceling the transaction since it was involved in a distributed deadlock",
                "database-busy",
            ),
            (
                Kind::Unknown,
                "canceling statement due to statement timeout",
                "database-timeout",
            ),
            (
                Kind::Unknown,
                "terminating connection due to administrator command",
                "database-unavailable",
            ),
            (
                Kind::ClosedConnection,
                "server closed the connection",
                "database-unavailable",
            ),
            (Kind::SerializationFailure, "x", "database-busy"),
            (Kind::CheckViolation, "secret", "database-internal"),
            (
                Kind::Unknown,
                "invalid input: \"secret\"",
                "database-internal",
            ),
        ];
        for (kind, message, reason) in cases {
            let error = database(kind, message);
            assert_eq!(error.reason(), reason, "{message}");
            assert!(!format!("{error} {error:?}").contains("secret"));
        }
    }

    #[test]
    fn sqlstates_are_sorted_by_class() {
        let cases: [(&SqlState, &str); 15] = [
            (b"08006", "database-unavailable"),
            (b"40P01", "database-busy"),
            (b"40003", "database-busy"),
            (b"25006", "database-unavailable"),
            (b"25P03", "database-unavailable"),
            (b"53100", "database-unavailable"),
            (b"53200", "database-unavailable"),
            (b"53300", "database-unavailable"),
            (b"53400", "database-unavailable"),
            (b"55P03", "database-busy"),
            (b"55006", "database-busy"),
            (b"57014", "database-timeout"),
            (b"57P01", "database-unavailable"),
            (b"57P03", "database-unavailable"),
            (b"58030", "database-unavailable"),
        ];
        for (state, reason) in cases {
            let error = by_sqlstate(*state).unwrap();
            assert_eq!(error.reason(), reason, "{state:?}");
            let ends = matches!(state, [b'0', ..] | [b'5', b'7', b'P', ..] | b"25P03");
            assert_eq!(error.ended_connection(), ends, "{state:?}");
        }
        for state in [b"22001", b"23505", b"42501", b"XX001"] {
            assert_eq!(by_sqlstate(*state), None);
        }
    }

    #[test]
    fn sqlite_unique_violations_are_named() {
        let message = "UNIQUE constraint failed: cards.issuer_id, cards.pan_index_key";
        assert_eq!(
            database(DatabaseErrorKind::UniqueViolation, message),
            StoreError::Duplicate(UniqueKey::Card)
        );
    }
}
