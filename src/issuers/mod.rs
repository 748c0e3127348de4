//! The issuers on board: who they are, which cards are theirs, which keys they sign and read with.
//!
//! - `account_range`: the BINs that belong to an issuer
//! - `declaration`: an issuer programme in TOML, validated whole, for `issuer apply`
//! - `profile`, `theme`: what an issuer shows and changes of itself
//! - `registry`: what the store holds, parsed once and shared by all requests

pub mod account_range;
pub mod declaration;
pub mod profile;
pub mod registry;
pub mod theme;

use crate::ids::{ClientId, IssuerId};
use crate::payload::Recipient;
use crate::refusal::Refusal;
pub use crate::store::issuers::{IssuerStatus, Responses};
use account_range::AccountRange;
use chrono::{DateTime, Utc};
use profile::Profile;

/// An issuer as requests see it.
pub struct Issuer {
    /// Our number of it.
    pub id: IssuerId,
    /// Its public name.
    pub client_id: ClientId,
    /// Its name for people.
    pub name: String,
    /// Where it stands.
    pub status: IssuerStatus,
    /// The donation toggle: ON makes all enrolment fields mandatory and opens updates.
    pub donation: bool,
    /// Users of a lower epoch must enrol again (cce-api.md 7.1).
    pub enrolment_epoch: i32,
    /// Which answers are encrypted.
    pub responses: Responses,
    /// Names may hold Unicode letters, blanks, hyphens and periods (cce-api.md 8.5).
    pub unicode_names: bool,
    /// RSA-PSS signatures are accepted beside RSA-SHA256.
    pub rsa_pss: bool,
    /// Its cards, in first-come order.
    pub account_ranges: Vec<AccountRange>,
    /// What it shows of itself.
    pub profile: Profile,
    /// Its encryption certificates, the newest first.
    pub encryption: Vec<EncryptionCertificate>,
}

/// A public key that answers are sealed to, and when it may be used.
pub struct EncryptionCertificate {
    /// The key, parsed.
    pub recipient: Recipient,
    /// First moment of validity.
    pub not_before: DateTime<Utc>,
    /// Last moment of validity.
    pub not_after: DateTime<Utc>,
}

impl Issuer {
    /// The newest encryption key that is valid at `now`.
    pub fn recipient(&self, now: DateTime<Utc>) -> Option<&Recipient> {
        let valid = |certificate: &&EncryptionCertificate| {
            (certificate.not_before..=certificate.not_after).contains(&now)
        };
        self.encryption
            .iter()
            .find(valid)
            .map(|certificate| &certificate.recipient)
    }

    /// Refuses before anything is written what could not be answered afterwards.
    pub fn require_recipient(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        match self.responses {
            Responses::Mirror if self.recipient(now).is_none() => Err(Refusal::Internal(
                "the issuer has no valid encryption certificate",
            )),
            _ => Ok(()),
        }
    }
}
