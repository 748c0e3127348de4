// Cargo.toml: oauth1-rsa and payload-envelope (path = ".../crates/..."), openssl, serde_json, ureq
use oauth1_rsa::{SignatureMethod, SigningKey};
use openssl::{pkey::PKey, x509::X509};
use payload_envelope::{DecryptionKey, EnvelopeKind, KeyRing, KeyState, Recipient, json};
use std::{error::Error, fs::read};

fn main() -> Result<(), Box<dyn Error>> {
    let url = "@BASE_URL@/issuers/users";
    let signing = PKey::private_key_from_pem(&read("@SIGNING_KEY@")?)?;
    let signing = SigningKey::from_private_key(signing, "@CONSUMER_KEY@".to_owned())?;
    let gateway = Recipient::from_certificate(&*X509::from_pem(&read("@GATEWAY_CERTIFICATE@")?)?)?;
    let decryption = PKey::private_key_from_pem(&read("@DECRYPTION_KEY@")?)?;
    let decryption = DecryptionKey::new(decryption, None, Vec::new(), KeyState::Primary)?;

    let clear: serde_json::Value = serde_json::from_str(r#"@JSON@"#)?;
    let body = payload_envelope::seal(EnvelopeKind::Jwe, &gateway, &json::to_ascii(&clear))?;
    let authorization = signing.sign("POST", url, &body, SignatureMethod::RsaSha256)?;
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let mut answer = ureq::Agent::from(config)
        .post(url)
        .header("Authorization", authorization)
        .header("Content-Type", "application/json")
        .send(&body[..])?;
    let answer = answer.body_mut().read_to_string()?;
    if answer.contains("\"encryptedData\"") {
        let opened = payload_envelope::open(&KeyRing::new(vec![decryption])?, answer.as_bytes())?;
        println!("{}", serde_json::to_string(opened.object.members())?);
    } else {
        println!("{answer}");
    }
    Ok(())
}
