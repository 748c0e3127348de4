//! `INSERT ... SELECT FROM unnest($1, $2, ...)` for PostgreSQL: one array per column, so that the
//! statement is the same for every batch size.
//!
//! `diesel::sql_query` is never prepared (it marks itself as unsafe to cache); this fragment is:
//! Diesel caches it per connection by its text.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
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

/// `head`, the arrays separated by commas, `tail`. `Row` is the SQL type of what it returns.
pub(crate) struct Unnest<'a, Row> {
    head: Cow<'static, str>,
    owner: Option<i32>,
    columns: Vec<UnnestColumn<'a>>,
    tail: Cow<'static, str>,
    row: PhantomData<Row>,
}

impl<'a, Row> Unnest<'a, Row> {
    pub(crate) fn new(
        head: impl Into<Cow<'static, str>>,
        columns: Vec<UnnestColumn<'a>>,
        tail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            head: head.into(),
            owner: None,
            columns,
            tail: tail.into(),
            row: PhantomData,
        }
    }
}

impl<'a, Row> Unnest<'a, Row> {
    pub(crate) fn of(
        owner: i32,
        text: impl Into<Cow<'static, str>>,
        columns: Vec<UnnestColumn<'a>>,
    ) -> Self {
        Self {
            owner: Some(owner),
            ..Self::new(text, columns, "")
        }
    }
}

impl<Row> Unnest<'_, Row> {
    fn walk_owned<'b>(&'b self, owner: &'b i32, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut rest: &str = &self.head;
        while let Some((before, from)) = rest.split_once('{') {
            let (name, after) = from.split_once('}').unwrap_or((from, ""));
            out.push_sql(before);
            match name {
                "owner" => out.push_bind_param::<Integer, _>(owner)?,
                _ => self.push_rows(&mut out)?,
            }
            rest = after;
        }
        out.push_sql(rest);
        Ok(())
    }
}

impl<Row> QueryFragment<Pg> for Unnest<'_, Row> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        if let Some(owner) = &self.owner {
            return self.walk_owned(owner, out);
        }
        out.push_sql(&self.head);
        self.push_rows(&mut out)?;
        out.push_sql(&self.tail);
        Ok(())
    }
}

impl<Row> Unnest<'_, Row> {
    fn push_rows<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut separator = "";
        for column in &self.columns {
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
                UnnestColumn::MaybeBytes(v) => {
                    out.push_bind_param::<Array<Nullable<Binary>>, _>(v)?
                }
            }
        }
        Ok(())
    }
}

impl<Row> QueryId for Unnest<'_, Row> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Row> Query for Unnest<'_, Row> {
    type SqlType = Row;
}

impl<Row> RunQueryDsl<PgConnection> for Unnest<'_, Row> {}
