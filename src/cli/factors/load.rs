//! `factors load`: rates, consumer prices, energy prices and grids from a file; a factor set of an
//! operator's own from a folder.

use crate::app;
use crate::config::Config;
use crate::footprint::builtin::sha256;
use crate::footprint::{DatedData, FactorSet, Kind, Rows, SetFiles, SetId};
use crate::footprints::{Footprints, SET_FILES};
use crate::store::Store;
use crate::store::audit::AuditDraft;
use crate::store::factors::{FactorFile, FactorLoad, SET};
use anyhow::{Context, bail, ensure};
use clap::Args;
use std::path::{Path, PathBuf};

/// Larger files are no tables of rates or factors.
const LARGEST: u64 = 32 * 1024 * 1024;

/// How often a load begins again because somebody else has loaded meanwhile.
const ATTEMPTS: usize = 20;

#[derive(Debug, Args)]
pub(in crate::cli) struct Load {
    /// A CSV file of rates, consumer prices, energy prices or grids, told by its header; the
    /// European Central Bank's eurofxref-hist.csv as it is. With --set: the set's folder.
    path: PathBuf,
    /// Load the folder as a factor set of your own with this id; it must not begin with ig-.
    #[arg(long, value_name = "ID", value_parser = set_id)]
    set: Option<SetId>,
    /// Load the rows of a file that was loaded before over those that came after it.
    #[arg(long, conflicts_with = "set")]
    again: bool,
}

fn set_id(text: &str) -> Result<SetId, String> {
    SetId::of_operator(text).map_err(|error| error.to_string())
}

pub(super) fn run(config: &Config, arguments: &Load) -> anyhow::Result<()> {
    let is_folder = arguments.path.is_dir();
    let store = |config: &Config| app::open_store(&config.database).map(|(_, store)| store);
    match &arguments.set {
        Some(id) => {
            ensure!(is_folder, "--set needs a folder with the files of the set");
            let files = SET_FILES.map(|name| read(&arguments.path.join(name)));
            let files = files.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
            parse_set(id, &files)?;
            let store = store(config)?;
            crate::cli::runtime()?.block_on(load_set(&store, id, &files))?;
            unused(&arguments.path)
        }
        None => {
            ensure!(
                !is_folder,
                "a folder needs --set ID: it is loaded as a factor set"
            );
            let text = read(&arguments.path)?;
            let file = arguments.path.file_name().unwrap_or_default();
            let file = file.to_string_lossy();
            let kind = Kind::detect(&text).with_context(|| {
                format!("{file}, line 1: must be the header of rates, cpi, prices or grid (docs/footprint.md)")
            })?;
            let rows = Rows::parse(kind, &file, &text).map_err(refused)?;
            let store = store(config)?;
            crate::cli::runtime()?.block_on(load_rows(
                &store,
                rows,
                &file,
                &sha256(&text),
                arguments.again,
            ))
        }
    }
}

/// What is wrong, a line for each fault, and that nothing came of it.
fn refused(faults: impl std::fmt::Display) -> anyhow::Error {
    anyhow::anyhow!("nothing is loaded\n{faults}")
}

fn read(path: &Path) -> anyhow::Result<String> {
    let name = path.display();
    let size = std::fs::metadata(path).with_context(|| format!("{name}"))?;
    ensure!(size.len() <= LARGEST, "{name}: is larger than 32 MiB");
    let bytes = std::fs::read(path).with_context(|| format!("{name}"))?;
    String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("{name}: is not UTF-8"))
}

