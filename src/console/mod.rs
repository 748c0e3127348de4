//! The sandbox's console without HTTP: what its pages show, faults on demand, and the calls that
//! its buttons make. `sandbox` alone makes a [`Console`]; a gateway of `serve` has none.
//!
//! - [`faults`]: answers that a client under test is to cope with
//! - [`actions`]: what the buttons do
//! - [`snippets`]: the shortest client in each language, for this very sandbox
//! - `explaining`: why a call was refused
//! - [`pages`]: one view model for each page; `text`: bodies and times as people read them

pub mod actions;
mod explaining;
pub mod faults;
pub mod pages;
pub mod snippets;
mod text;

pub use text::claimed_client_id;

use crate::client::identity::SandboxFile;
use crate::config::Config;
use crate::keys::rotation::generate;
use crate::payload::Recipient;
use crate::recording::Log;
use anyhow::Context;
use faults::Faults;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

/// The console of a running sandbox.
pub struct Console {
    /// The last calls.
    pub log: Log,
    /// The faults that were asked for.
    pub faults: Faults,
    description: PathBuf,
    config: Config,
    stranger: OnceLock<Option<Recipient>>,
    cardholders: Mutex<BTreeMap<String, String>>,
    notice: Mutex<Option<String>>,
}

impl Console {
    /// A console of the sandbox that the file `description` (`sandbox.json`) describes; `config` is
    /// what the gateway runs with.
    pub fn new(description: &Path, config: &Config) -> Self {
        Self {
            log: Log::default(),
            faults: Faults::default(),
            description: description.to_owned(),
            config: config.clone(),
            stranger: OnceLock::new(),
            cardholders: Mutex::default(),
            notice: Mutex::default(),
        }
    }

    /// The sandbox's description, as it is now.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn sandbox(&self) -> anyhow::Result<SandboxFile> {
        SandboxFile::read(&self.description)
    }

    /// The folder that the paths in the description are relative to, as an absolute path.
    pub fn folder(&self) -> PathBuf {
        let folder = self.description.parent().unwrap_or(Path::new(""));
        std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
    }

    /// The issuer's short name in the description.
    ///
    /// # Errors
    /// No issuer of that name, or no description.
    pub fn client_id(&self, name: &str) -> anyhow::Result<String> {
        let sandbox = self.sandbox()?;
        let issuer = sandbox.issuers.get(name).context("no such issuer")?;
        Ok(issuer.client_id.clone())
    }

    /// A recipient that no client of this sandbox has the key of. Made when it is first asked for.
    pub fn stranger(&self) -> Option<&Recipient> {
        let make = || Recipient::from_public_key(generate(2_048).ok()?.public()?).ok();
        self.stranger.get_or_init(make).as_ref()
    }

    /// Shows `text` on the next page that asks for it.
    pub fn say(&self, text: String) {
        *lock(&self.notice) = Some(text);
    }

    /// Takes what is to be shown.
    pub fn heard(&self) -> Option<String> {
        lock(&self.notice).take()
    }

    /// The cardholder that a button of this console has enrolled last for an issuer.
    pub fn cardholder(&self, issuer: &str) -> Option<String> {
        lock(&self.cardholders).get(issuer).cloned()
    }

    fn enrolled(&self, issuer: &str, user_id: String) {
        lock(&self.cardholders).insert(issuer.to_owned(), user_id);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The public half of a private key.
trait Public {
    fn public(&self) -> Option<openssl::pkey::PKey<openssl::pkey::Public>>;
}

impl Public for openssl::pkey::PKey<openssl::pkey::Private> {
    fn public(&self) -> Option<openssl::pkey::PKey<openssl::pkey::Public>> {
        let pem = self.public_key_to_pem().ok()?;
        openssl::pkey::PKey::public_key_from_pem(&pem).ok()
    }
}
