//! The KEKs that a node holds: one that wraps, and, while KEKs change, further ones that only
//! unwrap.

use super::VaultError;
use super::kek::Kek;
use super::key::KeyBytes;
use super::key_wrap::{KekFault, KeyName, KeyWrap};
use crate::store::data_keys::DataKeyRow;

/// One KEK that wraps and unwraps, and any number that only unwrap. `Debug` shows ids alone.
#[derive(Debug)]
pub struct Keks {
    primary: Box<dyn KeyWrap>,
    further: Vec<Box<dyn KeyWrap>>,
}

impl Keks {
    /// KEKs in memory; `further` ones never wrap.
    pub fn new(primary: Kek, further: Vec<Kek>) -> Self {
        let boxed = |kek| -> Box<dyn KeyWrap> { Box::new(kek) };
        Self::of(boxed(primary), further.into_iter().map(boxed).collect())
    }

    /// KEKs wherever they lie; `further` ones never wrap.
    pub fn of(primary: Box<dyn KeyWrap>, further: Vec<Box<dyn KeyWrap>>) -> Self {
        Self { primary, further }
    }

    /// The KEK that wraps.
    pub fn primary(&self) -> &dyn KeyWrap {
        &*self.primary
    }

    /// The ids of all, the primary one's first.
    pub fn ids(&self) -> Vec<&str> {
        self.all().map(KeyWrap::id).collect()
    }

    /// Whether one of them unwraps what is stored under this id.
    pub fn opens(&self, id: &str) -> bool {
        self.all().any(|kek| kek.opens(id))
    }

    fn all(&self) -> impl Iterator<Item = &dyn KeyWrap> {
        let all = std::iter::once(&self.primary).chain(&self.further);
        all.map(|kek| &**kek)
    }

    /// Wraps a data key under the primary KEK.
    pub(super) fn wrap(
        &self,
        purpose: &str,
        version: i32,
        key: &KeyBytes,
    ) -> Result<Vec<u8>, VaultError> {
        let name = KeyName { purpose, version };
        let wrapped = self.primary.wrap(&name, key);
        wrapped.map_err(|fault| failed(self.primary(), &name, fault))
    }

    /// Unwraps a data key with the KEK that it names.
    ///
    /// # Errors
    /// [`VaultError::WrongKek`] if that KEK is not at hand, [`VaultError::AlteredDataKey`] if it
    /// does not open, [`VaultError::Kek`] if the KEK's keeper does not do it.
    pub(super) fn unwrap(&self, row: &DataKeyRow) -> Result<KeyBytes, VaultError> {
        let kek = self.all().find(|kek| kek.opens(&row.kek_id));
        let kek = kek.ok_or_else(|| VaultError::WrongKek {
            stored: row.kek_id.clone(),
            given: self.ids().join(", "),
        })?;
        let name = name(row);
        let key = kek.unwrap(&name, &row.wrapped);
        key.map_err(|fault| failed(kek, &name, fault))
    }

    /// The same data key wrapped under the primary KEK, unless it is so already.
    ///
    /// # Errors
    /// As for unwrapping.
    pub fn rewrap(&self, row: &DataKeyRow) -> Result<Option<DataKeyRow>, VaultError> {
        // Unwraps even if nothing is to be done, so that the answer proves that the key opens.
        let key = self.unwrap(row)?;
        let primary = self.primary();
        if row.kek_id == primary.id() {
            return Ok(None);
        }
        let by_its_keeper = primary
            .opens(&row.kek_id)
            .then(|| primary.rewrap(&row.wrapped))
            .flatten();
        let wrapped = match by_its_keeper {
            Some(rewrapped) => rewrapped.map_err(|fault| failed(primary, &name(row), fault))?,
            None => self.wrap(&row.purpose, row.version, &key)?,
        };
        Ok(Some(DataKeyRow {
            kek_id: primary.id().to_owned(),
            wrapped,
            ..row.clone()
        }))
    }
}

fn name(row: &DataKeyRow) -> KeyName<'_> {
    KeyName {
        purpose: &row.purpose,
        version: row.version,
    }
}

fn failed(kek: &dyn KeyWrap, name: &KeyName<'_>, fault: KekFault) -> VaultError {
    match fault {
        KekFault::Altered => VaultError::AlteredDataKey {
            purpose: name.purpose.to_owned(),
            version: name.version,
        },
        KekFault::NoRandomBytes => VaultError::CannotSeal,
        fault => VaultError::Kek {
            kek: kek.id().to_owned(),
            fault,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::key::random_key;

    fn kek() -> Kek {
        Kek::from_base64(&Kek::generate().unwrap()).unwrap()
    }

    /// A second handle of the same KEK.
    fn again(kek: &Kek) -> Kek {
        let [one, two] = kek.split().unwrap();
        let parse = |text: &str| crate::vault::shares::Share::parse(text).unwrap();
        Kek::from_shares(&parse(&one), &parse(&two)).unwrap()
    }

    fn alone(kek: Kek) -> Keks {
        Keks::new(kek, Vec::new())
    }

    fn row(keks: &Keks, key: &KeyBytes) -> DataKeyRow {
        DataKeyRow {
            purpose: "seal".to_owned(),
            version: 3,
            state: "primary".to_owned(),
            kek_id: keks.primary().id().to_owned(),
            wrapped: keks.wrap("seal", 3, key).unwrap(),
            created_at: 7,
        }
    }

    #[test]
    fn further_keks_unwrap_and_never_wrap() {
        let (old, new, key) = (kek(), kek(), random_key().unwrap());
        let stored = row(&alone(again(&old)), &key);
        let both = Keks::new(again(&new), vec![again(&old)]);
        assert_eq!(both.ids(), [new.id(), old.id()]);
        assert_eq!(*both.unwrap(&stored).unwrap(), *key);

        let rewrapped = both.rewrap(&stored).unwrap().unwrap();
        let expected = DataKeyRow {
            kek_id: new.id().to_owned(),
            wrapped: rewrapped.wrapped.clone(),
            ..stored.clone()
        };
        assert_eq!(rewrapped, expected, "the rest of the row stays");
        assert_ne!(rewrapped.wrapped, stored.wrapped);
        assert_eq!(both.rewrap(&rewrapped).unwrap(), None);
        assert_eq!(*alone(new).unwrap(&rewrapped).unwrap(), *key);
    }

    #[test]
    fn a_kek_that_is_not_at_hand_is_named() {
        let (old, new, other) = (kek(), kek(), kek());
        let (old_id, new_id, other_id) = (
            old.id().to_owned(),
            new.id().to_owned(),
            other.id().to_owned(),
        );
        let stored = row(&alone(old), &random_key().unwrap());
        let keks = Keks::new(new, vec![other]);
        let error = keks.rewrap(&stored).unwrap_err();
        let text = error.to_string();
        for id in [old_id, new_id, other_id] {
            assert!(text.contains(&id), "{text}");
        }
        assert_eq!(error.reason(), "kek-wrong");
    }

    #[test]
    fn an_altered_data_key_is_not_wrapped_anew() {
        let keks = alone(kek());
        let mut stored = row(&keks, &random_key().unwrap());
        stored.version = 4;
        assert_eq!(
            keks.rewrap(&stored).unwrap_err().reason(),
            "data-key-altered"
        );
        // The other way round: a KEK's id moved to another's key.
        let other = alone(kek());
        let mut stolen = row(&other, &random_key().unwrap());
        stolen.kek_id = keks.primary().id().to_owned();
        assert_eq!(
            keks.unwrap(&stolen).unwrap_err().reason(),
            "data-key-altered"
        );
    }
}
