//! Account ranges of two issuers must never overlap: a PAN belongs to one issuer (spec decision 4).

use crate::ids::ClientId;
use std::collections::HashMap;

/// Two ranges of two issuers of which one begins with the other, or is it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("account range {range} of {client_id} overlaps {other_range} of {other_client_id}")]
pub struct RangeClash {
    /// An issuer.
    pub client_id: ClientId,
    /// Its range.
    pub range: String,
    /// The other issuer.
    pub other_client_id: ClientId,
    /// The other's range.
    pub other_range: String,
}

/// Finds the first overlap between ranges of different issuers. An issuer's own may nest.
pub(super) fn find_clash<'a>(
    issuers: impl Iterator<Item = (&'a ClientId, &'a [String])>,
) -> Option<RangeClash> {
    let all: Vec<(&str, &ClientId)> = issuers
        .flat_map(|(id, ranges)| ranges.iter().map(move |range| (range.as_str(), id)))
        .collect();
    let mut owners: HashMap<&str, &ClientId> = HashMap::with_capacity(all.len());
    let clash = |range: &str, owner: &ClientId, other_range: &str, other: &ClientId| RangeClash {
        client_id: owner.clone(),
        range: range.to_owned(),
        other_client_id: other.clone(),
        other_range: other_range.to_owned(),
    };
    for (range, owner) in &all {
        if let Some(other) = owners.insert(range, owner).filter(|other| other != owner) {
            return Some(clash(range, owner, range, other));
        }
    }
    all.iter().find_map(|(range, owner)| {
        (1..range.len()).find_map(|length| {
            let (shorter, other) = owners.get_key_value(range.get(..length)?)?;
            (other != owner).then(|| clash(range, owner, shorter, other))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clash(a: &[&str], b: &[&str]) -> Option<(String, String)> {
        let (id_a, id_b) = (ClientId::parse("a").unwrap(), ClientId::parse("b").unwrap());
        let owned = |r: &[&str]| r.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let (a, b) = (owned(a), owned(b));
        find_clash([(&id_a, a.as_slice()), (&id_b, b.as_slice())].into_iter())
            .map(|c| (c.range, c.other_range))
    }

    #[test]
    fn equal_and_nested_ranges_clash() {
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(clash(&["5344"], &["5344"]), pair("5344", "5344"));
        assert_eq!(
            clash(&["1111", "534403"], &["5344"]),
            pair("534403", "5344")
        );
        assert_eq!(
            clash(&["5344"], &["2222", "53440312"]),
            pair("53440312", "5344")
        );
        assert_eq!(clash(&["5344"], &["5345", "53"]), pair("5344", "53"));
    }

    #[test]
    fn neighbours_and_own_ranges_do_not() {
        assert_eq!(
            clash(
                &["5344", "534403", "5344"],
                &["5345", "534"].map(|_| "2223")
            ),
            None
        );
        assert_eq!(clash(&["534403"], &["534404", "53441"]), None);
    }
}
