//! `/console/try`: buttons, files and the shortest client in each language.

use super::super::snippets::{self, Snippet};
use super::super::{Console, actions};
use super::{Choice, choices};
use crate::client::identity::SandboxFile;
use crate::issuers::Issuer;
use anyhow::Context;
use askama::Template;

/// What can be downloaded of an issuer, with what it is for.
pub const FILES: [(&str, &str); 8] = [
    (
        "gateway-cert.pem",
        "certificate of the gateway: encrypt requests to it",
    ),
    ("signing.pem", "private key, PKCS#8: sign requests with it"),
    ("signing.p12", "the same with its certificate, PKCS#12"),
    ("signing-cert.pem", "certificate of the signing key"),
    (
        "decryption.pem",
        "private key, PKCS#8: open answers with it",
    ),
    ("decryption.p12", "the same with its certificate, PKCS#12"),
    (
        "decryption-cert.pem",
        "certificate that answers are encrypted to",
    ),
    ("sandbox.json", "describes this sandbox to tests"),
];

/// The page.
#[derive(Template)]
#[template(path = "try.html", config = "src/console/askama.toml")]
pub struct TryPage {
    tab: &'static str,
    notice: Option<String>,
    issuers: Vec<Choice>,
    issuer: String,
    title: String,
    password: String,
    facts: Vec<(&'static str, String)>,
    buttons: Vec<(&'static str, &'static str)>,
    files: Vec<File>,
    snippets: Vec<Snippet>,
}

struct File {
    name: &'static str,
    what: &'static str,
}

impl TryPage {
    /// The page of the issuer `name`; `issuer` is the one on board, if it is.
    ///
    /// # Errors
    /// The sandbox has no issuer of that name.
    pub fn of(
        console: &Console,
        sandbox: &SandboxFile,
        name: &str,
        issuer: Option<&Issuer>,
    ) -> anyhow::Result<Self> {
        let described = sandbox.issuers.get(name).context("no such issuer")?;
        let state = |issuer: &Issuer| {
            let status = issuer.status.as_str();
            let donation = if issuer.donation { "on" } else { "off" };
            format!(
                "{status}, donation {donation}, answers {}",
                issuer.responses.as_str()
            )
        };
        let facts = [
            ("Base URL", Some(sandbox.base_url.clone())),
            ("Consumer key", Some(described.consumer_key.clone())),
            ("Account ranges", Some(described.account_ranges.join(", "))),
            ("Gateway key", Some(sandbox.gateway.fingerprint.clone())),
            (
                "State",
                Some(issuer.map_or_else(|| "not on board".to_owned(), state)),
            ),
            ("Last sample cardholder", console.cardholder(name)),
        ];
        Ok(Self {
            tab: "try",
            notice: console.heard(),
            issuers: choices(sandbox.issuers.keys(), name),
            issuer: name.to_owned(),
            title: issuer.map_or_else(|| name.to_owned(), |issuer| issuer.name.clone()),
            password: described.p12_password.clone(),
            facts: facts
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect(),
            buttons: actions::buttons(issuer),
            files: FILES.map(|(name, what)| File { name, what }).into(),
            snippets: snippets::all(&console.folder(), sandbox, name)?,
        })
    }
}
