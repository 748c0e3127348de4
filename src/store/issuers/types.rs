//! The types of an issuer: as the operator declares it, and as every node loads it.

use crate::ids::{ClientId, IssuerId};
use crate::payload::EnvelopeForm;
use crate::store::schema::issuers;
use chrono_tz::Tz;
use diesel::prelude::*;

/// The states of an issuer (cce-api.md, section 5), and `REMOVED`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IssuerStatus {
    /// `INACTIVE`.
    Inactive,
    /// `ACTIVE`.
    Active,
    /// `SUSPENDED`.
    Suspended,
    /// `TERMINATED`.
    Terminated,
    /// `REMOVED`: off board, without users and ranges; its certificates stay, so that its calls are
    /// still proven and then answered `SERVICE_PROVIDER_NOT_FOUND`.
    Removed,
}

impl IssuerStatus {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inactive => "INACTIVE",
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::Terminated => "TERMINATED",
            Self::Removed => "REMOVED",
        }
    }

    /// From the stored text.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Inactive,
            Self::Active,
            Self::Suspended,
            Self::Terminated,
            Self::Removed,
        ]
        .into_iter()
        .find(|status| status.as_str() == text)
    }
}

/// How answers to an issuer are encrypted (spec decision 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Responses {
    /// `mirror`: every answer, in the envelope of its request.
    Mirror,
    /// `dashboards-only`: as the public API does it.
    DashboardsOnly,
}

impl Responses {
    /// As it is stored and configured.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mirror => "mirror",
            Self::DashboardsOnly => "dashboards-only",
        }
    }

    /// From the stored text.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Mirror, Self::DashboardsOnly]
            .into_iter()
            .find(|r| r.as_str() == text)
    }
}

/// Which encrypted envelopes an issuer may send (spec decision 12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Envelopes {
    /// `jwe,field-level`: either, as the public API takes them.
    Both,
    /// `jwe`: compact JWE alone, which cannot be altered on its way.
    Jwe,
    /// `field-level`: field-level encryption alone.
    FieldLevel,
}

impl Envelopes {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Both => "jwe,field-level",
            Self::Jwe => "jwe",
            Self::FieldLevel => "field-level",
        }
    }

    /// From the stored text.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Both, Self::Jwe, Self::FieldLevel]
            .into_iter()
            .find(|e| e.as_str() == text)
    }

    /// Whether compact JWE is among them.
    pub fn jwe(self) -> bool {
        self != Self::FieldLevel
    }

    /// Whether field-level encryption is among them.
    pub fn field_level(self) -> bool {
        self != Self::Jwe
    }
}

/// What an issuer shows of itself (cce-api.md 3.6). It changes the URLs and the theme itself, the
/// operator declares all of it.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = issuers)]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct ProfileColumns {
    /// The network's number of the customer.
    pub customer_id: Option<String>,
    /// The programme's contact address.
    pub email: String,
    /// ISO 4217, three letters.
    pub currency_code: String,
    /// ISO 3166-1 alpha-3.
    pub country_code: String,
    /// The country in words, 3 to 50 characters.
    pub country_name: String,
    /// Where the terms and conditions are.
    pub terms_and_condition_url: Option<String>,
    /// Where the privacy notice is.
    pub privacy_notice_url: Option<String>,
    /// Where cardholders opt out.
    pub opt_out_url: Option<String>,
    /// Colours and fonts, as JSON; `None`: those of the product.
    pub theme: Option<String>,
}

/// What an operator declares of an issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the columns of `issuers`, described in migrations/"
)]
pub struct IssuerDeclaration {
    pub client_id: ClientId,
    pub name: String,
    pub profile: ProfileColumns,
    pub donation: bool,
    pub responses: Responses,
    pub unicode_names: bool,
    pub rsa_pss: bool,
    pub envelopes: Envelopes,
    pub field_level_headers: bool,
    pub accept_expired_signing: bool,
    /// How answers are sealed that have no request to mirror; never with headers.
    pub answers: EnvelopeForm,
    /// Prefixes of 1 to 8 digits inside which the issuer may add ranges. `None`: nowhere; what it
    /// has added stays.
    pub self_service_ranges: Option<Vec<String>>,
    /// Settings of its web view, as JSON; `None`: all by default.
    pub dashboard: Option<String>,
    /// Whose days and months count for its cardholders.
    pub time_zone: Tz,
    /// Id of the factor set for new transactions. `None` in a declaration: as it is stored; in an
    /// [`IssuerRecord`]: the newest of the gateway's own.
    pub factor_set: Option<String>,
    /// Prefixes of 4 to 8 digits, in the issuer's order; in an [`IssuerRecord`] with those that it
    /// added, at the end.
    pub account_ranges: Vec<String>,
    /// In any order.
    pub certificates: Vec<IssuerCertificate>,
}

/// A certificate or public key of an issuer: a row of `issuer_certificates` without the issuer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IssuerCertificate {
    /// What it is for.
    pub purpose: CertificatePurpose,
    /// Hex SHA-256 over the DER.
    pub fingerprint: String,
    /// Signing: the consumer key it belongs to; empty for any of the issuer.
    pub consumer_key: String,
    /// The certificate or public key.
    pub pem: String,
    /// Microseconds since 1970 UTC, where the certificate says so.
    pub not_before: Option<i64>,
    /// Microseconds since 1970 UTC, where the certificate says so.
    pub not_after: Option<i64>,
}

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CertificatePurpose {
    /// `signing`: verifies the issuer's OAuth signatures.
    Signing,
    /// `encryption`: seals our answers.
    Encryption,
}

impl CertificatePurpose {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signing => "signing",
            Self::Encryption => "encryption",
        }
    }

    /// From the stored text.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Signing, Self::Encryption]
            .into_iter()
            .find(|p| p.as_str() == text)
    }
}

/// An issuer as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerRecord {
    /// Our number of it.
    pub issuer_id: IssuerId,
    /// What was declared.
    pub declared: IssuerDeclaration,
    /// Its state.
    pub status: IssuerStatus,
    /// Those of `declared.account_ranges` that the issuer has added itself.
    pub added_ranges: Vec<String>,
    /// Users of a lower epoch must enrol again.
    pub enrolment_epoch: i32,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
    /// Microseconds since 1970 UTC.
    pub updated_at: i64,
}

impl IssuerRecord {
    /// Takes the next range in, in the issuer's order.
    pub(super) fn take_range(&mut self, (prefix, added): (String, bool)) {
        if added {
            self.added_ranges.push(prefix.clone());
        }
        self.declared.account_ranges.push(prefix);
    }
}

/// Issuers at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRegistry {
    /// Rises with every change.
    pub version: i64,
    /// In the order of their numbers, removed ones included.
    pub issuers: Vec<IssuerRecord>,
}

/// What became of a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Done.
    Removed,
    /// There is no such issuer.
    Unknown,
    /// It has users, deleted ones included.
    HasCardholders,
}
