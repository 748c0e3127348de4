//! The files of a sandbox. Each is made only if it is missing. So the next run finishes a first run
//! that was cut off, and a second run changes nothing but the port.

use super::issuers::Plan;
use super::making::Making;
use crate::client::identity::{SandboxDirectory, SandboxFile, SandboxGateway, SandboxIssuer};
use crate::directory::KeyKind;
use crate::keys::rotation::{generate_ec, write_private};
use crate::keys::source::{read_certificate, read_private_key};
use crate::payload::{Curve, Recipient};
use anyhow::{Context, ensure};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use toml_edit::{DocumentMut, value};

/// Password of the sandbox's PKCS#12 files; the one that Mastercard's tutorials use.
const P12_PASSWORD: &str = "keystorepassword";
/// Alias of the key in the sandbox's PKCS#12 files, as Mastercard hands them out.
const P12_ALIAS: &str = "keyalias";
/// Files of the EC key, without their ends.
const EC_KEY: &str = "gateway-ec";
const DEFAULT_PORT: u16 = 8_080;

/// The paths of a sandbox's files.
pub(in crate::cli) struct Files {
    /// `gateway.toml`
    pub(in crate::cli) config: PathBuf,
    /// `issuers.toml`
    pub(in crate::cli) issuers: PathBuf,
    /// `sandbox.json`
    pub(in crate::cli) description: PathBuf,
}

/// Removes what a first run that was cut off has left half written.
fn remove_partial_files(dir: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(dir)? {
        let file = entry?.path();
        if file.extension().is_some_and(|end| end == "partial") {
            fs::remove_file(file)?;
        }
    }
    Ok(())
}

/// Makes whatever is missing in `dir`, and sets the port if one is given.
pub(in crate::cli) fn prepare(
    dir: &Path,
    port: Option<u16>,
    plans: &[Plan],
    making: &Making,
) -> anyhow::Result<Files> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)?;
    remove_partial_files(dir)?;
    let files = Files {
        config: dir.join("gateway.toml"),
        issuers: dir.join("issuers.toml"),
        description: dir.join("sandbox.json"),
    };
    require_same(&files.description, plans, making)?;
    make(&dir.join("kek.key"), || making.kek())?;
    rsa_key(dir, "gateway", "issuer-gateway sandbox", making)?;
    // A sandbox of an earlier version keeps its one key: its configuration may be edited. Nor has a
    // seeded one the EC key: its certificate would be another one each time.
    if !files.config.exists() && making.seed().is_none() {
        let ec = || Ok(generate_ec(Curve::P256)?);
        key_and_certificate(dir, EC_KEY, "issuer-gateway sandbox", making, ec)?;
    }
    for plan in plans {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir.join(&plan.name))?;
        for purpose in ["signing", "decryption"] {
            let stem = format!("{}/{purpose}", plan.name);
            let name = format!("{} sandbox {purpose}", plan.title);
            rsa_key(dir, &stem, &name, making)?;
            make(&dir.join(format!("{stem}.p12")), || pkcs12(dir, &stem))?;
        }
    }
    make(&files.description, || describe(dir, plans, making))?;
    describe_users(&files.description, making)?;
    make(&files.issuers, || {
        declare(&SandboxFile::read(&files.description)?, plans)
    })?;
    make(&files.config, || {
        let mut config = CONFIG.replace("PORT", &port.unwrap_or(DEFAULT_PORT).to_string());
        if dir.join(EC_KEY).with_extension("pem").exists() {
            config.push_str(EC_CONFIG);
        }
        Ok(config.into_bytes())
    })?;
    if let Some(port) = port {
        set_port(&files.config, port)?;
    }
    Ok(files)
}

/// A folder keeps the issuers and the kind of keys that its first run has made.
fn require_same(description: &Path, plans: &[Plan], making: &Making) -> anyhow::Result<()> {
    if !description.exists() {
        return Ok(());
    }
    let made = SandboxFile::read(description)?;
    let again = "remove it by `issuer-gateway sandbox reset --all`, or take another --dir";
    ensure!(
        made.insecure_keys == making.seed().is_some(),
        "the folder's keys were made {} --seed-keys: {again}",
        if made.insecure_keys {
            "with"
        } else {
            "without"
        }
    );
    let same = plans.len() == made.issuers.len()
        && plans.iter().all(|plan| {
            let issuer = made.issuers.get(&plan.name);
            issuer.is_some_and(|issuer| issuer.account_ranges == plan.account_ranges)
        });
    ensure!(same, "the folder has other issuers: {again}");
    Ok(())
}

