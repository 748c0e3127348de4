//! What official clients send, and what we write.

use super::*;

#[test]
fn every_encoding() {
    let unpadded = |bytes: &[u8]| encode_block(bytes).trim_end_matches('=').to_owned();
    let node = |bytes: &[u8]| encode_block(bytes).replace('+', "-");
    type Encode = fn(&[u8]) -> String;
    let cases: [(&str, Encode); 4] = [
        ("lower-case hex", |bytes| hex::encode(bytes)),
        ("upper-case hex", |bytes| hex::encode_upper(bytes)),
        ("base64", encode_block),
        ("base64url", |bytes| crate::base64::encode(bytes)),
    ];
    for (case, encode) in cases {
        assert_opens(&Forge::new().body_with(encode, json!({})), case);
    }
    assert_opens(&Forge::new().body_with(unpadded, json!({})), "unpadded");
    assert_opens(&Forge::new().body_with(node, json!({})), "mixed");
}

#[test]
fn both_digests_under_all_their_names_and_both_key_sizes() {
    for (digest, names) in [
        (
            OaepDigest::Sha256,
            ["SHA256", "SHA-256", "sha256", "Sha-256"],
        ),
        (
            OaepDigest::Sha512,
            ["SHA512", "SHA-512", "sha512", "Sha-512"],
        ),
    ] {
        for name in names {
            for length in [16, 32] {
                let forge = Forge {
                    digest,
                    ..Forge::cek(length)
                };
                let body = forge.body_with(lower_hex, json!({ "oaepHashingAlgorithm": name }));
                assert_opens(&body, &format!("{name}, {length}"));
            }
        }
    }
    let absent = Forge::new().body_with(lower_hex, json!({ "oaepHashingAlgorithm": null }));
    assert_opens(&absent, "absent: SHA-256");
    for name in [
        "SHA1", "SHA-1", "SHA224", "SHA384", "SHA-384", "MD5", "", " SHA256",
    ] {
        let body = Forge::new().body_with(lower_hex, json!({ "oaepHashingAlgorithm": name }));
        assert_refused(&body, CryptoReason::Digest, name);
    }
}

#[test]
fn fingerprint_by_every_name_of_a_key() {
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
        }
        let forge = Forge {
            key: index,
            ..Forge::new()
        };
        for name in names {
            let body = forge.body_with(lower_hex, json!({ "publicKeyFingerprint": name }));
            assert_opens(&body, &name);
        }
    }
    for changes in [
        json!({"publicKeyFingerprint": ""}),
        json!({"undefined": hex::encode([1; 32])}),
        json!({"other": {"a": [1]}}),
    ] {
        assert_opens(
            &Forge::new().body_with(lower_hex, changes.clone()),
            &changes.to_string(),
        );
    }
    for name in [
        "unknown",
        "off",
        "CURRENT",
        &"00".repeat(32),
        &"x".repeat(1000),
    ] {
        let body = Forge::new().body_with(lower_hex, json!({ "publicKeyFingerprint": name }));
        assert_refused(&body, CryptoReason::UnknownKey, name);
    }
}

#[test]
fn null_members_count_as_absent() {
    let forge = Forge::new();
    let [iv, wrapped, data] = forge.binary().map(hex::encode);
    let body = json!({"encryptedData": data, "iv": iv, "encryptedKey": wrapped,
        "publicKeyFingerprint": null, "oaepHashingAlgorithm": null});
    assert_opens(body.to_string().as_bytes(), "null");
}

#[test]
fn parameters_in_headers() {
    let forge = Forge {
        digest: OaepDigest::Sha512,
        key: 1,
        ..Forge::new()
    };
    let [iv, wrapped, data] = forge.binary().map(hex::encode);
    let fingerprint = own_key(1, &[], KeyState::Active).fingerprint().to_string();
    let body = json!({ "encryptedData": data }).to_string();
    for digest_name in OAEP_DIGEST_HEADERS {
        for fingerprint_name in FINGERPRINT_HEADERS {
            let headers = FieldLevelHeaders::collect(|name| match name {
                "x-iv" => Some(&iv),
                "x-encrypted-key" => Some(&wrapped),
                name if name == digest_name => Some("sha-512"),
                name if name == fingerprint_name => Some(&fingerprint),
                _ => None,
            });
            let opened = open_with(body.as_bytes(), &headers).unwrap();
            assert_eq!(opened.key.to_string(), fingerprint);
            let form = FieldLevelForm {
                digest: OaepDigest::Sha512,
                headers: Some(HeaderNames {
                    oaep_digest: digest_name,
                    fingerprint: Some(fingerprint_name),
                }),
                ..FieldLevelForm::default()
            };
            assert_eq!(opened.form, EnvelopeForm::FieldLevel(form));
        }
    }
    // What the body says goes before what the headers say.
    let misleading = FieldLevelHeaders {
        iv: Some("00"),
        encrypted_key: Some("00"),
        oaep_digest: Some("SHA1"),
        fingerprint: Some("unknown"),
        names: HeaderNames::default(),
    };
    let all = forge.body_with(
        lower_hex,
        json!({"publicKeyFingerprint": fingerprint, "oaepHashingAlgorithm": "SHA512"}),
    );
    let opened = open_with(&all, &misleading).unwrap();
    let form = FieldLevelForm {
        digest: OaepDigest::Sha512,
        ..FieldLevelForm::default()
    };
    assert_eq!(opened.form, EnvelopeForm::FieldLevel(form));
}

