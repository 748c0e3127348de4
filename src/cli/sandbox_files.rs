//! The files of a sandbox. Each is made only if it is missing. So the next run finishes a first run
//! that was cut off, and a second run changes nothing but the port.

use crate::client::identity::{SandboxDirectory, SandboxFile, SandboxGateway, SandboxIssuer};
use crate::directory::{ApiKey, KeyKind};
use crate::keys::rotation::{generate, generate_ec, self_signed, write_private};
use crate::keys::source::{read_certificate, read_private_key};
use crate::payload::{Curve, Recipient};
use crate::vault::Kek;
use anyhow::Context;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
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
const CERTIFICATE_DAYS: u32 = 3_650;
const DEFAULT_PORT: u16 = 8_080;

/// An issuer that every sandbox has.
struct Template {
    name: &'static str,
    title: &'static str,
    account_ranges: &'static [&'static str],
    donation: bool,
    responses: &'static str,
    /// For clients that send parameters of field-level encryption as headers.
    field_level_headers: bool,
    /// What the web view wears; empty: the published example.
    theme: &'static str,
}

const ISSUERS: [Template; 3] = [
    Template {
        name: "demo",
        title: "Demo Bank",
        account_ranges: &["534403", "518145", "5424"],
        donation: true,
        responses: "mirror",
        field_level_headers: false,
        theme: r##"backgroundColor = "#F3F5F4", fontColor = "#16302B", barGraphColor = "#0B6E4F", buttonColor = "#0B6E4F""##,
    },
    Template {
        name: "compat",
        title: "Compat Bank",
        account_ranges: &["222300", "552433"],
        donation: true,
        responses: "dashboards-only",
        field_level_headers: true,
        theme: "",
    },
    Template {
        name: "basic",
        title: "Basic Bank",
        account_ranges: &["510665", "5050"],
        donation: false,
        responses: "mirror",
        field_level_headers: false,
        theme: r##"backgroundColor = "#101820", widgetBackgroundColor = "#18222D", fontColor = "#E8EDF2", barGraphColor = "#F2A93B", buttonColor = "#F2A93B", buttonTextColor = "#101820""##,
    },
];

/// The paths of a sandbox's files.
pub(super) struct Files {
    /// `gateway.toml`
    pub(super) config: PathBuf,
    /// `issuers.toml`
    pub(super) issuers: PathBuf,
    /// `sandbox.json`
    pub(super) description: PathBuf,
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
pub(super) fn prepare(dir: &Path, port: Option<u16>) -> anyhow::Result<Files> {
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
    make(&dir.join("kek.key"), || {
        Ok(Kek::generate()?.as_bytes().to_vec())
    })?;
    key_and_certificate(dir, "gateway", "issuer-gateway sandbox", || generate(2_048))?;
    // A sandbox of an earlier version keeps its one key: its configuration may be edited.
    if !files.config.exists() {
        let ec = || Ok(generate_ec(Curve::P256)?);
        key_and_certificate(dir, EC_KEY, "issuer-gateway sandbox", ec)?;
    }
    for template in &ISSUERS {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir.join(template.name))?;
        for purpose in ["signing", "decryption"] {
            let stem = format!("{}/{purpose}", template.name);
            let name = format!("{} sandbox {purpose}", template.title);
            key_and_certificate(dir, &stem, &name, || generate(2_048))?;
            make(&dir.join(format!("{stem}.p12")), || pkcs12(dir, &stem))?;
        }
    }
    make(&files.description, || describe(dir))?;
    describe_users(&files.description)?;
    make(&files.issuers, || {
        declare(&SandboxFile::read(&files.description)?)
    })?;
    make(&files.config, || {
        Ok(CONFIG
            .replace("PORT", &port.unwrap_or(DEFAULT_PORT).to_string())
            .into_bytes())
    })?;
    if let Some(port) = port {
        set_port(&files.config, port)?;
    }
    Ok(files)
}

/// Writes where the sandbox really listens into its description.
pub(super) fn write_base_url(files: &Files, base_url: &str) -> anyhow::Result<()> {
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
fn describe_users(file: &Path) -> anyhow::Result<()> {
    let mut description = SandboxFile::read(file)?;
    if description.users.is_none() {
        description.users = Some(directory_app()?);
        write_private(file, &serde_json::to_vec_pretty(&description)?)?;
    }
    Ok(())
}

/// New keys of the users API, and the user that the documents' first example updates: `PUT
/// /users/12345`.
fn directory_app() -> anyhow::Result<SandboxDirectory> {
    Ok(SandboxDirectory {
        app_key: ApiKey::generate(KeyKind::App)?.expose().to_owned(),
        user_token: ApiKey::generate(KeyKind::User)?.expose().to_owned(),
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

fn key_and_certificate(
    dir: &Path,
    stem: &str,
    common_name: &str,
    generate: impl FnOnce() -> anyhow::Result<PKey<Private>>,
) -> anyhow::Result<()> {
    let key_file = dir.join(format!("{stem}.pem"));
    make(&key_file, || Ok(generate()?.private_key_to_pem_pkcs8()?))?;
    let key = read_private_key(&key_file)?;
    make(&dir.join(format!("{stem}-cert.pem")), || {
        Ok(self_signed(&key, common_name, CERTIFICATE_DAYS)?.to_pem()?)
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

fn describe(dir: &Path) -> anyhow::Result<Vec<u8>> {
    let certificate = read_certificate(&dir.join("gateway-cert.pem"))?;
    let issuer = |template: &Template| {
        // 48 URL-safe characters, then !, then 48 hex digits: the shape of Mastercard's
        // (wire-formats.md 3.1).
        let client_id: String = random_hex().chars().take(48).collect();
        let key_id: String = random_hex().chars().take(48).collect();
        let file = |name: &str| PathBuf::from(template.name).join(name);
        let described = SandboxIssuer {
            consumer_key: format!("{client_id}!{key_id}"),
            client_id,
            signing_key: file("signing.pem"),
            signing_p12: file("signing.p12"),
            decryption_key: file("decryption.pem"),
            decryption_p12: file("decryption.p12"),
            p12_password: P12_PASSWORD.to_owned(),
            account_ranges: template
                .account_ranges
                .iter()
                .map(ToString::to_string)
                .collect(),
            donation: template.donation,
            responses: template.responses.to_owned(),
        };
        (template.name.to_owned(), described)
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
        issuers: ISSUERS.iter().map(issuer).collect(),
        users: None,
    };
    Ok(serde_json::to_vec_pretty(&description)?)
}

fn random_hex() -> String {
    format!(
        "{}{}",
        uuid::Uuid::new_v4().simple(),
        uuid::Uuid::new_v4().simple()
    )
}

fn declare(description: &SandboxFile) -> anyhow::Result<Vec<u8>> {
    let mut text =
        String::from("# The sandbox's issuers, as `issuer-gateway issuer apply` takes them.\n");
    for template in &ISSUERS {
        let issuer = description
            .issuers
            .get(template.name)
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
            title = template.title,
            theme = template.theme,
            name = template.name,
            ranges = ranges.join(", "),
            donation = issuer.donation,
            responses = issuer.responses,
            headers = template.field_level_headers,
        )?;
    }
    Ok(text.into_bytes())
}

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

# For issuers whose libraries speak ECDH-ES: several times cheaper than RSA. Mastercard's know RSA alone.
[[keys.gateway]]
file = "gateway-ec.pem"
certificate = "gateway-ec-cert.pem"
state = "primary"

[log]
format = "text"
filter = "warn"
"#;