/// Writes where the sandbox really listens into its description.
pub(in crate::cli) fn write_base_url(files: &Files, base_url: &str) -> anyhow::Result<()> {
    let mut description = SandboxFile::read(&files.description)?;
    if description.base_url != base_url {
        base_url.clone_into(&mut description.base_url);
        write_private(
            &files.description,
            &serde_json::to_vec_pretty(&description)?,
        )?;
    }
    Ok(())
}

/// A sandbox of an earlier version has no keys for the users API yet.
fn describe_users(file: &Path, making: &Making) -> anyhow::Result<()> {
    let mut description = SandboxFile::read(file)?;
    if description.users.is_none() {
        description.users = Some(directory_app(making)?);
        write_private(file, &serde_json::to_vec_pretty(&description)?)?;
    }
    Ok(())
}

/// New keys of the users API, and the user that the documents' first example updates: `PUT
/// /users/12345`.
fn directory_app(making: &Making) -> anyhow::Result<SandboxDirectory> {
    Ok(SandboxDirectory {
        app_key: making.api_key(KeyKind::App, "app")?.expose().to_owned(),
        user_token: making.api_key(KeyKind::User, "user")?.expose().to_owned(),
        user_id: "12345".to_owned(),
    })
}

fn make(file: &Path, content: impl FnOnce() -> anyhow::Result<Vec<u8>>) -> anyhow::Result<()> {
    if file.exists() {
        return Ok(());
    }
    write_private(file, &content()?)
}

fn set_port(config: &Path, port: u16) -> anyhow::Result<()> {
    let text = fs::read_to_string(config)?;
    let mut document: DocumentMut = text
        .parse()
        .map_err(|_| anyhow::anyhow!("{}: not valid TOML", config.display()))?;
    if let Some(listen) = document
        .get_mut("server")
        .and_then(|server| server.get_mut("listen"))
    {
        *listen = value(format!("127.0.0.1:{port}"));
    }
    let edited = document.to_string();
    if edited == text {
        Ok(())
    } else {
        write_private(config, edited.as_bytes())
    }
}

/// An RSA key and its certificate.
fn rsa_key(dir: &Path, stem: &str, common_name: &str, making: &Making) -> anyhow::Result<()> {
    key_and_certificate(dir, stem, common_name, making, || making.rsa(stem))
}

fn key_and_certificate(
    dir: &Path,
    stem: &str,
    common_name: &str,
    making: &Making,
    generate: impl FnOnce() -> anyhow::Result<PKey<Private>>,
) -> anyhow::Result<()> {
    let key_file = dir.join(format!("{stem}.pem"));
    make(&key_file, || Ok(generate()?.private_key_to_pem_pkcs8()?))?;
    let key = read_private_key(&key_file)?;
    make(&dir.join(format!("{stem}-cert.pem")), || {
        Ok(making.certificate(&key, common_name)?.to_pem()?)
    })
}

/// PKCS#12 as portals hand it out: 3DES and SHA-1 inside, because old Java keystores and
/// JavaScript readers take nothing newer.
fn pkcs12(dir: &Path, stem: &str) -> anyhow::Result<Vec<u8>> {
    let key = read_private_key(&dir.join(format!("{stem}.pem")))?;
    let certificate = read_certificate(&dir.join(format!("{stem}-cert.pem")))?;
    let bundle = Pkcs12::builder()
        .name(P12_ALIAS)
        .pkey(&key)
        .cert(&certificate)
        .key_algorithm(Nid::PBE_WITHSHA1AND3_KEY_TRIPLEDES_CBC)
        .cert_algorithm(Nid::PBE_WITHSHA1AND3_KEY_TRIPLEDES_CBC)
        .mac_md(MessageDigest::sha1())
        .build2(P12_PASSWORD)?;
    Ok(bundle.to_der()?)
}

