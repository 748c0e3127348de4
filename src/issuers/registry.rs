//! All issuers in memory: parsed once, looked up by consumer key, swapped whole.
//!
//! Each node polls the store's registry version, so an operator's change takes effect everywhere
//! within two seconds. If a node cannot read the new set, the last good one stays in force.

use super::account_range::AccountRange;
use super::dashboard::{Dark, DashboardSettings};
use super::gate::Gate;
use super::profile::IssuerProfile;
use super::theme::Dress;
use super::validity::Validity;
use super::{EncryptionCertificate, Issuer, SigningCertificate, SigningKeys};
use crate::footprint::{Country, SetId};
use crate::ids::IssuerId;
use crate::oauth1::{Decoys, VerifyingKey};
use crate::payload::Recipient;
use crate::store::issuers::{self, CertificatePurpose, IssuerRecord};
use crate::store::{Store, StoreError};
use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use openssl::x509::X509;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// After changes the registry loads all issuers again this often: a node of an earlier version does
/// not say which issuer it has changed.
const WHOLE: Duration = Duration::from_secs(60);

/// Why the issuers could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored issuer does not parse; names issuer and member.
    #[error("issuer {client_id}: {message}")]
    Invalid {
        /// Which issuer.
        client_id: String,
        /// What is wrong.
        message: String,
    },
}

/// An issuer, and the keys that one of its consumer keys signs with.
#[derive(Clone)]
pub struct Credential {
    /// Whose it is.
    pub issuer: Arc<Issuer>,
    /// All of its keys, whether their certificates are valid or not: see [`Credential::keys_at`].
    pub keys: Arc<[VerifyingKey]>,
    certificates: Arc<[SigningCertificate]>,
}

impl Credential {
    /// The keys that may sign at `now`: their certificates have begun (with five minutes of
    /// tolerance) and have not ended, unless the issuer is set to `accept_expired_signing`.
    pub fn keys_at(&self, now: DateTime<Utc>) -> impl Iterator<Item = &VerifyingKey> {
        let accept_expired = self.issuer.accept_expired_signing;
        let counts = move |certificate: &SigningCertificate| {
            let validity = &certificate.validity;
            validity.has_begun(now) && (accept_expired || !validity.has_ended(now))
        };
        self.keys
            .iter()
            .zip(self.certificates.iter())
            .filter(move |(_, certificate)| counts(certificate))
            .map(|(key, _)| key)
    }
}

struct Snapshot {
    version: i64,
    /// When all issuers were loaded last.
    whole_at: Instant,
    /// Whether single issuers were loaded since.
    patched: bool,
    issuers: BTreeMap<IssuerId, Arc<Issuer>>,
    credentials: HashMap<String, Credential>,
    decoys: Arc<Decoys>,
}

/// The issuers as last read.
pub struct IssuerRegistry {
    current: ArcSwap<Snapshot>,
    /// One refresh after the other: an older set must not replace a newer one.
    refreshing: Mutex<()>,
}

impl IssuerRegistry {
    /// Reads all issuers from the store.
    pub async fn load(store: &Store) -> Result<Self, RegistryError> {
        let stored = store.load_registry().await?;
        Ok(Self {
            current: ArcSwap::from_pointee(whole(stored, &BTreeMap::new())?),
            refreshing: Mutex::new(()),
        })
    }

    /// The issuer and verifying keys of a consumer key, if it is known. The decoys hide whether it
    /// is.
    pub fn credential(&self, consumer_key: &str) -> (Option<Credential>, Arc<Decoys>) {
        let current = self.current.load();
        let credential = current.credentials.get(consumer_key).cloned();
        (credential, current.decoys.clone())
    }

    /// The issuer whose client id stands in front of a consumer key that proves nothing yet.
    pub fn claimed_issuer(&self, consumer_key: &str) -> Option<Arc<Issuer>> {
        let client_id = consumer_key.split('!').next()?;
        let current = self.current.load();
        let mut issuers = current.issuers.values();
        issuers
            .find(|issuer| issuer.client_id.as_str() == client_id)
            .cloned()
    }

