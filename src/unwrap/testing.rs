//! Keys and an independent encryptor for this module's tests.
//!
//! RSA keys are made once per test process. What plays the other side here is the `rsa` crate,
//! never the code under test.

use openssl::pkey::{PKey, Private, Public};
use openssl::rsa::Rsa;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::{Oaep, RsaPrivateKey};
use std::sync::OnceLock;

use crate::payload::{DecryptionKey, KeyState, OaepDigest, Recipient};

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

/// An identity as a key of the gateway.
pub(crate) fn gateway_key(index: usize, aliases: &[&str], state: KeyState) -> DecryptionKey {
    let aliases = aliases.iter().map(|&alias| alias.to_owned()).collect();
    DecryptionKey::new(key(index), None, aliases, state).unwrap()
}

/// An identity as the receiver of something sealed.
pub(crate) fn recipient(index: usize) -> Recipient {
    Recipient::from_public_key(public_key(index)).unwrap()
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
