//! `sandbox --seed FILE`: the issuers, cardholders and transactions that a sandbox begins with.
//!
//! docs/sandbox.md describes the file. Cardholders are enrolled by real, encrypted calls;
//! transactions are imported as `transactions import` does it.

mod cardholders;
mod csv;
mod transactions;

pub(super) use cardholders::enrol;
pub(super) use transactions::import;

use super::issuers::{Plan, Responses, usual};
use crate::toml_error;
use anyhow::{Context, anyhow, ensure};
use cardholders::Cardholder;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What a seed file says, with the files that it names read.
pub(super) struct Seeds {
    /// The issuers, and no others.
    pub(super) issuers: Vec<Plan>,
    cardholders: Vec<Cardholder>,
    /// Issuer, file and text of each CSV file of transactions.
    transactions: Vec<(String, PathBuf, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedFile {
    issuer: Vec<SeedIssuer>,
}

/// An issuer. One that is called as a usual one of the sandbox takes from it what is left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedIssuer {
    name: String,
    title: Option<String>,
    account_ranges: Option<Vec<String>>,
    donation: Option<bool>,
    responses: Option<Responses>,
    field_level_headers: Option<bool>,
    /// A CSV file with the fields of a cardholder as its columns.
    cardholders: Option<PathBuf>,
    #[serde(default)]
    cardholder: Vec<cardholders::Fields>,
    /// CSV files as `transactions import` takes them; `userid` may be a cardholder's `id`.
    #[serde(default)]
    transactions: Vec<PathBuf>,
}

/// Reads a seed file and the files that it names; their paths are relative to its folder.
///
/// # Errors
/// Names the file, and the line or the field.
pub(super) fn read(file: &Path) -> anyhow::Result<Seeds> {
    let text = read_text(file)?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let parsed: SeedFile = toml::from_str(&text).map_err(|error| {
        anyhow!(
            "{}: {}",
            file.display(),
            toml_error::describe(&text, &error)
        )
    })?;
    let mut seeds = Seeds {
        issuers: Vec::new(),
        cardholders: Vec::new(),
        transactions: Vec::new(),
    };
    for issuer in parsed.issuer {
        let name = issuer.name.clone();
        seeds
            .add(issuer, folder)
            .with_context(|| format!("{}: issuer {name}", file.display()))?;
    }
    ensure!(
        !seeds.issuers.is_empty(),
        "{}: no [[issuer]]",
        file.display()
    );
    let mut ids = BTreeSet::new();
    for cardholder in &seeds.cardholders {
        let id = cardholder.id();
        ensure!(
            ids.insert(id),
            "{}: two cardholders have the id {id}",
            file.display()
        );
    }
    Ok(seeds)
}

impl Seeds {
    fn add(&mut self, issuer: SeedIssuer, folder: &Path) -> anyhow::Result<()> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let name = issuer.name;
        ensure!(
            (1..=32).contains(&name.len()) && name.bytes().all(legal),
            "name: must be 1 to 32 of a-z, 0-9 and -"
        );
        let taken = self.issuers.iter().any(|plan| plan.name == name);
        ensure!(!taken, "name: there are two of this name");
        let like = usual().into_iter().find(|plan| plan.name == name);
        let ranges = issuer.account_ranges;
        let ranges = ranges.or_else(|| Some(like.as_ref()?.account_ranges.clone()));
        let plan = Plan {
            title: issuer
                .title
                .or_else(|| Some(like.as_ref()?.title.clone()))
                .unwrap_or_else(|| name.clone()),
            account_ranges: ranges.context("account_ranges: is missing")?,
            donation: issuer
                .donation
                .unwrap_or_else(|| like.as_ref().is_none_or(|like| like.donation)),
            responses: issuer
                .responses
                .or_else(|| Some(like.as_ref()?.responses))
                .unwrap_or(Responses::Mirror),
            field_level_headers: issuer
                .field_level_headers
                .unwrap_or_else(|| like.as_ref().is_some_and(|like| like.field_level_headers)),
            theme: like.as_ref().map_or("", |like| like.theme),
            name,
        };
        let mut fields = issuer.cardholder;
        if let Some(file) = issuer.cardholders {
            let file = folder.join(file);
            let table = csv::Table::parse(&read_text(&file)?);
            let read = table.and_then(|table| cardholders::of_table(&table));
            fields.extend(read.with_context(|| file.display().to_string())?);
        }
        for fields in fields {
            self.cardholders.push(Cardholder::new(&plan, fields)?);
        }
        for file in issuer.transactions {
            let file = folder.join(file);
            let text = read_text(&file)?;
            self.transactions.push((plan.name.clone(), file, text));
        }
        self.issuers.push(plan);
        Ok(())
    }
}

fn read_text(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| file.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seeds(toml: &str, csv: &str) -> anyhow::Result<Seeds> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("cardholders.csv"), csv)?;
        std::fs::write(folder.path().join("seed.toml"), toml)?;
        read(&folder.path().join("seed.toml"))
    }

    #[test]
    fn a_usual_issuer_needs_its_name_alone_and_another_its_ranges() {
        let seeds = seeds(
            "[[issuer]]\nname = \"basic\"\n[[issuer]]\nname = \"acme\"\naccount_ranges = [\"5555\"]\n\
             responses = \"dashboards-only\"\ncardholders = \"cardholders.csv\"\n\
             [[issuer.cardholder]]\nid = \"joe\"\nfirst_name = \"Joe\"\n",
            "id,card_number,first_name,year\njane,5555000000000004,Jane,yes\n\"j, 2\",,,\n",
        )
        .unwrap();
        assert_eq!(seeds.issuers.len(), 2);
        let (basic, acme) = (&seeds.issuers[0], &seeds.issuers[1]);
        assert!(!basic.donation && basic.account_ranges == ["510665", "5050"]);
        assert!(acme.donation && acme.title == "acme");
        assert_eq!(acme.responses, Responses::DashboardsOnly);
        let ids: Vec<_> = seeds.cardholders.iter().map(Cardholder::id).collect();
        assert_eq!(ids, ["joe", "jane", "j, 2"]);
    }

    #[test]
    fn what_is_wrong_is_told_by_its_name() {
        let acme = "[[issuer]]\nname = \"acme\"\naccount_ranges = [\"5555\"]\n";
        for (toml, csv, named) in [
            ("issuer = []", "", "no [[issuer]]"),
            ("[[issuer]]\nname = \"acme\"\n", "", "account_ranges"),
            ("[[issuer]]\nname = \"../x\"\n", "", "name"),
            ("[[issuer]]\nname = \"a\"\ncolour = 1\n", "", "colour"),
            (&format!("{acme}{acme}"), "", "two of this name"),
            (
                &format!("{acme}cardholders = \"nowhere.csv\"\n"),
                "",
                "nowhere.csv",
            ),
            (
                &format!("{acme}cardholders = \"cardholders.csv\"\n"),
                "id,size\na,1\n",
                "size",
            ),
            (
                &format!("{acme}cardholders = \"cardholders.csv\"\n"),
                "id\na\na\n",
                "two cardholders",
            ),
            (
                &format!("{acme}cardholders = \"cardholders.csv\"\n"),
                "id\n\"a\n",
                "cardholders.csv",
            ),
        ] {
            let error = seeds(toml, csv).err().map(|error| format!("{error:#}"));
            assert!(
                error.as_ref().is_some_and(|text| text.contains(named)),
                "{named}: {error:?}"
            );
        }
    }
}
