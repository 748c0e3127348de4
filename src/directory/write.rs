//! The use cases that change records. Each takes the same steps: prove the caller, read the
//! request, seal the new values, commit once, answer.
//!
//! Every call of a proven caller ends in one commit with an audit entry, whether it is done or
//! refused. In that commit the database decides who gets an e-mail address or an id.

use super::access::AddressedBy;
use super::attempt::DirectoryAttempt;
use super::record::{Changed, Record};
use super::rules::{self, DirectoryProfile, Number, Secret};
use super::{DirectoryRefusal, KeyHolder, answer, read};
use crate::call::Call;
use crate::gateway::Gateway;
use crate::refusal::Refusal;
use crate::store::directory::changes::{Applied, DirectoryChange, Taken};
use crate::vault::{VaultError, VaultKeys};
use chrono::{DateTime, Utc};
use zeroize::Zeroizing;

/// How often a use case starts again: because another call was faster, or because a random klaim id
/// was taken.
const ATTEMPTS: u32 = 4;

/// What `PUT /users?id=` did.
pub struct Replaced {
    /// The record did not exist before.
    pub created: bool,
    /// The answer's body.
    pub body: Vec<u8>,
}

/// `POST /users`: makes a record; without a `user_id` it gets a random one.
pub async fn create(gateway: &Gateway, call: &Call<'_>) -> Result<Vec<u8>, DirectoryRefusal> {
    let caller = KeyHolder::authenticate(gateway, call, AddressedBy::UserId).await?;
    for _ in 0..ATTEMPTS {
        let attempt = DirectoryAttempt::new(gateway, call, &caller, "directory.create");
        let record = match prepare_creation(call, &caller) {
            Ok(record) => record,
            Err(refusal) => return Err(attempt.refuse(refusal).await),
        };
        let changed = attempt
            .commit_sealed(|keys| record.creation(keys, caller.app_id, None))
            .await?;
        match changed {
            Applied::Taken(Taken::KlaimId) => {}
            changed => {
                done(changed, &caller)?;
                return answer::profile(&record);
            }
        }
    }
    Err(no_klaim_id())
}

/// `PUT /users/{user_id}`: sets the members that the body mentions (cce-api.md B1 and B2).
pub async fn update(
    gateway: &Gateway,
    call: &Call<'_>,
    user_id: &str,
) -> Result<Vec<u8>, DirectoryRefusal> {
    let caller = KeyHolder::authenticate(gateway, call, AddressedBy::UserId).await?;
    let attempt = DirectoryAttempt::new(gateway, call, &caller, "directory.update");
    let (record, columns) = match prepare_update(gateway, call, &caller, user_id).await {
        Ok(prepared) => prepared,
        Err(refusal) => return Err(attempt.refuse(refusal).await),
    };
    let changed = attempt
        .commit_sealed(|keys| record.update(keys, caller.app_id, &columns, call.now))
        .await?;
    done(changed, &caller)?;
    answer::profile(&record)
}

/// `PUT /users?id=`: sets names and e-mail of the record of this number, and makes it if there is
/// none (cce-api.md B3). User name and metadata, which B3 does not know, stay.
pub async fn replace(
    gateway: &Gateway,
    call: &Call<'_>,
    id: Option<&str>,
) -> Result<Replaced, DirectoryRefusal> {
    let caller = KeyHolder::authenticate(gateway, call, AddressedBy::Number).await?;
    for _ in 0..ATTEMPTS {
        let attempt = DirectoryAttempt::new(gateway, call, &caller, "directory.replace");
        let replacement = match prepare_replacement(gateway, call, &caller, id).await {
            Ok(replacement) => replacement,
            Err(refusal) => return Err(attempt.refuse(refusal).await),
        };
        let changed = attempt
            .commit_sealed(|keys| replacement.sealed(keys, &caller, call.now))
            .await?;
        match changed {
            // Another call has made or erased the record since we read it.
            Applied::Taken(Taken::CardholderId | Taken::KlaimId) | Applied::Gone => {}
            // The holder of the address may be this record, which another call has just made.
            Applied::Taken(Taken::Email)
                if replacement.created
                    && read::find_number(gateway, &caller, replacement.number)
                        .await?
                        .is_some() => {}
            changed => {
                done(changed, &caller)?;
                return Ok(Replaced {
                    created: replacement.created,
                    body: answer::numbered(&replacement.record, replacement.number)?,
                });
            }
        }
    }
    Err(DirectoryRefusal::Unavailable)
}

/// `DELETE /users/{user_id}`: erases the record and revokes its tokens.
pub async fn delete(
    gateway: &Gateway,
    call: &Call<'_>,
    user_id: &str,
) -> Result<(), DirectoryRefusal> {
    let caller = KeyHolder::authenticate(gateway, call, AddressedBy::UserId).await?;
    let attempt = DirectoryAttempt::new(gateway, call, &caller, "directory.delete");
    let record = match read::find(gateway, &caller, user_id).await {
        Ok(record) => record,
        Err(refusal) => return Err(attempt.refuse(refusal).await),
    };
    let deletion = |_: &VaultKeys| {
        Ok(DirectoryChange::Delete {
            app_id: caller.app_id,
            klaim_id: record.klaim_id.clone(),
        })
    };
    done(attempt.commit_sealed(deletion).await?, &caller)
}

