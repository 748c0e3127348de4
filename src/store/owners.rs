//! Which issuers have rows in a table that is distributed by issuer.
//!
//! A statement that writes or locks such rows names one issuer, so work on all of them goes from
//! issuer to issuer. The table itself says who comes next: not only the issuers that are known
//! count, because data keys are wiped once no row needs them.

use super::connection::AnyConnection;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Nullable};

#[derive(QueryableByName)]
struct Next {
    #[diesel(sql_type = Nullable<Integer>)]
    owner: Option<i32>,
}

/// The first owner after `after` that has rows: one look-up in the primary key. `column` is the
/// table's first key column.
pub(super) fn next(
    conn: &mut AnyConnection,
    table: &str,
    column: &str,
    after: i32,
) -> QueryResult<Option<i32>> {
    let text = format!("SELECT min({column}) AS owner FROM {table} WHERE {column} > $1");
    let next: Next = diesel::sql_query(text)
        .bind::<Integer, _>(after)
        .get_result(conn)?;
    Ok(next.owner)
}
