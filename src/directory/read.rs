//! `GET /users/{user_id}` and `GET /users?id=`, and how every use case finds its record.

use super::access::Door;
use super::record::Record;
use super::rules::{self, Number};
use super::{Caller, Refusal, answer};
use crate::call::Call;
use crate::gateway::Gateway;
use crate::store::directory::SealedRecord;

/// The record with this user id, as B2 prints it.
pub async fn by_user_id(
    gateway: &Gateway,
    call: &Call<'_>,
    user_id: &str,
) -> Result<Vec<u8>, Refusal> {
    let caller = Caller::authenticate(gateway, call, Door::Path).await?;
    answer::profile(&find(gateway, &caller, user_id).await?)
}

/// The record of this number, as B3 prints it. `id`: the query's, if there is exactly one.
pub async fn by_number(
    gateway: &Gateway,
    call: &Call<'_>,
    id: Option<&str>,
) -> Result<Vec<u8>, Refusal> {
    let caller = Caller::authenticate(gateway, call, Door::Number).await?;
    match id.and_then(rules::number).ok_or(Refusal::InvalidId)? {
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
    caller: &Caller,
    user_id: &str,
) -> Result<Record, Refusal> {
    if !rules::is_user_id(user_id) {
        return Err(caller.missing());
    }
    let found = gateway
        .store
        .directory_record(caller.app_id, user_id)
        .await?;
    open(gateway, caller, found)?.ok_or_else(|| caller.missing())
}

/// The caller's record of this number, if there is one.
pub(super) async fn find_number(
    gateway: &Gateway,
    caller: &Caller,
    number: i64,
) -> Result<Option<Record>, Refusal> {
    let found = gateway
        .store
        .directory_record_by_number(caller.app_id, number)
        .await?;
    open(gateway, caller, found)
}

fn open(
    gateway: &Gateway,
    caller: &Caller,
    found: Option<SealedRecord>,
) -> Result<Option<Record>, Refusal> {
    let Some(sealed) = found else { return Ok(None) };
    if !caller.reaches(&sealed.klaim_id) {
        return Err(Refusal::Unauthorized);
    }
    let record = Record::open(&gateway.vault, caller.app_id, sealed)?;
    Ok(Some(record))
}
