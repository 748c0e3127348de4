//! RSA keys for tests, made once per test process, and the `rsa` crate with the same keys: it plays
//! the other side, never the code under test.
//!
//! The gateway's tests of its RSA stage take this file too, by its path.

use openssl::pkey::{PKey, Private, Public};
use openssl::rsa::Rsa;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::{Oaep, RsaPrivateKey};
use std::sync::OnceLock;

use super::OaepDigest;

struct Identity {
    key: PKey<Private>,
    peer: RsaPrivateKey,
}

/// Identities 0 to 3 have RSA-2048 keys, 4 has RSA-3072.
fn identity(index: usize) -> &'static Identity {
    static IDENTITIES: [OnceLock<Identity>; 5] = [const { OnceLock::new() }; 5];
    IDENTITIES[index].get_or_init(|| {
        let rsa = Rsa::generate(if index == 4 { 3072 } else { 2048 }).unwrap();
        let key = PKey::from_rsa(rsa).unwrap();
        let peer = RsaPrivateKey::from_pkcs8_der(&key.private_key_to_pkcs8().unwrap()).unwrap();
        Identity { key, peer }
    })
}

/// The private key of an identity.
pub(crate) fn key(index: usize) -> PKey<Private> {
    identity(index).key.clone()
}

/// The public key of an identity.
pub(crate) fn public_key(index: usize) -> PKey<Public> {
    PKey::public_key_from_der(&key(index).public_key_to_der().unwrap()).unwrap()
}

/// The same private key in the `rsa` crate.
pub(crate) fn peer(index: usize) -> RsaPrivateKey {
    identity(index).peer.clone()
}

/// Wraps a content key with the `rsa` crate.
pub(crate) fn wrap(peer: &RsaPrivateKey, digest: OaepDigest, cek: &[u8]) -> Vec<u8> {
    let padding = match digest {
        OaepDigest::Sha256 => Oaep::new::<rsa::sha2::Sha256>(),
        OaepDigest::Sha512 => Oaep::new::<rsa::sha2::Sha512>(),
    };
    let public = peer.to_public_key();
    public
        .encrypt(&mut rsa::rand_core::OsRng, padding, cek)
        .unwrap()
}
