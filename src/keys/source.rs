//! Private keys and certificates out of files: PEM (PKCS#8, encrypted PKCS#8, PKCS#1) or PKCS#12.
//!
//! Errors name the file and its expected content, never its actual content.

use super::certificates;
use super::old_ciphers::{self, Tried};
use crate::config::GatewayKey;
use anyhow::{Context, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{HasPublic, PKey, PKeyRef, Private};
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

/// Reads a certificate in PEM: the leaf, where its chain is in the file too.
pub fn read_certificate(file: &Path) -> anyhow::Result<X509> {
    let pem = std::fs::read(file).with_context(|| format!("certificate {}", file.display()))?;
    certificates::leaf(&pem).map_err(|rule| anyhow!("{}: {rule}", file.display()))
}

/// Reads a gateway key that is declared with this file, with its passphrase and certificate.
pub fn read_declared(key: &GatewayKey, file: &Path) -> anyhow::Result<KeyPair> {
    let passphrase = passphrase(key)?;
    let mut pair = read_key_pair(file, passphrase.as_ref().map(|text| text.as_str()))?;
    if let Some(certificate) = read_own_certificate(key, &pair.private)? {
        pair.certificate = Some(certificate);
    }
    Ok(pair)
}

/// Reads the certificate that is declared beside a gateway key.
pub fn read_own_certificate<T: HasPublic>(
    key: &GatewayKey,
    own: &PKeyRef<T>,
) -> anyhow::Result<Option<X509>> {
    let Some(file) = &key.certificate else {
        return Ok(None);
    };
    let pem = std::fs::read(file).with_context(|| format!("certificate {}", file.display()))?;
    let certificate = certificates::of_key(&pem, own);
    let certificate = certificate.map_err(|rule| anyhow!("{}: {rule}", file.display()))?;
    Ok(Some(certificate))
}

/// Reads a private key from PEM or PKCS#12; a passphrase is needed where the file is encrypted.
pub fn read_key_pair(file: &Path, passphrase: Option<&str>) -> anyhow::Result<KeyPair> {
    let name = file.display();
    let content =
        Zeroizing::new(std::fs::read(file).with_context(|| format!("private key {name}"))?);
    if !is_pem(&content) {
        return read_pkcs12(&content, passphrase).with_context(|| name.to_string());
    }
    certificates::require_one_key(&content).map_err(|rule| anyhow!("{name}: {rule}"))?;
    let mut asked = false;
    let private = match read_pem(&content, passphrase, &mut asked) {
        Some(private) => private,
        None if asked && passphrase.is_none() => {
            bail!("{name}: is encrypted and needs passphrase_env or passphrase_file")
        }
        None if asked => match old_ciphers::open(|| read_pem(&content, passphrase, &mut asked)) {
            Tried::Opened(private) => private,
            tried => bail!("{name}: {}", unopened(&tried, &content, PKCS8_COMMAND)),
        },
        None => bail!("{name}: no private key in PEM or PKCS#12"),
    };
    Ok(KeyPair {
        private,
        certificate: None,
    })
}

/// A private key in PEM; `asked` tells whether it is encrypted.
fn read_pem(content: &[u8], passphrase: Option<&str>, asked: &mut bool) -> Option<PKey<Private>> {
    // A callback, so that OpenSSL never asks at the terminal.
    let key = PKey::private_key_from_pem_callback(content, |buffer| {
        *asked = true;
        let text = passphrase.unwrap_or_default().as_bytes();
        let Some(room) = buffer.get_mut(..text.len()) else {
            return Ok(0);
        };
        room.copy_from_slice(text);
        Ok(text.len())
    });
    key.ok()
}

const PKCS8_COMMAND: &str =
    "openssl pkcs8 -provider default -provider legacy -topk8 -v2 aes-256-cbc -in FILE -out NEW";
const PKCS12_COMMAND: &str =
    "openssl pkcs12 -legacy -nodes -in FILE | openssl pkcs12 -export -out NEW";

/// Why a file does not open with its passphrase. If its cipher needs the legacy provider, and this
/// OpenSSL has none, that is the likely reason.
fn unopened<T>(tried: &Tried<T>, content: &[u8], command: &str) -> String {
    match (tried, old_ciphers::named(&der(content))) {
        (Tried::NoProvider, Some(cipher)) => format!(
            "is encrypted with {cipher}, which this OpenSSL does not open; convert it: {command}"
        ),
        _ => "the passphrase does not open it".to_owned(),
    }
}

/// What a PEM text says; any other content as it is.
fn der(content: &[u8]) -> Zeroizing<Vec<u8>> {
    let text = String::from_utf8_lossy(content);
    let lines = text.lines().filter(|line| !line.contains(['-', ':']));
    let decoded = is_pem(content).then(|| STANDARD.decode(lines.collect::<String>()).ok());
    Zeroizing::new(decoded.flatten().unwrap_or_else(|| content.to_vec()))
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
    let parse = || bundle.parse2(passphrase.unwrap_or_default()).ok();
    let opened = match parse() {
        Some(opened) => opened,
        None if passphrase.is_none() => {
            bail!("is encrypted and needs passphrase_env or passphrase_file")
        }
        None => match old_ciphers::open(parse) {
            Tried::Opened(opened) => opened,
            tried => bail!(unopened(&tried, content, PKCS12_COMMAND)),
        },
    };
    // OpenSSL gives the certificate that belongs to the key, wherever it stands.
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
            key.name()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::KeyState;
    use openssl::nid::Nid;
    use openssl::rsa::Rsa;
    use openssl::symm::Cipher;
    use std::path::PathBuf;

    fn declared(file: PathBuf, passphrase_file: Option<PathBuf>) -> GatewayKey {
        GatewayKey {
            file: Some(file),
            pkcs11: None,
            oaep: crate::config::Oaep::default(),
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
            let pair = read_declared(&declared(path.clone(), passphrase.cloned()), path).unwrap();
            assert!(pair.private.public_eq(&key), "{}", path.display());
        }
        for (path, passphrase, says) in [
            (&encrypted, None, "needs passphrase_env"),
            (&p12, None, "needs passphrase_env"),
            (&encrypted, Some(&wrong), "does not open"),
            (&p12, Some(&wrong), "does not open"),
            (&wrong, None, "no private key"),
        ] {
            let error = read_declared(&declared(path.clone(), passphrase.cloned()), path)
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

    /// Files as old tools wrote them, with the legacy provider; it is gone when they are read.
    fn old_files(key: &PKey<Private>) -> Vec<(&'static str, Vec<u8>)> {
        let _legacy = openssl::provider::Provider::try_load(None, "legacy", true).unwrap();
        let p12 = |algorithm| {
            let mut builder = Pkcs12::builder();
            builder
                .name("k")
                .pkey(key)
                .key_algorithm(algorithm)
                .cert_algorithm(algorithm);
            builder.build2("secret").unwrap().to_der().unwrap()
        };
        let pkcs8 = |cipher| key.private_key_to_pem_pkcs8_passphrase(cipher, b"secret");
        vec![
            ("rc2-40.p12", p12(Nid::PBE_WITHSHA1AND40BITRC2_CBC)),
            ("rc2-128.p12", p12(Nid::PBE_WITHSHA1AND128BITRC2_CBC)),
            ("3des.p12", p12(Nid::PBE_WITHSHA1AND3_KEY_TRIPLEDES_CBC)),
            ("des.pem", pkcs8(Cipher::des_cbc()).unwrap()),
            ("3des.pem", pkcs8(Cipher::des_ede3_cbc()).unwrap()),
        ]
    }

    #[test]
    fn files_of_old_tools_are_opened() {
        let dir = tempfile::tempdir().unwrap();
        let key = PKey::from_rsa(Rsa::generate(2_048).unwrap()).unwrap();
        for (name, content) in old_files(&key) {
            let file = dir.path().join(name);
            std::fs::write(&file, &content).unwrap();
            let pair = read_key_pair(&file, Some("secret")).unwrap();
            assert!(pair.private.public_eq(&key), "{name}");
            let error = read_key_pair(&file, Some("guess")).err().unwrap();
            assert!(
                format!("{error:#}").contains("does not open"),
                "{name}: {error:#}"
            );
            if let ("rc2-40.p12" | "des.pem", Some(cipher)) =
                (name, old_ciphers::named(&der(&content)))
            {
                // What is said where there is no legacy provider.
                let text = unopened(&Tried::<()>::NoProvider, &content, PKCS8_COMMAND);
                assert!(
                    text.contains(cipher) && text.contains("openssl pkcs8"),
                    "{text}"
                );
            }
        }
        let [rc2, .., des, _] = &old_files(&key)[..] else {
            panic!("five files");
        };
        assert_eq!(old_ciphers::named(&der(&rc2.1)), Some("40-bit RC2"));
        assert_eq!(old_ciphers::named(&der(&des.1)), Some("DES"));
    }

    #[test]
    fn of_several_none_is_taken_in_silence() {
        let dir = tempfile::tempdir().unwrap();
        let key = || PKey::from_rsa(Rsa::generate(2_048).unwrap()).unwrap();
        let (one, other) = (key(), key());
        let pem = |key: &PKey<Private>| key.private_key_to_pem_pkcs8().unwrap();
        let both = dir.path().join("both.pem");
        std::fs::write(&both, [pem(&one), pem(&other)].concat()).unwrap();
        let error = read_private_key(&both).err().unwrap().to_string();
        assert!(error.contains("several private keys"), "{error}");
    }
}
