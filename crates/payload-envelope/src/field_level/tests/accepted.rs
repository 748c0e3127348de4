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
        ("base64url", |bytes| base64::encode(bytes)),
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
        }
    }
    // What the body says goes before what the headers say.
    let misleading = FieldLevelHeaders {
        iv: Some("00"),
        encrypted_key: Some("00"),
        oaep_digest: Some("SHA1"),
        fingerprint: Some("unknown"),
    };
    let all = forge.body_with(
        lower_hex,
        json!({"publicKeyFingerprint": fingerprint, "oaepHashingAlgorithm": "SHA512"}),
    );
    assert!(open_with(&all, &misleading).is_ok());
}

#[test]
fn what_we_write_is_read_independently() {
    for digest in [OaepDigest::Sha256, OaepDigest::Sha512] {
        let body = seal(&recipient(0), PLAINTEXT.as_bytes(), digest).unwrap();
        let members: Map<String, Value> = serde_json::from_str(&body).unwrap();
        let text = |name: &str| members[name].as_str().unwrap().to_owned();
        let binary = |name: &str| {
            assert!(!text(name).contains(char::is_uppercase));
            hex::decode(text(name)).unwrap()
        };
        assert_eq!(members.len(), 5);
        assert_eq!(text("oaepHashingAlgorithm"), digest.name());
        let fingerprint = sha256(&key(0).public_key_to_der().unwrap());
        assert_eq!(text("publicKeyFingerprint"), hex::encode(fingerprint));

        let padding = match digest {
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
        assert_eq!(plaintext, pkcs7(PLAINTEXT.as_bytes()));
        assert_opens(body.as_bytes(), digest.name());
    }
}
