//! The sealed tokens of the web view. Whoever holds one may look; nobody can read or make one.
//!
//! | part | bytes | content |
//! | --- | --- | --- |
//! | clear, authenticated | 11 | kind (1 start, 2 view), version of the data key (4), UTC day (2), issuer (4) |
//! | IV, ciphertext, tag | 28 and more | AES-256-GCM under a key derived from the data key for issuer and day |
//! | sealed | 33 to 69, a view's 16 more | language, enrolment epoch, issued, opened, expires (seconds), 128-bit id, view, cardholder |
//!
//! In base64url without padding, and in no other spelling. A **start** token is in the URL that an
//! issuer gets; it opens views for 15 minutes. A **view** token is in the view's cookie, or in its
//! addresses; each page carries a new one, until 15 minutes pass without any, or 180 in all.
//!
//! Nothing is stored: any node opens any token, and whether the cardholder may still look is asked
//! of the database on every request.

use super::language::Language;
use crate::ids::{CardholderId, IssuerId};
use crate::vault::{VaultError, VaultKeys};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use std::fmt;
use uuid::Uuid;

/// How long a start token opens views, and a view stays open while nobody asks for a page.
pub const IDLE: TimeDelta = TimeDelta::minutes(15);
/// How long a view lasts, however much it is used.
pub const LONGEST: TimeDelta = TimeDelta::minutes(180);
/// How far the clock of the node that made a token may be ahead of ours.
pub(super) const TOLERANCE: TimeDelta = TimeDelta::seconds(30);
/// Kind, key version, day, issuer.
const CLEAR: usize = 11;
/// More characters than any token has.
const MOST: usize = 300;

const DAY: i64 = 86_400;

/// Why a token is not accepted. The page is the same for all of them; the log has the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token's form.
    #[error("not a token")]
    Malformed,
    /// It was altered, is another's, or its data key is gone.
    #[error("the seal does not hold")]
    Seal,
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// It is from the future.
    #[error("made in the future")]
    Early,
}

impl TokenError {
    /// The stable name in the log.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "token-malformed",
            Self::Seal => "token-seal",
            Self::Expired => "token-expired",
            Self::Early => "token-early",
        }
    }
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Of a URL.
    Start,
    /// Of an open view.
    View,
}

/// What a token says. `Debug` hides the cardholder and the ids.
#[derive(Clone, PartialEq, Eq)]
pub struct Claims {
    /// Whose cardholder.
    pub issuer_id: IssuerId,
    /// Who looks.
    pub user_id: CardholderId,
    /// The cardholder's enrolment epoch when the token was made.
    pub epoch: i32,
    /// The language.
    pub language: Language,
    /// When it was made.
    pub issued: DateTime<Utc>,
    /// When the view was opened; of a start token, when it was made.
    pub opened: DateTime<Utc>,
    /// When it ends.
    pub expires: DateTime<Utc>,
    /// Of the start token, also in the views that it opened: for the audit trail.
    pub id: [u8; 16],
    /// Which view; zero in a start token.
    pub view: [u8; 16],
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Claims(issuer {})", self.issuer_id.0)
    }
}

