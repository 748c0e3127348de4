//! Opens a record, and seals new values for its columns.

use super::rules::Secret;
use crate::ids::{AppId, OwnerId};
use crate::store::data_keys::FormerIndex;
use crate::store::directory::SealedRecord;
use crate::store::directory::changes::{Columns, DirectoryChange, NewRecord, RecordUpdate};
use crate::vault::{Place, SealedColumn, VaultError, VaultKeys};
use chrono::{DateTime, Utc};
use std::fmt;
use zeroize::Zeroizing;

/// Characters of a klaim id's random end.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// How many of them (cce-api.md B2).
const KLAIM_CHARACTERS: usize = 5;

/// A record in clear. `Debug` shows its klaim id alone.
pub struct Record {
    /// Ours; never changes.
    pub klaim_id: String,
    /// The app's id of the user.
    pub user_id: String,
    /// Milliseconds since 1970 UTC.
    pub created_at: i64,
    /// The display name.
    pub name: Option<Secret>,
    /// Only set by `PUT /users?id=`, until another name is given.
    pub first_name: Option<Secret>,
    /// As `first_name`.
    pub last_name: Option<Secret>,
    /// The name to log in with.
    pub username: Option<Secret>,
    /// The e-mail address.
    pub email: Option<Secret>,
    /// A JSON object, as it was sent.
    pub metadata: Option<Secret>,
}

/// The parts of a record that a change sets.
#[derive(Debug, Default)]
pub(super) struct Changed {
    /// The three columns of the name.
    pub(super) names: bool,
    pub(super) email: bool,
    pub(super) username: bool,
    pub(super) metadata: bool,
    pub(super) user_id: bool,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({})", self.klaim_id)
    }
}

impl Record {
    /// An empty record that is not stored yet.
    ///
    /// # Errors
    /// [`VaultError::CannotSeal`] if the operating system gives no random bytes.
    pub fn new(user_id: String, now: DateTime<Utc>) -> Result<Self, VaultError> {
        let created_at = now.timestamp_millis();
        Ok(Self {
            klaim_id: klaim_id(created_at)?,
            user_id,
            created_at,
            name: None,
            first_name: None,
            last_name: None,
            username: None,
            email: None,
            metadata: Some(Zeroizing::new("{}".to_owned())),
        })
    }

    /// Opens a stored record.
    pub fn open(
        keys: &VaultKeys,
        app_id: AppId,
        sealed: &SealedRecord,
    ) -> Result<Self, VaultError> {
        let open = |column, bytes: &Option<Vec<u8>>| -> Result<Option<Secret>, VaultError> {
            let Some(bytes) = bytes else { return Ok(None) };
            let place = Place::of_app(app_id, &sealed.klaim_id, column);
            let clear = keys.open_sealed(place, bytes)?;
            // Only text was ever sealed here.
            let text = std::str::from_utf8(&clear).map_err(|_| VaultError::DoesNotOpen)?;
            Ok(Some(Zeroizing::new(text.to_owned())))
        };
        Ok(Self {
            name: open(SealedColumn::DirectoryName, &sealed.name)?,
            first_name: open(SealedColumn::DirectoryFirstName, &sealed.first_name)?,
            last_name: open(SealedColumn::DirectoryLastName, &sealed.last_name)?,
            username: open(SealedColumn::DirectoryUsername, &sealed.username)?,
            email: open(SealedColumn::DirectoryEmail, &sealed.email)?,
            metadata: open(SealedColumn::DirectoryMetadata, &sealed.metadata)?,
            klaim_id: sealed.klaim_id.clone(),
            user_id: sealed.user_id.clone(),
            created_at: sealed.created_at / 1_000,
        })
    }

    /// First and last name: as they were given, else the display name cut at its last blank.
    pub fn name_parts(&self) -> (&str, &str) {
        match (&self.first_name, &self.last_name, &self.name) {
            (Some(first), Some(last), _) => (first, last),
            (_, _, Some(name)) => name.rsplit_once(' ').unwrap_or((name, "")),
            _ => ("", ""),
        }
    }

    /// The change that stores it as a new record.
    pub fn creation(
        &self,
        keys: &VaultKeys,
        app_id: AppId,
        number: Option<i64>,
    ) -> Result<DirectoryChange, VaultError> {
        let created_at = self.created_at * 1_000;
        let mut sealer = Sealer::new(keys, app_id, self, created_at);
        sealer.names()?;
        sealer.username()?;
        sealer.email()?;
        sealer.metadata()?;
        let set = sealer.columns;
        let row = SealedRecord {
            app_id: app_id.0,
            klaim_id: self.klaim_id.clone(),
            user_id: self.user_id.clone(),
            number,
            name: set.name.flatten(),
            first_name: set.first_name.flatten(),
            last_name: set.last_name.flatten(),
            username: set.username,
            email: set.email.flatten(),
            metadata: set.metadata,
            email_index: set.email_index.flatten(),
            email_index_key: set.email_index_key.flatten(),
            seal_key: set.seal_key,
            created_at,
            updated_at: created_at,
        };
        Ok(DirectoryChange::Create(Box::new(NewRecord {
            row,
            other_email_indexes: sealer.other_email_indexes,
        })))
    }

