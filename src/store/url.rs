//! The address of the database: `sqlite:PATH` or `postgresql://...`, told apart by the scheme
//! alone.
//!
//! A URL may contain a password, so `Debug` and `Display` show the scheme, and for SQLite the path.
//! A PostgreSQL URL passes to libpq as it came, with the parameters added that it does not set
//! itself.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// A parsed database URL.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// The path of an SQLite file.
    Sqlite(PathBuf),
    /// A libpq connection URI.
    Postgres(PostgresUrl),
}

/// A `postgresql://` URI. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    uri: String,
    sessions: PoolMode,
}

/// What a connection to PostgreSQL gets, in PgBouncer's words (`database.pool_mode`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PoolMode {
    /// A server session of its own, as without a pooler.
    #[default]
    Session,
    /// A server session for each transaction. Nothing outlives a transaction: statements are not
    /// prepared by name, and timeouts are set in each transaction.
    Transaction,
}

/// Why a database URL is refused. It repeats nothing of the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Another scheme, or none.
    #[error("a database URL starts with sqlite:, postgresql:// or postgres://")]
    Scheme,
    /// `sqlite:` without a path.
    #[error("an SQLite URL needs the path of a file: sqlite:gateway.db")]
    NoPath,
    /// `sqlite::memory:`: each connection would have a database of its own.
    #[error("an in-memory SQLite database cannot be shared between connections; name a file")]
    InMemory,
    /// A NUL byte, which C libraries take for the end.
    #[error("a database URL must not contain NUL")]
    Nul,
}

impl UrlError {
    /// Stable id for logs.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Scheme => "database-url-scheme",
            Self::NoPath => "database-url-path",
            Self::InMemory => "database-url-in-memory",
            Self::Nul => "database-url-nul",
        }
    }
}

/// Added to every PostgreSQL URL that does not say otherwise. libpq waits for ever for a server
/// that vanished. Seconds, but `tcp_user_timeout` in milliseconds; libpq takes no `connect_timeout`
/// below 2.
const POSTGRES_PARAMETERS: [(&str, &str); 6] = [
    ("connect_timeout", "2"),
    ("keepalives_idle", "5"),
    ("keepalives_interval", "2"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "2000"),
    ("application_name", "issuer-gateway"),
];

/// The statement timeout in milliseconds: below the deadline of 1.5 s, after which the caller has
/// its answer anyway.
pub(super) const STATEMENT_TIMEOUT: u32 = 1_400;

/// Server settings in milliseconds, unless the URL's `options` set them.
const POSTGRES_SETTINGS: [(&str, u32); 3] = [
    ("statement_timeout", STATEMENT_TIMEOUT),
    ("lock_timeout", 1_000),
    ("idle_in_transaction_session_timeout", 5_000),
];

/// The statements that set the same for one transaction.
pub(super) static TRANSACTION_SETTINGS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let set = |(name, milliseconds)| format!("SET LOCAL {name} = {milliseconds}");
    POSTGRES_SETTINGS.into_iter().map(set).collect()
});

impl DatabaseUrl {
    /// Parses `sqlite:path`, `sqlite://path`, `postgres://...` and `postgresql://...`.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if text.contains('\0') {
            return Err(UrlError::Nul);
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(PostgresUrl {
                uri: text.to_owned(),
                sessions: PoolMode::Session,
            }));
        }
        let path = text.strip_prefix("sqlite:").ok_or(UrlError::Scheme)?;
        let path = path.strip_prefix("//").unwrap_or(path);
        match path {
            "" => Err(UrlError::NoPath),
            ":memory:" => Err(UrlError::InMemory),
            _ => Ok(Self::sqlite(Path::new(path))),
        }
    }

    /// The SQLite database in the file `path`.
    pub fn sqlite(path: &Path) -> Self {
        Self::Sqlite(path.to_owned())
    }

    /// The same database, whose connections get what `mode` says. SQLite has no pooler.
    #[must_use]
    pub fn pooled(self, mode: PoolMode) -> Self {
        match self {
            Self::Postgres(url) => Self::Postgres(PostgresUrl {
                sessions: mode,
                ..url
            }),
            sqlite @ Self::Sqlite(_) => sqlite,
        }
    }

    /// Whether each transaction may run in another server session.
    pub(super) fn shares_sessions(&self) -> bool {
        matches!(self, Self::Postgres(url) if url.shares_sessions())
    }

    /// Whether a PostgreSQL URL sends settings to the server at the start of a session (`options`).
    pub fn has_session_options(&self) -> bool {
        let Self::Postgres(url) = self else {
            return false;
        };
        url.parameters().any(|(name, _)| decode(name) == "options")
    }

    /// True for SQLite, which has one writer at a time.
    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(_) => f.write_str("postgresql://…"),
        }
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresUrl(…)")
    }
}

