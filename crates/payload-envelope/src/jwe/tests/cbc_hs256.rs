//! A128CBC-HS256, whose MAC is ours to verify.

use super::*;

/// A128CBC-HS256 by RFC 7518, 5.2.2.1.
fn cbc_hs256(header: &str, iv: &[u8], padded: bool) -> [String; 5] {
    let aad = base64::encode(header.as_bytes());
    let cek: Vec<u8> = (0..32).collect();
    let ciphertext = if padded {
        encrypt(
            Cipher::aes_128_cbc(),
            &cek[16..],
            Some(&iv[..16]),
            PLAINTEXT.as_bytes(),
        )
        .unwrap()
    } else {
        vec![0x5a; 64]
    };
    let bits = u64::try_from(aad.len() * 8).unwrap().to_be_bytes();
    let key = openssl::pkey::PKey::hmac(&cek[..16]).unwrap();
    let mut signer = openssl::sign::Signer::new(MessageDigest::sha256(), &key).unwrap();
    for part in [aad.as_bytes(), iv, &ciphertext, &bits] {
        signer.update(part).unwrap();
    }
    let tag = signer.sign_to_vec().unwrap();
    let wrapped = wrap(&peer(0), OaepDigest::Sha256, &cek);
    let [wrapped, iv, ciphertext, tag] =
        [&wrapped[..], iv, &ciphertext, &tag[..16]].map(base64::encode);
    [aad, wrapped, iv, ciphertext, tag]
}

#[test]
fn cbc_hs256_with_its_mac_verified() {
    let header = header(json!({"enc": "A128CBC-HS256"}));
    let good = cbc_hs256(&header, &[3; 16], true);
    assert_opens(&body(&good.join(".")), "as it should be");

    for (segment, reason) in [
        (1, CryptoReason::KeyUnwrap),
        (2, CryptoReason::Authentication),
        (3, CryptoReason::Authentication),
        (4, CryptoReason::Authentication),
    ] {
        let mut bytes = base64::decode(&good[segment]).unwrap();
        bytes[5] ^= 1;
        let mut token = good.clone();
        token[segment] = base64::encode(&bytes);
        assert_refused(
            &body(&token.join(".")),
            reason,
            &format!("segment {segment}"),
        );
    }
    for length in [0, 8, 12, 15, 17, 32] {
        let token = cbc_hs256(&header, &[3; 32][..length.max(16)], true);
        let mut token = token;
        token[2] = base64::encode(&vec![3; length]);
        assert_refused(
            &body(&token.join(".")),
            CryptoReason::IvLength,
            &format!("IV {length}"),
        );
    }
    let unpadded = cbc_hs256(&header, &[3; 16], false);
    assert_refused(
        &body(&unpadded.join(".")),
        CryptoReason::Padding,
        "MAC right, padding wrong",
    );
    for length in [0, 15, 17] {
        let mut token = good.clone();
        token[3] = base64::encode(&vec![1; length]);
        let case = format!("ciphertext {length}");
        assert_refused(
            &body(&token.join(".")),
            CryptoReason::CiphertextLength,
            &case,
        );
    }
}
