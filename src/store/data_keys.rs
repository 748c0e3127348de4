//! The wrapped data keys: versioned, one primary per purpose. Every change of them closes the
//! [`fence`] and raises the generation. Wrapping them anew changes no key and does neither.

mod rewrap;

pub use rewrap::Rewrapped;

use super::audit::AuditDraft;
use super::connection::{AnyConnection, on_backend, snapshot};
use super::error::StoreError;
use super::fence;
use super::pool::Store;
use super::schema::data_keys;
use diesel::prelude::*;
use std::time::Duration;

/// How often a change is tried that writers kept out.
const ATTEMPTS: u32 = 20;
/// How long it waits in between, so that writers get on.
const PAUSE: Duration = Duration::from_millis(100);

/// What a data key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// `seal`: encrypts columns.
    Seal,
    /// `index`: the root of the blind indexes.
    Index,
}

impl Purpose {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Index => "index",
        }
    }
}

/// The states of a data key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataKeyState {
    /// `primary`: what is written is sealed or indexed with it.
    Primary,
    /// `active`: rows still use it.
    Active,
    /// `retired`: no row uses it, and the key itself is wiped.
    Retired,
}

impl DataKeyState {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }
}

/// A row of `data_keys`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = data_keys)]
pub struct DataKeyRow {
    /// `seal` or `index`.
    pub purpose: String,
    /// From 1.
    pub version: i32,
    /// `primary`, `active` or `retired`.
    pub state: String,
    /// The id of the KEK that wrapped it.
    pub kek_id: String,
    /// The key, encrypted under the KEK; empty once it is retired.
    pub wrapped: Vec<u8>,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
}

impl DataKeyRow {
    /// Whether nothing uses it any more, so that there is nothing to unwrap.
    pub fn is_retired(&self) -> bool {
        is(self, DataKeyState::Retired)
    }
}

/// A blind index under the former index key, while an index rotation is under way: a row that still
/// has it holds the same value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerIndex {
    /// HMAC-SHA-256.
    pub index: Vec<u8>,
    /// The former key's version.
    pub key: i32,
}

/// What became of a new primary key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promoted {
    /// It seals or indexes from now on; the former primary is active.
    Done,
    /// Its version is not the next one (any more): somebody else was faster. Nothing was written.
    Outrun,
    /// Index keys: rows may still have the index of this active version, and only one former key
    /// can be looked up.
    UnderWay(i32),
}

impl Store {
    /// Every data key, by purpose and version.
    pub async fn data_keys(&self) -> Result<Vec<DataKeyRow>, StoreError> {
        self.read(load).await
    }

    /// Every data key, and the generation that they are of.
    pub async fn data_keys_with_generation(&self) -> Result<(i64, Vec<DataKeyRow>), StoreError> {
        self.read(|conn| snapshot(conn, |conn| Ok((fence::generation(conn)?, load(conn)?))))
            .await
    }

    /// Which set of data keys is in force: cheap, to be polled.
    pub async fn vault_generation(&self) -> Result<i64, StoreError> {
        self.read(|conn| Ok(fence::generation(conn)?)).await
    }

    /// Inserts the keys whose purpose and version are free, with an audit entry each; the others
    /// stay as they are. Two nodes may do this at once: read again to see who won.
    pub async fn insert_data_keys_if_absent(
        &self,
        keys: Vec<DataKeyRow>,
    ) -> Result<(), StoreError> {
        self.change_data_keys(move |conn| {
            let mut drafts = Vec::new();
            for key in &keys {
                if insert_if_absent(conn, key)? > 0 {
                    drafts.push(AuditDraft {
                        detail: Some(key.state.clone()),
                        ..draft("data-key.create", &key.purpose, key.version)
                    });
                }
            }
            if !drafts.is_empty() {
                fence::raise(conn)?;
            }
            Ok(((), drafts))
        })
        .await
    }