    /// The change that stores its new values, where it is a record already.
    pub(super) fn update(
        &self,
        keys: &VaultKeys,
        app_id: AppId,
        changed: &Changed,
        now: DateTime<Utc>,
    ) -> Result<DirectoryChange, VaultError> {
        let mut sealer = Sealer::new(keys, app_id, self, now.timestamp_micros());
        if changed.names {
            sealer.names()?;
        }
        if changed.email {
            sealer.email()?;
        }
        if changed.username {
            sealer.username()?;
        }
        if changed.metadata {
            sealer.metadata()?;
        }
        let mut set = sealer.columns;
        set.user_id = changed.user_id.then(|| self.user_id.clone());
        Ok(DirectoryChange::Update(Box::new(RecordUpdate {
            app_id,
            klaim_id: self.klaim_id.clone(),
            set,
            other_email_indexes: sealer.other_email_indexes,
        })))
    }
}

/// Collects the columns that a change sets, sealed for the record's row.
struct Sealer<'a> {
    keys: &'a VaultKeys,
    app_id: AppId,
    record: &'a Record,
    columns: Columns,
    other_email_indexes: Vec<FormerIndex>,
}

impl<'a> Sealer<'a> {
    /// Seals values of `record`, which has its new values already.
    fn new(keys: &'a VaultKeys, app_id: AppId, record: &'a Record, updated_at: i64) -> Self {
        Self {
            keys,
            app_id,
            record,
            columns: Columns {
                seal_key: keys.seal_version(),
                updated_at,
                ..Columns::default()
            },
            other_email_indexes: Vec::new(),
        }
    }

    /// The three columns of the name.
    fn names(&mut self) -> Result<(), VaultError> {
        let record = self.record;
        self.columns.name = Some(self.value(SealedColumn::DirectoryName, &record.name)?);
        let first = self.value(SealedColumn::DirectoryFirstName, &record.first_name)?;
        self.columns.first_name = Some(first);
        let last = self.value(SealedColumn::DirectoryLastName, &record.last_name)?;
        self.columns.last_name = Some(last);
        Ok(())
    }

    fn username(&mut self) -> Result<(), VaultError> {
        self.columns.username =
            self.value(SealedColumn::DirectoryUsername, &self.record.username)?;
        Ok(())
    }

    /// The address and its blind indexes.
    fn email(&mut self) -> Result<(), VaultError> {
        let (keys, app_id, email) = (self.keys, self.app_id, self.record.email.as_ref());
        self.columns.email = Some(self.value(SealedColumn::DirectoryEmail, &self.record.email)?);
        let index = email.map(|email| keys.app_email_index(app_id, email));
        self.columns.email_index_key = Some(index.as_ref().map(|index| index.key_version));
        self.columns.email_index = Some(index.map(|index| index.bytes.to_vec()));
        if let Some(email) = email {
            let mut others = keys.old_email_indexes(OwnerId::App(app_id), email);
            others.extend(keys.former_app_email_index(app_id, email));
            self.other_email_indexes = others.into_iter().map(Into::into).collect();
        }
        Ok(())
    }

    fn metadata(&mut self) -> Result<(), VaultError> {
        self.columns.metadata =
            self.value(SealedColumn::DirectoryMetadata, &self.record.metadata)?;
        Ok(())
    }

    fn value(
        &self,
        column: SealedColumn,
        value: &Option<Secret>,
    ) -> Result<Option<Vec<u8>>, VaultError> {
        let Some(value) = value else { return Ok(None) };
        let place = Place::of_app(self.app_id, &self.record.klaim_id, column);
        Ok(Some(self.keys.seal(place, value.as_bytes())?.bytes))
    }
}

fn klaim_id(created_at: i64) -> Result<String, VaultError> {
    let mut id = format!("{created_at}_");
    let full = id.len() + KLAIM_CHARACTERS;
    while id.len() < full {
        let mut random = [0; 8];
        openssl::rand::rand_bytes(&mut random).map_err(|_| VaultError::CannotSeal)?;
        // 62 of 64 values are used; the others are drawn again, so that all are equally likely.
        for byte in random {
            if id.len() < full
                && let Some(character) = ALPHABET.get(usize::from(byte & 63))
            {
                id.push(char::from(*character));
            }
        }
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn klaim_ids_have_their_shape() {
        let now = DateTime::from_timestamp_millis(1_753_306_133_860).unwrap();
        let record = Record::new("u".to_owned(), now).unwrap();
        let (time, random) = record.klaim_id.split_once('_').unwrap();
        assert_eq!((time, random.len()), ("1753306133860", 5));
        assert!(random.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_eq!(record.created_at, 1_753_306_133_860);
        let other = Record::new("u".to_owned(), now).unwrap();
        assert_ne!(record.klaim_id, other.klaim_id);
    }

    #[test]
    fn a_display_name_is_cut_at_its_last_blank() {
        let mut record = Record::new("u".to_owned(), Utc::now()).unwrap();
        assert_eq!(record.name_parts(), ("", ""));
        for (name, parts) in [
            ("David Renn", ("David", "Renn")),
            ("Ana María Ruiz", ("Ana María", "Ruiz")),
            ("tester", ("tester", "")),
        ] {
            record.name = Some(Zeroizing::new(name.to_owned()));
            assert_eq!(record.name_parts(), parts);
        }
    }
}
