//! What is kept of a transaction, as bytes: a version, then postcard. Codes stand as their letters.

use crate::footprint::set::Mcc;
use crate::footprint::{Country, Currency, Money, Scorer};
use crate::ids::CardholderId;
use crate::transactions::item::{Brand, Holder, Item, Kind, SourceId, Unscored};
use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
enum WireSource {
    Text(String),
    Clearing([u8; 32]),
}

#[derive(Serialize, Deserialize)]
struct Wire {
    source: WireSource,
    mcc: u16,
    /// A decimal, as it is written.
    amount: String,
    currency: String,
    /// Days since the beginning of the calendar.
    day: i32,
    country: Option<String>,
    kind: u8,
    brand: Option<String>,
    original: Option<WireSource>,
    unscored: Option<u8>,
}

impl WireSource {
    fn of(source: &SourceId) -> Self {
        match source {
            SourceId::Clearing(bytes) => Self::Clearing(*bytes),
            SourceId::Text(_) | SourceId::Uuid(_) => Self::Text(source.to_string()),
        }
    }

    fn read(self) -> Option<SourceId> {
        match self {
            Self::Text(text) => SourceId::parse(&text),
            Self::Clearing(bytes) => Some(SourceId::Clearing(bytes)),
        }
    }
}

/// Without card and merchant. Of several amounts the first that has a rate now.
pub(super) fn write(item: &Item, scorer: &Scorer) -> Option<Zeroizing<Vec<u8>>> {
    let mut amounts = std::iter::once(&item.amount).chain(&item.fallbacks);
    let rated = amounts.find(|amount| scorer.data().has_rate(amount.currency()));
    let amount = rated.unwrap_or(&item.amount);
    let wire = Wire {
        source: WireSource::of(&item.source),
        mcc: item.mcc.number(),
        amount: amount.value().to_string(),
        currency: amount.currency().code().to_owned(),
        day: item.date.num_days_from_ce(),
        country: item.country.map(|country| country.code().to_owned()),
        kind: match item.kind {
            Kind::Purchase => 0,
            Kind::Refund => 1,
            Kind::Reversal => 2,
            Kind::Authorisation => return None,
        },
        brand: item.brand.map(|brand| brand.code().to_owned()),
        original: item.original.as_ref().map(WireSource::of),
        unscored: item.unscored.map(|unscored| match unscored {
            Unscored::Cash => 0,
            Unscored::Transfer => 1,
        }),
    };
    let bytes = postcard::to_extend(&(VERSION, wire), Vec::new()).ok()?;
    Some(Zeroizing::new(bytes))
}

/// The item again, of a cardholder.
pub(super) fn read(bytes: &[u8], user_id: &CardholderId) -> Option<Item> {
    let (version, wire): (u8, Wire) = postcard::from_bytes(bytes).ok()?;
    if version != VERSION {
        return None;
    }
    let currency = Currency::from_alpha(&wire.currency)?;
    let country = |code: String| Country::from_alpha3(&code);
    let brand = |code: String| Brand::parse(&code);
    Some(Item {
        source: wire.source.read()?,
        holder: Holder::Id(user_id.clone()),
        mcc: Mcc::new(wire.mcc)?,
        amount: Money::parse(&wire.amount, currency).ok()?,
        fallbacks: Vec::new(),
        date: NaiveDate::from_num_days_from_ce_opt(wire.day)?,
        kind: match wire.kind {
            0 => Kind::Purchase,
            1 => Kind::Refund,
            2 => Kind::Reversal,
            _ => return None,
        },
        country: wire.country.and_then(country),
        merchant: None,
        brand: wire.brand.and_then(brand),
        original: match wire.original {
            None => None,
            Some(source) => Some(source.read()?),
        },
        unscored: match wire.unscored {
            None => None,
            Some(0) => Some(Unscored::Cash),
            Some(1) => Some(Unscored::Transfer),
            Some(_) => return None,
        },
    })
}