    /// Makes `key`, the next version of its purpose, the primary one; the former primary stays
    /// active.
    pub async fn promote_data_key(&self, key: DataKeyRow) -> Result<Promoted, StoreError> {
        self.change_data_keys(move |conn| {
            let draft = draft("data-key.promote", &key.purpose, key.version);
            let others = of_purpose(conn, &key.purpose)?;
            if others.last().map(|last| last.version + 1) != Some(key.version) {
                return Ok((Promoted::Outrun, Vec::new()));
            }
            let active = others.iter().find(|other| is(other, DataKeyState::Active));
            if key.purpose == Purpose::Index.as_str()
                && let Some(former) = active
            {
                let refused = draft.refused("index-rotation-under-way");
                return Ok((Promoted::UnderWay(former.version), vec![refused]));
            }
            diesel::update(data_keys::table)
                .filter(data_keys::purpose.eq(&key.purpose))
                .filter(data_keys::state.eq(DataKeyState::Primary.as_str()))
                .set(data_keys::state.eq(DataKeyState::Active.as_str()))
                .execute(conn)?;
            let new = DataKeyRow {
                state: DataKeyState::Primary.as_str().to_owned(),
                ..key.clone()
            };
            diesel::insert_into(data_keys::table)
                .values(&new)
                .execute(conn)?;
            fence::raise(conn)?;
            Ok((Promoted::Done, vec![draft]))
        })
        .await
    }

    /// Retires the active keys of a purpose that are older than `version`, and wipes them: what was
    /// sealed with them cannot be opened again. Returns their versions. The primary key stays,
    /// however old.
    ///
    /// That no row uses them is for the caller to know. Nobody can begin to: what is not primary
    /// was left behind by the [fence](super::fence). All are one change, because after each change
    /// all that is about to be written is sealed again: a hundred in a row would outrun the
    /// writers.
    pub async fn retire_data_keys_below(
        &self,
        purpose: Purpose,
        version: i32,
    ) -> Result<Vec<i32>, StoreError> {
        self.change_data_keys(move |conn| {
            let keys = of_purpose(conn, purpose.as_str())?;
            let older = |key: &&DataKeyRow| is(key, DataKeyState::Active) && key.version < version;
            let retired: Vec<i32> = keys.iter().filter(older).map(|key| key.version).collect();
            if retired.is_empty() {
                return Ok((retired, Vec::new()));
            }
            diesel::update(data_keys::table)
                .filter(data_keys::purpose.eq(purpose.as_str()))
                .filter(data_keys::state.eq(DataKeyState::Active.as_str()))
                .filter(data_keys::version.lt(version))
                .set((
                    data_keys::state.eq(DataKeyState::Retired.as_str()),
                    data_keys::wrapped.eq(Vec::new()),
                ))
                .execute(conn)?;
            fence::raise(conn)?;
            let entry = |version: &i32| draft("data-key.retire", purpose.as_str(), *version);
            let entries = retired.iter().map(entry).collect();
            Ok((retired, entries))
        })
        .await
    }

    /// Runs a change of the data keys behind the closed fence, together with the audit entries that
    /// it says it earned. It runs again if it was kept out; if it did not, nothing was written.
    async fn change_data_keys<T, F>(&self, change: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut AnyConnection) -> Result<(T, Vec<AuditDraft>), StoreError>
            + Clone
            + Send
            + 'static,
    {
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            let change = change.clone();
            let changed = self.change(move |conn| {
                fence::close(conn)?;
                change(conn)
            });
            match changed.await {
                Err(StoreError::Busy) if left > 0 => tokio::time::sleep(PAUSE).await,
                result => return result,
            }
        }
    }
}

fn load(conn: &mut AnyConnection) -> Result<Vec<DataKeyRow>, StoreError> {
    Ok(data_keys::table
        .order((data_keys::purpose, data_keys::version))
        .select(DataKeyRow::as_select())
        .load(conn)?)
}

/// The keys of one purpose, by version.
fn of_purpose(conn: &mut AnyConnection, purpose: &str) -> QueryResult<Vec<DataKeyRow>> {
    data_keys::table
        .filter(data_keys::purpose.eq(purpose))
        .order(data_keys::version)
        .select(DataKeyRow::as_select())
        .load(conn)
}

fn is(key: &DataKeyRow, state: DataKeyState) -> bool {
    key.state == state.as_str()
}

fn draft(action: &str, purpose: &str, version: i32) -> AuditDraft {
    AuditDraft {
        subject: Some(format!("{purpose} {version}")),
        ..AuditDraft::local(action)
    }
}

fn insert_if_absent(conn: &mut AnyConnection, key: &DataKeyRow) -> QueryResult<usize> {
    on_backend!(conn, c => {
        sqlite: diesel::insert_into(data_keys::table).values(key).on_conflict_do_nothing().execute(c),
        postgres: diesel::insert_into(data_keys::table).values(key).on_conflict_do_nothing().execute(c),
    })
}
