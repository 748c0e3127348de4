use super::*;
use crate::base64::decode;
use openssl::ec::EcKey;
use serde_json::json;

/// Of a JWK's `d`.
fn private(curve: Curve, d: &str) -> EcKey<Private> {
    let group = curve.group().unwrap();
    let number = BigNum::from_slice(&decode(d).unwrap()).unwrap();
    let mut point = EcPoint::new(group).unwrap();
    point
        .mul_generator2(group, &number, &mut BigNumContext::new().unwrap())
        .unwrap();
    EcKey::from_private_components(group, &number, &point).unwrap()
}

fn point(curve: Curve, x: &str, y: &str) -> Option<EcPoint> {
    on_curve(curve, &decode(x)?, &decode(y)?)
}

#[test]
fn the_example_of_rfc_7518() {
    // Appendix C: Alice's ephemeral key, Bob's static one, and Z.
    let x = "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0";
    let y = "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps";
    let bob = private(Curve::P256, "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw");
    let alice = point(Curve::P256, x, y).unwrap();
    let z = [
        158, 86, 217, 29, 129, 113, 53, 211, 114, 131, 66, 131, 191, 132, 38, 156, 251, 49, 110,
        163, 218, 128, 106, 72, 246, 218, 167, 121, 140, 254, 144, 196,
    ];
    assert_eq!(*secret(Curve::P256, &bob, &alice).unwrap(), z);
    let (own_x, own_y) = coordinates(Curve::P256, bob.public_key()).unwrap();
    assert_eq!(
        base64::encode(&own_x),
        "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ"
    );
    assert_eq!(
        base64::encode(&own_y),
        "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck"
    );
}

#[test]
fn the_vectors_of_wycheproof() {
    let vectors = include_str!("../../tests/fixtures/wycheproof_ecdh.txt");
    let (mut agreed, mut refused) = (0, 0);
    for line in vectors.lines().filter(|line| !line.starts_with('#')) {
        let parts: Vec<&str> = line.split(' ').collect();
        let [curve, _, result, x, y, d, shared] = parts[..] else {
            panic!("{line}");
        };
        // Points off the curve, on curves that are not known here, and on another one than the
        // private key's, as its length tells.
        let fits = |curve: &Curve| decode(d).is_some_and(|key| key.len() == curve.bytes());
        let known = Curve::parse(curve).filter(fits);
        let found = known.and_then(|curve| Some((curve, point(curve, x, y)?)));
        assert_eq!(found.is_some(), result == "valid", "{line}");
        let Some((curve, point)) = found else {
            refused += 1;
            continue;
        };
        let secret = secret(curve, &private(curve, d), &point).unwrap();
        assert_eq!(hex::encode(&*secret), shared, "{line}");
        agreed += 1;
    }
    assert_eq!((agreed, refused), (1_101, 46));
}

const X: &str = "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0";
const Y: &str = "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps";

fn parse(header: &Value) -> Result<Ephemeral, CryptoReason> {
    Ephemeral::parse(Agreement::Direct, header.as_object().unwrap())
}

#[test]
fn ephemeral_keys_that_are_refused() {
    let epk = |change: Value| {
        let mut epk = json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y});
        let members = epk.as_object_mut().unwrap();
        members.extend(change.as_object().unwrap().clone());
        json!({ "epk": epk })
    };
    assert!(parse(&epk(json!({"d": "ignored", "kid": 1}))).is_ok());
    let longer = |text: &str| base64::encode(&[&[0], &decode(text).unwrap()[..]].concat());
    // The order of the field, and X plus it: the same number to a careless reader.
    let order = "_____wAAAAEAAAAAAAAAAAAAAAD_______________8";
    for header in [
        json!({}),
        json!({"epk": X}),
        epk(json!({"kty": "OKP"})),
        epk(json!({"kty": null})),
        epk(json!({"crv": "P-384"})),
        epk(json!({"crv": "P-521"})),
        epk(json!({"crv": "secp256k1"})),
        epk(json!({"x": Y, "y": X})),
        epk(json!({"x": X, "y": X})),
        epk(json!({"x": longer(X)})),
        epk(json!({"y": ""})),
        epk(json!({"y": "*"})),
        epk(json!({"x": order})),
        epk(json!({"x": base64::encode(&[0; 32]), "y": base64::encode(&[0; 32])})),
    ] {
        let error = parse(&header).err();
        assert_eq!(error, Some(CryptoReason::EphemeralKey), "{header}");
    }
    for (name, value) in [
        ("apu", json!(1)),
        ("apv", json!("*")),
        ("apu", json!(base64::encode(&[7; 513]))),
    ] {
        let mut header = epk(json!({}));
        header[name] = value;
        let error = parse(&header).err();
        assert_eq!(error, Some(CryptoReason::Header), "{name}");
    }
}

#[test]
fn names_of_the_parties_change_the_key() {
    let bob = private(Curve::P256, "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw");
    let alice = point(Curve::P256, X, Y).unwrap();
    let derived = |agreement, names: [&[u8]; 2]| {
        *derive(Curve::P256, agreement, &bob, &alice, names).unwrap()
    };
    let keys = [
        derived(Agreement::Direct, [b"", b""]),
        derived(Agreement::Direct, [b"Alice", b"Bob"]),
        derived(Agreement::Direct, [b"Bob", b"Alice"]),
        derived(Agreement::Direct, [b"AliceBob", b""]),
        derived(Agreement::A256Kw, [b"", b""]),
    ];
    for (at, key) in keys.iter().enumerate() {
        assert!(!keys[..at].contains(key), "{at}");
    }
}

#[test]
fn wrapped_keys_that_were_altered_do_not_unwrap() {
    let (key, cek) = ([3; 32], [7; 32]);
    let wrapped = wrap_a256kw(&key, &cek).unwrap();
    assert_eq!(wrapped.len(), 40);
    assert_eq!(**unwrap_a256kw(&key, &wrapped).unwrap(), cek);
    for at in 0..wrapped.len() {
        let mut altered = wrapped.clone();
        altered[at] ^= 1;
        assert!(unwrap_a256kw(&key, &altered).is_err(), "{at}");
    }
    for length in [0, 8, 32, 39] {
        assert!(unwrap_a256kw(&key, &wrapped[..length]).is_err());
    }
}
