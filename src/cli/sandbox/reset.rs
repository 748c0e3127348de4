//! `sandbox reset`: back to an empty database, or to nothing at all.

use crate::client::identity::SandboxFile;
use anyhow::{Context, ensure};
use clap::Args;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::Duration;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Remove the keys, the configuration and the folder too.
    #[arg(long)]
    all: bool,
}

/// Files that a sandbox makes beside its database and the folders of its issuers.
const FILES: [&str; 8] = [
    "kek.key",
    "gateway.pem",
    "gateway-cert.pem",
    "gateway-ec.pem",
    "gateway-ec-cert.pem",
    "issuers.toml",
    "gateway.toml",
    "sandbox.json",
];
const OF_AN_ISSUER: [&str; 6] = [
    "signing.pem",
    "signing-cert.pem",
    "signing.p12",
    "decryption.pem",
    "decryption-cert.pem",
    "decryption.p12",
];
/// The database, its journals and its witness begin so.
const DATABASE: &str = "gateway.db";

pub(super) fn run(dir: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    let description = SandboxFile::read(&dir.join("sandbox.json"))?;
    ensure!(
        !is_running(&description),
        "the sandbox runs at {}: stop it first",
        description.base_url
    );
    for entry in fs::read_dir(dir).with_context(|| dir.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(DATABASE) && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    if !arguments.all {
        println!(
            "Sandbox {}: the database is gone, the keys are kept.",
            dir.display()
        );
        return Ok(());
    }
    for name in description.issuers.keys() {
        let folder = dir.join(name);
        for file in OF_AN_ISSUER {
            remove(&folder.join(file))?;
        }
        // Whoever has put something else there keeps it.
        let _kept = fs::remove_dir(folder);
    }
    for file in FILES {
        remove(&dir.join(file))?;
    }
    match fs::remove_dir(dir) {
        Ok(()) => println!("Sandbox {}: gone.", dir.display()),
        Err(_) => println!(
            "Sandbox {}: gone, but for files that it has not made.",
            dir.display()
        ),
    }
    Ok(())
}

fn remove(file: &Path) -> anyhow::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| file.display().to_string())
        }
        _ => Ok(()),
    }
}

/// Whether a gateway with this sandbox's key answers at its address.
fn is_running(description: &SandboxFile) -> bool {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(5)))
        .build();
    let url = format!("{}/.well-known/jwks.json", description.base_url);
    let answer = ureq::Agent::from(config).get(&url).call();
    let text = answer.and_then(|mut answer| answer.body_mut().read_to_string());
    let keys: Option<Value> = text.ok().and_then(|text| serde_json::from_str(&text).ok());
    keys.is_some_and(|keys| keys.to_string().contains(&description.gateway.fingerprint))
}
