//! The certificates of a declared issuer, read from the files that the declaration names.

use super::{Entry, Signing};
use crate::keys;
use crate::oauth1::VerifyingKey;
use crate::payload::{KeyKind, Recipient};
use crate::store::issuers::{CertificatePurpose, IssuerCertificate};
use openssl::asn1::Asn1TimeRef;
use openssl::hash::MessageDigest;
use openssl::x509::X509;
use std::path::Path;

/// Certificates that one consumer key may sign with: a signature that fails is verified with each.
const MAX_SIGNING_KEYS: usize = 4;

/// The certificates that can be read; what is wrong with the others is reported.
pub(super) fn certificates(
    entry: &Entry,
    folder: &Path,
    report: &mut dyn FnMut(String),
) -> Vec<IssuerCertificate> {
    let most = entry.signing.iter().map(|signing| {
        let same = |other: &&Signing| other.consumer_key == signing.consumer_key;
        entry.signing.iter().filter(same).count()
    });
    if most.max().is_some_and(|most| most > MAX_SIGNING_KEYS) {
        report(format!(
            "signing: at most {MAX_SIGNING_KEYS} certificates for each consumer_key"
        ));
    }
    let mut certificates = Vec::new();
    for signing in &entry.signing {
        let prefix = format!("{}!", entry.client_id);
        if !signing.consumer_key.starts_with(&prefix) || signing.consumer_key.len() > 256 {
            report("signing.consumer_key: must be the client_id, then !, then the key's own id; at most 256 characters".to_owned());
        }
        match certificate(
            folder,
            &signing.certificate,
            CertificatePurpose::Signing,
            &signing.consumer_key,
        ) {
            Ok(record) => certificates.push(record),
            Err(problem) => report(format!(
                "signing.certificate {}: {problem}",
                signing.certificate.display()
            )),
        }
    }
    for encryption in &entry.encryption {
        match certificate(
            folder,
            &encryption.certificate,
            CertificatePurpose::Encryption,
            "",
        ) {
            Ok(record) => certificates.push(record),
            Err(problem) => report(format!(
                "encryption.certificate {}: {problem}",
                encryption.certificate.display()
            )),
        }
    }
    certificates
}

/// Field-level encryption knows RSA alone: with EC certificates only, answers would be refused.
pub(super) fn require_rsa(certificates: &[IssuerCertificate], report: &mut dyn FnMut(String)) {
    let encryption =
        |certificate: &&IssuerCertificate| certificate.purpose == CertificatePurpose::Encryption;
    let mut encryption = certificates.iter().filter(encryption).peekable();
    let is_rsa = |certificate: &IssuerCertificate| {
        let parsed = X509::from_pem(certificate.pem.as_bytes());
        let recipient = parsed
            .ok()
            .and_then(|parsed| Recipient::from_certificate(&parsed).ok());
        recipient.is_some_and(|recipient| recipient.kind() == KeyKind::Rsa)
    };
    if encryption.peek().is_some() && !encryption.any(is_rsa) {
        report("encryption: EC certificates read JWE alone: needs envelopes = [\"jwe\"] and answers = { envelope = \"jwe\" }, or an RSA certificate beside them".to_owned());
    }
}

fn certificate(
    folder: &Path,
    file: &Path,
    purpose: CertificatePurpose,
    consumer_key: &str,
) -> Result<IssuerCertificate, String> {
    let pem = std::fs::read(folder.join(file)).map_err(|error| error.to_string())?;
    let certificate = keys::certificates::leaf(&pem)?;
    let public = certificate
        .public_key()
        .map_err(|_| "certificate without a public key")?;
    match purpose {
        CertificatePurpose::Signing => VerifyingKey::from_public_key(public)
            .map(drop)
            .map_err(|error| error.to_string())?,
        CertificatePurpose::Encryption => Recipient::from_certificate(&certificate)
            .map(drop)
            .map_err(|error| error.to_string())?,
    }
    let digest = certificate
        .digest(MessageDigest::sha256())
        .map_err(|_| "certificate cannot be hashed")?;
    let pem = certificate
        .to_pem()
        .map_err(|_| "certificate cannot be written")?;
    Ok(IssuerCertificate {
        purpose,
        fingerprint: hex::encode(digest),
        consumer_key: consumer_key.to_owned(),
        pem: String::from_utf8(pem).map_err(|_| "certificate cannot be written")?,
        not_before: Some(micros(certificate.not_before())?),
        not_after: Some(micros(certificate.not_after())?),
    })
}

fn micros(time: &Asn1TimeRef) -> Result<i64, String> {
    let moment = keys::moment(time).ok_or("validity dates cannot be read")?;
    Ok(moment.timestamp_micros())
}
