//! The use cases that change records. Each reads: who calls, what is asked, sealed, one commit, the answer.
//!
//! Every call of a proven caller ends in one commit with an audit entry, whether it is done or refused. Who gets an
//! e-mail address or an id is decided there, by the database.

use super::access::Door;
use super::record::{Record, Sealer};
use super::rules::{self, Number, Profile, Secret};
use super::{Caller, Refusal, answer, read};
use crate::call::Call;
use crate::gateway::Gateway;
use crate::ids::AppId;
use crate::store::audit::AuditDraft;
use crate::store::directory::changes::{Change, RecordUpdate, Taken};
use crate::store::writer::{Act, Commit, Outcome};
use crate::vault::{Vault, VaultError};
use chrono::{DateTime, Utc};
use zeroize::Zeroizing;

/// How often a call is prepared anew because somebody was faster, or a random klaim id was taken.
const ATTEMPTS: u32 = 4;

/// What `PUT /users?id=` did.
pub struct Replaced {
    /// The record did not exist before.
    pub created: bool,
    /// The answer's body.
    pub body: Vec<u8>,
}

/// `POST /users`: makes a record; without a `user_id` it gets a random one.
pub async fn create(gateway: &Gateway, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let caller = Caller::authenticate(gateway, call, Door::Path).await?;
    for _ in 0..ATTEMPTS {
        let prepared = prepare_creation(gateway, call, &caller);
        let (outcome, record) =
            settle(gateway, call, &caller, "directory.create", prepared).await?;
        if outcome != Outcome::Taken(Taken::KlaimId) {
            done(outcome, &caller)?;
            return answer::profile(&record);
        }
    }
    Err(Refusal::Internal("no klaim id was free"))
}

/// `PUT /users/{user_id}`: sets the members that the body mentions (cce-api.md B1 and B2).
pub async fn update(gateway: &Gateway, call: &Call<'_>, user_id: &str) -> Result<Vec<u8>, Refusal> {
    let caller = Caller::authenticate(gateway, call, Door::Path).await?;
    let prepared = prepare_update(gateway, call, &caller, user_id).await;
    let (outcome, record) = settle(gateway, call, &caller, "directory.update", prepared).await?;
    done(outcome, &caller)?;
    answer::profile(&record)
}

/// `PUT /users?id=`: sets names and e-mail of the record of this number, and makes it if there is none
/// (cce-api.md B3). User name and metadata, which B3 does not know, stay.
pub async fn replace(
    gateway: &Gateway,
    call: &Call<'_>,
    id: Option<&str>,
) -> Result<Replaced, Refusal> {
    let caller = Caller::authenticate(gateway, call, Door::Number).await?;
    for _ in 0..ATTEMPTS {
        let prepared = prepare_replacement(gateway, call, &caller, id).await;
        let (outcome, replacement) =
            settle(gateway, call, &caller, "directory.replace", prepared).await?;
        match outcome {
            // Made, or erased, by somebody else since we looked.
            Outcome::Taken(Taken::UserId | Taken::KlaimId) | Outcome::UserGone => {}
            // The holder of the address may be the very record, made since we looked.
            Outcome::Taken(Taken::Email)
                if replacement.created
                    && read::find_number(gateway, &caller, replacement.number)
                        .await?
                        .is_some() => {}
            outcome => {
                done(outcome, &caller)?;
                return Ok(Replaced {
                    created: replacement.created,
                    body: answer::numbered(&replacement.record, replacement.number)?,
                });
            }
        }
    }
    Err(Refusal::Unavailable)
}

/// `DELETE /users/{user_id}`: erases the record and revokes its tokens.
pub async fn delete(gateway: &Gateway, call: &Call<'_>, user_id: &str) -> Result<(), Refusal> {
    let caller = Caller::authenticate(gateway, call, Door::Path).await?;
    let prepared = read::find(gateway, &caller, user_id).await.map(|record| {
        let change = Change::Delete {
            app_id: caller.app_id,
            klaim_id: record.klaim_id,
        };
        (change, ())
    });
    let (outcome, ()) = settle(gateway, call, &caller, "directory.delete", prepared).await?;
    done(outcome, &caller)
}

/// A new record with what `profile` sets, and the change that stores it.
pub fn new_record(
    vault: &Vault,
    app_id: AppId,
    profile: Profile,
    now: DateTime<Utc>,
) -> Result<(Change, Record), VaultError> {
    let user_id = profile
        .user_id
        .unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    let mut record = Record::new(user_id, now)?;
    record.name = profile.name.flatten();
    record.email = profile.email.flatten();
    record.username = profile.username;
    record.metadata = profile.metadata.or(record.metadata);
    let row = record.seal(vault, app_id, None)?;
    Ok((Change::Create(Box::new(row)), record))
}

fn prepare_creation(
    gateway: &Gateway,
    call: &Call<'_>,
    caller: &Caller,
) -> Result<(Change, Record), Refusal> {
    caller.require_app()?;
    require_json(call)?;
    let profile = rules::profile(call.body).map_err(Refusal::Invalid)?;
    Ok(new_record(
        &gateway.vault,
        caller.app_id,
        profile,
        call.now,
    )?)
}

