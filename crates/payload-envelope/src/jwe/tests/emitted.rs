//! What we write, and josekit as a peer both ways.

use super::*;

#[test]
fn what_we_write_is_the_standard_form() {
    let token = seal(&recipient(0), b"{}").unwrap();
    let segments: Vec<&str> = token.split('.').collect();
    let kid = own_key(0, &[], KeyState::Active).fingerprint();
    assert_eq!(
        base64::decode(segments[0]).unwrap(),
        format!(
            r#"{{"kid":"{kid}","cty":"application/json","enc":"A256GCM","alg":"RSA-OAEP-256"}}"#
        )
        .into_bytes()
    );
    let lengths: Vec<usize> = segments[1..]
        .iter()
        .map(|segment| base64::decode(segment).unwrap().len())
        .collect();
    assert_eq!(lengths, [256, 12, 2, 16]);
    assert!(!token.contains(['+', '/', '=']));
    assert_ne!(token, seal(&recipient(0), b"{}").unwrap());
}

#[test]
fn josekit_reads_what_we_write() {
    for length in [0, 1, 15, 16, 1000] {
        let plaintext = vec![b'x'; length];
        let token = seal(&recipient(0), &plaintext).unwrap();
        let pem = key(0).private_key_to_pem_pkcs8().unwrap();
        let decrypter = RSA_OAEP_256.decrypter_from_pem(pem).unwrap();
        let (read, header) = josekit::jwe::deserialize_compact(&token, &decrypter).unwrap();
        assert_eq!(read, plaintext);
        assert_eq!(header.content_encryption(), Some("A256GCM"));
    }
}

#[test]
fn we_read_what_josekit_writes() {
    let pem = certificate(0)
        .public_key()
        .unwrap()
        .public_key_to_pem()
        .unwrap();
    let encrypter = RSA_OAEP_256.encrypter_from_pem(pem).unwrap();
    for enc in ContentEncryption::ALL {
        let mut header = JweHeader::new();
        header.set_content_encryption(enc.name());
        header.set_key_id("current");
        let token =
            josekit::jwe::serialize_compact(PLAINTEXT.as_bytes(), &header, &encrypter).unwrap();
        assert_opens(&body(&token), enc.name());
    }
}
