//! The names of a key: those that the gateway knows it by, and those that clients send by mistake.

use super::codec;
use super::digest::Hash;
use crate::keys::source::KeyPair;
use crate::payload::Fingerprint;
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::{PKey, PKeyRef, Private, Public};
use openssl::x509::X509;

/// An RSA key with its certificate and, where it is known, its private half.
pub struct NamedKey {
    /// For people: `gateway.pem`, `the decryption key of Demo Bank`.
    pub label: String,
    public: PKey<Public>,
    private: Option<PKey<Private>>,
    certificate: Option<X509>,
    aliases: Vec<String>,
}

impl NamedKey {
    /// A key whose private half is here.
    ///
    /// # Errors
    /// OpenSSL's, if the key has no public half.
    pub fn of_pair(label: String, pair: KeyPair, aliases: Vec<String>) -> Result<Self, ErrorStack> {
        Ok(Self {
            public: public_half(&pair.private)?,
            private: Some(pair.private),
            certificate: pair.certificate,
            label,
            aliases,
        })
    }

    /// A key of which only the certificate is here.
    ///
    /// # Errors
    /// OpenSSL's, if the certificate has no key.
    pub fn of_certificate(label: String, certificate: X509) -> Result<Self, ErrorStack> {
        Ok(Self {
            public: certificate.public_key()?,
            private: None,
            certificate: Some(certificate),
            label,
            aliases: Vec::new(),
        })
    }

    /// A bare public key.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn of_public(label: String, key: &PKeyRef<Public>) -> Result<Self, ErrorStack> {
        Ok(Self {
            public: PKey::public_key_from_der(&key.public_key_to_der()?)?,
            private: None,
            certificate: None,
            label,
            aliases: Vec::new(),
        })
    }

    /// The same without the private half.
    pub(super) fn public_copy(&self) -> Result<Self, ErrorStack> {
        Ok(Self {
            certificate: self.certificate.clone(),
            ..Self::of_public(self.label.clone(), &self.public)?
        })
    }

    pub(super) fn public(&self) -> &PKeyRef<Public> {
        &self.public
    }

    pub(super) fn private(&self) -> Option<&PKeyRef<Private>> {
        self.private.as_deref()
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.public.public_eq(&other.public)
    }

    /// Bytes of the modulus.
    pub(super) fn size(&self) -> usize {
        self.public.size()
    }

    /// SHA-256 of the SPKI in hex: what official clients send.
    pub(super) fn fingerprint(&self) -> String {
        Fingerprint::of_public_key(&self.public).map_or_else(|_| "?".to_owned(), |f| f.to_string())
    }

    /// Which of the names that the gateway knows this is.
    pub(super) fn named(&self, hint: &str) -> Option<&'static str> {
        if self.aliases.iter().any(|alias| alias == hint) {
            return Some("its alias");
        }
        let digest = Fingerprint::parse(hint)?;
        if Fingerprint::of_public_key(&self.public).is_ok_and(|own| own == digest) {
            return Some("the SHA-256 of its public key");
        }
        if Fingerprint::thumbprint_of(&self.public).is_ok_and(|own| own == digest) {
            return Some("its JWK thumbprint");
        }
        let certificate = self.certificate.as_ref()?;
        Fingerprint::of_certificate(certificate)
            .is_ok_and(|own| own == digest)
            .then_some("the SHA-256 of its certificate")
    }

    /// How a client came to a name that is nearly one of this key's, and is none.
    pub(super) fn misnamed(&self, hint: &str) -> Option<String> {
        let bare: String = hint
            .rsplit('=')
            .find(|part| !part.is_empty())
            .unwrap_or(hint)
            .chars()
            .filter(|c| c.is_ascii_hexdigit())
            .collect();
        if bare.len() == 64
            && bare != hint
            && let Some(name) = self.named(&bare)
        {
            return Some(format!("{name} with colons, blanks or a label in it"));
        }
        let twice = codec::base64(hint).and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some(inner) = twice
            && let Some(name) = self.named(&inner)
        {
            return Some(format!("{name}, encoded twice: base64 of the hex digits"));
        }
        let digest = match codec::is_hex(hint) {
            true => hex::decode(hint).ok(),
            false => codec::base64(hint),
        };
        let digest = digest?;
        for (what, bytes) in self.texts() {
            for hash in Hash::ALL {
                if hash.of(&bytes) == digest {
                    return Some(format!("the {} of {what}", hash.name()));
                }
            }
        }
        None
    }

    /// What clients hash to name a key, beside what they should.
    fn texts(&self) -> Vec<(&'static str, Vec<u8>)> {
        let mut texts = Vec::new();
        let mut add = |what, bytes: Result<Vec<u8>, ErrorStack>| {
            if let Ok(bytes) = bytes {
                texts.push((what, bytes));
            }
        };
        add("its public key", self.public.public_key_to_der());
        if let Ok(rsa) = self.public.rsa() {
            add(
                "its public key in PKCS#1 form",
                rsa.public_key_to_der_pkcs1(),
            );
            add("its modulus", Ok(rsa.n().to_vec()));
        }
        add("its public key's PEM text", self.public.public_key_to_pem());
        if let Some(certificate) = &self.certificate {
            add("its certificate", certificate.to_der());
            let pem = certificate.to_pem().unwrap_or_default();
            add("its certificate's PEM text", Ok(pem.clone()));
            add(
                "its certificate's PEM text without the last line feed",
                Ok(pem.trim_ascii_end().to_vec()),
            );
            add(
                "its certificate's base64",
                certificate
                    .to_der()
                    .map(|der| codec::to_base64(&der).into_bytes()),
            );
        }
        texts
    }

    /// The certificate's common name.
    pub(super) fn common_name(&self) -> Option<String> {
        let certificate = self.certificate.as_ref()?;
        let mut names = certificate.subject_name().entries_by_nid(Nid::COMMONNAME);
        names.next()?.data().to_string().ok()
    }
}

