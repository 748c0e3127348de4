//! ECDH-ES: josekit and Wycheproof's tokens as peers.

use super::*;
use crate::{Curve, DecryptionKey, KeyRing, Recipient};
use josekit::jwe::{ECDH_ES, ECDH_ES_A256KW};
use openssl::ec::{EcGroup, EcKey};
use openssl::pkey::{PKey, Private, Public};

fn ec(curve: Curve) -> PKey<Private> {
    let group = EcGroup::from_curve_name(curve.nid()).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn public(key: &PKey<Private>) -> PKey<Public> {
    PKey::public_key_from_der(&key.public_key_to_der().unwrap()).unwrap()
}

fn own(key: &PKey<Private>, alias: &str, state: KeyState) -> DecryptionKey {
    DecryptionKey::new(key.clone(), None, vec![alias.to_owned()], state).unwrap()
}

/// A primary key of each kind, and one P-256 key more (`further`).
struct Ring {
    keys: [PKey<Private>; 3],
    ring: KeyRing,
}

fn keys() -> Ring {
    let keys = [ec(Curve::P256), ec(Curve::P384), ec(Curve::P256)];
    let [p256, p384, further] = &keys;
    let ring = KeyRing::new(vec![
        own(p256, "p256", KeyState::Primary),
        own(p384, "p384", KeyState::Primary),
        own_key(0, &["rsa"], KeyState::Primary),
        own(further, "further", KeyState::Active),
    ]);
    Ring {
        ring: ring.unwrap(),
        keys,
    }
}

fn open(ring: &KeyRing, token: &str) -> Result<Value, CryptoReason> {
    let headers = FieldLevelHeaders::default();
    let envelope = Envelope::parse(&body(token), &headers, crate::Accepted::ALL);
    let envelope = envelope.map_err(|error| match error {
        crate::EnvelopeError::Crypto(reason) => reason,
        error => panic!("{error:?}"),
    })?;
    open_in(ring, &JwePolicy::default(), &envelope).map(|opened| value(&opened))
}

/// What josekit writes.
fn josekit(key: &PKey<Private>, agreement: &str, kid: Option<&str>, names: bool) -> String {
    let mut header = JweHeader::new();
    header.set_content_encryption("A256GCM");
    if let Some(kid) = kid {
        header.set_key_id(kid);
    }
    if names {
        header.set_agreement_partyuinfo(b"Alice");
        header.set_agreement_partyvinfo(b"Bob");
    }
    let pem = public(key).public_key_to_pem().unwrap();
    let alg = if agreement == "ECDH-ES" {
        ECDH_ES
    } else {
        ECDH_ES_A256KW
    };
    let encrypter = alg.encrypter_from_pem(pem).unwrap();
    josekit::jwe::serialize_compact(PLAINTEXT.as_bytes(), &header, &encrypter).unwrap()
}

#[test]
fn we_read_what_josekit_writes() {
    let Ring { keys, ring } = keys();
    let expected: Value = serde_json::from_str(PLAINTEXT).unwrap();
    for (key, name) in keys.iter().zip(["p256", "p384", "further"]) {
        for agreement in ["ECDH-ES", "ECDH-ES+A256KW"] {
            for names in [false, true] {
                let token = josekit(key, agreement, Some(name), names);
                let opened = open(&ring, &token);
                assert_eq!(opened, Ok(expected.clone()), "{name} {agreement}");
            }
        }
    }
    // Without a name, the primary key of the curve is meant.
    for key in &keys[..2] {
        let opened = open(&ring, &josekit(key, "ECDH-ES", None, false));
        assert_eq!(opened, Ok(expected.clone()));
    }
    let unnamed = josekit(&keys[2], "ECDH-ES+A256KW", None, false);
    assert_eq!(open(&ring, &unnamed), Err(CryptoReason::KeyUnwrap));
}

#[test]
fn josekit_reads_what_we_write() {
    for curve in Curve::ALL {
        let key = ec(curve);
        let recipient = Recipient::from_public_key(public(&key)).unwrap();
        let token = seal(&recipient, PLAINTEXT.as_bytes()).unwrap();
        let pem = key.private_key_to_pem_pkcs8().unwrap();
        let decrypter = ECDH_ES_A256KW.decrypter_from_pem(pem).unwrap();
        let (read, header) = josekit::jwe::deserialize_compact(&token, &decrypter).unwrap();
        assert_eq!(read, PLAINTEXT.as_bytes());
        let kid = recipient.fingerprint().to_string();
        assert_eq!(header.key_id(), Some(kid.as_str()));
        assert_ne!(token, seal(&recipient, PLAINTEXT.as_bytes()).unwrap());
    }
}

#[test]
fn the_tokens_of_wycheproof() {
    // json_web_encryption_test.json, tests 66 and 78, and the key of both.
    let jwk = "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw";
    let group = EcGroup::from_curve_name(Curve::P256.nid()).unwrap();
    let d = openssl::bn::BigNum::from_slice(&base64::decode(jwk).unwrap()).unwrap();
    let mut point = openssl::ec::EcPoint::new(&group).unwrap();
    let mut context = openssl::bn::BigNumContext::new().unwrap();
    point.mul_generator2(&group, &d, &mut context).unwrap();
    let key = EcKey::from_private_components(&group, &d, &point).unwrap();
    let key = own(&PKey::from_ec_key(key).unwrap(), "kid", KeyState::Primary);
    for token in [
        "eyJhbGciOiJFQ0RILUVTK0EyNTZLVyIsImVuYyI6IkEyNTZHQ00iLCJlcGsiOnsia3R5IjoiRUMiLCJ4IjoiZmthakNjbWtpNl9WS1Vod0RoSy04UUx1dUlMNXZ5ZWJTZFpodl9WNU1VRSIsInkiOiJHOWNLWXY3SEpsU25qaURVa1NpdGxGMHhOQ3pUa2lBckF5SDBJQjhmbTBNIiwiY3J2IjoiUC0yNTYifX0.QzD31OLn2rtz5XrYOaoXGY7pEZSAilF5Rt803bBTSVmJrtgSGCkmIQ.1mXV01hr3YNY3qn3.qew8.FMn9UC2hIRlk62PIp3T8jg",
        "eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTI1NkdDTSIsImVwayI6eyJrdHkiOiJFQyIsIngiOiJVVG5YNXUtdFBIdG1pOEFpN0gxV3dXODl2RG5Fc2lpVkdtNkU2Z2l0d3hZIiwieSI6InhKN296QjdDYzZpcWtTYnJXMDRvTUZDNEFMWE9Sd1VzTTBvdUZjcU55QUkiLCJjcnYiOiJQLTI1NiJ9fQ..iNb-34xvFG8M4MI5.6RXw.EBpJ0EC39zNuSyZqSFMlvw",
    ] {
        let parsed = Token::parse(token).unwrap();
        let wrapped = &parsed.wrapped_key;
        let cek = key.unwrap(&wrapped.travel, &wrapped.bytes).unwrap();
        let content = parsed.decrypt(&cek);
        assert_eq!((&**content.plaintext, content.flaw), (&b"foo"[..], None));
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    use CryptoReason::{Algorithm, Authentication, EphemeralKey, KeyUnwrap, WrappedKeyLength};
    let Ring { keys, ring } = keys();
    let direct = josekit(&keys[0], "ECDH-ES", Some("p256"), false);
    let wrapped = josekit(&keys[0], "ECDH-ES+A256KW", Some("p256"), false);
    for (token, reason) in [
        (josekit(&keys[0], "ECDH-ES", Some("rsa"), false), Algorithm),
        (
            josekit(&keys[0], "ECDH-ES", Some("p384"), false),
            EphemeralKey,
        ),
        (
            josekit(&keys[0], "ECDH-ES", Some("further"), false),
            Authentication,
        ),
        (
            josekit(&keys[0], "ECDH-ES+A256KW", Some("further"), false),
            KeyUnwrap,
        ),
        (direct.replacen("..", ".AAAA.", 1), WrappedKeyLength),
        (wrapped.replacen('.', ".AAAA", 1), WrappedKeyLength),
    ] {
        assert_eq!(open(&ring, &token), Err(reason), "{token}");
    }
    // The header of an RSA token that names an EC key, and the other way round.
    let rsa = Forge::new()
        .header(header(json!({"kid": "p256"})))
        .segments();
    assert_eq!(open(&ring, &rsa.join(".")), Err(Algorithm));

    type Change = fn(&mut Value);
    let altered = |change: Change| {
        let (head, rest) = wrapped.split_once('.').unwrap();
        let mut header: Value = serde_json::from_slice(&base64::decode(head).unwrap()).unwrap();
        change(&mut header);
        format!("{}.{rest}", base64::encode(header.to_string().as_bytes()))
    };
    let cases: [(Change, CryptoReason); 9] = [
        (|h| h["enc"] = "A128GCM".into(), Algorithm),
        (|h| h["enc"] = "A128CBC-HS256".into(), Algorithm),
        (|h| h["alg"] = "ECDH-ES+A128KW".into(), Algorithm),
        (|h| h["alg"] = "ECDH-ES".into(), WrappedKeyLength),
        (|h| h["alg"] = "RSA-OAEP-256".into(), Algorithm),
        (|h| h["apu"] = "QQ".into(), KeyUnwrap),
        (|h| h["x"] = 1.into(), Authentication),
        (|h| h["epk"]["y"] = h["epk"]["x"].clone(), EphemeralKey),
        (|h| h["epk"] = Value::Null, EphemeralKey),
    ];
    for (change, reason) in cases {
        let token = altered(change);
        assert_eq!(open(&ring, &token), Err(reason), "{token}");
    }
}

#[test]
fn a_key_use_is_told_by_what_the_secret_comes_from() {
    let Ring { keys, ring } = keys();
    let uses = |token: &str| {
        let headers = FieldLevelHeaders::default();
        let envelope = Envelope::parse(&body(token), &headers, crate::Accepted::ALL).unwrap();
        let policy = JwePolicy::default();
        envelope.wrapped_key(&ring, &policy).unwrap().key_use()
    };
    let [one, other] = [(), ()].map(|()| josekit(&keys[0], "ECDH-ES", Some("p256"), false));
    assert_ne!(uses(&one).key_hash, uses(&other).key_hash);
    // The point on the other side of the x axis agrees on the same secret.
    let (head, rest) = one.split_once('.').unwrap();
    let mut header: Value = serde_json::from_slice(&base64::decode(head).unwrap()).unwrap();
    let y = base64::decode(header["epk"]["y"].as_str().unwrap()).unwrap();
    let order = hex::decode("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
    let number = |bytes: &[u8]| openssl::bn::BigNum::from_slice(bytes).unwrap();
    let mirrored = &number(&order.unwrap()) - &number(&y);
    header["epk"]["y"] = base64::encode(&mirrored.to_vec_padded(32).unwrap()).into();
    let mirrored = format!("{}.{rest}", base64::encode(header.to_string().as_bytes()));
    assert_eq!(uses(&one).key_hash, uses(&mirrored).key_hash);
    assert_ne!(uses(&one).message_hash, uses(&mirrored).message_hash);
    assert_eq!(open(&ring, &mirrored), Err(CryptoReason::Authentication));
}