impl PostgresUrl {
    /// The URI for libpq, with our parameters where it sets none.
    pub(super) fn conninfo(&self) -> String {
        let given: Vec<String> = self.parameters().map(|(name, _)| decode(name)).collect();
        let mut uri = self.uri.clone();
        let mut separator = match self.query() {
            None => "?",
            Some("") => "",
            Some(query) if query.ends_with('&') => "",
            Some(_) => "&",
        };
        for (name, value) in POSTGRES_PARAMETERS {
            if !given.iter().any(|g| g == name) {
                uri.push_str(separator);
                uri.push_str(name);
                uri.push('=');
                uri.push_str(value);
                separator = "&";
            }
        }
        uri
    }

    /// The `SET` statements to run on a new connection: what the URL's `options` do not set.
    pub(super) fn settings(&self) -> String {
        let options: String = self
            .parameters()
            .filter(|(name, _)| decode(name) == "options")
            .map(|(_, value)| decode(value))
            .collect();
        POSTGRES_SETTINGS
            .iter()
            .filter(|(name, _)| !options.contains(name))
            .map(|(name, milliseconds)| format!("SET {name} = {milliseconds};"))
            .collect()
    }

    /// Whether each transaction may run in another server session.
    pub(super) fn shares_sessions(&self) -> bool {
        self.sessions == PoolMode::Transaction
    }

    /// What follows the first `?` after host and path. As libpq does it: user and password end at
    /// the first `@` if that comes before any `/`, and may contain `?` themselves.
    fn query(&self) -> Option<&str> {
        let (_, rest) = self.uri.split_once("://")?;
        let rest = match rest.find(['@', '/']) {
            Some(at) if rest.get(at..).is_some_and(|r| r.starts_with('@')) => rest.get(at + 1..)?,
            _ => rest,
        };
        rest.split_once('?').map(|(_, query)| query)
    }

    fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        let query = self.query().unwrap_or_default();
        query.split('&').filter_map(|pair| pair.split_once('='))
    }
}

/// Percent-decoding as in libpq's URIs; what is no escape stays.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escape = (first == b'%')
            .then(|| tail.split_at_checked(2))
            .flatten()
            .and_then(|(digits, after)| Some((hex::decode(digits).ok()?, after)));
        match escape {
            Some((decoded, after)) => {
                bytes.extend(decoded);
                rest = after;
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conninfo(text: &str) -> String {
        match DatabaseUrl::parse(text).unwrap() {
            DatabaseUrl::Postgres(url) => url.conninfo(),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn schemes_decide() {
        for (text, path) in [
            ("sqlite:gateway.db", "gateway.db"),
            ("sqlite://gateway.db", "gateway.db"),
            ("sqlite:///var/lib/gateway.db", "/var/lib/gateway.db"),
            ("sqlite:/var/lib/gateway.db", "/var/lib/gateway.db"),
        ] {
            assert_eq!(
                DatabaseUrl::parse(text),
                Ok(DatabaseUrl::sqlite(Path::new(path)))
            );
        }
        for (text, error) in [
            ("", UrlError::Scheme),
            ("gateway.db", UrlError::Scheme),
            ("mysql://localhost/db", UrlError::Scheme),
            ("postgresql:/db", UrlError::Scheme),
            ("host=localhost", UrlError::Scheme),
            ("sqlite:", UrlError::NoPath),
            ("sqlite://", UrlError::NoPath),
            ("sqlite::memory:", UrlError::InMemory),
            ("sqlite:a\0b", UrlError::Nul),
        ] {
            assert_eq!(DatabaseUrl::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let url = DatabaseUrl::parse("postgresql://user:hunter2@localhost/db").unwrap();
        assert!(!format!("{url} {url:?}").contains("hunter2"));
    }

    #[test]
    fn parameters_are_added_where_missing() {
        let all = "connect_timeout=2&keepalives_idle=5&keepalives_interval=2&keepalives_count=3\
                   &tcp_user_timeout=2000&application_name=issuer-gateway";
        for (given, expected) in [
            ("postgres://h/db", format!("postgres://h/db?{all}")),
            ("postgresql://", format!("postgresql://?{all}")),
            ("postgresql://h/db?", format!("postgresql://h/db?{all}")),
            (
                "postgresql://u:p%3Fw?x@[::1]:5432,b/db?sslmode=verify-full",
                format!("postgresql://u:p%3Fw?x@[::1]:5432,b/db?sslmode=verify-full&{all}"),
            ),
            (
                "postgresql://h/db?connect_timeout=9&",
                format!(
                    "postgresql://h/db?connect_timeout=9&{}",
                    all.strip_prefix("connect_timeout=2&").unwrap()
                ),
            ),
            (
                "postgresql://h/db?connect%5Ftimeout=9",
                format!(
                    "postgresql://h/db?connect%5Ftimeout=9&{}",
                    all.strip_prefix("connect_timeout=2&").unwrap()
                ),
            ),
        ] {
            assert_eq!(conninfo(given), expected);
        }
    }

    #[test]
    fn settings_of_the_url_stay() {
        let DatabaseUrl::Postgres(url) =
            DatabaseUrl::parse("postgresql://h/db?options=-c%20statement_timeout%3D9s").unwrap()
        else {
            panic!()
        };
        assert_eq!(
            url.settings(),
            "SET lock_timeout = 1000;SET idle_in_transaction_session_timeout = 5000;"
        );
    }
}