/// The public half alone.
fn public_half(key: &PKeyRef<Private>) -> Result<PKey<Public>, ErrorStack> {
    PKey::public_key_from_der(&key.public_key_to_der()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::rotation::self_signed;
    use openssl::rsa::Rsa;

    #[test]
    fn names_and_near_names_are_told_apart() {
        let private = PKey::from_rsa(Rsa::generate(2_048).unwrap()).unwrap();
        let certificate = self_signed(&private, "gateway", 1).unwrap();
        let der = certificate.to_der().unwrap();
        let spki = private.public_key_to_der().unwrap();
        let pair = KeyPair {
            private,
            certificate: Some(certificate.clone()),
        };
        let key = NamedKey::of_pair("gateway.pem".into(), pair, vec!["current".into()]).unwrap();
        let sha = |bytes: &[u8]| Hash::Sha256.of(bytes);
        for (hint, name) in [
            (hex::encode(sha(&spki)), "the SHA-256 of its public key"),
            (
                codec::to_base64(&sha(&spki)),
                "the SHA-256 of its public key",
            ),
            (hex::encode(sha(&der)), "the SHA-256 of its certificate"),
            ("current".to_owned(), "its alias"),
        ] {
            assert_eq!(key.named(&hint), Some(name), "{hint}");
        }
        let colons = hex::encode_upper(sha(&der));
        let colons: Vec<&str> = (0..32).map(|at| &colons[2 * at..2 * at + 2]).collect();
        let pem = certificate.to_pem().unwrap();
        for (hint, says) in [
            (colons.join(":"), "colons"),
            (format!("sha256 Fingerprint={}", colons.join(":")), "colons"),
            (
                codec::to_base64(hex::encode(sha(&spki)).as_bytes()),
                "encoded twice",
            ),
            (hex::encode(Hash::Sha1.of(&der)), "SHA-1 of its certificate"),
            (hex::encode(sha(&pem)), "PEM text"),
        ] {
            assert_eq!(key.named(&hint), None, "{hint}");
            let how = key.misnamed(&hint).unwrap();
            assert!(how.contains(says), "{hint}: {how}");
        }
        assert_eq!(key.misnamed(&hex::encode([7; 32])), None);
        assert_eq!(key.common_name().as_deref(), Some("gateway"));
    }
}
