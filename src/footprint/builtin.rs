//! The files of `data/`, compiled in, each checked against `data/SHA256SUMS` before it is used.

use super::{DatedData, FactorSet, Faults, SetFiles};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Id of the set that is compiled in.
pub const SET_ID: &str = "ig-2026.1";

/// Sources and licences, for people (`data/README.md`).
pub const README: &str = include_str!("../../data/README.md");

const SUMS: &str = include_str!("../../data/SHA256SUMS");

macro_rules! files {
    ($($constant:ident = $name:literal),* $(,)?) => {
        $(pub(super) const $constant: &str = include_str!(concat!("../../data/", $name));)*
        /// Name and text of every compiled-in file.
        pub const FILES: &[(&str, &str)] = &[$(($name, $constant)),*];
    };
}

files! {
    EMISSION_FACTORS = "emission_factors.csv",
    ADJUSTMENTS = "adjustments.csv",
    REGIONAL_FACTORS = "regional_factors.csv",
    REGIONAL_BASIC = "regional_basic.csv",
    PRICE_STRUCTURE = "price_structure.csv",
    VAT = "vat.csv",
    MCC = "mcc.csv",
    AREAS = "areas.csv",
    CARRIERS = "carriers.csv",
    FX_RATES = "fx_rates.csv",
    DEFLATOR = "deflator.csv",
    ENERGY_PRICES = "energy_prices.csv",
    GRID_INTENSITY = "grid_intensity.csv",
    BENCHMARKS = "benchmarks.csv",
    CURRENCIES = "currencies.csv",
    COUNTRIES = "countries.csv",
}

/// Checks every compiled-in file against its checksum.
///
/// # Errors
///
/// A fault names the first file whose bytes are not those that `data/SHA256SUMS` lists.
pub fn verify() -> Result<(), Faults> {
    check(SUMS, FILES)
}

/// SHA-256 of a compiled-in file in lower-case hex, as `data/SHA256SUMS` lists it.
pub fn checksum(name: &str) -> Option<&'static str> {
    listed(SUMS, name)
}

/// SHA-256 of a text in lower-case hex: what is recorded of a file that an operator loads.
pub fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// The compiled-in factor set.
///
/// # Errors
///
/// A file with a wrong checksum, or one that breaks a rule of its format.
pub fn set() -> Result<Arc<FactorSet>, Faults> {
    verify()?;
    let files = SetFiles {
        emission_factors: EMISSION_FACTORS,
        adjustments: ADJUSTMENTS,
        regional_factors: REGIONAL_FACTORS,
        mcc: MCC,
        areas: AREAS,
        carriers: CARRIERS,
    };
    Ok(Arc::new(FactorSet::parse_builtin(SET_ID, &files)?))
}

/// The compiled-in rates, consumer prices, energy prices and grids.
///
/// # Errors
///
/// A file with a wrong checksum, or one that breaks a rule of its format.
pub fn dated() -> Result<DatedData, Faults> {
    verify()?;
    DatedData::parse(FX_RATES, DEFLATOR, ENERGY_PRICES, GRID_INTENSITY)
}

fn listed<'s>(sums: &'s str, name: &str) -> Option<&'s str> {
    sums.lines()
        .filter_map(|line| line.split_once("  "))
        .find_map(|(sum, file)| (file == name).then_some(sum))
}

fn check(sums: &str, files: &[(&str, &str)]) -> Result<(), Faults> {
    for (name, text) in files {
        match listed(sums, name) {
            None => return Err(Faults::of_file(name, "SHA256SUMS does not list it")),
            Some(sum) if sum != sha256(text) => {
                return Err(Faults::of_file(
                    name,
                    "is not the file that SHA256SUMS lists",
                ));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::footprint::sources::SOURCES;

    #[test]
    fn every_file_has_its_checksum() {
        verify().unwrap();
        assert_eq!(SUMS.lines().count(), FILES.len());
    }

    #[test]
    fn a_changed_or_unlisted_file_is_named() {
        let changed = VAT.replacen("AUT,20", "AUT,21", 1);
        let faults = check(SUMS, &[("areas.csv", AREAS), ("vat.csv", &changed)]).unwrap_err();
        let expected = "vat.csv: is not the file that SHA256SUMS lists";
        assert_eq!(faults.to_string(), expected);
        let faults = check(SUMS, &[("other.csv", "")]).unwrap_err();
        assert_eq!(faults.to_string(), "other.csv: SHA256SUMS does not list it");
    }

    #[test]
    fn the_readme_names_every_file_and_whom_to_attribute() {
        for (name, _) in FILES {
            assert!(README.contains(&format!("`{name}`")), "{name}");
        }
        for source in [
            "European Central Bank",
            "Ember",
            "Our World in Data",
            "Global Carbon Project",
            "European Commission",
            "Eurostat",
            "DCCEEW",
            "FIGARO monetary emission factors",
            "Ecodex",
            "SDES / Insee",
        ] {
            assert!(README.contains(source), "{source}");
            let named = SOURCES.iter().any(|known| known.name.contains(source));
            assert!(named, "{source}");
        }
        for licence in ["CC BY 4.0", "Open Licence 2.0"] {
            assert!(README.contains(licence), "{licence}");
        }
    }
}