async fn load_rows(
    store: &Store,
    rows: Rows,
    file: &str,
    checksum: &str,
    again: bool,
) -> anyhow::Result<()> {
    let kind = rows.kind();
    let count = rows.len();
    for _ in 0..ATTEMPTS {
        let loads = store.factor_loads().await?;
        let same = |load: &&FactorLoad| load.file.checksum == checksum;
        if let Some(before) = loads.iter().rev().find(same)
            && !again
        {
            println!("{}", loaded_already(before));
            println!("--again loads its rows over those that came after it");
            return Ok(());
        }
        let scorers = Footprints::load(store).await?.current();
        let (version, data) = (scorers.version(), scorers.data());
        let changed = data.changes(rows.clone());
        let (kept, content) = (changed.len(), changed.to_csv());
        // Whole: a price in a currency without a rate breaks a rule even if nothing else does.
        DatedData::clone(data)
            .append(file, rows.clone())
            .map_err(refused)?;
        let record = FactorFile {
            kind: kind.name().to_owned(),
            set_id: None,
            file: file.to_owned(),
            checksum: checksum.to_owned(),
            row_count: i32::try_from(count)?,
            kept: i32::try_from(kept)?,
        };
        let audit = AuditDraft::local("factors.load");
        let files = vec![(record, content)];
        if store.load_factors(version, files, audit).await? {
            println!("{file}: {count} rows of {kind}, {kept} of them new or changed");
            println!("SHA-256 {checksum}");
            println!("running nodes score with them within two seconds");
            return Ok(());
        }
    }
    bail!("others load all the time; try again")
}

fn loaded_already(before: &FactorLoad) -> String {
    format!(
        "loaded already: load {} of {}, {}, by {}",
        before.load_id,
        crate::cli::issuer::date(Some(before.loaded_at)),
        before.file.file,
        before.loaded_by
    )
}

fn parse_set(id: &SetId, files: &[String]) -> anyhow::Result<FactorSet> {
    let text = |index: usize| files.get(index).map_or("", String::as_str);
    let files = SetFiles {
        emission_factors: text(0),
        adjustments: text(1),
        regional_factors: text(2),
        mcc: text(3),
        areas: text(4),
        carriers: text(5),
    };
    FactorSet::parse(id.clone(), &files).map_err(refused)
}

async fn load_set(store: &Store, id: &SetId, files: &[String]) -> anyhow::Result<()> {
    let records = SET_FILES.iter().zip(files).map(|(name, text)| {
        // The header is no row.
        let rows = i32::try_from(text.lines().count().saturating_sub(1))?;
        let record = FactorFile {
            kind: SET.to_owned(),
            set_id: Some(id.as_str().to_owned()),
            file: (*name).to_owned(),
            checksum: sha256(text),
            row_count: rows,
            kept: rows,
        };
        Ok((record, text.clone()))
    });
    let records = records.collect::<anyhow::Result<Vec<_>>>()?;
    for _ in 0..ATTEMPTS {
        let version = store.factor_version().await?;
        let loads = store.factor_loads().await?;
        let of_set = loads
            .iter()
            .filter(|load| load.file.set_id.as_deref() == Some(id.as_str()));
        let known: Vec<_> = of_set.collect();
        if let Some(first) = known.first() {
            let is_known = |(record, _): &(FactorFile, String)| {
                known.iter().any(|load| {
                    load.file.file == record.file && load.file.checksum == record.checksum
                })
            };
            ensure!(
                records.iter().all(is_known),
                "factor set {id} exists with other files, and a set never changes: choose another id"
            );
            println!("{}", loaded_already(first));
            return Ok(());
        }
        let audit = AuditDraft::local("factors.load");
        if store.load_factors(version, records.clone(), audit).await? {
            println!("factor set {id} is loaded");
            for (record, _) in &records {
                println!(
                    "{:<22} {:>6} rows  {}",
                    record.file, record.row_count, record.checksum
                );
            }
            println!(
                "an issuer takes it by factor_set = \"{id}\" in its file, or by `transactions rescore --to {id}`"
            );
            return Ok(());
        }
    }
    bail!("others load all the time; try again")
}

/// Names the tables of the folder that a set does not have.
fn unused(folder: &Path) -> anyhow::Result<()> {
    let mut others = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let is_table = Path::new(&name).extension().is_some_and(|ext| ext == "csv");
        if is_table && !SET_FILES.contains(&name.as_str()) {
            others.push(name);
        }
    }
    others.sort();
    if !others.is_empty() {
        println!("not part of a set, and not loaded: {}", others.join(", "));
    }
    Ok(())
}
