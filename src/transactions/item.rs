//! One card transaction, as a feed hands it in.

use crate::enrolment::card::Pan;
use crate::footprint::set::Mcc;
use crate::footprint::{Country, Money};
use crate::ids::CardholderId;
use chrono::NaiveDate;
use std::fmt;

/// A card transaction that breaks no rule of its feed. `Debug` shows neither PAN nor merchant.
#[derive(Debug)]
pub struct Item {
    /// What its sender calls it: once for a cardholder, however often it comes.
    pub source: SourceId,
    /// Whose it is.
    pub holder: Holder,
    /// The merchant's category.
    pub mcc: Mcc,
    /// As it counts: negative for refunds, reversals of purchases and chargebacks; without the cash
    /// part.
    pub amount: Money,
    /// The same in other currencies, to be tried in order where there is no rate of the first.
    pub fallbacks: Vec<Money>,
    /// The local day of the purchase, not of its clearing.
    pub date: NaiveDate,
    /// What happened.
    pub kind: Kind,
    /// Of the merchant; `None`: the issuer's.
    pub country: Option<Country>,
    /// For the cardholder's page.
    pub merchant: Option<Merchant>,
    /// Echoed.
    pub brand: Option<Brand>,
    /// The transaction that it takes back.
    pub original: Option<SourceId>,
    /// Why it is never scored, whatever its category.
    pub unscored: Option<Unscored>,
}

/// Whose transaction it is.
#[derive(Debug)]
pub enum Holder {
    /// The cardholder's id.
    Id(CardholderId),
    /// The card's number; not stored.
    Card(Pan),
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Cleared. A chargeback is one with a negative amount.
    Purchase,
    /// Money comes back, or a chargeback.
    Refund,
    /// A transaction is taken back.
    Reversal,
    /// Not cleared: neither stored nor scored.
    Authorisation,
}

/// Why a transaction is not scored, beside its category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unscored {
    /// Cash: what it buys is unknown.
    Cash,
    /// A payment or a transfer: nothing is bought yet.
    Transfer,
}

impl Unscored {
    /// In words, for answers and pages.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Cash => "cash, what it buys is unknown",
            Self::Transfer => "money moves, nothing is bought yet",
        }
    }
}

/// The card's brand, as Mastercard's Carbon Calculator names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Brand {
    /// `MA`: Mastercard.
    Mastercard,
    /// `OTH`: another network.
    Other,
    /// `NC`: no card.
    NoCard,
}

impl Brand {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Mastercard, Self::Other, Self::NoCard];

    /// `MA`, `OTH` or `NC`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Mastercard => "MA",
            Self::Other => "OTH",
            Self::NoCard => "NC",
        }
    }

    /// From its code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|brand| brand.code() == code)
    }
}

/// A merchant's name, 1 to 25 characters. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Merchant(String);

impl Merchant {
    /// Most characters.
    pub const LONGEST: usize = 25;

    /// `None` if it is empty, too long, or holds control characters.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=Self::LONGEST).contains(&text.chars().count());
        (fits && !text.chars().any(char::is_control)).then(|| Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Merchant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Merchant(****)")
    }
}

/// What its sender calls a transaction: the key under which it counts once.
///
/// A UUID in lower case and a digest are kept in as many bytes as they have.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SourceId {
    /// Anything else: 1 to 100 of `A-Z a-z 0-9 _ -`.
    Text(Box<str>),
    /// A UUID as it is usually written: in lower case, with four hyphens.
    Uuid([u8; 16]),
    /// A record of a clearing file, by the digest of what makes it one.
    Clearing([u8; 32]),
}

impl SourceId {
    /// What [`SourceId::parse`] demands (scoring.md 12.1).
    pub const FORM: &'static str = "must be 1 to 100 of A-Z, a-z, 0-9, _ and -";

    /// Most characters.
    pub const LONGEST: usize = 100;

    /// From the text of an API's item or a CSV file.
    pub fn parse(text: &str) -> Option<Self> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if !(1..=Self::LONGEST).contains(&text.len()) || !text.bytes().all(legal) {
            return None;
        }
        Some(match uuid::Uuid::try_parse(text) {
            Ok(uuid) if uuid.hyphenated().to_string() == text => Self::Uuid(uuid.into_bytes()),
            _ => Self::Text(text.into()),
        })
    }

    /// Two bytes that tell most ids apart.
    pub fn fingerprint(&self) -> [u8; 2] {
        use sha2::{Digest, Sha256};
        let digest = match self {
            Self::Text(text) => Sha256::digest(text.as_bytes()),
            Self::Uuid(bytes) => Sha256::digest(bytes),
            Self::Clearing(bytes) => Sha256::digest(bytes),
        };
        let [first, second, ..] = <[u8; 32]>::from(digest);
        [first, second]
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Uuid(bytes) => uuid::Uuid::from_bytes(*bytes).hyphenated().fmt(f),
            Self::Clearing(bytes) => write!(f, "ipm:{}", hex::encode(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_shown_as_it_came() {
        for text in [
            "a",
            "2f1e6b0c-5c1d-4a55-9d0b-0a1b2c3d4e5f",
            "2F1E6B0C-5C1D-4A55-9D0B-0A1B2C3D4E5F",
            "2f1e6b0c5c1d4a559d0b0a1b2c3d4e5f",
            "T_1-x",
        ] {
            assert_eq!(SourceId::parse(text).unwrap().to_string(), text);
        }
        assert!(matches!(
            SourceId::parse("2f1e6b0c-5c1d-4a55-9d0b-0a1b2c3d4e5f"),
            Some(SourceId::Uuid(_))
        ));
        let clearing = SourceId::Clearing([7; 32]).to_string();
        assert_eq!(SourceId::parse(&clearing), None, "no sender can claim it");
        for text in ["", "a b", "ä", "a:b", &"a".repeat(101)] {
            assert_eq!(SourceId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_merchant_has_up_to_25_characters_and_is_not_shown() {
        let merchant = Merchant::parse("Café Zoë").unwrap();
        assert_eq!(format!("{merchant:?}"), "Merchant(****)");
        assert!(Merchant::parse(&"ä".repeat(25)).is_some());
        for text in ["", "a\nb", &"a".repeat(26)] {
            assert!(Merchant::parse(text).is_none());
        }
    }
}
