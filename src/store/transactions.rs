//! Cardholders' transactions as the store sees them: sealed ledgers and months, by cardholder.
//!
//! What is in them is decided above: a [`Book`] gets the rows that the transaction has locked, and
//! says which are to be written. [`rows`] has the statements.

mod rewrite;
pub(super) mod rows;

pub use rewrite::Rewritten;

use super::data_keys::FormerIndex;
use super::error::StoreError;
use super::pool::Store;
use super::retained::RetainedRow;
use super::schema::{transaction_ledgers, transaction_months};
use crate::ids::{CardholderId, IssuerId};
use diesel::prelude::*;
use std::fmt;
use std::sync::Arc;

/// Transactions of an issuer's cardholders, to be entered into their months.
#[derive(Clone)]
pub struct Posting {
    /// Whose cardholders they are.
    pub issuer_id: IssuerId,
    /// Cardholders of a lower epoch have to enrol again first.
    pub epoch: i32,
    /// Whose transactions they are, each once.
    pub holders: Vec<HolderKey>,
    /// How many transactions.
    pub items: usize,
    /// Decides what is written.
    pub book: Arc<dyn Book>,
}

impl fmt::Debug for Posting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Posting({} items)", self.items)
    }
}

/// How a transaction names its cardholder.
#[derive(Debug, Clone)]
pub enum HolderKey {
    /// By id.
    Id(CardholderId),
    /// By the card's blind index, its key's version, and the same under the former index key.
    Card {
        /// HMAC-SHA-256.
        index: [u8; 32],
        /// Version of the key.
        key: i32,
        /// While an index rotation is under way.
        former: Option<FormerIndex>,
    },
}

/// An active cardholder.
#[derive(Debug, Clone)]
pub struct Holder {
    /// Who.
    pub user_id: CardholderId,
    /// When enrolled first, microseconds since 1970 UTC.
    pub enrolled_at: i64,
}

/// A ledger as it is stored.
#[derive(Debug, Clone)]
pub struct LedgerRow {
    /// Whose.
    pub user_id: String,
    /// Sealed.
    pub content: Vec<u8>,
}

/// A month as it is stored.
#[derive(Debug, Clone)]
pub struct MonthRow {
    /// Whose.
    pub user_id: String,
    /// Which.
    pub month: i32,
    /// Sealed.
    pub content: Vec<u8>,
}

/// Rows to be written, new or anew.
#[derive(Debug, Default)]
pub struct Entries {
    /// Ledgers, with the version of the data key that sealed them.
    pub ledgers: Vec<(LedgerRow, i32)>,
    /// Months, with the version of the data key that sealed them.
    pub months: Vec<(MonthRow, i32)>,
    /// Transactions of cards that are not enrolled.
    pub retained: Vec<RetainedRow>,
    /// Microseconds since 1970 UTC.
    pub at: i64,
}

/// A stored value that cannot be used: the posting fails, and nothing is written. The text is for
/// the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookError(pub &'static str);

impl From<BookError> for diesel::result::Error {
    fn from(error: BookError) -> Self {
        Self::QueryBuilderError(error.0.into())
    }
}

/// Decides what a posting writes. Called inside of the transaction, and again if it is begun again.
pub trait Book: Send + Sync {
    /// `holders` are as those of the posting, `None` for those who are not active cardholders.
    /// `ledgers` are locked; cardholders without one have none yet.
    ///
    /// # Errors
    /// A ledger cannot be used.
    fn open(
        &self,
        holders: &[Option<Holder>],
        ledgers: Vec<LedgerRow>,
    ) -> Result<Box<dyn OpenBook>, BookError>;
}

/// A [`Book`] whose ledgers are locked.
pub trait OpenBook {
    /// The months that it has to see, each once.
    fn months(&self) -> Vec<(String, i32)>;

    /// What is to be written, given those of the months that exist.
    ///
    /// # Errors
    /// A month cannot be used.
    fn close(self: Box<Self>, months: Vec<MonthRow>) -> Result<Entries, BookError>;
}

/// One month of a cardholder.
#[derive(Debug, Clone, Queryable)]
pub struct MonthOfOne {
    /// Which.
    pub month: i32,
    /// Sealed.
    pub content: Vec<u8>,
    /// When it was last written, microseconds since 1970 UTC.
    pub updated_at: i64,
}

/// All that is stored of a cardholder's transactions: the ledger, and the months from `first` on,
/// in order. `None`: there is no ledger.
pub type StoredTransactions = Option<(Vec<u8>, Vec<MonthOfOne>)>;

impl Store {
    /// A cardholder's ledger and months, of one moment.
    ///
    /// # Errors
    /// What the database says.
    pub async fn transactions_of(
        &self,
        issuer_id: IssuerId,
        user_id: &CardholderId,
        first: i32,
    ) -> Result<StoredTransactions, StoreError> {
        let user_id = user_id.as_str().to_owned();
        self.read(move |conn| {
            // The ledger is read twice: whoever changes months locks it, and writes it with them.
            // So what was the same before and after holds for the months between.
            loop {
                let ledger = || {
                    transaction_ledgers::table
                        .find((issuer_id.0, &user_id))
                        .select(transaction_ledgers::content)
                };
                let Some(before) = ledger().first::<Vec<u8>>(conn).optional()? else {
                    return Ok(None);
                };
                let months = transaction_months::table
                    .filter(transaction_months::issuer_id.eq(issuer_id.0))
                    .filter(transaction_months::user_id.eq(&user_id))
                    .filter(transaction_months::month.ge(first))
                    .select((
                        transaction_months::month,
                        transaction_months::content,
                        transaction_months::updated_at,
                    ))
                    .order(transaction_months::month)
                    .load::<MonthOfOne>(conn)?;
                let after: Option<Vec<u8>> = ledger().first(conn).optional()?;
                if after.as_ref() == Some(&before) {
                    return Ok(Some((before, months)));
                }
            }
        })
        .await
    }

    /// A cardholder's month as it is stored.
    ///
    /// # Errors
    /// What the database says.
    pub async fn transaction_month(
        &self,
        issuer_id: IssuerId,
        user_id: &CardholderId,
        month: i32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let user_id = user_id.as_str().to_owned();
        self.read(move |conn| {
            let month = transaction_months::table
                .find((issuer_id.0, &user_id, month))
                .select(transaction_months::content)
                .first(conn)
                .optional()?;
            Ok(month)
        })
        .await
    }
}