    /// The issuer of this number, if it is on board.
    pub fn issuer(&self, issuer_id: IssuerId) -> Option<Arc<Issuer>> {
        self.current.load().issuers.get(&issuer_id).cloned()
    }

    /// All issuers.
    pub fn issuers(&self) -> Vec<Arc<Issuer>> {
        self.current.load().issuers.values().cloned().collect()
    }

    /// The version in force.
    pub fn version(&self) -> i64 {
        self.current.load().version
    }

    /// Reads what has changed if the store's version has; says whether it did. The other issuers
    /// stay as they were parsed.
    pub async fn refresh(&self, store: &Store) -> Result<bool, RegistryError> {
        let _alone = self.refreshing.lock().await;
        let current = self.current.load_full();
        let is_old = current.patched && current.whole_at.elapsed() >= WHOLE;
        if !is_old && store.registry_version().await? == current.version {
            return Ok(false);
        }
        let next = if is_old {
            whole(store.load_registry().await?, &current.issuers)?
        } else {
            let changes = store.load_changes(current.version).await?;
            if changes.issuers.is_empty() {
                whole(store.load_registry().await?, &current.issuers)?
            } else {
                patched(changes, &current)?
            }
        };
        self.current.store(Arc::new(next));
        Ok(true)
    }
}

type Issuers = BTreeMap<IssuerId, Arc<Issuer>>;

fn whole(stored: issuers::StoredRegistry, before: &Issuers) -> Result<Snapshot, RegistryError> {
    let issuers = parsed(stored.issuers, before)?.collect();
    Ok(Snapshot::new(
        stored.version,
        Instant::now(),
        false,
        issuers,
    ))
}

fn patched(changes: issuers::StoredRegistry, before: &Snapshot) -> Result<Snapshot, RegistryError> {
    let mut issuers = before.issuers.clone();
    issuers.extend(parsed(changes.issuers, &before.issuers)?);
    Ok(Snapshot::new(
        changes.version,
        before.whole_at,
        true,
        issuers,
    ))
}

impl Snapshot {
    fn new(version: i64, whole_at: Instant, patched: bool, issuers: Issuers) -> Self {
        let credentials = credentials(&issuers);
        let keys = credentials.values().map(|credential| &*credential.keys);
        Self {
            version,
            whole_at,
            patched,
            decoys: Arc::new(Decoys::among(keys)),
            credentials,
            issuers,
        }
    }
}

/// Parses issuers; each keeps the gate that it had. Warns of themes that are new and illegible.
fn parsed(
    records: Vec<IssuerRecord>,
    before: &Issuers,
) -> Result<impl Iterator<Item = (IssuerId, Arc<Issuer>)>, RegistryError> {
    let parse = |record: IssuerRecord| {
        let former = before.get(&record.issuer_id);
        let gate = former.map_or_else(Arc::default, |issuer| Arc::clone(&issuer.changes));
        let client_id = record.declared.client_id.to_string();
        let issuer = issuer(record, gate)
            .map_err(|message| RegistryError::Invalid { client_id, message })?;
        if former.is_none_or(|former| former.profile.theme != issuer.profile.theme) {
            warn_of_theme(&issuer);
        }
        Ok((issuer.id, Arc::new(issuer)))
    };
    let all: Result<Vec<_>, RegistryError> = records.into_iter().map(parse).collect();
    Ok(all?.into_iter())
}

/// An issuer that has set no colour is not to blame for the published example's.
fn warn_of_theme(issuer: &Issuer) {
    if issuer.profile.theme.is_empty() {
        return;
    }
    for pair in issuer.dress.warnings() {
        tracing::warn!(issuer = %issuer.client_id, %pair, "the web view changes a theme to keep it legible");
    }
}

fn credentials(issuers: &Issuers) -> HashMap<String, Credential> {
    let mut credentials = HashMap::new();
    for issuer in issuers.values() {
        for signing in &issuer.signing {
            let credential = Credential {
                issuer: Arc::clone(issuer),
                keys: Arc::clone(&signing.keys),
                certificates: Arc::clone(&signing.certificates),
            };
            credentials.insert(signing.consumer_key.clone(), credential);
        }
    }
    credentials
}