/// A token as it travels. There is no `Display`: it must not come into a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The text, for the URL or the cookie.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Claims {
    /// A start token for a cardholder.
    pub fn start(
        issuer_id: IssuerId,
        user_id: CardholderId,
        epoch: i32,
        language: Language,
        now: DateTime<Utc>,
    ) -> Self {
        let now = whole_seconds(now);
        Self {
            issuer_id,
            user_id,
            epoch,
            language,
            issued: now,
            opened: now,
            expires: now + IDLE,
            id: *Uuid::new_v4().as_bytes(),
            view: [0; 16],
        }
    }

    /// A view that a start token opens.
    #[must_use]
    pub fn view(&self, language: Language, now: DateTime<Utc>) -> Self {
        let now = whole_seconds(now);
        Self {
            language,
            issued: now,
            opened: now,
            expires: now + IDLE,
            view: *Uuid::new_v4().as_bytes(),
            ..self.clone()
        }
    }

    /// The same view with the time that a page gives it.
    #[must_use]
    pub fn renewed(&self, language: Language, now: DateTime<Utc>) -> Self {
        let now = whole_seconds(now);
        Self {
            language,
            issued: now,
            expires: (now + IDLE).min(self.opened + LONGEST),
            ..self.clone()
        }
    }

    /// The view's part of its address.
    pub fn view_name(&self) -> String {
        hex::encode(self.view)
    }

    /// The start token's id, for the audit trail.
    pub fn id_name(&self) -> String {
        hex::encode(self.id)
    }

    /// Seals it.
    ///
    /// # Errors
    /// No random bytes from the operating system.
    pub fn seal(&self, kind: Kind, keys: &VaultKeys) -> Result<Token, VaultError> {
        let mut plain = Vec::with_capacity(90);
        plain.push(self.language.number());
        plain.extend_from_slice(&self.epoch.to_be_bytes());
        for time in [self.issued, self.opened, self.expires] {
            plain.extend_from_slice(&seconds(time).to_be_bytes());
        }
        plain.extend_from_slice(&self.id);
        if kind == Kind::View {
            plain.extend_from_slice(&self.view);
        }
        plain.extend(user_bytes(&self.user_id));
        let day = u16::try_from(self.issued.timestamp() / DAY).unwrap_or(u16::MAX);
        let (mut token, sealed) = keys.seal_visit(
            &scope(self.issuer_id, day),
            |version| clear(kind, version, day, self.issuer_id),
            &plain,
        )?;
        token.extend(sealed);
        Ok(Token(URL_SAFE_NO_PAD.encode(token)))
    }

    /// Opens a token of this kind: its seal and its time, before anything is asked of a database.
    ///
    /// # Errors
    /// Anything but a token of this kind that is in force.
    pub fn open(
        text: &str,
        kind: Kind,
        keys: &VaultKeys,
        now: DateTime<Utc>,
    ) -> Result<Self, TokenError> {
        let claims = Self::open_seal(text, kind, keys)?;
        if claims.issued > now + TOLERANCE {
            return Err(TokenError::Early);
        }
        if claims.expires <= now || claims.opened + LONGEST <= now {
            return Err(TokenError::Expired);
        }
        Ok(claims)
    }

    /// The same whatever the time: an expired token still says whose page it was, and in which
    /// language.
    ///
    /// # Errors
    /// Its form, or its seal.
    pub fn open_seal(text: &str, kind: Kind, keys: &VaultKeys) -> Result<Self, TokenError> {
        if text.len() > MOST {
            return Err(TokenError::Malformed);
        }
        // The decoder takes no other spelling of the same bytes: no padding, no trailing bits.
        let bytes = URL_SAFE_NO_PAD.decode(text);
        let bytes = bytes.map_err(|_| TokenError::Malformed)?;
        let (head, sealed) = bytes
            .split_first_chunk::<CLEAR>()
            .ok_or(TokenError::Malformed)?;
        let mut reader = Reader(head);
        let found = reader.take::<1>()?;
        let version = u32::from_be_bytes(reader.take()?);
        let day = u16::from_be_bytes(reader.take()?);
        let issuer_id = IssuerId(i32::from_be_bytes(reader.take()?));
        if found != [kind.number()] {
            return Err(TokenError::Malformed);
        }
        let plain = keys
            .open_visit(version, &scope(issuer_id, day), head, sealed)
            .map_err(|_| TokenError::Seal)?;
        let mut reader = Reader(&plain);
        let [language] = reader.take()?;
        let epoch = i32::from_be_bytes(reader.take()?);
        let issued = reader.time()?;
        let opened = reader.time()?;
        let expires = reader.time()?;
        let id = reader.take()?;
        let view = match kind {
            Kind::Start => [0; 16],
            Kind::View => reader.take()?,
        };
        Ok(Self {
            issuer_id,
            user_id: user_id(reader.0).ok_or(TokenError::Malformed)?,
            epoch,
            language: Language::from_number(language).ok_or(TokenError::Malformed)?,
            issued,
            opened,
            expires,
            id,
            view,
        })
    }
}

impl Kind {
    fn number(self) -> u8 {
        match self {
            Self::Start => 1,
            Self::View => 2,
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], TokenError> {
        let (chunk, rest) = self.0.split_first_chunk().ok_or(TokenError::Malformed)?;
        self.0 = rest;
        Ok(*chunk)
    }

    fn time(&mut self) -> Result<DateTime<Utc>, TokenError> {
        let seconds = u32::from_be_bytes(self.take()?);
        DateTime::from_timestamp(seconds.into(), 0).ok_or(TokenError::Malformed)
    }
}

fn clear(kind: Kind, version: u32, day: u16, issuer_id: IssuerId) -> Vec<u8> {
    let mut clear = Vec::with_capacity(CLEAR);
    clear.push(kind.number());
    clear.extend_from_slice(&version.to_be_bytes());
    clear.extend_from_slice(&day.to_be_bytes());
    clear.extend_from_slice(&issuer_id.0.to_be_bytes());
    clear
}

/// What the sealing key is derived for: random IVs under it stay far below AES-GCM's limit.
fn scope(issuer_id: IssuerId, day: u16) -> [u8; 6] {
    let [a, b, c, d] = issuer_id.0.to_be_bytes();
    let [e, f] = day.to_be_bytes();
    [a, b, c, d, e, f]
}

/// 16 bytes of a UUID, else the text.
fn user_bytes(user_id: &CardholderId) -> Vec<u8> {
    match Uuid::try_parse(user_id.as_str()) {
        Ok(uuid) if uuid.to_string() == user_id.as_str() => uuid.as_bytes().to_vec(),
        _ => user_id.as_str().as_bytes().to_vec(),
    }
}

fn user_id(bytes: &[u8]) -> Option<CardholderId> {
    match <[u8; 16]>::try_from(bytes) {
        Ok(bytes) => CardholderId::parse(&Uuid::from_bytes(bytes).to_string()),
        Err(_) => CardholderId::parse(std::str::from_utf8(bytes).ok()?),
    }
}

fn seconds(time: DateTime<Utc>) -> u32 {
    u32::try_from(time.timestamp()).unwrap_or_default()
}

fn whole_seconds(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(time.timestamp(), 0).unwrap_or(time)
}

#[cfg(test)]
mod tests;
