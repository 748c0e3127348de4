//! Merges an operator's declaration with the values that the issuer set itself: decides which of
//! these stay, and which ranges go. The declaration wins (spec decision 18).

use super::ranges::Owners;
use super::{IssuerChange, IssuerDeclaration, IssuerRecord, IssuerStatus};
use crate::ids::ClientId;
use std::collections::{HashMap, HashSet};

/// An issuer as it is to be.
pub(super) struct Plan<'a> {
    /// With what the issuer has set itself; its added ranges come last.
    pub(super) declared: IssuerDeclaration,
    /// Those of the ranges that stay the issuer's own.
    pub(super) added: Vec<String>,
    /// Ranges that the issuer had added and that go.
    pub(super) withdrawn: Vec<String>,
    /// As it is stored.
    pub(super) known: Option<&'a IssuerRecord>,
    /// Whether the operator's file names it.
    pub(super) is_declared: bool,
}

impl Plan<'_> {
    pub(super) fn change(&self) -> IssuerChange {
        match self.known {
            None => IssuerChange::Created,
            Some(known) if known.status == IssuerStatus::Removed && self.is_declared => {
                IssuerChange::Created
            }
            Some(known) if known.declared == self.declared && known.added_ranges == self.added => {
                IssuerChange::Unchanged
            }
            Some(_) => IssuerChange::Updated,
        }
    }
}

/// All issuers: those declared, in the file's order, and then the others that are stored.
pub(super) fn plans<'a>(
    declarations: &[IssuerDeclaration],
    stored: &'a [IssuerRecord],
) -> Vec<Plan<'a>> {
    let mut declared_ranges = Owners::default();
    for declared in declarations {
        for range in &declared.account_ranges {
            declared_ranges.insert(range, &declared.client_id);
        }
    }
    let by_name: HashMap<&ClientId, &IssuerRecord> = stored
        .iter()
        .map(|record| (&record.declared.client_id, record))
        .collect();
    let named: HashSet<&ClientId> = declarations.iter().map(|d| &d.client_id).collect();
    let declared = declarations.iter().map(|declared| {
        let known = by_name.get(&declared.client_id).copied();
        of_declared(normal(declared.clone()), known, &declared_ranges)
    });
    let others = stored
        .iter()
        .filter(|record| !named.contains(&record.declared.client_id))
        .map(|record| of_other(record, &declared_ranges));
    declared.chain(others).collect()
}

fn of_declared<'a>(
    mut declared: IssuerDeclaration,
    known: Option<&'a IssuerRecord>,
    ranges: &Owners<'_>,
) -> Plan<'a> {
    let (mut added, mut withdrawn) = (Vec::new(), Vec::new());
    if let Some(known) = known.filter(|known| known.status != IssuerStatus::Removed) {
        keep_what_is_not_declared(&mut declared, &known.declared);
        let named: HashSet<&String> = declared.account_ranges.iter().collect();
        for range in &known.added_ranges {
            if named.contains(range) {
                // A range that the operator names is the operator's from now on.
                continue;
            }
            let goes = ranges.others_touch(range, &declared.client_id)
                || ranges.covered(range, &declared.client_id)
                || outside(range, declared.self_service_ranges.as_deref());
            let list = if goes { &mut withdrawn } else { &mut added };
            list.push(range.clone());
        }
        declared.account_ranges.extend_from_slice(&added);
    }
    Plan {
        declared,
        added,
        withdrawn,
        known,
        is_declared: true,
    }
}

fn of_other<'a>(record: &'a IssuerRecord, ranges: &Owners<'_>) -> Plan<'a> {
    let owner = &record.declared.client_id;
    let (withdrawn, added): (Vec<String>, Vec<String>) = record
        .added_ranges
        .iter()
        .cloned()
        .partition(|range| ranges.others_touch(range, owner));
    let mut declared = record.declared.clone();
    let gone: HashSet<&String> = withdrawn.iter().collect();
    declared
        .account_ranges
        .retain(|range| !gone.contains(range));
    Plan {
        declared,
        added,
        withdrawn,
        known: Some(record),
        is_declared: false,
    }
}

/// Whether the operator has said where the issuer may add ranges, and this one is not there.
fn outside(range: &str, space: Option<&[String]>) -> bool {
    space.is_some_and(|space| {
        !space
            .iter()
            .any(|prefix| range.starts_with(prefix.as_str()))
    })
}

/// The declaration as it comes back from the database: certificates sorted, nothing doubled.
fn normal(mut declared: IssuerDeclaration) -> IssuerDeclaration {
    let mut seen = HashSet::new();
    declared
        .account_ranges
        .retain(|range| seen.insert(range.clone()));
    declared.certificates.sort();
    declared.certificates.dedup_by(|a, b| {
        (a.purpose, &a.fingerprint, &a.consumer_key) == (b.purpose, &b.fingerprint, &b.consumer_key)
    });
    declared
}

/// What the issuer has set itself and the operator says nothing about.
///
/// A rescore sets the factor set; a file that names none does not turn it back.
fn keep_what_is_not_declared(declared: &mut IssuerDeclaration, old: &IssuerDeclaration) {
    if declared.factor_set.is_none() {
        declared.factor_set.clone_from(&old.factor_set);
    }
    let (declared, old) = (&mut declared.profile, &old.profile);
    let keep = |new: &mut Option<String>, old: &Option<String>| {
        if new.is_none() {
            new.clone_from(old);
        }
    };
    keep(
        &mut declared.terms_and_condition_url,
        &old.terms_and_condition_url,
    );
    keep(&mut declared.privacy_notice_url, &old.privacy_notice_url);
    keep(&mut declared.opt_out_url, &old.opt_out_url);
    keep(&mut declared.theme, &old.theme);
}
