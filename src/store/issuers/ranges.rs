//! Account ranges of two issuers must never overlap: a PAN belongs to one issuer (spec decision 4).
//!
//! The check looks up neighbours of a range by key: the range's own prefixes, and ranges that begin
//! with it. It never reads the whole table for one issuer's change.

use crate::ids::ClientId;
use crate::store::connection::{AnyConnection, on_backend};
use crate::store::error::StoreError;
use crate::store::schema::account_ranges;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;

/// Account ranges in one statement; PostgreSQL takes 65535 values.
const ROWS: usize = 1_000;

/// A range's prefix, and whether the issuer has added it itself.
pub(super) type Range = (String, bool);

/// The longest prefix that begins with `w.value`, in the order of texts, is the one that is filled
/// up with nines.
macro_rules! begin_with {
    ($wanted:literal, $second:literal) => {
        concat!(
            "SELECT DISTINCT w.value AS prefix FROM ",
            $wanted,
            " CROSS JOIN account_ranges AS a WHERE a.prefix >= w.value \
             AND a.prefix <= substr(w.value || '99999999', 1, 8) AND a.issuer_id <> ",
            $second
        )
    };
}

macro_rules! equal {
    ($wanted:literal, $second:literal) => {
        concat!(
            "SELECT a.prefix FROM ",
            $wanted,
            " CROSS JOIN account_ranges AS a WHERE a.prefix = w.value AND a.issuer_id <> ",
            $second
        )
    };
}

const BEGIN_SQLITE: &str = begin_with!("json_each(?) AS w", "?");
const BEGIN_POSTGRES: &str = begin_with!("json_array_elements_text($1::json) AS w(value)", "$2");
const EQUAL_SQLITE: &str = equal!("json_each(?) AS w", "?");
const EQUAL_POSTGRES: &str = equal!("json_array_elements_text($1::json) AS w(value)", "$2");

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    prefix: String,
}

/// Looks up ranges of other issuers, inside the transaction that holds the lock.
pub struct Others<'a> {
    conn: &'a mut AnyConnection,
    issuer_id: i32,
}

impl<'a> Others<'a> {
    pub(super) fn than(issuer_id: i32, conn: &'a mut AnyConnection) -> Self {
        Self { conn, issuer_id }
    }

    /// Those of `wanted` (prefixes of 4 to 8 digits) that equal, contain or lie in a range of
    /// another issuer.
    ///
    /// # Errors
    /// The database's.
    pub fn touched(&mut self, wanted: &[&str]) -> Result<HashSet<String>, StoreError> {
        if wanted.is_empty() {
            return Ok(HashSet::new());
        }
        let mut touched = self.look(BEGIN_SQLITE, BEGIN_POSTGRES, &serde_json::json!(wanted))?;
        let beginnings: HashSet<&str> = wanted
            .iter()
            .flat_map(|range| (4..range.len()).filter_map(|length| range.get(..length)))
            .collect();
        let containing = self.look(EQUAL_SQLITE, EQUAL_POSTGRES, &serde_json::json!(beginnings))?;
        touched.extend(
            wanted
                .iter()
                .filter(|range| {
                    (4..range.len())
                        .filter_map(|length| range.get(..length))
                        .any(|beginning| containing.contains(beginning))
                })
                .map(|range| (*range).to_owned()),
        );
        Ok(touched)
    }

    fn look(
        &mut self,
        sqlite: &str,
        postgres: &str,
        prefixes: &serde_json::Value,
    ) -> QueryResult<HashSet<String>> {
        let prefixes = prefixes.to_string();
        let found: Vec<Found> = on_backend!(&mut *self.conn, c => {
            sqlite: diesel::sql_query(sqlite)
                .bind::<Text, _>(prefixes).bind::<Integer, _>(self.issuer_id).load(c)?,
            postgres: diesel::sql_query(postgres)
                .bind::<Text, _>(prefixes).bind::<Integer, _>(self.issuer_id).load(c)?,
        });
        Ok(found.into_iter().map(|found| found.prefix).collect())
    }
}

/// An issuer's ranges, in its order.
pub(super) fn of(conn: &mut AnyConnection, issuer_id: i32) -> QueryResult<Vec<Range>> {
    account_ranges::table
        .filter(account_ranges::issuer_id.eq(issuer_id))
        .order(account_ranges::position)
        .select((account_ranges::prefix, account_ranges::added))
        .load(conn)
}