/// A new record with what `profile` sets.
pub fn new_record(profile: DirectoryProfile, now: DateTime<Utc>) -> Result<Record, VaultError> {
    let user_id = profile
        .user_id
        .unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    let mut record = Record::new(user_id, now)?;
    record.name = profile.name.flatten();
    record.email = profile.email.flatten();
    record.username = profile.username;
    record.metadata = profile.metadata.or(record.metadata);
    Ok(record)
}

fn prepare_creation(call: &Call<'_>, caller: &KeyHolder) -> Result<Record, DirectoryRefusal> {
    caller.require_app()?;
    require_json(call)?;
    let profile = rules::profile(call.body).map_err(DirectoryRefusal::Invalid)?;
    Ok(new_record(profile, call.now)?)
}

async fn prepare_update(
    gateway: &Gateway,
    call: &Call<'_>,
    caller: &KeyHolder,
    user_id: &str,
) -> Result<(Record, Changed), DirectoryRefusal> {
    if caller.require_app().is_err() {
        // A user token is told nothing about a body that it may not send here.
        read::find(gateway, caller, user_id).await?;
    }
    require_json(call)?;
    let profile = rules::profile(call.body).map_err(DirectoryRefusal::Invalid)?;
    let mut record = read::find(gateway, caller, user_id).await?;
    if profile
        .user_id
        .as_ref()
        .is_some_and(|new| *new != record.user_id)
    {
        // Under another's id a user would get what the app keeps for that person. The gateway does
        // not look up whether the id is taken, so a token does not learn it.
        caller.require_app()?;
    }
    let changed = apply(&mut record, profile);
    Ok((record, changed))
}

/// Gives the record its new values.
fn apply(record: &mut Record, profile: DirectoryProfile) -> Changed {
    let changed = Changed {
        names: profile.name.is_some(),
        email: profile.email.is_some(),
        username: profile.username.is_some(),
        metadata: profile.metadata.is_some(),
        user_id: profile.user_id.is_some(),
    };
    if let Some(name) = profile.name {
        record.name = name;
        // First and last name were parts of the former name.
        (record.first_name, record.last_name) = (None, None);
    }
    if let Some(new) = profile.email {
        record.email = new;
    }
    record.username = profile.username.or(record.username.take());
    record.metadata = profile.metadata.or(record.metadata.take());
    if let Some(user_id) = profile.user_id {
        record.user_id = user_id;
    }
    changed
}

struct Replacement {
    record: Record,
    number: i64,
    created: bool,
}

impl Replacement {
    fn sealed(
        &self,
        keys: &VaultKeys,
        caller: &KeyHolder,
        now: DateTime<Utc>,
    ) -> Result<DirectoryChange, VaultError> {
        if self.created {
            return self.record.creation(keys, caller.app_id, Some(self.number));
        }
        let changed = Changed {
            names: true,
            email: true,
            ..Changed::default()
        };
        self.record.update(keys, caller.app_id, &changed, now)
    }
}

async fn prepare_replacement(
    gateway: &Gateway,
    call: &Call<'_>,
    caller: &KeyHolder,
    id: Option<&str>,
) -> Result<Replacement, DirectoryRefusal> {
    let number = id
        .and_then(rules::number)
        .ok_or(DirectoryRefusal::InvalidId)?;
    let found = match number {
        Number::Possible(number) => read::find_number(gateway, caller, number).await?,
        Number::Impossible => None,
    };
    if found.is_none() {
        caller.require_app()?;
    }
    require_json(call)?;
    let new = rules::replacement(call.body).map_err(DirectoryRefusal::Invalid)?;
    let (Number::Possible(number), false) = (number, found.is_none() && gateway.directory.strict)
    else {
        return Err(DirectoryRefusal::NotFound);
    };
    let created = found.is_none();
    let mut record = match found {
        Some(record) => record,
        None => Record::new(number.to_string(), call.now)?,
    };
    record.name = Some(display_name(&new.first_name, &new.last_name));
    record.first_name = Some(new.first_name);
    record.last_name = Some(new.last_name);
    record.email = Some(new.email);
    Ok(Replacement {
        record,
        number,
        created,
    })
}

fn display_name(first: &Secret, last: &Secret) -> Secret {
    Zeroizing::new(format!("{} {}", first.as_str(), last.as_str()))
}

fn require_json(call: &Call<'_>) -> Result<(), DirectoryRefusal> {
    call.require_json().map_err(|refusal| match refusal {
        Refusal::ContentEncoding(coding) => DirectoryRefusal::ContentEncoding(coding),
        _ => DirectoryRefusal::MediaType,
    })
}

/// What the database decided, as the caller is told.
fn done(changed: Applied, caller: &KeyHolder) -> Result<(), DirectoryRefusal> {
    match changed {
        Applied::Done => Ok(()),
        Applied::Gone => Err(caller.missing()),
        Applied::Taken(Taken::Email) => Err(DirectoryRefusal::EmailTaken),
        Applied::Taken(Taken::CardholderId) => Err(DirectoryRefusal::UserIdTaken),
        Applied::Taken(Taken::KlaimId) => Err(no_klaim_id()),
    }
}

fn no_klaim_id() -> DirectoryRefusal {
    DirectoryRefusal::Internal("no klaim id was free")
}
