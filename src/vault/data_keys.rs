//! Loading the data keys, and making the first ones.

use super::blind_index::IndexRoot;
use super::cipher::SealKeys;
use super::kek::{KeyBytes, random_key};
use super::{Kek, Vault, VaultError};
use crate::store::Store;
use crate::store::data_keys::DataKeyRow;

const SEAL: &str = "seal";
const INDEX: &str = "index";
const PRIMARY: &str = "primary";
const RETIRED: &str = "retired";

pub(super) async fn open(store: &Store, kek: &Kek) -> Result<Vault, VaultError> {
    let mut rows = store.data_keys().await?;
    // Before anything is made: a wrong KEK must not add keys of its own.
    let mut keys = unwrap_all(&rows, kek)?;
    let missing = missing(&rows, kek)?;
    if !missing.is_empty() {
        store.insert_data_keys_if_absent(missing).await?;
        // Another node may have been first: what the database has counts.
        rows = store.data_keys().await?;
        keys = unwrap_all(&rows, kek)?;
    }
    build(&rows, keys)
}

/// Version 1 of each purpose that has no key at all.
fn missing(rows: &[DataKeyRow], kek: &Kek) -> Result<Vec<DataKeyRow>, VaultError> {
    let mut new = Vec::new();
    for purpose in [SEAL, INDEX] {
        if rows.iter().any(|row| row.purpose == purpose) {
            continue;
        }
        new.push(DataKeyRow {
            purpose: purpose.to_owned(),
            version: 1,
            state: PRIMARY.to_owned(),
            kek_id: kek.id().to_owned(),
            wrapped: kek.wrap(purpose, 1, &random_key()?)?,
            created_at: crate::store::now(),
        });
    }
    Ok(new)
}

struct Opened {
    purpose: String,
    version: i32,
    key: KeyBytes,
}

/// Every key that is not retired.
fn unwrap_all(rows: &[DataKeyRow], kek: &Kek) -> Result<Vec<Opened>, VaultError> {
    rows.iter()
        .filter(|row| row.state != RETIRED)
        .map(|row| {
            if row.kek_id != kek.id() {
                return Err(VaultError::WrongKek {
                    stored: row.kek_id.clone(),
                    given: kek.id().to_owned(),
                });
            }
            Ok(Opened {
                purpose: row.purpose.clone(),
                version: row.version,
                key: kek.unwrap(&row.purpose, row.version, &row.wrapped)?,
            })
        })
        .collect()
}

fn build(rows: &[DataKeyRow], keys: Vec<Opened>) -> Result<Vault, VaultError> {
    let seal_primary = primary(rows, SEAL)?;
    let index_primary = primary(rows, INDEX)?;
    let mut seal = Vec::new();
    let mut index = None;
    for opened in keys {
        if opened.purpose == SEAL {
            let version = u32::try_from(opened.version).map_err(|_| VaultError::NoPrimary(SEAL))?;
            seal.push((version, opened.key));
        } else if opened.version == index_primary {
            index = Some(IndexRoot::new(index_primary, &opened.key));
        }
    }
    let seal_primary = u32::try_from(seal_primary).map_err(|_| VaultError::NoPrimary(SEAL))?;
    Ok(Vault {
        seal: SealKeys::new(seal_primary, &seal)?,
        index: index.ok_or(VaultError::NoPrimary(INDEX))?,
    })
}

fn primary(rows: &[DataKeyRow], purpose: &'static str) -> Result<i32, VaultError> {
    let mut primaries = rows
        .iter()
        .filter(|row| row.purpose == purpose && row.state == PRIMARY);
    match (primaries.next(), primaries.next()) {
        (Some(row), None) => Ok(row.version),
        _ => Err(VaultError::NoPrimary(purpose)),
    }
}
