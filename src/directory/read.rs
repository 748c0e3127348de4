//! `GET /users/{user_id}` and `GET /users?id=`, and how every use case finds its record.

use super::access::AddressedBy;
use super::record::Record;
use super::rules::{self, Number};
use super::{DirectoryRefusal, KeyHolder, answer};
use crate::call::Call;
use crate::gateway::Gateway;
use crate::store::StoreError;
use crate::store::directory::SealedRecord;
use crate::vault::{VaultError, VaultKeys};

/// The record with this user id, as B2 prints it.
pub async fn by_user_id(
    gateway: &Gateway,
    call: &Call<'_>,
    user_id: &str,
) -> Result<Vec<u8>, DirectoryRefusal> {
    let caller = KeyHolder::authenticate(gateway, call, AddressedBy::UserId).await?;
    answer::profile(&find(gateway, &caller, user_id).await?)
}

/// The record of this number, as B3 prints it. `id`: the query's, if there is exactly one.
pub async fn by_number(
    gateway: &Gateway,
    call: &Call<'_>,
    id: Option<&str>,
) -> Result<Vec<u8>, DirectoryRefusal> {
    let caller = KeyHolder::authenticate(gateway, call, AddressedBy::Number).await?;
    match id
        .and_then(rules::number)
        .ok_or(DirectoryRefusal::InvalidId)?
    {
        Number::Impossible => Err(caller.missing()),
        Number::Possible(number) => {
            let found = find_number(gateway, &caller, number).await?;
            answer::numbered(&found.ok_or_else(|| caller.missing())?, number)
        }
    }
}

/// The caller's record with this user id; another app's is none.
pub(super) async fn find(
    gateway: &Gateway,
    caller: &KeyHolder,
    user_id: &str,
) -> Result<Record, DirectoryRefusal> {
    if !rules::is_user_id(user_id) {
        return Err(caller.missing());
    }
    let read = || gateway.store.directory_record(caller.app_id, user_id);
    let found = opened(gateway, caller, read).await?;
    found.ok_or_else(|| caller.missing())
}

/// The caller's record of this number, if there is one.
pub(super) async fn find_number(
    gateway: &Gateway,
    caller: &KeyHolder,
    number: i64,
) -> Result<Option<Record>, DirectoryRefusal> {
    let store = &gateway.store;
    let read = || store.directory_record_by_number(caller.app_id, number);
    opened(gateway, caller, read).await
}

/// Reads a record and opens it. If this node lacks the data key that sealed it, the keys have
/// changed since the node last read them. It then reads the keys, and the record once more.
async fn opened<F>(
    gateway: &Gateway,
    caller: &KeyHolder,
    read: impl Fn() -> F,
) -> Result<Option<Record>, DirectoryRefusal>
where
    F: Future<Output = Result<Option<SealedRecord>, StoreError>>,
{
    let reached = |found: Option<SealedRecord>| match found {
        Some(sealed) if !caller.reaches(&sealed.klaim_id) => Err(DirectoryRefusal::Unauthorized),
        found => Ok(found),
    };
    let open = |keys: &VaultKeys, found: Option<SealedRecord>| {
        let record = found.map(|sealed| Record::open(keys, caller.app_id, &sealed));
        record.transpose()
    };
    let mut keys = gateway.vault.current();
    let mut record = open(&keys, reached(read().await?)?);
    if let Err(VaultError::UnknownVersion(_)) = record {
        let behind = keys.generation();
        keys = gateway.vault.newer_than(&gateway.store, behind).await?;
        record = open(&keys, reached(read().await?)?);
    }
    Ok(record?)
}
