//! Account ranges that an issuer adds itself (spec decision 18).
//!
//! They lie inside a space that the operator allows, there are at most [`MOST`], and none lies
//! inside another one of the issuer. A range that is covered already is not stored again, and a
//! wider range takes the place of narrower added ones.

use super::account_range::AccountRange;
use std::collections::HashSet;

/// The most ranges that one issuer can have added.
pub const MOST: usize = 500;

/// Where an issuer may add ranges: prefixes of 1 to 8 digits.
#[derive(Debug, Clone, Copy)]
pub struct Space<'a>(pub Option<&'a [String]>);

impl Space<'_> {
    fn allows(self, range: &AccountRange) -> bool {
        let prefixes = self.0.unwrap_or_default();
        prefixes
            .iter()
            .any(|prefix| range.as_str().starts_with(prefix.as_str()))
    }
}

/// What a list of ranges would change.
#[derive(Debug, PartialEq, Eq)]
pub struct Additions {
    /// To be stored, in the order sent. The caller still looks up whether another issuer has one.
    pub new: Vec<AccountRange>,
    /// Added before, and covered by one of `new`.
    pub absorbed: Vec<String>,
    /// Whether a range lies outside the space; it is not in `new`.
    pub outside: bool,
    /// Whether the issuer would have added more than [`MOST`].
    pub too_many: bool,
}

/// Judges `wanted` against the issuer's own ranges: all of them, and those of them that it has
/// added.
pub fn additions(
    wanted: Vec<AccountRange>,
    own: &[String],
    added: &[String],
    space: Space<'_>,
) -> Additions {
    let own: HashSet<&str> = own.iter().map(String::as_str).collect();
    let named: HashSet<String> = wanted.iter().map(AccountRange::to_string).collect();
    let in_a_wider_one = |range: &AccountRange| {
        let text = range.as_str();
        (4..text.len())
            .filter_map(|length| text.get(..length))
            .any(|beginning| named.contains(beginning))
    };
    let uncovered = |range: &AccountRange| !range.lies_in_any(&own) && !in_a_wider_one(range);
    let (new, outside): (Vec<_>, Vec<_>) = wanted
        .iter()
        .filter(|range| uncovered(range))
        .cloned()
        .partition(|range| space.allows(range));
    let prefixes: HashSet<&str> = new.iter().map(AccountRange::as_str).collect();
    let absorbed: Vec<String> = added
        .iter()
        .filter(|range| AccountRange::parse(range).is_ok_and(|range| range.lies_in_any(&prefixes)))
        .cloned()
        .collect();
    let left = added.len() - absorbed.len();
    Additions {
        too_many: !new.is_empty() && left + new.len() > MOST,
        outside: !outside.is_empty(),
        new,
        absorbed,
    }
}

#[cfg(test)]
mod tests {
    use super::super::account_range::parse_list;
    use super::*;

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    /// With 534403 declared, and `added` added, in the space 5 and 2.
    fn judge(wanted: &str, added: &[&str]) -> (Vec<String>, Vec<String>, bool, bool) {
        let added = texts(added);
        let own = [texts(&["534403"]), added.clone()].concat();
        let space = texts(&["5", "2"]);
        let wanted = parse_list(wanted).unwrap();
        let result = additions(wanted, &own, &added, Space(Some(&space)));
        let new = result.new.iter().map(AccountRange::to_string).collect();
        (new, result.absorbed, result.outside, result.too_many)
    }

    #[test]
    fn what_is_covered_is_not_stored_again() {
        let none = (vec![], vec![], false, false);
        assert_eq!(judge("534403,53440312,56111", &["5611"]), none);
        let once = (texts(&["5612"]), vec![], false, false);
        assert_eq!(judge("56121,5612,56129999", &[]), once);
    }

    #[test]
    fn a_wider_range_takes_the_place_of_added_ones_alone() {
        let wider = (texts(&["5344"]), texts(&["53449999"]), false, false);
        assert_eq!(judge("5344", &["5611", "53449999"]), wider);
    }

    #[test]
    fn nothing_is_added_outside_the_space() {
        let outside = (texts(&["2223"]), vec![], true, false);
        assert_eq!(judge("6011,2223", &[]), outside);
        let wanted = parse_list("5611").unwrap();
        let nowhere = additions(wanted, &[], &[], Space(None));
        assert!(nowhere.outside && nowhere.new.is_empty());
    }

    #[test]
    fn there_are_at_most_so_many() {
        let list = |count: usize| {
            let all: Vec<String> = (0..count).map(|n| format!("55{n:06}")).collect();
            all.join(",")
        };
        assert!(!judge(&list(MOST), &[]).3);
        assert!(judge(&list(MOST + 1), &[]).3);
        assert!(judge(&list(MOST), &["5611"]).3);
        // What goes makes room.
        assert!(!judge(&format!("{},5611", list(MOST - 1)), &["56111"]).3);
    }
}