/// All issuers' ranges, each issuer's in its order.
pub(super) fn all(conn: &mut AnyConnection) -> QueryResult<Vec<(i32, Range)>> {
    account_ranges::table
        .order((account_ranges::issuer_id, account_ranges::position))
        .select((
            account_ranges::issuer_id,
            (account_ranges::prefix, account_ranges::added),
        ))
        .load(conn)
}

/// Deletes all ranges of an issuer.
pub(super) fn delete(conn: &mut AnyConnection, issuer_id: i32) -> QueryResult<()> {
    diesel::delete(account_ranges::table.filter(account_ranges::issuer_id.eq(issuer_id)))
        .execute(conn)?;
    Ok(())
}

/// Deletes some ranges of an issuer.
pub(super) fn withdraw(
    conn: &mut AnyConnection,
    issuer_id: i32,
    prefixes: &[String],
) -> QueryResult<()> {
    for chunk in prefixes.chunks(ROWS) {
        on_backend!(conn, c => {
            sqlite: diesel::delete(some(issuer_id, chunk)).execute(c)?,
            postgres: diesel::delete(some(issuer_id, chunk)).execute(c)?,
        });
    }
    Ok(())
}

#[diesel::dsl::auto_type(no_type_alias)]
fn some<'a>(issuer_id: i32, prefixes: &'a [String]) -> _ {
    account_ranges::table
        .filter(account_ranges::prefix.eq_any(prefixes))
        .filter(account_ranges::issuer_id.eq(issuer_id))
}

/// Adds ranges to an issuer, after those that it has.
pub(super) fn insert<'a>(
    conn: &mut AnyConnection,
    issuer_id: i32,
    ranges: impl Iterator<Item = (&'a str, bool)>,
) -> QueryResult<()> {
    let last: Option<i32> = account_ranges::table
        .filter(account_ranges::issuer_id.eq(issuer_id))
        .select(diesel::dsl::max(account_ranges::position))
        .first(conn)?;
    let first = last.map_or(0, |last| last + 1);
    let rows: Vec<_> = (first..)
        .zip(ranges)
        .map(|(position, (prefix, added))| {
            (
                account_ranges::prefix.eq(prefix),
                account_ranges::issuer_id.eq(issuer_id),
                account_ranges::position.eq(position),
                account_ranges::added.eq(added),
            )
        })
        .collect();
    for chunk in rows.chunks(ROWS) {
        on_backend!(conn, c => {
            sqlite: diesel::insert_into(account_ranges::table).values(chunk.to_vec()).execute(c)?,
            postgres: diesel::insert_into(account_ranges::table).values(chunk.to_vec()).execute(c)?,
        });
    }
    Ok(())
}

/// Whose each declared range is.
#[derive(Default)]
pub(super) struct Owners<'a>(BTreeMap<&'a str, &'a ClientId>);

impl<'a> Owners<'a> {
    /// Notes a range; one that two issuers declare is found by [`find_clash`].
    pub(super) fn insert(&mut self, range: &'a str, owner: &'a ClientId) {
        self.0.insert(range, owner);
    }

    /// Whether a range of somebody else than `owner` equals, contains or lies in `range`.
    pub(super) fn others_touch(&self, range: &str, owner: &ClientId) -> bool {
        let inside = self
            .0
            .range::<str, _>((Bound::Included(range), Bound::Unbounded));
        let mut inside = inside.take_while(|(other, _)| other.starts_with(range));
        inside.any(|(_, other)| *other != owner)
            || beginnings(range).any(|text| self.0.get(text).is_some_and(|other| *other != owner))
    }

    /// Whether `range` lies in a range of `owner`, or is one.
    pub(super) fn covered(&self, range: &str, owner: &ClientId) -> bool {
        beginnings(range)
            .chain([range])
            .any(|text| self.0.get(text).is_some_and(|other| *other == owner))
    }
}

/// Every text that `range` begins with and that is shorter.
fn beginnings(range: &str) -> impl Iterator<Item = &str> {
    (1..range.len()).filter_map(|length| range.get(..length))
}

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
