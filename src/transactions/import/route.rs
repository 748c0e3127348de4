//! Whose transaction a record is.

use super::tally::Outcome;
use crate::issuers::{Issuer, IssuerStatus};
use crate::transactions::feed::fault::{Fault, Place};
use crate::transactions::item::{Holder, Item};
use std::collections::HashMap;
use std::sync::Arc;

/// The issuers of an import, by the account ranges of their cards.
pub(super) struct Routes {
    issuers: Vec<Arc<Issuer>>,
    by_range: HashMap<String, usize>,
    /// Of `--issuer`.
    only: Option<usize>,
}

/// Where a record goes.
pub(super) enum Route {
    /// To the issuer of this place.
    To(usize),
    /// Nowhere.
    Nowhere(Outcome),
    /// It cannot be told.
    Unclear(Fault),
}

impl Routes {
    /// Of the active ones of `issuers`; with `only`, of that one alone.
    pub(super) fn new(issuers: Vec<Arc<Issuer>>, only: Option<&Issuer>) -> Self {
        let active = |issuer: &Arc<Issuer>| issuer.status == IssuerStatus::Active;
        let issuers: Vec<_> = issuers.into_iter().filter(active).collect();
        let mut by_range = HashMap::new();
        for (place, issuer) in issuers.iter().enumerate() {
            let ranges = issuer.account_ranges.iter();
            by_range.extend(ranges.map(|range| (range.as_str().to_owned(), place)));
        }
        let only = only.and_then(|only| issuers.iter().position(|issuer| issuer.id == only.id));
        Self {
            issuers,
            by_range,
            only,
        }
    }

    pub(super) fn issuer(&self, place: usize) -> Option<&Arc<Issuer>> {
        self.issuers.get(place)
    }

    pub(super) fn of(&self, item: &Item) -> Route {
        let found = match &item.holder {
            Holder::Card(pan) => {
                let ranges = (4..=8).filter_map(|length| pan.digits().get(..length));
                let mut found = ranges.filter_map(|range| self.by_range.get(range));
                match found.next() {
                    Some(place) => *place,
                    None => return Route::Nowhere(Outcome::NoIssuer),
                }
            }
            Holder::Id(_) => match (self.only, self.issuers.as_slice()) {
                (Some(place), _) => place,
                (None, [_]) => 0,
                _ => {
                    let rule = "needs --issuer: more than one issuer is on board";
                    return Route::Unclear(Fault {
                        place: Place::Column("userid"),
                        rule: rule.into(),
                    });
                }
            },
        };
        match self.only {
            Some(only) if only != found => Route::Nowhere(Outcome::OtherIssuer),
            _ => Route::To(found),
        }
    }
}
