//! What became of an import's records, counted.

use crate::transactions::feed::Skip;
use crate::transactions::post::{ItemRefusal, Posted};
use crate::transactions::stored::ScoreOutcome;
use std::collections::BTreeMap;

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Stored, with grams.
    Scored,
    /// Stored; its category is not scored, or it is cash or a payment.
    NotScored,
    /// Stored; no category of the factor set has its code.
    UnknownCategory,
    /// It was stored before, from this file or another one.
    Again,
    /// A header, a trailer, a fee: no transaction.
    Administration,
    /// An authorisation: nothing was cleared.
    Authorisation,
    /// A kind of message that is not known.
    UnknownKind,
    /// Before the date of `--since`.
    Earlier,
    /// Of another issuer than that of `--issuer`.
    OtherIssuer,
    /// A card of no issuer on board that is active.
    NoIssuer,
    /// No active cardholder has the card or the id.
    NotEnrolled,
    /// Before the cardholder's window.
    OutsideWindow,
    /// A line or message with a fault.
    Malformed,
    /// Dated later than tomorrow.
    Future,
    /// Its currency has no rate.
    UnsupportedCurrency,
    /// The cardholder has another transaction of this id.
    Conflict,
    /// The cardholder's month is full.
    TooMany,
}

impl Outcome {
    /// All, in the order of a summary.
    pub const ALL: [Self; 17] = [
        Self::Scored,
        Self::NotScored,
        Self::UnknownCategory,
        Self::Again,
        Self::NotEnrolled,
        Self::NoIssuer,
        Self::OtherIssuer,
        Self::Earlier,
        Self::OutsideWindow,
        Self::Authorisation,
        Self::Administration,
        Self::UnknownKind,
        Self::Malformed,
        Self::Future,
        Self::UnsupportedCurrency,
        Self::Conflict,
        Self::TooMany,
    ];

    /// A stable name, for the audit trail and the file of rejects.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scored => "scored",
            Self::NotScored => "not-scored",
            Self::UnknownCategory => "unknown-category",
            Self::Again => "stored-before",
            Self::Administration => "administration",
            Self::Authorisation => "authorisation",
            Self::UnknownKind => "unknown-kind",
            Self::Earlier => "before-since",
            Self::OtherIssuer => "other-issuer",
            Self::NoIssuer => "no-issuer",
            Self::NotEnrolled => "not-enrolled",
            Self::OutsideWindow => "outside-window",
            Self::Malformed => "malformed",
            Self::Future => "future",
            Self::UnsupportedCurrency => "unsupported-currency",
            Self::Conflict => "conflict",
            Self::TooMany => "too-many",
        }
    }

    /// In words, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Scored => "stored and scored",
            Self::NotScored => "stored; cash, transfers and other categories that are not scored",
            Self::UnknownCategory => "stored; no category has their code",
            Self::Again => "stored before",
            Self::Administration => "headers, trailers and fees: no transactions",
            Self::Authorisation => "authorisations: nothing was cleared",
            Self::UnknownKind => "of a kind that is not known",
            Self::Earlier => "before the date of --since",
            Self::OtherIssuer => "of other issuers than --issuer",
            Self::NoIssuer => "cards of no active issuer",
            Self::NotEnrolled => "no active cardholder has the card or the id",
            Self::OutsideWindow => "before the cardholder's window",
            Self::Malformed => "with a fault",
            Self::Future => "dated later than tomorrow",
            Self::UnsupportedCurrency => "in a currency without a rate",
            Self::Conflict => "another transaction of the cardholder has the id",
            Self::TooMany => "the cardholder's month is full",
        }
    }

    /// Whether the record should have been stored and was not: it goes to the file of rejects.
    pub fn is_failure(self) -> bool {
        matches!(
            self,
            Self::Malformed
                | Self::Future
                | Self::UnsupportedCurrency
                | Self::Conflict
                | Self::TooMany
        )
    }

    /// `future`: the transaction is dated later than tomorrow.
    pub(super) fn of(posted: &Posted, future: bool) -> Self {
        match posted {
            Posted::Stored(stored) if stored.again => Self::Again,
            Posted::Stored(stored) => match stored.scored.outcome {
                ScoreOutcome::Grams(_) => Self::Scored,
                ScoreOutcome::InvalidMcc => Self::UnknownCategory,
                ScoreOutcome::Category | ScoreOutcome::Never(_) | ScoreOutcome::OutOfRange => {
                    Self::NotScored
                }
            },
            Posted::Ignored => Self::Authorisation,
            Posted::Refused(refusal) => match refusal {
                ItemRefusal::NotFound => Self::NotEnrolled,
                ItemRefusal::OutsideWindow if future => Self::Future,
                ItemRefusal::OutsideWindow => Self::OutsideWindow,
                ItemRefusal::UnsupportedCurrency => Self::UnsupportedCurrency,
                ItemRefusal::Conflict => Self::Conflict,
                ItemRefusal::TooMany => Self::TooMany,
            },
        }
    }
}

impl From<Skip> for Outcome {
    fn from(skip: Skip) -> Self {
        match skip {
            Skip::Administration => Self::Administration,
            Skip::Authorisation => Self::Authorisation,
            Skip::Unknown => Self::UnknownKind,
            Skip::OtherCard => Self::NoIssuer,
        }
    }
}

/// How many records had which outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<Outcome, u64>);

impl Tally {
    pub(super) fn add(&mut self, outcome: Outcome) {
        let count = self.0.entry(outcome).or_default();
        *count = count.saturating_add(1);
    }

    /// How many had this outcome.
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.0.get(&outcome).copied().unwrap_or_default()
    }

    /// All records.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Those that should have been stored and were not.
    pub fn failures(&self) -> u64 {
        let failures = self.0.iter().filter(|(outcome, _)| outcome.is_failure());
        failures.map(|(_, count)| count).sum()
    }

    /// Outcomes that there were, in the order of a summary.
    pub fn outcomes(&self) -> impl Iterator<Item = (Outcome, u64)> {
        let counts = Outcome::ALL.map(|outcome| (outcome, self.count(outcome)));
        counts.into_iter().filter(|(_, count)| *count > 0)
    }

    /// `scored=12 stored-before=3`: for the audit trail and the database.
    pub(super) fn text(&self) -> String {
        let parts = self
            .outcomes()
            .map(|(outcome, count)| format!("{}={count}", outcome.name()));
        parts.collect::<Vec<_>>().join(" ")
    }

    /// From such a text; what is not known is left out.
    pub(super) fn parse(text: &str) -> Self {
        let part = |part: &str| {
            let (name, count) = part.split_once('=')?;
            let outcome = Outcome::ALL
                .into_iter()
                .find(|outcome| outcome.name() == name)?;
            Some((outcome, count.parse().ok()?))
        };
        Self(text.split(' ').filter_map(part).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_is_its_text() {
        let mut tally = Tally::default();
        assert_eq!(tally.text(), "");
        assert_eq!(Tally::parse(""), tally);
        for outcome in Outcome::ALL {
            tally.add(outcome);
        }
        tally.add(Outcome::Scored);
        assert_eq!(Tally::parse(&tally.text()), tally);
        assert_eq!((tally.total(), tally.failures()), (18, 5));
    }
}
