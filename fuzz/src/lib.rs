//! What several targets share: the recorded key, and how an input is cut into parts.

use openssl::ec::{EcGroup, EcKey};
use openssl::pkey::PKey;
use openssl::x509::X509;
use payload_envelope::{
    Accepted, ContentKey, Curve, DecryptionKey, Envelope, FieldLevelHeaders, JwePolicy, KeyRing,
    KeyState, Opened, Travel, WrappedKey,
};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

/// The ring of the recorded payloads: the seeds open with it.
static RING: LazyLock<KeyRing> = LazyLock::new(|| {
    let key = include_bytes!("../../crates/payload-envelope/tests/fixtures/gateway.pem");
    let certificate =
        include_bytes!("../../crates/payload-envelope/tests/fixtures/gateway-cert.pem");
    let key = PKey::private_key_from_pem(key).unwrap();
    let certificate = X509::from_pem(certificate).unwrap();
    let key = DecryptionKey::new(key, Some(certificate), Vec::new(), KeyState::Primary).unwrap();
    let group = EcGroup::from_curve_name(Curve::P256.nid()).unwrap();
    let elliptic = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let elliptic = DecryptionKey::new(elliptic, None, Vec::new(), KeyState::Primary).unwrap();
    KeyRing::new(vec![key, elliptic]).unwrap()
});

/// Content keys by their wrapped form: most inputs leave the seed's wrapped key as it was, and the
/// RSA operation would take nearly all the time.
static UNWRAPPED: LazyLock<Mutex<HashMap<Vec<u8>, Option<Vec<u8>>>>> =
    LazyLock::new(Mutex::default);

/// Opens a body as the gateway does. `None`: it is refused.
pub fn open(body: &[u8], headers: &FieldLevelHeaders<'_>) -> Option<Opened> {
    let envelope = Envelope::parse(body, headers, Accepted::ALL).ok()?;
    let wrapped = envelope.wrapped_key(&RING, &JwePolicy::default()).ok()?;
    let _names_one_use = wrapped.key_use();
    wrapped.decrypt(&content_key(&wrapped)).ok()
}

fn content_key(wrapped: &WrappedKey<'_>) -> ContentKey {
    let mut known = UNWRAPPED.lock().unwrap();
    if known.len() > 1_000 {
        known.clear();
    }
    // The whole use: what an ephemeral key agrees on is not in the wrapped key.
    let digest = match wrapped.travel() {
        Travel::Oaep(digest) => digest.name(),
        Travel::Ecdh(_) => "ECDH",
    };
    let name = [digest.as_bytes(), &wrapped.key_use().key_hash].concat();
    let unwrap = || {
        let unwrapped = wrapped.key().unwrap(wrapped.travel(), wrapped.bytes());
        unwrapped.ok().map(|key| key.to_vec())
    };
    let unwrapped = known.entry(name).or_insert_with(unwrap).clone();
    let stand_in = ContentKey::stand_in(wrapped.lengths()).unwrap();
    stand_in.unless(unwrapped.map(Into::into), wrapped.lengths())
}

/// The first `N` parts of an input, cut at line feeds; the last one is the rest. `None`: there are
/// fewer, or one but the last is not UTF-8.
pub fn parts<const N: usize>(input: &[u8]) -> Option<([&str; N], &[u8])> {
    let mut rest = input;
    let mut parts = [""; N];
    for part in &mut parts {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        *part = std::str::from_utf8(&rest[..end]).ok()?;
        rest = &rest[end + 1..];
    }
    Some((parts, rest))
}
