//! Statements over arrays for PostgreSQL: one array per column, so that the statement is the same
//! for every batch size.
//!
//! A statement on a table that is distributed by issuer is one issuer's: [`by_issuer`] cuts a
//! batch, and [`Unnest::of`] binds the issuer. A distributed PostgreSQL then runs it on the one
//! shard that holds this issuer (docs/architecture.md, "Distribution").
//!
//! `diesel::sql_query` is never prepared (it marks itself as unsafe to cache); this fragment is:
//! Diesel caches it per connection by its text.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::Error::QueryBuilderError;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, Text};
use std::borrow::Cow;
use std::marker::PhantomData;

/// One column of all rows. The arrays of a statement are of one length.
pub(crate) enum UnnestColumn<'a> {
    Integer(Vec<i32>),
    MaybeInteger(Vec<Option<i32>>),
    BigInt(Vec<i64>),
    Bool(Vec<bool>),
    Text(Vec<&'a str>),
    MaybeText(Vec<Option<&'a str>>),
    Bytes(Vec<&'a [u8]>),
    MaybeBytes(Vec<Option<&'a [u8]>>),
}

/// A text in which `{rows}` stands for the arrays, separated by commas, and `{owner}` for the
/// issuer whose rows they are. `Row` is the SQL type of what it returns.
pub(crate) struct Unnest<'a, Row> {
    text: Cow<'static, str>,
    owner: Option<i32>,
    columns: Vec<UnnestColumn<'a>>,
    row: PhantomData<Row>,
}

impl<'a, Row> Unnest<'a, Row> {
    /// A statement on rows that belong to no issuer.
    pub(crate) fn new(text: impl Into<Cow<'static, str>>, columns: Vec<UnnestColumn<'a>>) -> Self {
        Self {
            text: text.into(),
            owner: None,
            columns,
            row: PhantomData,
        }
    }

    /// A statement on rows of one issuer, or of one app of the users API.
    pub(crate) fn of(
        owner: i32,
        text: impl Into<Cow<'static, str>>,
        columns: Vec<UnnestColumn<'a>>,
    ) -> Self {
        Self {
            owner: Some(owner),
            ..Self::new(text, columns)
        }
    }
}

/// Cuts rows that are sorted by issuer into those of each issuer.
pub(crate) fn by_issuer<T>(rows: &[T], issuer_id: impl Fn(&T) -> i32) -> Vec<(i32, &[T])> {
    rows.chunk_by(|one, next| issuer_id(one) == issuer_id(next))
        .filter_map(|own| Some((issuer_id(own.first()?), own)))
        .collect()
}

impl<Row> QueryFragment<Pg> for Unnest<'_, Row> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut rest: &str = &self.text;
        while let Some((before, from)) = rest.split_once('{') {
            let (name, after) = from.split_once('}').unwrap_or((from, ""));
            out.push_sql(before);
            match (name, &self.owner) {
                ("rows", _) => push_rows(&self.columns, &mut out)?,
                ("owner", Some(owner)) => out.push_bind_param::<Integer, _>(owner)?,
                _ => return Err(QueryBuilderError(format!("nothing for {name}").into())),
            }
            rest = after;
        }
        out.push_sql(rest);
        Ok(())
    }
}

fn push_rows<'b>(
    columns: &'b [UnnestColumn<'_>],
    out: &mut AstPass<'_, 'b, Pg>,
) -> QueryResult<()> {
    let mut separator = "";
    for column in columns {
        out.push_sql(separator);
        separator = ", ";
        match column {
            UnnestColumn::Integer(v) => out.push_bind_param::<Array<Integer>, _>(v)?,
            UnnestColumn::MaybeInteger(v) => {
                out.push_bind_param::<Array<Nullable<Integer>>, _>(v)?
            }
            UnnestColumn::Bool(v) => out.push_bind_param::<Array<Bool>, _>(v)?,
            UnnestColumn::BigInt(v) => out.push_bind_param::<Array<BigInt>, _>(v)?,
            UnnestColumn::Text(v) => out.push_bind_param::<Array<Text>, _>(v)?,
            UnnestColumn::MaybeText(v) => out.push_bind_param::<Array<Nullable<Text>>, _>(v)?,
            UnnestColumn::Bytes(v) => out.push_bind_param::<Array<Binary>, _>(v)?,
            UnnestColumn::MaybeBytes(v) => out.push_bind_param::<Array<Nullable<Binary>>, _>(v)?,
        }
    }
    Ok(())
}

impl<Row> QueryId for Unnest<'_, Row> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Row> Query for Unnest<'_, Row> {
    type SqlType = Row;
}

impl<Row> RunQueryDsl<PgConnection> for Unnest<'_, Row> {}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::debug_query;

    #[test]
    fn names_in_the_text_become_parameters() {
        let columns = || {
            vec![
                UnnestColumn::Text(vec!["a", "b"]),
                UnnestColumn::BigInt(vec![1, 2]),
            ]
        };
        let text = "SELECT {owner} FROM unnest({rows}) WHERE issuer_id = {owner}";
        let query = Unnest::<Integer>::of(7, text, columns());
        let shown = debug_query::<Pg, _>(&query).to_string();
        assert_eq!(
            shown,
            "SELECT $1 FROM unnest($2, $3) WHERE issuer_id = $4 \
             -- binds: [7, [\"a\", \"b\"], [1, 2], 7]"
        );
        // What belongs to an issuer is not run without one.
        let query = Unnest::<Integer>::new(text, columns());
        let unfit =
            QueryFragment::<Pg>::to_sql(&query, &mut diesel::pg::PgQueryBuilder::default(), &Pg);
        assert!(unfit.is_err());
    }

    #[test]
    fn rows_are_cut_by_issuer() {
        let rows = [(1, 'a'), (1, 'b'), (3, 'c')];
        let cut = by_issuer(&rows, |row| row.0);
        assert_eq!(cut, [(1, &rows[..2]), (3, &rows[2..])]);
        assert!(by_issuer(&[] as &[(i32, char)], |row| row.0).is_empty());
    }
}
