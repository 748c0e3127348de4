//! Whether some order of what was done at once explains all answers.

use super::acts::Told;
use super::reference::{Reference, State};
use issuer_gateway::store::Outcome;

/// The model after an order in which each act gets its answer and which ends with `goal`; `None` if
/// there is none. The data keys change at some time if `rotation`.
pub fn explain(model: Reference, told: &[Told], rotation: bool, goal: &State) -> Option<Reference> {
    let left: Vec<&Told> = told.iter().collect();
    search(model, &left, told, rotation, goal)
}

fn search(
    model: Reference,
    left: &[&Told],
    told: &[Told],
    rotation: bool,
    goal: &State,
) -> Option<Reference> {
    if left.is_empty() && !rotation {
        return (model.state == *goal).then_some(model);
    }
    if rotation {
        let mut next = model.clone();
        next.generation += 1;
        if let Some(found) = search(next, left, told, false, goal) {
            return Some(found);
        }
    }
    for (place, one) in left.iter().enumerate() {
        let mut next = model.clone();
        if !gets(&mut next, one, told) {
            continue;
        }
        let mut rest = left.to_vec();
        rest.remove(place);
        if let Some(found) = search(next, &rest, told, rotation, goal) {
            return Some(found);
        }
    }
    None
}

/// Does it in the model, and says whether the answer is the one that it got.
///
/// One that has to be enrolled again holds its nonce until its batch is written, and gives it back:
/// another act with the nonce in that batch is told of a replay. It is one, since the first comes
/// again with the very nonce.
fn gets(model: &mut Reference, one: &Told, told: &[Told]) -> bool {
    let before = model.clone();
    if model.apply(&one.act) == one.outcome {
        return true;
    }
    let held = |other: &Told| {
        matches!(other.outcome, Outcome::MustReEnrol(_))
            && other.act.issuer_id == one.act.issuer_id
            && other.act.nonce == one.act.nonce
    };
    if one.outcome != Outcome::Replayed || !told.iter().any(held) {
        return false;
    }
    *model = before;
    model.replay(&one.act);
    true
}
