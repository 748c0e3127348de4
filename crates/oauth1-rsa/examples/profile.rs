//! Reads the demo issuer's own profile from a sandbox: a signed `GET` without a body.
//!
//! Start the sandbox in another window with `make run`, then:
//!
//! ```text
//! cargo run --example profile [sandbox/sandbox.json]
//! ```
#![expect(clippy::print_stdout, reason = "an example talks to people")]

use oauth1_rsa::{SignatureMethod, SigningKey};
use openssl::pkey::PKey;
use serde_json::Value;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1);
    let file = PathBuf::from(file.as_deref().unwrap_or("sandbox/sandbox.json"));
    let sandbox: Value = serde_json::from_slice(&fs::read(&file)?)?;
    let text = |pointer: &str| {
        let text = sandbox.pointer(pointer).and_then(Value::as_str);
        text.ok_or_else(|| format!("{}: no {pointer}", file.display()))
    };
    let folder = file.parent().unwrap_or(&file);

    let pem = fs::read(folder.join(text("/issuers/demo/signing_key")?))?;
    let consumer_key = text("/issuers/demo/consumer_key")?.to_owned();
    let key = SigningKey::from_private_key(PKey::private_key_from_pem(&pem)?, consumer_key)?;

    let url = format!("{}/issuers", text("/base_url")?);
    let authorization = key.sign("GET", &url, b"", SignatureMethod::RsaSha256)?;
    let request = ureq::get(&url).header("Authorization", authorization);
    let mut answer = request.call()?;
    println!("{}", answer.status());
    println!("{}", answer.body_mut().read_to_string()?);
    Ok(())
}
