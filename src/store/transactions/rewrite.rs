//! Every ledger of an issuer with its months, written anew while nodes serve.

use super::rows;
use super::{Book, LedgerRow};
use crate::ids::IssuerId;
use crate::store::error::StoreError;
use crate::store::fence;
use crate::store::pool::Store;
use crate::store::schema::transaction_ledgers;
use diesel::prelude::*;
use std::sync::Arc;

/// What became of a rewriting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rewritten {
    /// It is committed.
    Done,
    /// The data keys have changed: nothing is written, and it is to be sealed anew.
    StaleKeys,
}

impl Store {
    /// The ledgers of an issuer after `user_id` (an empty text: from the first on), at most
    /// `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn ledgers_after(
        &self,
        issuer_id: IssuerId,
        user_id: &str,
        limit: i64,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        let user_id = user_id.to_owned();
        self.read(move |conn| {
            let rows: Vec<(String, Vec<u8>)> = transaction_ledgers::table
                .filter(transaction_ledgers::issuer_id.eq(issuer_id.0))
                .filter(transaction_ledgers::user_id.gt(&user_id))
                .order(transaction_ledgers::user_id)
                .limit(limit)
                .select((transaction_ledgers::user_id, transaction_ledgers::content))
                .load(conn)?;
            Ok(rows.into_iter().map(ledger).collect())
        })
        .await
    }

    /// How many of the ledgers of an issuer come after `user_id`, counted up to `most`, and the
    /// last of them.
    ///
    /// # Errors
    /// What the database says.
    pub async fn count_ledgers_after(
        &self,
        issuer_id: IssuerId,
        user_id: &str,
        most: i64,
    ) -> Result<(i64, Option<String>), StoreError> {
        let user_id = user_id.to_owned();
        self.read(move |conn| {
            let ids: Vec<String> = transaction_ledgers::table
                .filter(transaction_ledgers::issuer_id.eq(issuer_id.0))
                .filter(transaction_ledgers::user_id.gt(&user_id))
                .order(transaction_ledgers::user_id)
                .limit(most)
                .select(transaction_ledgers::user_id)
                .load(conn)?;
            let count = i64::try_from(ids.len()).unwrap_or(most);
            Ok((count, ids.into_iter().next_back()))
        })
        .await
    }

    /// Locks these ledgers, and lets `book` write them and their months anew, sealed under the data
    /// keys of `generation`. Whoever enters transactions waits, or is waited for.
    ///
    /// # Errors
    /// What the database says; what the book cannot read.
    pub async fn rewrite_ledgers(
        &self,
        issuer_id: IssuerId,
        user_ids: Vec<String>,
        generation: i64,
        book: Arc<dyn Book>,
    ) -> Result<Rewritten, StoreError> {
        self.maintain(move |conn| {
            fence::join(conn)?;
            if fence::generation(conn)? != generation {
                return Ok(Rewritten::StaleKeys);
            }
            // In the order in which the writer locks them: nobody can deadlock.
            let user_ids = user_ids.iter().map(String::as_str).collect();
            let ledgers = rows::lock(conn, issuer_id.0, &user_ids)?;
            let open = book
                .open(&[], ledgers)
                .map_err(diesel::result::Error::from)?;
            let months = rows::months(conn, issuer_id.0, &open.months())?;
            let entries = open.close(months).map_err(diesel::result::Error::from)?;
            rows::put(conn, issuer_id.0, entries)?;
            Ok(Rewritten::Done)
        })
        .await
    }
}

fn ledger((user_id, content): (String, Vec<u8>)) -> LedgerRow {
    LedgerRow { user_id, content }
}
