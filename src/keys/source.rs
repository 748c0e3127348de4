//! Private keys and certificates out of files: PEM (PKCS#8, encrypted PKCS#8, PKCS#1) or PKCS#12.
//!
//! Errors name the file and its expected content, never its actual content.

use crate::config::GatewayKey;
use anyhow::{Context, bail};
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use std::path::Path;
use zeroize::Zeroizing;

/// A private key, and the certificate that came in the same file or was named beside it.
pub struct KeyPair {
    /// The private key.
    pub private: PKey<Private>,
    /// Its certificate, if there is one.
    pub certificate: Option<X509>,
}

/// Reads a private key in PEM that is not encrypted.
pub fn read_private_key(file: &Path) -> anyhow::Result<PKey<Private>> {
    Ok(read_key_pair(file, None)?.private)
}

/// Reads a certificate in PEM.
pub fn read_certificate(file: &Path) -> anyhow::Result<X509> {
    let pem = std::fs::read(file).with_context(|| format!("certificate {}", file.display()))?;
    X509::from_pem(&pem)
        .ok()
        .with_context(|| format!("{}: no certificate in PEM", file.display()))
}

/// Reads a declared gateway key with its passphrase and certificate.
pub fn read_declared(key: &GatewayKey) -> anyhow::Result<KeyPair> {
    let passphrase = passphrase(key)?;
    let mut pair = read_key_pair(&key.file, passphrase.as_ref().map(|text| text.as_str()))?;
    if let Some(file) = &key.certificate {
        pair.certificate = Some(read_certificate(file)?);
    }
    Ok(pair)
}

/// Reads a private key from PEM or PKCS#12; a passphrase is needed where the file is encrypted.
pub fn read_key_pair(file: &Path, passphrase: Option<&str>) -> anyhow::Result<KeyPair> {
    let name = file.display();
    let content =
        Zeroizing::new(std::fs::read(file).with_context(|| format!("private key {name}"))?);
    if !is_pem(&content) {
        return read_pkcs12(&content, passphrase).with_context(|| name.to_string());
    }
    // A callback, so that OpenSSL never asks at the terminal.
    let mut asked = false;
    let key = PKey::private_key_from_pem_callback(&content, |buffer| {
        asked = true;
        let text = passphrase.unwrap_or_default().as_bytes();
        let Some(room) = buffer.get_mut(..text.len()) else {
            return Ok(0);
        };
        room.copy_from_slice(text);
        Ok(text.len())
    });
    match key {
        Ok(private) => Ok(KeyPair {
            private,
            certificate: None,
        }),
        Err(_) if asked && passphrase.is_none() => {
            bail!("{name}: is encrypted and needs passphrase_env or passphrase_file")
        }
        Err(_) if asked => bail!("{name}: the passphrase does not open it"),
        Err(_) => bail!("{name}: no private key in PEM or PKCS#12"),
    }
}

fn is_pem(content: &[u8]) -> bool {
    content
        .windows(11)
        .take(4_096)
        .any(|window| window == b"-----BEGIN ")
}

fn read_pkcs12(content: &[u8], passphrase: Option<&str>) -> anyhow::Result<KeyPair> {
    let bundle = Pkcs12::from_der(content)
        .ok()
        .context("no private key in PEM or PKCS#12")?;
    let opened = bundle.parse2(passphrase.unwrap_or_default()).ok();
    let opened = opened.context(match passphrase {
        None => "is encrypted and needs passphrase_env or passphrase_file",
        Some(_) => "the passphrase does not open it",
    })?;
    Ok(KeyPair {
        private: opened.pkey.context("PKCS#12 without a private key")?,
        certificate: opened.cert,
    })
}

fn passphrase(key: &GatewayKey) -> anyhow::Result<Option<Zeroizing<String>>> {
    match (&key.passphrase_env, &key.passphrase_file) {
        (None, None) => Ok(None),
        (Some(name), None) => {
            let text = std::env::var(name)
                .ok()
                .with_context(|| format!("keys.gateway.passphrase_env: {name} is not set"))?;
            Ok(Some(Zeroizing::new(text)))
        }
        (None, Some(file)) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("keys.gateway.passphrase_file {}", file.display()))?;
            let text = Zeroizing::new(text);
            Ok(Some(Zeroizing::new(
                text.trim_end_matches(['\r', '\n']).to_owned(),
            )))
        }
        (Some(_), Some(_)) => bail!(
            "keys.gateway: {}: has both passphrase_env and passphrase_file",
            key.file.display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::KeyState;
    use openssl::rsa::Rsa;
    use openssl::symm::Cipher;
    use std::path::PathBuf;

    fn declared(file: PathBuf, passphrase_file: Option<PathBuf>) -> GatewayKey {
        GatewayKey {
            file,
            certificate: None,
            passphrase_env: None,
            passphrase_file,
            state: KeyState::Primary,
            not_after: None,
            aliases: Vec::new(),
        }
    }

    #[test]
    fn every_documented_form_is_read_and_every_failure_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        let key = PKey::from_rsa(Rsa::generate(2_048).unwrap()).unwrap();
        let plain = file("plain.pem", &key.private_key_to_pem_pkcs8().unwrap());
        let encrypted = key
            .private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"secret")
            .unwrap();
        let encrypted = file("encrypted.pem", &encrypted);
        let p12 = Pkcs12::builder()
            .name("k")
            .pkey(&key)
            .build2("secret")
            .unwrap()
            .to_der()
            .unwrap();
        let p12 = file("key.p12", &p12);
        let right = file("right", b"secret\n");
        let wrong = file("wrong", b"guess");

        for (path, passphrase) in [
            (&plain, None),
            (&encrypted, Some(&right)),
            (&p12, Some(&right)),
        ] {
            let pair = read_declared(&declared(path.clone(), passphrase.cloned())).unwrap();
            assert!(pair.private.public_eq(&key), "{}", path.display());
        }
        for (path, passphrase, says) in [
            (&encrypted, None, "needs passphrase_env"),
            (&p12, None, "needs passphrase_env"),
            (&encrypted, Some(&wrong), "does not open"),
            (&p12, Some(&wrong), "does not open"),
            (&wrong, None, "no private key"),
        ] {
            let error = read_declared(&declared(path.clone(), passphrase.cloned()))
                .err()
                .unwrap();
            let text = format!("{error:#}");
            assert!(text.contains(says), "{text}");
            assert!(
                !text.contains("secret") && !text.contains("guess"),
                "{text}"
            );
        }
    }
}