async fn prepare_update(
    gateway: &Gateway,
    call: &Call<'_>,
    caller: &Caller,
    user_id: &str,
) -> Result<(Change, Record), Refusal> {
    if caller.require_app().is_err() {
        // A user token is told nothing about a body that it may not send here.
        read::find(gateway, caller, user_id).await?;
    }
    require_json(call)?;
    let profile = rules::profile(call.body).map_err(Refusal::Invalid)?;
    let mut record = read::find(gateway, caller, user_id).await?;
    let set = apply(gateway, caller, &mut record, profile, call.now)?;
    let update = RecordUpdate {
        app_id: caller.app_id,
        klaim_id: record.klaim_id.clone(),
        set,
    };
    Ok((Change::Update(Box::new(update)), record))
}

/// Gives the record its new values, and seals them.
fn apply(
    gateway: &Gateway,
    caller: &Caller,
    record: &mut Record,
    profile: Profile,
    now: DateTime<Utc>,
) -> Result<crate::store::directory::changes::Columns, VaultError> {
    let names = profile.name.is_some();
    if let Some(name) = profile.name {
        record.name = name;
        // They spelt the name that is gone now.
        (record.first_name, record.last_name) = (None, None);
    }
    let email = profile.email.is_some();
    if let Some(new) = profile.email {
        record.email = new;
    }
    let username = profile.username.is_some();
    record.username = profile.username.or(record.username.take());
    let metadata = profile.metadata.is_some();
    record.metadata = profile.metadata.or(record.metadata.take());
    if let Some(user_id) = &profile.user_id {
        record.user_id.clone_from(user_id);
    }

    let mut sealer = Sealer::new(
        &gateway.vault,
        caller.app_id,
        record,
        now.timestamp_micros(),
    );
    if names {
        sealer.names()?;
    }
    if email {
        sealer.email()?;
    }
    if username {
        sealer.username()?;
    }
    if metadata {
        sealer.metadata()?;
    }
    let mut set = sealer.columns;
    set.user_id = profile.user_id;
    Ok(set)
}

struct Replacement {
    record: Record,
    number: i64,
    created: bool,
}

async fn prepare_replacement(
    gateway: &Gateway,
    call: &Call<'_>,
    caller: &Caller,
    id: Option<&str>,
) -> Result<(Change, Replacement), Refusal> {
    let number = id.and_then(rules::number).ok_or(Refusal::InvalidId)?;
    let found = match number {
        Number::Possible(number) => read::find_number(gateway, caller, number).await?,
        Number::Impossible => None,
    };
    if found.is_none() {
        caller.require_app()?;
    }
    require_json(call)?;
    let new = rules::replacement(call.body).map_err(Refusal::Invalid)?;
    let (Number::Possible(number), false) = (number, found.is_none() && gateway.directory.strict)
    else {
        return Err(Refusal::NotFound);
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
    let vault = &gateway.vault;
    let change = if created {
        Change::Create(Box::new(record.seal(vault, caller.app_id, Some(number))?))
    } else {
        let mut sealer = Sealer::new(vault, caller.app_id, &record, call.now.timestamp_micros());
        sealer.names()?;
        sealer.email()?;
        Change::Update(Box::new(RecordUpdate {
            app_id: caller.app_id,
            klaim_id: record.klaim_id.clone(),
            set: sealer.columns,
        }))
    };
    let replacement = Replacement {
        record,
        number,
        created,
    };
    Ok((change, replacement))
}

fn display_name(first: &Secret, last: &Secret) -> Secret {
    Zeroizing::new(format!("{} {}", first.as_str(), last.as_str()))
}

fn require_json(call: &Call<'_>) -> Result<(), Refusal> {
    call.require_json().map_err(|_| Refusal::MediaType)
}

/// Ends a call: commits what was prepared, or only the refusal. Returns what the database made of a change.
async fn settle<T>(
    gateway: &Gateway,
    call: &Call<'_>,
    caller: &Caller,
    action: &'static str,
    prepared: Result<(Change, T), Refusal>,
) -> Result<(Outcome, T), Refusal> {
    let mut audit = AuditDraft {
        request_id: Some(call.request_id.to_owned()),
        origin: call.peer.map(str::to_owned),
        ..AuditDraft::accepted(call.now.timestamp_micros(), caller.actor.as_str(), action)
    };
    let (act, result) = match prepared {
        Ok((change, rest)) => {
            audit.subject = Some(change.klaim_id().to_owned());
            (Act::Directory(Box::new(change)), Ok(rest))
        }
        Err(refusal) if refusal.is_recoverable() => return Err(refusal),
        Err(refusal) => {
            audit.refuse(refusal.reason());
            (Act::Record, Err(refusal))
        }
    };
    let commit = Commit {
        nonce: None,
        act,
        audit,
    };
    let outcome = gateway.writer.commit(commit).await?;
    result.map(|rest| (outcome, rest))
}

/// What the database decided, as the caller is told.
fn done(outcome: Outcome, caller: &Caller) -> Result<(), Refusal> {
    match outcome {
        Outcome::Done => Ok(()),
        Outcome::UserGone => Err(caller.missing()),
        Outcome::Taken(Taken::Email) => Err(Refusal::EmailTaken),
        Outcome::Taken(Taken::UserId) => Err(Refusal::UserIdTaken),
        Outcome::Taken(Taken::KlaimId)
        | Outcome::Replayed
        | Outcome::CardTaken
        | Outcome::MustReEnrol(_) => Err(Refusal::Internal("an outcome that no change has")),
    }
}
