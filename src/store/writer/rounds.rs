//! Acts of one batch of which several may be for the same cardholder.
//!
//! One statement would apply only one of them. So they go in rounds: each round takes the next act
//! of every cardholder, in order of arrival. Nearly always there is one round.

use super::{Act, Commit, Outcome};
use diesel::QueryResult;
use std::collections::BTreeMap;

/// The acts of a cardholder, whom issuer and id name, and what is to become of them.
type Acts<'a, 'o, T> = BTreeMap<(i32, &'a str), Vec<(&'a T, &'o mut Outcome)>>;

/// An act that is to be applied, whose it is, and the outcome for a cardholder who is not there
/// for it.
pub(super) type Picked<'a, T> = Option<(&'a T, (i32, &'a str), Outcome)>;

/// Applies those acts of the batch that are still to be done and that `pick` takes. `apply` gets
/// acts of different cardholders, sorted by issuer and id, and returns who was there.
pub(super) fn in_rounds<'a, T: 'a>(
    commits: &[&'a Commit],
    outcomes: &mut [Outcome],
    pick: impl Fn(&'a Act) -> Picked<'a, T>,
    mut apply: impl FnMut(&[&'a T]) -> QueryResult<Vec<(i32, String)>>,
) -> QueryResult<()> {
    let mut acts: Acts<'a, '_, T> = BTreeMap::new();
    for (commit, outcome) in commits.iter().zip(outcomes) {
        if *outcome == Outcome::Done
            && let Some((act, user, absent)) = pick(&commit.act)
        {
            *outcome = absent;
            acts.entry(user).or_default().push((act, outcome));
        }
    }
    let rounds = acts.values().map(Vec::len).max().unwrap_or(0);
    for round in 0..rounds {
        let this: Vec<&T> = acts
            .values()
            .filter_map(|own| own.get(round).map(|(act, _)| *act))
            .collect();
        let mut there = apply(&this)?;
        there.sort();
        for (user, own) in &mut acts {
            if let Some((_, outcome)) = own.get_mut(round)
                && there
                    .binary_search_by(|t| (t.0, t.1.as_str()).cmp(user))
                    .is_ok()
            {
                **outcome = Outcome::Done;
            }
        }
    }
    Ok(())
}
