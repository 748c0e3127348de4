//! Loading the data keys, and making new ones.

use super::blind_index::IndexRoot;
use super::cipher::SealKeys;
use super::key::{KeyBytes, random_key};
use super::{Keks, Made, VaultError, VaultKeys};
use crate::store::Store;
use crate::store::StoreError;
use crate::store::data_keys::{DataKeyRow, DataKeyState, Purpose};
use std::sync::Arc;

/// Loads all keys that are not retired; on an empty database creates version 1 of both purposes.
pub(super) async fn open(store: &Store, keks: &Arc<Keks>) -> Result<VaultKeys, VaultError> {
    let (mut generation, mut rows) = store.data_keys_with_generation().await?;
    // Before anything is made: a wrong KEK must not add keys of its own.
    let (mut keys, missing) = aside(keks, &rows, |keks, rows| {
        Ok((unwrap_all(rows, keks)?, missing(rows, keks)?))
    })
    .await?;
    if !missing.is_empty() {
        store.insert_data_keys_if_absent(missing).await?;
        // Another node may have been first: what the database has counts.
        (generation, rows) = store.data_keys_with_generation().await?;
        keys = aside(keks, &rows, |keks, rows| unwrap_all(rows, keks)).await?;
    }
    build(generation, &rows, keys)
}

/// Loads all keys that are not retired.
pub(super) async fn load(store: &Store, keks: &Arc<Keks>) -> Result<VaultKeys, VaultError> {
    let (generation, rows) = store.data_keys_with_generation().await?;
    let keys = aside(keks, &rows, |keks, rows| unwrap_all(rows, keks)).await?;
    build(generation, &rows, keys)
}

/// On a thread that may block: a token or a service takes its time.
async fn aside<T: Send + 'static>(
    keks: &Arc<Keks>,
    rows: &[DataKeyRow],
    work: impl FnOnce(&Keks, &[DataKeyRow]) -> Result<T, VaultError> + Send + 'static,
) -> Result<T, VaultError> {
    let (keks, rows) = (Arc::clone(keks), rows.to_vec());
    let done = tokio::task::spawn_blocking(move || work(&keks, &rows)).await;
    done.map_err(|_| StoreError::Busy)?
}

/// A new random key, wrapped, as primary.
pub(super) fn make(keks: &Keks, purpose: Purpose, version: i32) -> Result<DataKeyRow, VaultError> {
    Ok(DataKeyRow {
        purpose: purpose.as_str().to_owned(),
        version,
        state: DataKeyState::Primary.as_str().to_owned(),
        kek_id: keks.primary().id().to_owned(),
        wrapped: keks.wrap(purpose.as_str(), version, &random_key()?)?,
        created_at: crate::store::now(),
    })
}

/// Version 1 of each purpose that has no key at all.
pub(super) fn missing(rows: &[DataKeyRow], keks: &Keks) -> Result<Vec<DataKeyRow>, VaultError> {
    [Purpose::Seal, Purpose::Index]
        .into_iter()
        .filter(|purpose| !rows.iter().any(|row| row.purpose == purpose.as_str()))
        .map(|purpose| make(keks, purpose, 1))
        .collect()
}

pub(super) struct Opened {
    purpose: String,
    version: i32,
    key: KeyBytes,
}

/// Every key that is not retired.
pub(super) fn unwrap_all(rows: &[DataKeyRow], keks: &Keks) -> Result<Vec<Opened>, VaultError> {
    rows.iter()
        .filter(|row| !row.is_retired())
        .map(|row| {
            Ok(Opened {
                purpose: row.purpose.clone(),
                version: row.version,
                key: keks.unwrap(row)?,
            })
        })
        .collect()
}

/// Exactly one key of each purpose is primary. Active seal keys open values. One index key may be
/// active, the former one: rows may still have its indexes. Nobody would look up a second one, so
/// duplicates could slip in.
pub(super) fn build(
    generation: i64,
    rows: &[DataKeyRow],
    keys: Vec<Opened>,
) -> Result<VaultKeys, VaultError> {
    let seal_version = primary(rows, Purpose::Seal)?;
    let seal_primary =
        u32::try_from(seal_version).map_err(|_| VaultError::NoPrimary(Purpose::Seal.as_str()))?;
    let index_primary = primary(rows, Purpose::Index)?;
    let mut seal = Vec::new();
    let (mut index, mut former_index) = (None, None);
    for Opened {
        purpose,
        version,
        key,
    } in keys
    {
        if purpose == Purpose::Seal.as_str() {
            let version = u32::try_from(version)
                .map_err(|_| VaultError::NoPrimary(Purpose::Seal.as_str()))?;
            seal.push((version, key));
        } else if version == index_primary {
            index = Some(IndexRoot::new(version, &key));
        } else if former_index
            .replace(IndexRoot::new(version, &key))
            .is_some()
        {
            return Err(VaultError::SeveralFormerIndexKeys);
        }
    }
    Ok(VaultKeys {
        generation,
        seal_version,
        seal: SealKeys::new(seal_primary, &seal)?,
        index: index.ok_or(VaultError::NoPrimary(Purpose::Index.as_str()))?,
        former_index,
        made: rows
            .iter()
            .filter(|row| !row.is_retired())
            .map(|row| Made {
                purpose: row.purpose.clone(),
                version: row.version,
                at: row.created_at,
            })
            .collect(),
    })
}

fn primary(rows: &[DataKeyRow], purpose: Purpose) -> Result<i32, VaultError> {
    let mut primaries = rows.iter().filter(|row| {
        row.purpose == purpose.as_str() && row.state == DataKeyState::Primary.as_str()
    });
    match (primaries.next(), primaries.next()) {
        (Some(row), None) => Ok(row.version),
        _ => Err(VaultError::NoPrimary(purpose.as_str())),
    }
}
