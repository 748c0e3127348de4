//! The identifiers that every layer shares, parsed once at the edge.

use std::fmt;

/// Our number of an issuer: the first column of every large key, so that tables shard by issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerId(pub i32);

/// Our number of an app of the users API: the first column of every large key of its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppId(pub i32);

/// Whom a sealed row belongs to. Issuers and apps are numbered apart; the row's table, and the kind
/// of a blind index, say which of them is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnerId {
    /// The issuer of a cardholder.
    Issuer(IssuerId),
    /// The app of a record of the users API.
    App(AppId),
}

impl OwnerId {
    /// The owner's number: what is sealed and indexed with, and stored.
    pub fn number(self) -> i32 {
        match self {
            Self::Issuer(IssuerId(number)) | Self::App(AppId(number)) => number,
        }
    }
}

impl From<IssuerId> for OwnerId {
    fn from(issuer_id: IssuerId) -> Self {
        Self::Issuer(issuer_id)
    }
}

impl From<AppId> for OwnerId {
    fn from(app_id: AppId) -> Self {
        Self::App(app_id)
    }
}

/// An issuer's public name: the part of `oauth_consumer_key` before `!` (cce-api.md, section 1).
///
/// 1 to 200 of `A-Z a-z 0-9 _ -` (cce-api.md 3.6).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(String);

impl ClientId {
    /// What [`ClientId::parse`] accepts.
    pub const PATTERN: &'static str = "^[A-Za-z0-9_-]{1,200}$";

    /// Parses a client id; `None` if a character or the length is not acceptable.
    pub fn parse(text: &str) -> Option<Self> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        let fits = (1..=200).contains(&text.len()) && text.bytes().all(legal);
        fits.then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A cardholder's id: 36 characters `0-9 a-f -`, compared without regard to case (cce-api.md 3.3).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CardholderId(String);

impl CardholderId {
    /// What [`CardholderId::parse`] accepts.
    pub const PATTERN: &'static str = "^[0-9A-Fa-f-]{36}$";
    /// The same in words, for an answer.
    pub const RULE: &'static str = "must be 36 characters of 0-9, a-f and -";

    /// A new random id, a version 4 UUID in lower case.
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().to_string())
    }

    /// Parses a text of [`CardholderId::PATTERN`] and keeps it in lower case.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == 36 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        fits.then(|| Self(text.to_ascii_lowercase()))
    }

    /// The text, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CardholderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_ids_are_36_hex_digits_and_hyphens() {
        let id = CardholderId::parse("C8B38606-12b2-43c6-a641-be8eb0ab9dec").unwrap();
        assert_eq!(id.as_str(), "c8b38606-12b2-43c6-a641-be8eb0ab9dec");
        for text in [
            "",
            "c8b38606-12b2-43c6-a641-be8eb0ab9dec12",
            "g8b38606-12b2-43c6-a641-be8eb0ab9dec",
        ] {
            assert_eq!(CardholderId::parse(text), None, "{text}");
        }
        assert_eq!(
            CardholderId::parse(CardholderId::random().as_str()).map(|id| id.0.len()),
            Some(36)
        );
    }

    #[test]
    fn client_ids_are_url_safe() {
        assert!(ClientId::parse("fjl2fxzsYl1OpvxkBItC9nVw1PSQc_b-eQMcmQFg011ab4b5").is_some());
        for text in ["", "a!b", "a b", "é"] {
            assert_eq!(ClientId::parse(text), None, "{text}");
        }
        assert_eq!(ClientId::parse(&"a".repeat(201)), None);
    }
}
