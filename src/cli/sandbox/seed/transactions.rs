//! The transactions of a seed file: CSV, imported as `transactions import` does it.

use super::Seeds;
use super::csv::Table;
use crate::cli::sandbox::files::Files;
use crate::client::identity::SandboxFile;
use crate::gateway::Gateway;
use crate::private_file;
use crate::transactions::feed::Format;
use crate::transactions::import::{Import, Options, Parts};
use anyhow::{Context, ensure};
use std::path::Path;

/// The column that may hold the id that the seed file gives a cardholder.
const USER_ID: &str = "userid";

/// Imports the files; what is there already stays as it is. Returns how many records they have.
///
/// # Errors
/// A file that cannot be read, or has a record that is not taken: it names the file.
pub(in crate::cli::sandbox) async fn import(
    gateway: &Gateway,
    files: &Files,
    seeds: &Seeds,
) -> anyhow::Result<u64> {
    let description = SandboxFile::read(&files.description)?;
    let mut records = 0;
    for (issuer, file, text) in &seeds.transactions {
        let described = description.issuers.get(issuer).context("no such issuer")?;
        let issuers = gateway.registry.issuers();
        let issuer = issuers
            .into_iter()
            .find(|known| known.client_id.as_str() == described.client_id);
        let issuer =
            issuer.with_context(|| format!("the issuer {} is gone", described.client_id))?;
        let resolved = resolve(text, &description).with_context(|| file.display().to_string())?;
        let resolved_file = files.description.with_file_name("seed.csv.partial");
        private_file::replace(&resolved_file, resolved.as_bytes())?;
        let parts = Parts {
            store: &gateway.store,
            vault: &gateway.vault,
            registry: &gateway.registry,
            footprints: &gateway.footprints,
        };
        let options = Options {
            format: Some(Format::Csv),
            issuer: Some(issuer),
            since: None,
            dry_run: false,
            retain_unenrolled: gateway.retain_unenrolled,
        };
        let imported = Import::run(parts, &resolved_file, options, &mut |_| {}).await;
        std::fs::remove_file(&resolved_file)?;
        let summary = imported.with_context(|| file.display().to_string())?;
        if let Some(error) = summary.stopped {
            return Err(anyhow::Error::new(error).context(file.display().to_string()));
        }
        require_all_taken(file, summary.tally.failures(), summary.rejects.as_deref())?;
        records += summary.tally.total();
    }
    Ok(records)
}

fn require_all_taken(file: &Path, failures: u64, rejects: Option<&Path>) -> anyhow::Result<()> {
    let why = rejects.and_then(|rejects| std::fs::read_to_string(rejects).ok());
    if let Some(rejects) = rejects {
        std::fs::remove_file(rejects)?;
    }
    ensure!(
        failures == 0,
        "{}: {failures} records are not taken:\n{}",
        file.display(),
        why.unwrap_or_default()
    );
    Ok(())
}

/// The text with cardholders' ids in place of those of the seed file.
fn resolve(text: &str, description: &SandboxFile) -> anyhow::Result<String> {
    let mut table = Table::parse(text)?;
    if let Some(column) = table.header.iter().position(|name| name == USER_ID) {
        for field in table.rows.iter_mut().filter_map(|row| row.get_mut(column)) {
            if let Some(cardholder) = description.cardholders.get(field.as_str()) {
                field.clone_from(&cardholder.userid);
            }
        }
    }
    Ok(table.to_text())
}