fn signing(record: &IssuerRecord) -> Result<Vec<SigningKeys>, String> {
    let mut all: BTreeMap<&str, (Vec<VerifyingKey>, Vec<SigningCertificate>)> = BTreeMap::new();
    for certificate in record
        .declared
        .certificates
        .iter()
        .filter(|c| c.purpose == CertificatePurpose::Signing)
    {
        let public = parse(&certificate.pem)?
            .public_key()
            .map_err(|_| "signing certificate without a key")?;
        let key = VerifyingKey::from_public_key(public).map_err(|error| error.to_string())?;
        let (keys, certificates) = all.entry(&certificate.consumer_key).or_default();
        keys.push(key);
        certificates.push(SigningCertificate {
            fingerprint: certificate.fingerprint.clone(),
            validity: Validity::from_micros(certificate.not_before, certificate.not_after),
        });
    }
    let mut signing = Vec::new();
    for (consumer_key, (keys, certificates)) in all {
        signing.push(SigningKeys {
            consumer_key: consumer_key.to_owned(),
            keys: keys.into(),
            certificates: certificates.into(),
        });
    }
    Ok(signing)
}

fn encryption(record: &IssuerRecord) -> Result<Vec<EncryptionCertificate>, String> {
    let mut encryption = Vec::new();
    for certificate in record
        .declared
        .certificates
        .iter()
        .filter(|c| c.purpose == CertificatePurpose::Encryption)
    {
        let parsed = parse(&certificate.pem)?;
        encryption.push(EncryptionCertificate {
            recipient: Recipient::from_certificate(&parsed).map_err(|error| error.to_string())?,
            validity: Validity::from_micros(certificate.not_before, certificate.not_after),
        });
    }
    encryption.sort_by_key(|certificate| {
        let Validity {
            not_before,
            not_after,
        } = certificate.validity;
        Reverse((not_before, not_after))
    });
    Ok(encryption)
}

fn issuer(record: IssuerRecord, changes: Arc<Gate>) -> Result<Issuer, String> {
    let signing = signing(&record)?;
    let encryption = encryption(&record)?;
    let declared = record.declared;
    let profile = IssuerProfile::of(&declared.profile).ok_or("stored theme does not parse")?;
    let country = Country::from_alpha3(&declared.profile.country_code);
    let country = country.ok_or("stored country is not known")?;
    let factor_set = declared.factor_set.as_deref();
    let factor_set = factor_set
        .map(|id| SetId::stored(id).ok_or("stored factor set is no id"))
        .transpose()?;
    let ranges = declared
        .account_ranges
        .iter()
        .map(|prefix| AccountRange::parse(prefix));
    let dashboard = DashboardSettings::from_json(declared.dashboard.as_deref())
        .ok_or("stored settings of the web view do not parse")?;
    Ok(Issuer {
        id: record.issuer_id,
        client_id: declared.client_id,
        name: declared.name,
        status: record.status,
        donation: declared.donation,
        enrolment_epoch: record.enrolment_epoch,
        responses: declared.responses,
        unicode_names: declared.unicode_names,
        rsa_pss: declared.rsa_pss,
        envelopes: declared.envelopes,
        field_level_headers: declared.field_level_headers,
        accept_expired_signing: declared.accept_expired_signing,
        answers: declared.answers,
        dress: Dress::of(&profile.theme, dashboard.dark == Dark::Auto),
        dashboard,
        time_zone: declared.time_zone,
        country,
        factor_set,
        account_ranges: ranges
            .collect::<Result<_, _>>()
            .map_err(|error| error.to_string())?,
        profile,
        encryption,
        signing,
        changes,
    })
}

fn parse(pem: &str) -> Result<X509, String> {
    X509::from_pem(pem.as_bytes()).map_err(|_| "stored certificate does not parse".to_owned())
}