fn describe(dir: &Path, plans: &[Plan], making: &Making) -> anyhow::Result<Vec<u8>> {
    let certificate = read_certificate(&dir.join("gateway-cert.pem"))?;
    let issuer = |plan: &Plan| {
        // 48 URL-safe characters, then !, then 48 hex digits: the shape of Mastercard's
        // (wire-formats.md 3.1).
        let client_id = making.hex(&format!("client id {}", plan.name))?;
        let key_id = making.hex(&format!("key id {}", plan.name))?;
        let file = |name: &str| PathBuf::from(&plan.name).join(name);
        let described = SandboxIssuer {
            consumer_key: format!("{client_id}!{key_id}"),
            client_id,
            signing_key: file("signing.pem"),
            signing_p12: file("signing.p12"),
            decryption_key: file("decryption.pem"),
            decryption_p12: file("decryption.p12"),
            p12_password: P12_PASSWORD.to_owned(),
            account_ranges: plan.account_ranges.clone(),
            donation: plan.donation,
            responses: plan.responses.as_str().to_owned(),
        };
        Ok((plan.name.clone(), described))
    };
    let description = SandboxFile {
        base_url: format!("http://127.0.0.1:{DEFAULT_PORT}"),
        gateway: SandboxGateway {
            certificate: PathBuf::from("gateway-cert.pem"),
            fingerprint: Recipient::from_certificate(&certificate)?
                .fingerprint()
                .to_string(),
            ec_certificate: Some(PathBuf::from(format!("{EC_KEY}-cert.pem")))
                .filter(|certificate| dir.join(certificate).exists()),
        },
        issuers: plans.iter().map(issuer).collect::<anyhow::Result<_>>()?,
        users: None,
        insecure_keys: making.seed().is_some(),
        cardholders: BTreeMap::new(),
    };
    Ok(serde_json::to_vec_pretty(&description)?)
}

fn declare(description: &SandboxFile, plans: &[Plan]) -> anyhow::Result<Vec<u8>> {
    let mut text =
        String::from("# The sandbox's issuers, as `issuer-gateway issuer apply` takes them.\n");
    for plan in plans {
        let issuer = description
            .issuers
            .get(&plan.name)
            .context("sandbox.json lacks an issuer")?;
        let ranges: Vec<String> = issuer
            .account_ranges
            .iter()
            .map(|range| format!("\"{range}\""))
            .collect();
        write!(
            text,
            r#"
[[issuer]]
client_id = "{client_id}"
name = "{title}"
customer_id = "144136"
email = "cards@{name}.example"
currency_code = "USD"
country_code = "USA"
country_name = "United States of America"
terms_and_condition_url = "https://{name}.example/terms"
privacy_notice_url = "https://{name}.example/privacy"
opt_out_url = "https://{name}.example/opt-out"
account_ranges = [{ranges}]
# Where PUT /issuers may add ranges.
self_service_ranges = ["2", "5"]
donation = {donation}
responses = "{responses}"
theme = {{ {theme} }}
field_level_headers = {headers}

[[issuer.signing]]
consumer_key = "{consumer_key}"
certificate = "{name}/signing-cert.pem"

[[issuer.encryption]]
certificate = "{name}/decryption-cert.pem"
"#,
            client_id = issuer.client_id,
            consumer_key = issuer.consumer_key,
            title = plan.title,
            theme = plan.theme,
            name = plan.name,
            ranges = ranges.join(", "),
            donation = issuer.donation,
            responses = issuer.responses,
            headers = plan.field_level_headers,
        )?;
    }
    Ok(text.into_bytes())
}

/// The part for the EC key.
const EC_CONFIG: &str = r#"
# For issuers whose libraries speak ECDH-ES: a fraction of an RSA operation. Mastercard's know RSA alone.
[[keys.gateway]]
file = "gateway-ec.pem"
certificate = "gateway-ec-cert.pem"
state = "primary"
"#;

const CONFIG: &str = r#"# The configuration that this sandbox runs with. docs/operations.md explains every setting.

[server]
listen = "127.0.0.1:PORT"
# No load balancer to wait for: Ctrl-C ends it at once.
drain_delay_s = 0

[database]
url = "sqlite:gateway.db"

[dashboard]
# Who tries the web view out clicks faster than a cardholder.
pages_per_second = 100
burst = 1000

[vault]
kek_file = "kek.key"

[[keys.gateway]]
file = "gateway.pem"
certificate = "gateway-cert.pem"
state = "primary"

[log]
format = "text"
filter = "warn"
"#;
