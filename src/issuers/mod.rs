//! The issuers on board: names, account ranges, and the keys that they sign and read with.
//!
//! - `account_range`: the BINs that belong to an issuer
//! - `added_ranges`: the BINs that an issuer may add itself; `gate`: one change at a time
//! - `declaration`: an issuer programme in TOML, validated whole, for `issuer apply`
//! - `dashboard`: what the operator sets for its web view
//! - `profile`, `theme`: the part of an issuer that it reads and changes itself
//! - `theme::Dress`: its colours and fonts, made legible
//! - `registry`: the stored issuers, parsed once and shared by all requests
//! - `validity`: the dates of a certificate

pub mod account_range;
pub mod added_ranges;
pub mod dashboard;
pub mod declaration;
pub mod gate;
pub mod profile;
pub mod registry;
pub mod theme;
pub mod validity;

use crate::footprint::{Country, Month, SetId};
use crate::ids::{ClientId, IssuerId};
use crate::oauth1::VerifyingKey;
use crate::payload::{Accepted, EnvelopeForm, EnvelopeKind, KeyKind, Recipient};
use crate::refusal::Refusal;
use crate::store::issuers::Envelopes;
pub use crate::store::issuers::{IssuerStatus, Responses};
use account_range::AccountRange;
use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use dashboard::DashboardSettings;
use gate::Gate;
use profile::IssuerProfile;
use std::sync::Arc;
use theme::Dress;
use validity::Validity;

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
    /// The encrypted envelopes that it may send.
    pub envelopes: Envelopes,
    /// Parameters of field-level encryption may come as headers, which the signature does not
    /// cover.
    pub field_level_headers: bool,
    /// Signatures by a certificate that has ended are accepted.
    pub accept_expired_signing: bool,
    /// How answers are sealed that have no request to mirror.
    pub answers: EnvelopeForm,
    /// Whose days and months count for its cardholders.
    pub time_zone: Tz,
    /// Where its programme is: a merchant's country if a transaction names none.
    pub country: Country,
    /// The factor set for new transactions; `None`: the newest of the gateway's own.
    pub factor_set: Option<SetId>,
    /// Its web view.
    pub dashboard: DashboardSettings,
    /// Its cards, in first-come order.
    pub account_ranges: Vec<AccountRange>,
    /// What it shows of itself.
    pub profile: IssuerProfile,
    /// Its theme as the web view's pages wear it.
    pub dress: Dress,
    /// Its encryption certificates, the newest first.
    pub encryption: Vec<EncryptionCertificate>,
    /// Its consumer keys, each with what it signs with.
    pub signing: Vec<SigningKeys>,
    /// One change of itself at a time.
    pub changes: Arc<Gate>,
}

/// A public key that answers are sealed to, and when it may be used.
pub struct EncryptionCertificate {
    /// The key, parsed.
    pub recipient: Recipient,
    /// When it may be used.
    pub validity: Validity,
}

/// What one consumer key signs with.
pub struct SigningKeys {
    /// `client id!key id`, at most 256 characters.
    pub consumer_key: String,
    /// Any of them may sign while its certificate is valid.
    pub keys: Arc<[VerifyingKey]>,
    /// The certificate of each of `keys`, in the same order.
    pub certificates: Arc<[SigningCertificate]>,
}

/// What a signing certificate says beside its key.
pub struct SigningCertificate {
    /// SHA-256 of the certificate, in hex.
    pub fingerprint: String,
    /// When it may be used.
    pub validity: Validity,
}

impl Issuer {
    /// The newest encryption key that is valid at `now` and that an answer in this envelope can be
    /// encrypted to: field-level encryption knows RSA alone.
    pub fn recipient(&self, now: DateTime<Utc>, envelope: EnvelopeKind) -> Option<&Recipient> {
        self.encryption
            .iter()
            .filter(|certificate| certificate.validity.holds(now))
            .map(|certificate| &certificate.recipient)
            .find(|recipient| envelope == EnvelopeKind::Jwe || recipient.kind() == KeyKind::Rsa)
    }

