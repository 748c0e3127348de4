//! Mistakes in the payload: envelope, key, padding, content.

use super::super::world::{
    FieldLevel, Jwe, World, base64, base64url, body, fingerprint, oaep, public, random, wrap,
};
use super::{Broken, broken, clear, of_body, of_clear};
use openssl::hash::MessageDigest;
use openssl::symm::{Cipher, encrypt};
use serde_json::{Value, json};

pub(super) fn envelopes(world: &World) -> Vec<Broken> {
    let jwe = Jwe::new(world, clear(world));
    let token = jwe.token();
    let segments = jwe.segments();
    let message = FieldLevel::new(world, clear(world).as_bytes());
    let with_segment = |at: usize, text: &str| {
        let mut segments = segments.clone();
        text.clone_into(&mut segments[at]);
        of_body(world, body(&segments.join(".")))
    };
    let with_header = |name: &str, value: Value| {
        of_body(
            world,
            Jwe::new(world, clear(world)).naming(name, value).body(),
        )
    };
    let long_iv = Jwe {
        iv: random(24),
        ..Jwe::new(world, clear(world))
    };
    vec![
        broken(
            "not encrypted",
            "envelope.not_encrypted",
            of_body(world, clear(world)),
        ),
        broken(
            "another property",
            "envelope.other_property",
            of_body(world, json!({ "encryptedPayload": token }).to_string()),
        ),
        broken(
            "an object too many",
            "envelope.nested",
            of_body(
                world,
                json!({"encryptedPayload": {"encryptedData": token}}).to_string(),
            ),
        ),
        broken(
            "the token alone",
            "envelope.bare_token",
            of_body(world, token.clone()),
        ),
        broken(
            "JSON in a string",
            "envelope.string",
            of_body(world, Value::from(json!({"a": 1}).to_string()).to_string()),
        ),
        broken("no body", "envelope.empty", of_body(world, "")),
        broken("no JSON", "envelope.not_json", of_body(world, "{'a': 1}")),
        broken(
            "a name twice in the body",
            "envelope.duplicate_member",
            of_body(
                world,
                format!(r#"{{"encryptedData":"{token}","encryptedData":"{token}"}}"#),
            ),
        ),
        broken(
            "no wrapped key",
            "envelope.missing_member",
            of_body(world, message.with("encryptedKey", Value::Null)),
        ),
        broken(
            "no IV",
            "envelope.missing_member",
            of_body(world, message.with("iv", Value::Null)),
        ),
        broken(
            "an object for a string",
            "envelope.not_a_string",
            of_body(
                world,
                json!({"encryptedData": {"protected": "e30"}}).to_string(),
            ),
        ),
        broken(
            "three segments",
            "jwe.segments",
            of_body(world, body(&segments[..3].join("."))),
        ),
        broken(
            "a segment that was cut",
            "jwe.base64_cut",
            with_segment(3, &segments[3][..81]),
        ),
        broken(
            "a segment with a blank",
            "jwe.base64",
            with_segment(1, &format!("{} ", segments[1])),
        ),
        broken(
            "RSA-OAEP with SHA-1",
            "jwe.alg",
            with_header("alg", "RSA-OAEP".into()),
        ),
        broken(
            "an unknown enc",
            "jwe.enc",
            with_header("enc", "A256CBC-HS512".into()),
        ),
        broken(
            "compression",
            "jwe.header_member",
            with_header("zip", "DEF".into()),
        ),
        broken("a long IV", "iv.length", of_body(world, long_iv.body())),
        broken(
            "a tag that was cut",
            "tag.length",
            with_segment(4, &base64url(&[7; 12])),
        ),
        broken(
            "hex and base64 mixed",
            "field_level.encoding",
            of_body(
                world,
                message.with("encryptedKey", base64(&message.wrapped).into()),
            ),
        ),
        broken(
            "a short IV",
            "iv.length",
            of_body(world, message.with("iv", hex::encode(random(12)).into())),
        ),
        broken(
            "an unknown digest",
            "field_level.digest_name",
            of_body(world, message.with("oaepHashingAlgorithm", "SHA1".into())),
        ),
        broken(
            "a ciphertext that was cut",
            "iv.ciphertext_length",
            of_body(
                world,
                message.with("encryptedData", hex::encode(&message.sealed[..150]).into()),
            ),
        ),
    ]
}

pub(super) fn keys(world: &World) -> Vec<Broken> {
    let named = |kid: String| {
        Jwe::new(world, clear(world))
            .naming("kid", kid.into())
            .body()
    };
    let own = public(&world.demo.decryption);
    let (sha1, sha256_digest) = (MessageDigest::sha1(), MessageDigest::sha256());
    let wrapped = |wrap: &dyn Fn(&[u8]) -> Vec<u8>| {
        let jwe = Jwe::new(world, clear(world));
        let wrapped = wrap(&jwe.cek);
        of_body(world, Jwe { wrapped, ..jwe }.body())
    };
    let gateway = world.gateway_key();
    let to_own = Jwe {
        wrapped: Vec::new(),
        ..Jwe::new(world, clear(world))
    };
    let to_own = Jwe {
        wrapped: oaep(&own, &to_own.cek),
        ..to_own
    };
    let certificate = world.gateway.digest(sha1).unwrap();
    let message = FieldLevel::new(world, clear(world).as_bytes());
    let sha512 = MessageDigest::sha512();
    let by_sha512 = wrap(&gateway, Some((sha512, sha512)), &message.cek);
    vec![
        broken(
            "an unknown kid",
            "kid.unknown_name",
            of_body(world, named("my-key".to_owned())),
        ),
        broken(
            "a SHA-1 fingerprint",
            "kid.misnamed",
            of_body(world, named(hex::encode(certificate))),
        ),
        broken("the kid of a stranger", "kid.unknown", {
            let jwe = Jwe::new(world, clear(world));
            let stranger = public(&world.stranger);
            let wrapped = oaep(&stranger, &jwe.cek);
            let jwe = Jwe { wrapped, ..jwe };
            of_body(
                world,
                jwe.naming("kid", fingerprint(&stranger).into()).body(),
            )
        }),
        broken(
            "encrypted to its own certificate",
            "kid.own_certificate",
            of_body(world, to_own.naming("kid", fingerprint(&own).into()).body()),
        ),
        broken(
            "encrypted to its own key",
            "oaep.own_key",
            wrapped(&|cek| oaep(&own, cek)),
        ),
        broken(
            "OAEP with SHA-1",
            "oaep.digest",
            wrapped(&|cek| wrap(&gateway, Some((sha1, sha1)), cek)),
        ),
        broken(
            "MGF1 with SHA-1",
            "oaep.mgf1",
            wrapped(&|cek| wrap(&gateway, Some((sha256_digest, sha1)), cek)),
        ),
        broken(
            "PKCS#1 padding",
            "oaep.pkcs1",
            wrapped(&|cek| wrap(&gateway, None, cek)),
        ),
        broken(
            "a content key in hex",
            "oaep.content_key_length",
            wrapped(&|cek| oaep(&gateway, hex::encode(cek).as_bytes())),
        ),
        broken(
            "a wrapped key that was damaged",
            "oaep.failed",
            wrapped(&|cek| {
                let mut wrapped = oaep(&gateway, cek);
                wrapped[100] ^= 1;
                wrapped
            }),
        ),
        broken(
            "a wrapped key that was cut",
            "oaep.wrapped_key_cut",
            wrapped(&|cek| oaep(&gateway, cek)[..255].to_vec()),
        ),
        broken(
            "SHA-512 that is not declared",
            "oaep.digest",
            of_body(
                world,
                message.with("encryptedKey", hex::encode(by_sha512).into()),
            ),
        ),
    ]
}

pub(super) fn contents(world: &World) -> Vec<Broken> {
    let text = clear(world);
    let jwe = Jwe::new(world, text.clone());
    let mut segments = jwe.segments();
    segments[3] = {
        let start = if segments[3].starts_with('A') {
            'B'
        } else {
            'A'
        };
        format!("{start}{}", &segments[3][1..])
    };
    let aad = Jwe {
        aad: |_, text| text.to_owned(),
        ..Jwe::new(world, text.clone())
    };
    let message = FieldLevel::new(world, text.as_bytes());
    let resealed = |sealed: Vec<u8>| message.with("encryptedData", hex::encode(sealed).into());
    let zero_iv = encrypt(
        Cipher::aes_128_cbc(),
        &message.cek,
        Some(&[0; 16]),
        text.as_bytes(),
    );
    let ecb = encrypt(Cipher::aes_128_ecb(), &message.cek, None, text.as_bytes());
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let duplicate = text.replacen('{', "{\"locale\":\"sv\",", 1);
    let again = Jwe::new(world, text.clone()).body();
    vec![
        broken(
            "a changed ciphertext",
            "tag.mismatch",
            of_body(world, body(&segments.join("."))),
        ),
        broken("another AAD", "tag.aad", of_body(world, aad.body())),
        broken(
            "another field-level key",
            "tag.padding",
            of_body(
                world,
                resealed(
                    // Whether padding is there by chance is decided by the last block.
                    (0..)
                        .map(|_| random(160))
                        .find(|sealed| !is_padded(&message, sealed))
                        .unwrap(),
                ),
            ),
        ),
        broken(
            "ECB mode",
            "tag.ecb",
            of_body(world, resealed(ecb.unwrap())),
        ),
        broken(
            "an IV of zeros",
            "iv.zero",
            of_body(world, resealed(zero_iv.unwrap())),
        ),
        broken(
            "a comma too many",
            "json.not_json",
            of_clear(world, text.replace("\"}", "\",}")),
        ),
        broken(
            "a name twice",
            "json.duplicate_member",
            of_clear(world, duplicate),
        ),
        broken("UTF-16", "json.utf16", of_clear(world, utf16)),
        broken(
            "serialized twice",
            "json.string_in_string",
            of_clear(world, Value::from(text.as_str()).to_string()),
        ),
        broken(
            "base64 of JSON",
            "json.base64",
            of_clear(world, base64(text.as_bytes())),
        ),
        broken(
            "a list",
            "json.not_object",
            of_clear(world, format!("[{text}]")),
        ),
        broken(
            "encrypted twice",
            "json.encrypted_twice",
            of_clear(world, again),
        ),
    ]
}

/// Whether a ciphertext decrypts to something that ends like a padding.
fn is_padded(message: &FieldLevel, sealed: &[u8]) -> bool {
    let cipher = Cipher::aes_128_cbc();
    openssl::symm::decrypt(cipher, &message.cek, Some(&message.iv), sealed).is_ok()
}
