//! What must not be read, and that the ways to fail look alike.

use super::*;

#[test]
fn texts_that_are_not_in_their_encoding() {
    let [iv, wrapped, data] = Forge::new().binary();
    let (hex_iv, hex_key, hex_data) = (hex::encode(&iv), hex::encode(&wrapped), hex::encode(&data));
    let odd = &hex_data[1..];
    let body = |iv: &str, key: &str, data: &str| {
        json!({"encryptedData": data, "iv": iv, "encryptedKey": key}).to_string()
    };
    let cases = [
        (
            "odd hex data",
            body(&hex_iv, &hex_key, odd),
            CryptoReason::Encoding,
        ),
        (
            "odd hex key",
            body(&hex_iv, &hex_key[1..], &hex_data),
            CryptoReason::Encoding,
        ),
        (
            "no hex",
            body(
                &hex_iv,
                &hex_key,
                &hex_data.replacen('a', "g", 1).replacen('0', "g", 1),
            ),
            CryptoReason::Encoding,
        ),
        (
            "space",
            body(&hex_iv, &hex_key, &format!(" {}", &hex_data[1..])),
            CryptoReason::Encoding,
        ),
        (
            "base64 data, hex IV",
            body(&hex_iv, &hex_key, &encode_block(&[0xff; 96])),
            CryptoReason::Encoding,
        ),
        (
            "base64 key, hex IV",
            body(&hex_iv, &encode_block(&[0xff; 256]), &hex_data),
            CryptoReason::Encoding,
        ),
        (
            "no hex IV",
            body(&"g".repeat(32), &hex_key, &hex_data),
            CryptoReason::Encoding,
        ),
        (
            "no base64 IV",
            body(&"*".repeat(22), &hex_key, &hex_data),
            CryptoReason::Encoding,
        ),
        (
            "IV of 16 bytes and a bit",
            body(&("A".repeat(21) + "B"), &hex_key, &hex_data),
            CryptoReason::Encoding,
        ),
        (
            "hex data, base64 IV",
            body(&encode_block(&iv), &hex_key, &hex_data),
            CryptoReason::CiphertextLength,
        ),
    ];
    for (case, body, reason) in cases {
        assert_refused(body.as_bytes(), reason, case);
    }
    for length in [0, 8, 12, 15, 17, 18, 24, 32] {
        for encode in [
            |bytes: &[u8]| hex::encode(bytes),
            |bytes: &[u8]| encode_block(bytes),
        ] {
            let iv = encode(&vec![1; length]);
            let error = open_body(body(&iv, &hex_key, &hex_data).as_bytes()).unwrap_err();
            let reason = error.as_str();
            // 18 bytes are 24 characters of base64, 24 bytes 32: those are read and do not fit.
            assert!(
                ["iv-length", "encoding"].contains(&reason),
                "{length}: {reason}"
            );
        }
    }
}

#[test]
fn lengths_that_cannot_be() {
    let [iv, wrapped, data] = Forge::new().binary();
    let body = |wrapped: &[u8], data: &[u8]| {
        json!({
            "encryptedData": hex::encode(data),
            "iv": hex::encode(&iv),
            "encryptedKey": hex::encode(wrapped),
        })
        .to_string()
    };
    for length in [data.len() - 1, data.len() - 15, 65] {
        let body = body(&wrapped, &data[..length]);
        assert_refused(
            body.as_bytes(),
            CryptoReason::CiphertextLength,
            &format!("{length}"),
        );
    }
    for length in [128, 255, 257, 384, 512] {
        let body = body(&wrapped.repeat(2)[..length], &data);
        assert_refused(
            body.as_bytes(),
            CryptoReason::WrappedKeyLength,
            &format!("{length}"),
        );
    }
}

#[test]
fn bad_keys_bad_padding_and_bad_text_look_the_same() {
    let mut altered = wrap(&peer(0), OaepDigest::Sha256, &[7; 16]);
    altered[9] ^= 1;
    for (case, wrapped) in [
        ("altered", altered),
        ("foreign key", wrap(&peer(3), OaepDigest::Sha256, &[7; 16])),
        ("other digest", wrap(&peer(0), OaepDigest::Sha512, &[7; 16])),
        (
            "mixed digests",
            wrap_with(
                &peer(0),
                Oaep::new_with_mgf_hash::<rsa::sha2::Sha256, rsa::sha2::Sha512>(),
                &[7; 16],
            ),
        ),
        ("larger than the modulus", vec![0xff; 256]),
    ] {
        let forge = Forge {
            wrapped: Some(wrapped),
            ..Forge::new()
        };
        assert_refused(&forge.body(), CryptoReason::KeyUnwrap, case);
    }
    for length in [1, 8, 15, 17, 24, 31, 33, 64] {
        assert_refused(
            &Forge::cek(length).body(),
            CryptoReason::KeyUnwrap,
            &format!("{length}"),
        );
    }
    for (case, end) in [
        ("zero", vec![0; 16]),
        ("too long", vec![17; 16]),
        ("uneven", [vec![9; 8], vec![7, 8], vec![8; 6]].concat()),
        ("text", vec![b'}'; 16]),
    ] {
        let padded = [&[b' '; 64][..], &end].concat();
        let forge = Forge {
            padded,
            ..Forge::new()
        };
        assert_refused(&forge.body(), CryptoReason::Padding, case);
        // Nor does it help that the text before the bad padding would be an object.
        let padded = [&[b' '; 78][..], b"{}", &[0; 16]].concat();
        let forge = Forge {
            padded,
            ..Forge::new()
        };
        assert_refused(&forge.body(), CryptoReason::Padding, "object and zeros");
    }
    let blank = " ".repeat(64);
    for text in [
        "",
        "null",
        "[]",
        "word",
        "NaN",
        "{",
        "{\"a\":1,\"a\":2}",
        "{\"a\":\"\u{0}\"}",
    ] {
        let forge = Forge::plaintext(format!("{blank}{text}").as_bytes());
        assert_refused(&forge.body(), CryptoReason::Plaintext, text);
    }
    let not_utf8 = [blank.as_bytes(), b"{\"a\":\"\xff\"}"].concat();
    assert_refused(
        &Forge::plaintext(&not_utf8).body(),
        CryptoReason::Plaintext,
        "not UTF-8",
    );
}

proptest! {
    #[test]
    fn parsing_never_panics(
        data in ".{128,140}", iv in "[0-9a-fA-F]{30,34}|[A-Za-z0-9+/_=-]{20,25}|.{0,40}",
        key in "[0-9a-f]{256,260}|.{256,260}", digest in ".{0,8}", fingerprint in ".{0,90}",
    ) {
        let body = json!({"encryptedData": data, "iv": iv, "encryptedKey": key,
            "oaepHashingAlgorithm": digest, "publicKeyFingerprint": fingerprint});
        let _ = Envelope::parse(body.to_string().as_bytes(), &FieldLevelHeaders::default(), crate::Accepted::ALL);
    }
}