    /// Fails early if the answer to a request in this envelope could not be encrypted: nothing is
    /// stored then.
    ///
    /// # Errors
    /// [`Refusal::NoEncryptionCertificate`].
    pub fn require_recipient(
        &self,
        now: DateTime<Utc>,
        envelope: EnvelopeKind,
    ) -> Result<(), Refusal> {
        match self.responses {
            Responses::Mirror if self.recipient(now, envelope).is_none() => {
                Err(Refusal::NoEncryptionCertificate)
            }
            _ => Ok(()),
        }
    }

    /// The day that it is for its cardholders.
    pub fn today(&self, now: DateTime<Utc>) -> NaiveDate {
        self.local_date(now)
    }

    /// The day of a moment in its zone.
    pub fn local_date<Z: TimeZone>(&self, moment: DateTime<Z>) -> NaiveDate {
        day_in(self.time_zone, moment)
    }

    /// Whether a card of this number is the issuer's, by its account ranges.
    pub fn issues(&self, pan_digits: &str) -> bool {
        let mut ranges = self.account_ranges.iter();
        ranges.any(|range| range.covers(pan_digits))
    }

    /// When a month begins in its zone; `None` only outside of the calendar.
    pub fn first_moment(&self, month: Month) -> Option<DateTime<Utc>> {
        first_moment(self.time_zone, month)
    }

    /// What it may send, by its settings `envelopes` and `field_level_headers`.
    pub fn accepted(&self) -> Accepted {
        Accepted {
            jwe: self.envelopes.jwe(),
            field_level: self.envelopes.field_level(),
            headers: self.field_level_headers,
        }
    }
}

/// Where clocks are put forward at midnight, the day begins an hour later.
fn first_moment(zone: Tz, month: Month) -> Option<DateTime<Utc>> {
    let midnight = month.first_day()?.and_hms_opt(0, 0, 0)?;
    let begun = |hours| {
        let local = midnight.checked_add_signed(TimeDelta::hours(hours))?;
        zone.from_local_datetime(&local).earliest()
    };
    Some(begun(0).or_else(|| begun(1))?.to_utc())
}

fn day_in<Z: TimeZone>(zone: Tz, moment: DateTime<Z>) -> NaiveDate {
    moment.with_timezone(&zone).date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_the_day_of_the_zone() {
        for (zone, moment, day) in [
            ("UTC", "2026-11-30T23:30:00Z", "2026-11-30"),
            ("Europe/Stockholm", "2026-11-30T23:30:00Z", "2026-12-01"),
            ("Europe/Stockholm", "2026-07-31T22:15:00Z", "2026-08-01"),
            ("Europe/Stockholm", "2026-11-30T22:15:00Z", "2026-11-30"),
            ("America/New_York", "2026-12-01T04:59:59Z", "2026-11-30"),
            ("Asia/Kolkata", "2026-11-30T14:00:00-05:00", "2026-12-01"),
        ] {
            let zone: Tz = zone.parse().unwrap();
            let moment = DateTime::parse_from_rfc3339(moment).unwrap();
            assert_eq!(day_in(zone, moment).to_string(), day, "{zone} {moment}");
        }
    }

    #[test]
    fn a_month_begins_at_midnight_of_the_zone() {
        for (zone, month, moment) in [
            ("UTC", "2025-11", "2025-11-01T00:00:00Z"),
            ("Europe/Stockholm", "2025-11", "2025-10-31T23:00:00Z"),
            ("Europe/Stockholm", "2025-07", "2025-06-30T22:00:00Z"),
            ("America/New_York", "2025-11", "2025-11-01T04:00:00Z"),
            // Clocks went from 23:59 to 01:00.
            ("America/Asuncion", "2017-10", "2017-10-01T04:00:00Z"),
        ] {
            let zone: Tz = zone.parse().unwrap();
            let begun = first_moment(zone, Month::parse(month).unwrap()).unwrap();
            assert_eq!(
                begun,
                moment.parse::<DateTime<Utc>>().unwrap(),
                "{zone} {month}"
            );
        }
    }

    #[test]
    fn every_country_of_iso_3166_is_known() {
        for country in rust_iso3166::ALL {
            assert!(
                Country::from_alpha3(country.alpha3).is_some(),
                "{country:?}"
            );
        }
    }
}
