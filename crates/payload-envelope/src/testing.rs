//! Keys, certificates and an independent encryptor for this crate's tests.

mod keys;

pub(crate) use keys::{key, peer, public_key, wrap};

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::RsaPrivateKeyBuilder;
use openssl::x509::{X509, X509NameBuilder};
use rsa::{Oaep, RsaPrivateKey};
use serde_json::Value;
use std::sync::OnceLock;

use super::envelope::{Accepted, Envelope, EnvelopeError};
use super::field_level::FieldLevelHeaders;
use super::jwe::JwePolicy;
use super::key::{DecryptionKey, KeyState};
use super::key_ring::KeyRing;
use super::oaep::OaepDigest;
use super::opening::{OpenError, Opened};
use super::reason::CryptoReason;
use super::recipient::Recipient;

fn self_signed(key: &PKey<Private>) -> X509 {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "test").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(key).unwrap();
    builder
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::days_from_now(1).unwrap())
        .unwrap();
    builder.sign(key, MessageDigest::sha256()).unwrap();
    builder.build()
}

/// The certificate of an identity.
pub(crate) fn certificate(index: usize) -> X509 {
    static CERTIFICATES: [OnceLock<X509>; 5] = [const { OnceLock::new() }; 5];
    CERTIFICATES[index]
        .get_or_init(|| self_signed(&key(index)))
        .clone()
}

/// An identity as one's own key, with its certificate.
pub(crate) fn own_key(index: usize, aliases: &[&str], state: KeyState) -> DecryptionKey {
    let aliases = aliases.iter().map(|&alias| alias.to_owned()).collect();
    DecryptionKey::new(key(index), Some(certificate(index)), aliases, state).unwrap()
}

/// An identity as the receiver of something sealed.
pub(crate) fn recipient(index: usize) -> Recipient {
    Recipient::from_certificate(&certificate(index)).unwrap()
}

/// A key whose private exponent is off by two.
pub(crate) fn damaged_key() -> PKey<Private> {
    let rsa = key(0).rsa().unwrap();
    let own = |number: &openssl::bn::BigNumRef| number.to_owned().unwrap();
    let two = BigNum::from_u32(2).unwrap();
    let builder = RsaPrivateKeyBuilder::new(own(rsa.n()), own(rsa.e()), rsa.d() + &two).unwrap();
    let builder = builder
        .set_factors(own(rsa.p().unwrap()), own(rsa.q().unwrap()))
        .unwrap();
    let (dmp1, dmq1, iqmp) = (
        rsa.dmp1().unwrap(),
        rsa.dmq1().unwrap(),
        rsa.iqmp().unwrap(),
    );
    let builder = builder
        .set_crt_params(own(dmp1), own(dmq1), own(iqmp))
        .unwrap();
    PKey::from_rsa(builder.build()).unwrap()
}

/// Wraps with any padding of the `rsa` crate.
pub(crate) fn wrap_with(peer: &RsaPrivateKey, padding: Oaep, cek: &[u8]) -> Vec<u8> {
    let public = peer.to_public_key();
    public
        .encrypt(&mut rsa::rand_core::OsRng, padding, cek)
        .unwrap()
}

/// A ring: 0 primary with alias `current`, 1 active (`former`), 2 disabled (`off`), 4 active
/// (`big`).
pub(crate) fn ring() -> &'static KeyRing {
    static RING: OnceLock<KeyRing> = OnceLock::new();
    RING.get_or_init(|| {
        KeyRing::new(vec![
            own_key(0, &["current"], KeyState::Primary),
            own_key(1, &["former"], KeyState::Active),
            own_key(2, &["off"], KeyState::Disabled),
            own_key(4, &["big"], KeyState::Active),
        ])
        .unwrap()
    })
}

/// Parses and opens a body with [`ring`] and the default policy, without field-level headers.
pub(crate) fn open_body(body: &[u8]) -> Result<Opened, CryptoReason> {
    open_with(body, &FieldLevelHeaders::default())
}

/// [`open_body`] with headers. Violations of the envelope count as a fault of the test.
pub(crate) fn open_with(
    body: &[u8],
    headers: &FieldLevelHeaders<'_>,
) -> Result<Opened, CryptoReason> {
    let envelope = match Envelope::parse(body, headers, Accepted::ALL) {
        Ok(envelope) => envelope,
        Err(EnvelopeError::Crypto(reason)) => return Err(reason),
        Err(error) => panic!("{error:?}"),
    };
    open_in(ring(), &JwePolicy::default(), &envelope)
}

/// Opens with any ring and policy. Only OpenSSL's own failure counts as a fault of the test.
pub(crate) fn open_in(
    ring: &KeyRing,
    policy: &JwePolicy,
    envelope: &Envelope,
) -> Result<Opened, CryptoReason> {
    envelope.wrapped_key(ring, policy)?.open().map_err(crypto)
}

/// The reason for which something did not open.
pub(crate) fn crypto(error: OpenError) -> CryptoReason {
    match error {
        OpenError::Crypto(reason) => reason,
        error => panic!("{error:?}"),
    }
}

/// Asserts that a body is refused for this reason, in the one text that every refusal has.
pub(crate) fn assert_refused(body: &[u8], reason: CryptoReason, case: &str) {
    let error = open_body(body).err();
    assert_eq!(error, Some(reason), "{case}");
    let text = error.unwrap().to_string();
    assert_eq!(text, "the encrypted payload cannot be opened", "{case}");
}

/// The members of what was opened, to be compared.
pub(crate) fn value(opened: &Opened) -> Value {
    Value::Object(opened.object.members().clone())
}

/// The JWK thumbprint of a key (RFC 7638), made without the product's code.
pub(crate) fn thumbprint(key: &PKey<Private>) -> [u8; 32] {
    let rsa = key.rsa().unwrap();
    let [e, n] = [rsa.e(), rsa.n()].map(|number| {
        let text = openssl::base64::encode_block(&number.to_vec());
        let text = text.trim_end_matches('=');
        text.replace('+', "-").replace('/', "_")
    });
    openssl::sha::sha256(format!("{{\"e\":\"{e}\",\"kty\":\"RSA\",\"n\":\"{n}\"}}").as_bytes())
}
