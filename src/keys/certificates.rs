//! Certificates out of PEM files that may hold several, such as a leaf with its chain: never the
//! first one in silence.

use openssl::pkey::{HasPublic, PKeyRef};
use openssl::x509::{X509, X509VerifyResult};

const NONE: &str = "no certificate in PEM";

/// All certificates of a PEM text.
fn all(pem: &[u8]) -> Result<Vec<X509>, &'static str> {
    let certificates = X509::stack_from_pem(pem).map_err(|_| NONE)?;
    if certificates.is_empty() {
        return Err(NONE);
    }
    Ok(certificates)
}

/// The only certificate, or of several the one that has issued none of the others.
///
/// # Errors
/// There is none, or it cannot be told which one is meant.
pub fn leaf(pem: &[u8]) -> Result<X509, &'static str> {
    let certificates = all(pem)?;
    let digests: Vec<_> = certificates.iter().map(|one| one.to_der().ok()).collect();
    let has_issued = |index: usize| {
        certificates.iter().enumerate().any(|(other, certificate)| {
            digests.get(other) != digests.get(index)
                && certificates
                    .get(index)
                    .is_some_and(|issuer| issuer.issued(certificate) == X509VerifyResult::OK)
        })
    };
    let mut leaves: Vec<usize> = (0..certificates.len())
        .filter(|index| !has_issued(*index))
        .collect();
    leaves.dedup_by_key(|index| digests.get(*index));
    match leaves.as_slice() {
        [only] => certificates.into_iter().nth(*only).ok_or(NONE),
        _ => Err(
            "several certificates, and which one is meant cannot be told: leave that one alone in the file",
        ),
    }
}

/// The certificate of this key.
///
/// # Errors
/// There is none, or none of them is the key's.
pub fn of_key<T: HasPublic>(pem: &[u8], key: &PKeyRef<T>) -> Result<X509, &'static str> {
    let certificates = all(pem)?;
    let is_own = |certificate: &X509| certificate.public_key().is_ok_and(|own| own.public_eq(key));
    let own = certificates.into_iter().find(is_own);
    own.ok_or("the certificate does not belong to the private key")
}

/// Refuses a PEM text with several private keys.
///
/// # Errors
/// Which one is meant cannot be told.
pub fn require_one_key(pem: &[u8]) -> Result<(), &'static str> {
    let text = String::from_utf8_lossy(pem);
    let keys = text.lines().filter(|line| {
        line.starts_with("-----BEGIN ") && line.trim_end().ends_with("PRIVATE KEY-----")
    });
    if keys.count() > 1 {
        return Err("several private keys, and which one is meant cannot be told");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::asn1::Asn1Time;
    use openssl::bn::BigNum;
    use openssl::hash::MessageDigest;
    use openssl::nid::Nid;
    use openssl::pkey::{PKey, Private};
    use openssl::rsa::Rsa;
    use openssl::x509::{X509Builder, X509NameBuilder};

    fn key() -> PKey<Private> {
        PKey::from_rsa(Rsa::generate(2_048).unwrap()).unwrap()
    }

    /// A certificate for `key` called `name`, by `issuer` with its key; itself without one.
    fn certificate(
        name: &str,
        serial: u32,
        key: &PKey<Private>,
        issuer: Option<(&X509, &PKey<Private>)>,
    ) -> X509 {
        let mut subject = X509NameBuilder::new().unwrap();
        subject.append_entry_by_nid(Nid::COMMONNAME, name).unwrap();
        let subject = subject.build();
        let mut builder = X509Builder::new().unwrap();
        builder.set_version(2).unwrap();
        let serial = BigNum::from_u32(serial).unwrap().to_asn1_integer().unwrap();
        builder.set_serial_number(&serial).unwrap();
        builder.set_subject_name(&subject).unwrap();
        let by = issuer.map_or(&*subject, |(issuer, _)| issuer.subject_name());
        builder.set_issuer_name(by).unwrap();
        builder.set_pubkey(key).unwrap();
        builder
            .set_not_before(&Asn1Time::days_from_now(0).unwrap())
            .unwrap();
        builder
            .set_not_after(&Asn1Time::days_from_now(9).unwrap())
            .unwrap();
        let signer = issuer.map_or(key, |(_, key)| key);
        builder.sign(signer, MessageDigest::sha256()).unwrap();
        builder.build()
    }

    #[test]
    fn the_leaf_is_found_wherever_it_stands() {
        let (root_key, middle_key, own_key) = (key(), key(), key());
        let root = certificate("root", 1, &root_key, None);
        let middle = certificate("middle", 2, &middle_key, Some((&root, &root_key)));
        let own = certificate("bank", 3, &own_key, Some((&middle, &middle_key)));
        let other = certificate("other", 4, &key(), None);
        let pem = |parts: &[&X509]| -> Vec<u8> {
            parts
                .iter()
                .flat_map(|part| part.to_pem().unwrap())
                .collect()
        };
        for order in [
            vec![&own],
            vec![&own, &middle, &root],
            vec![&root, &middle, &own],
            vec![&middle, &own],
            vec![&own, &own],
        ] {
            let found = leaf(&pem(&order)).unwrap();
            assert_eq!(found.to_der().unwrap(), own.to_der().unwrap());
        }
        for order in [
            vec![&own, &other],
            vec![&root, &own],
            vec![&other, &middle, &root],
        ] {
            assert!(leaf(&pem(&order)).unwrap_err().contains("cannot be told"));
        }
        assert!(leaf(b"nothing").is_err());

        // A key says which one it is.
        let found = of_key(&pem(&[&root, &other, &own]), &own_key).unwrap();
        assert_eq!(found.to_der().unwrap(), own.to_der().unwrap());
        let foreign = of_key(&pem(&[&root, &middle]), &own_key).unwrap_err();
        assert!(foreign.contains("does not belong"), "{foreign}");
    }
}
