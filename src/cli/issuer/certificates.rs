//! Issuers' certificates for the operator, with warnings about their dates.

use super::date;
use crate::issuers::validity::Validity;
use crate::store::issuers::{CertificatePurpose, IssuerCertificate, IssuerDeclaration};
use chrono::{DateTime, Utc};

fn validity(certificate: &IssuerCertificate) -> Validity {
    Validity::from_micros(certificate.not_before, certificate.not_after)
}

/// Prints each certificate with its dates.
pub(super) fn show(certificates: &[IssuerCertificate], now: DateTime<Utc>) {
    for certificate in certificates {
        let (purpose, consumer_key) = match certificate.purpose {
            CertificatePurpose::Signing => (
                "signing",
                format!(", consumer key {}", certificate.consumer_key),
            ),
            CertificatePurpose::Encryption => ("encryption", String::new()),
        };
        println!(
            "{purpose} certificate   sha256 {}{consumer_key}",
            certificate.fingerprint
        );
        let remark = validity(certificate).remark(now);
        println!(
            "{:<22}valid {} to {}{}",
            "",
            date(certificate.not_before),
            date(certificate.not_after),
            remark.map_or_else(String::new, |remark| format!(": {remark}")),
        );
    }
}

/// A line for each declared certificate that has ended, has not begun or ends within 30 days, and
/// for each issuer whose answers cannot be encrypted now.
pub(super) fn warnings(declarations: &[IssuerDeclaration], now: DateTime<Utc>) -> Vec<String> {
    let mut warnings = Vec::new();
    for declared in declarations {
        let name = &declared.client_id;
        for certificate in &declared.certificates {
            let purpose = certificate.purpose.as_str();
            let short: String = certificate.fingerprint.chars().take(16).collect();
            let validity = validity(certificate);
            let Some(remark) = validity.remark(now) else {
                continue;
            };
            let refused = certificate.purpose == CertificatePurpose::Signing
                && (!validity.has_begun(now)
                    || validity.has_ended(now) && !declared.accept_expired_signing);
            let consequence = if refused {
                ": calls signed with it are refused"
            } else {
                ""
            };
            warnings.push(format!(
                "issuer {name}: {purpose} certificate {short} {remark}{consequence}"
            ));
        }
        let mut encryption = declared
            .certificates
            .iter()
            .filter(|certificate| certificate.purpose == CertificatePurpose::Encryption)
            .peekable();
        if encryption.peek().is_some() && !encryption.any(|c| validity(c).holds(now)) {
            warnings.push(format!(
                "issuer {name}: no encryption certificate is valid now: calls whose answers are encrypted are refused"
            ));
        }
    }
    warnings
}
