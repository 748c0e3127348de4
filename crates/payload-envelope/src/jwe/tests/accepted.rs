//! What official clients send, in all its variety.

use super::*;

#[test]
fn every_content_encryption_with_12_and_16_byte_ivs() {
    for (enc, cipher, length) in [
        ("A128GCM", Cipher::aes_128_gcm(), 16),
        ("A192GCM", Cipher::aes_192_gcm(), 24),
        ("A256GCM", Cipher::aes_256_gcm(), 32),
    ] {
        for iv in [12, 16] {
            let mut forge = Forge::new()
                .header(header(json!({ "enc": enc })))
                .cek(length)
                .iv(iv);
            forge.cipher = cipher;
            assert_opens(&forge.body(), &format!("{enc}, {iv}"));
        }
    }
}

#[test]
fn headers_that_are_taken() {
    let slash = r#"{"cty":"application\/json","enc":"A256GCM","alg":"RSA-OAEP-256"}"#;
    for header in [
        slash.to_owned(),
        r#"{"enc":"A256GCM","kid":"","alg":"RSA-OAEP-256"}"#.to_owned(),
        " {\t\"kid\" : \"current\",\r\n \"alg\":\"RSA-OAEP-256\", \"enc\": \"A256GCM\" }\n"
            .to_owned(),
        header(json!({"iat": 1, "typ": "JOSE", "x5t": "abc", "y": {"a": [1, null]}, "cty": null})),
        header(json!({"note": "Zoë 日本"})),
    ] {
        assert_opens(&Forge::new().header(&header).body(), &header);
    }
}

#[test]
fn kid_by_every_name_of_a_key() {
    for index in [0, 1] {
        let key_digest = sha256(&key(index).public_key_to_der().unwrap());
        let digest = certificate(index).digest(MessageDigest::sha256()).unwrap();
        let mut names = vec![["current", "former"][index].to_owned()];
        for digest in [&key_digest[..], &digest] {
            names.extend([
                hex::encode(digest),
                hex::encode_upper(digest),
                encode_block(digest),
            ]);
            names.push(base64::encode(digest));
        }
        for kid in names {
            let token = Forge::new()
                .header(header(json!({ "kid": kid })))
                .peer(index);
            assert_opens(&token.body(), &kid);
            let foreign = token.peer(1 - index);
            assert_refused(
                &foreign.body(),
                CryptoReason::KeyUnwrap,
                "no trial decryption",
            );
        }
    }
}

#[test]
fn alphabets_mix_and_padding_is_optional() {
    // A key segment holding all of `+ / - _`, made by trying: RSA-OAEP is randomized.
    let token = loop {
        let token = Forge::new().segments();
        if token[1].matches('-').count() > 1 && token[1].matches('_').count() > 1 {
            break token;
        }
    };
    let node = token.clone().map(|segment| segment.replace('_', "/"));
    let standard = token
        .clone()
        .map(|segment| segment.replace('_', "/").replace('-', "+"));
    let mut mixed = token.clone();
    mixed[1] = mixed[1].replacen('-', "+", 1).replacen('_', "/", 1);
    let padded = token.clone().map(|segment| {
        let padding = "=".repeat((4 - segment.len() % 4) % 4);
        segment + &padding
    });
    for (case, mut variant) in [
        ("node", node),
        ("standard", standard),
        ("mixed", mixed),
        ("padded", padded),
    ] {
        variant[0] = token[0].clone(); // is authenticated as text
        assert_opens(&body(&variant.join(".")), case);
    }
    let header = encode_block(header(json!({"x": "~~??>>~~??", "a": 1})).as_bytes());
    assert!(header.contains(['+', '/', '=']), "{header}");
    assert_opens(
        &body(&Forge::new().segments_over(&header).join(".")),
        "padded header",
    );
}

#[test]
fn the_policy_narrows_what_is_read() {
    let open = |enc: &[ContentEncryption]| {
        let policy = JwePolicy { enc: enc.to_vec() };
        let body = Forge::new().body();
        let headers = FieldLevelHeaders::default();
        let envelope = Envelope::parse(&body, &headers, crate::Accepted::ALL).unwrap();
        open_in(ring(), &policy, &envelope).err()
    };
    assert_eq!(open(&[ContentEncryption::A256Gcm]), None);
    let refused = Some(CryptoReason::Algorithm);
    assert_eq!(
        open(&[ContentEncryption::A128Gcm, ContentEncryption::A192Gcm]),
        refused
    );
    assert_eq!(open(&[]), refused);
}

#[test]
fn content_encryptions_are_configured_by_their_names() {
    for enc in ContentEncryption::ALL {
        assert_eq!(serde_json::to_value(enc).unwrap(), enc.name());
        assert_eq!(
            serde_json::from_value::<ContentEncryption>(enc.name().into()).unwrap(),
            enc
        );
    }
}
