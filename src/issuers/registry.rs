//! All issuers in memory: parsed once, looked up by consumer key, swapped whole.
//!
//! Each node polls the store's registry version, so that a change by any operator takes effect
//! everywhere within two seconds. A set that cannot be read keeps the last good one in force.

use super::account_range::AccountRange;
use super::profile::Profile;
use super::{EncryptionCertificate, Issuer};
use crate::oauth1::{Decoys, VerifyingKey};
use crate::payload::Recipient;
use crate::store::issuers::{CertificatePurpose, IssuerRecord};
use crate::store::{Store, StoreError};
use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use openssl::x509::X509;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Mutex;

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
    /// Each is accepted.
    pub keys: Arc<[VerifyingKey]>,
}

struct Snapshot {
    version: i64,
    issuers: Vec<Arc<Issuer>>,
    credentials: HashMap<String, Credential>,
    decoys: Arc<Decoys>,
}

/// The issuers as last read.
pub struct Registry {
    current: ArcSwap<Snapshot>,
    /// One refresh after the other: an older set must not replace a newer one.
    refreshing: Mutex<()>,
}

impl Registry {
    /// Reads all issuers from the store.
    pub async fn load(store: &Store) -> Result<Self, RegistryError> {
        Ok(Self {
            current: ArcSwap::from_pointee(read(store).await?),
            refreshing: Mutex::new(()),
        })
    }

    /// The issuer and verifying keys of a consumer key, if it is known; and what hides whether it
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
        let mut issuers = current.issuers.iter();
        issuers
            .find(|issuer| issuer.client_id.as_str() == client_id)
            .cloned()
    }

    /// All issuers.
    pub fn issuers(&self) -> Vec<Arc<Issuer>> {
        self.current.load().issuers.clone()
    }

    /// Reads again if the store's version has changed; says whether it did.
    pub async fn refresh(&self, store: &Store) -> Result<bool, RegistryError> {
        let _alone = self.refreshing.lock().await;
        if store.registry_version().await? == self.current.load().version {
            return Ok(false);
        }
        self.current.store(Arc::new(read(store).await?));
        Ok(true)
    }
}

async fn read(store: &Store) -> Result<Snapshot, RegistryError> {
    let stored = store.load_registry().await?;
    let mut snapshot = Snapshot {
        version: stored.version,
        issuers: Vec::new(),
        credentials: HashMap::new(),
        decoys: Arc::default(),
    };
    for record in stored.issuers {
        let client_id = record.declared.client_id.clone();
        let invalid = |message: String| RegistryError::Invalid {
            client_id: client_id.to_string(),
            message,
        };
        let signing = signing_keys(&record).map_err(invalid)?;
        let issuer = Arc::new(issuer(record).map_err(invalid)?);
        for (consumer_key, keys) in signing {
            snapshot.credentials.insert(
                consumer_key,
                Credential {
                    issuer: issuer.clone(),
                    keys: keys.into(),
                },
            );
        }
        snapshot.issuers.push(issuer);
    }
    let consumer_keys = snapshot.credentials.values();
    let decoys = Decoys::among(consumer_keys.map(|credential| &*credential.keys));
    snapshot.decoys = Arc::new(decoys);
    Ok(snapshot)
}

fn signing_keys(record: &IssuerRecord) -> Result<HashMap<String, Vec<VerifyingKey>>, String> {
    let mut keys: HashMap<String, Vec<VerifyingKey>> = HashMap::new();
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
        keys.entry(certificate.consumer_key.clone())
            .or_default()
            .push(key);
    }
    Ok(keys)
}

fn issuer(record: IssuerRecord) -> Result<Issuer, String> {
    let declared = record.declared;
    let profile = Profile::of(&declared).ok_or("stored theme does not parse")?;
    let mut encryption = Vec::new();
    for certificate in declared
        .certificates
        .iter()
        .filter(|c| c.purpose == CertificatePurpose::Encryption)
    {
        let parsed = parse(&certificate.pem)?;
        encryption.push(EncryptionCertificate {
            recipient: Recipient::from_certificate(&parsed).map_err(|error| error.to_string())?,
            not_before: certificate
                .not_before
                .and_then(DateTime::from_timestamp_micros)
                .unwrap_or(DateTime::<Utc>::MIN_UTC),
            not_after: certificate
                .not_after
                .and_then(DateTime::from_timestamp_micros)
                .unwrap_or(DateTime::<Utc>::MAX_UTC),
        });
    }
    encryption.sort_by_key(|certificate| Reverse((certificate.not_before, certificate.not_after)));
    let ranges = declared
        .account_ranges
        .iter()
        .map(|prefix| AccountRange::parse(prefix));
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
        account_ranges: ranges
            .collect::<Result<_, _>>()
            .map_err(|error| error.to_string())?,
        profile,
        encryption,
    })
}

fn parse(pem: &str) -> Result<X509, String> {
    X509::from_pem(pem.as_bytes()).map_err(|_| "stored certificate does not parse".to_owned())
}