#[test]
fn the_form_of_a_message_is_told() {
    let base64url = |bytes: &[u8]| {
        let text = encode_block(bytes).replace('+', "-").replace('/', "_");
        text.trim_end_matches('=').to_owned()
    };
    let upper_hex = |bytes: &[u8]| lower_hex(bytes).to_uppercase();
    type Encode<'a> = &'a dyn Fn(&[u8]) -> String;
    let cases: [(Encode<'_>, Encoding); 4] = [
        (&lower_hex, Encoding::Hex),
        (&upper_hex, Encoding::Hex),
        (&encode_block, Encoding::Base64),
        (&base64url, Encoding::Base64Url),
    ];
    for (encode, encoding) in cases {
        for (digest, name) in [
            (OaepDigest::Sha256, json!("SHA-256")),
            (OaepDigest::Sha256, Value::Null),
            (OaepDigest::Sha512, json!("sha512")),
        ] {
            let forge = Forge {
                digest,
                ..Forge::new()
            };
            let body = forge.body_with(encode, json!({ "oaepHashingAlgorithm": name }));
            let form = FieldLevelForm {
                encoding,
                digest,
                headers: None,
            };
            assert_eq!(
                open_body(&body).unwrap().form,
                EnvelopeForm::FieldLevel(form)
            );
        }
    }
}

/// Opens what [`seal`] wrote, by other code; `text` gives the parameters and the ciphertext.
fn read_independently(text: impl Fn(&str) -> String, form: FieldLevelForm) -> Vec<u8> {
    let binary = |name: &str| {
        let text = text(name);
        match form.encoding {
            Encoding::Hex => {
                assert!(!text.contains(char::is_uppercase));
                hex::decode(text).unwrap()
            }
            Encoding::Base64 => decode_block(&text).unwrap(),
            Encoding::Base64Url => {
                assert!(!text.contains(['+', '/', '=']));
                let padding = "=".repeat(text.len().next_multiple_of(4) - text.len());
                decode_block(&(text.replace('-', "+").replace('_', "/") + &padding)).unwrap()
            }
        }
    };
    assert_eq!(text("oaepHashingAlgorithm"), form.digest.name());
    let padding = match form.digest {
        OaepDigest::Sha256 => Oaep::new::<rsa::sha2::Sha256>(),
        OaepDigest::Sha512 => Oaep::new::<rsa::sha2::Sha512>(),
    };
    let cek = peer(0).decrypt(padding, &binary("encryptedKey")).unwrap();
    assert_eq!(cek.len(), 16);
    let cipher = Aes128::new_from_slice(&cek).unwrap();
    let mut previous = binary("iv");
    let mut plaintext = Vec::new();
    for chunk in binary("encryptedData").chunks(16) {
        let mut block = Block::try_from(chunk).unwrap();
        cipher.decrypt_block(&mut block);
        plaintext.extend(block.iter().zip(&previous).map(|(a, b)| a ^ b));
        previous = chunk.to_vec();
    }
    plaintext
}

/// Every way to write a message whose parameters travel in the given place.
fn forms(headers: Option<HeaderNames>) -> Vec<FieldLevelForm> {
    let mut forms = Vec::new();
    for encoding in [Encoding::Hex, Encoding::Base64, Encoding::Base64Url] {
        for digest in [OaepDigest::Sha256, OaepDigest::Sha512] {
            forms.push(FieldLevelForm {
                encoding,
                digest,
                headers,
            });
        }
    }
    forms
}

#[test]
fn what_we_write_is_read_independently() {
    let fingerprint = hex::encode(sha256(&key(0).public_key_to_der().unwrap()));
    for form in forms(None) {
        let sealed = seal(&recipient(0), PLAINTEXT.as_bytes(), form).unwrap();
        let members: Map<String, Value> = serde_json::from_slice(&sealed.body).unwrap();
        let text = |name: &str| members[name].as_str().unwrap().to_owned();
        assert_eq!((members.len(), sealed.headers.len()), (5, 0));
        assert_eq!(text("publicKeyFingerprint"), fingerprint);
        assert_eq!(read_independently(text, form), pkcs7(PLAINTEXT.as_bytes()));
        let opened = open_body(&sealed.body).unwrap();
        assert_eq!(opened.form, EnvelopeForm::FieldLevel(form));
    }
}

#[test]
fn parameters_are_written_as_headers() {
    let fingerprint = hex::encode(sha256(&key(0).public_key_to_der().unwrap()));
    let names = HeaderNames {
        oaep_digest: "x-oaep-padding-digest-algorithm",
        fingerprint: Some("x-encryption-key-fingerprint"),
    };
    for names in [names, HeaderNames::default()] {
        for form in forms(Some(names)) {
            let sealed = seal(&recipient(0), PLAINTEXT.as_bytes(), form).unwrap();
            let members: Map<String, Value> = serde_json::from_slice(&sealed.body).unwrap();
            assert_eq!(members.len(), 1);
            let header = |name: &str| {
                let mut found = sealed.headers.iter().filter(|(known, _)| *known == name);
                found.next().map(|(_, value)| value.as_ref())
            };
            let text = |name: &str| match name {
                "iv" => header("x-iv").unwrap().to_owned(),
                "encryptedKey" => header("x-encrypted-key").unwrap().to_owned(),
                "oaepHashingAlgorithm" => header(names.oaep_digest).unwrap().to_owned(),
                name => members[name].as_str().unwrap().to_owned(),
            };
            assert_eq!(read_independently(text, form), pkcs7(PLAINTEXT.as_bytes()));
            let named = names.fingerprint.and_then(header);
            assert_eq!(named, names.fingerprint.map(|_| fingerprint.as_str()));
            let headers = FieldLevelHeaders::collect(header);
            let opened = open_with(&sealed.body, &headers).unwrap();
            assert_eq!(opened.form, EnvelopeForm::FieldLevel(form));
        }
    }
}
