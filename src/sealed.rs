//! The names of sealed tables and columns, each in this one place, and how a sealed value begins.
//!
//! The vault binds a value to its column's name, the store's passes go through tables and columns,
//! and the rotation seals them anew: all of them ask here. A sealed value begins with its key's
//! version ([`version_bytes`]), so the database can compare versions without opening anything.

/// Length of the key version that a sealed value begins with, in bytes.
pub const VERSION_LENGTH: usize = 4;

/// What a value sealed under this version of a data key begins with: the number, big-endian, so
/// that the database's order of bytes is the order of versions.
pub fn version_bytes(version: i32) -> [u8; VERSION_LENGTH] {
    version.to_be_bytes()
}

/// The version of the data key that sealed this, if it is a sealed value at all.
pub fn version_of(sealed: &[u8]) -> Option<i32> {
    let version = sealed.first_chunk::<VERSION_LENGTH>()?;
    Some(i32::from_be_bytes(*version))
}

/// A table with sealed columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SealedTable {
    /// `users`.
    Cardholders,
    /// `cards`.
    Cards,
    /// `directory_users`.
    DirectoryUsers,
    /// `transaction_ledgers`.
    TransactionLedgers,
    /// `transaction_months`.
    TransactionMonths,
    /// `retained_transactions`.
    RetainedTransactions,
}

impl SealedTable {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Cardholders,
        Self::Cards,
        Self::DirectoryUsers,
        Self::TransactionLedgers,
        Self::TransactionMonths,
        Self::RetainedTransactions,
    ];

    /// Its name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cardholders => "users",
            Self::Cards => "cards",
            Self::DirectoryUsers => "directory_users",
            Self::TransactionLedgers => "transaction_ledgers",
            Self::TransactionMonths => "transaction_months",
            Self::RetainedTransactions => "retained_transactions",
        }
    }

    /// Its sealed columns, in the order in which rows of a pass have them.
    pub fn columns(self) -> &'static [SealedColumn] {
        match self {
            Self::Cardholders => &[
                SealedColumn::CardholderName,
                SealedColumn::CardholderEmail,
                SealedColumn::CardholderPhone,
                SealedColumn::CardholderBillingAddress,
                SealedColumn::CardholderLocale,
            ],
            Self::Cards => &[SealedColumn::Card],
            Self::DirectoryUsers => &[
                SealedColumn::DirectoryName,
                SealedColumn::DirectoryFirstName,
                SealedColumn::DirectoryLastName,
                SealedColumn::DirectoryUsername,
                SealedColumn::DirectoryEmail,
                SealedColumn::DirectoryMetadata,
            ],
            Self::TransactionLedgers => &[SealedColumn::TransactionLedger],
            Self::TransactionMonths => &[SealedColumn::TransactionMonth],
            Self::RetainedTransactions => &[SealedColumn::RetainedTransaction],
        }
    }

    /// Its blind index; `None` if its rows are found by their key alone.
    pub fn index(self) -> Option<IndexColumns> {
        let (bytes, version, of, kind) = match self {
            Self::Cardholders => (
                "email_index",
                "email_index_key",
                SealedColumn::CardholderEmail,
                IndexKind::CardholderEmail,
            ),
            Self::Cards => (
                "pan_index",
                "pan_index_key",
                SealedColumn::Card,
                IndexKind::Pan,
            ),
            Self::DirectoryUsers => (
                "email_index",
                "email_index_key",
                SealedColumn::DirectoryEmail,
                IndexKind::DirectoryEmail,
            ),
            // The index of kept transactions is made of a card number that they do not have: an
            // index rotation leaves them behind.
            Self::TransactionLedgers | Self::TransactionMonths | Self::RetainedTransactions => {
                return None;
            }
        };
        Some(IndexColumns {
            bytes,
            version,
            of,
            kind,
        })
    }

    /// Its primary key.
    pub fn key(self) -> KeyColumns {
        let (owner, id, part) = match self {
            Self::Cardholders | Self::Cards | Self::TransactionLedgers => {
                ("issuer_id", "user_id", None)
            }
            Self::TransactionMonths => ("issuer_id", "user_id", Some("month")),
            Self::RetainedTransactions => ("issuer_id", "retained_id", None),
            Self::DirectoryUsers => ("app_id", "klaim_id", None),
        };
        KeyColumns { owner, id, part }
    }
}

/// The columns of a blind index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexColumns {
    /// The index itself.
    pub bytes: &'static str,
    /// The version of the key that it was made with.
    pub version: &'static str,
    /// The sealed column that it is made of.
    pub of: SealedColumn,
    /// What in that column.
    pub kind: IndexKind,
}

/// What a blind index is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexKind {
    /// A cardholder's e-mail address.
    CardholderEmail,
    /// The number on a card.
    Pan,
    /// The e-mail address of a record of the users API.
    DirectoryEmail,
}

/// The columns of a primary key, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyColumns {
    /// The owner's number: the issuer, or the app of the users API.
    pub owner: &'static str,
    /// The id within the owner: of a cardholder, or of a record.
    pub id: &'static str,
    /// An integer that tells apart the rows of one id; `None` if an id has one row.
    pub part: Option<&'static str>,
}

/// The sealed columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedColumn {
    /// `users.name`.
    CardholderName,
    /// `users.email`.
    CardholderEmail,
    /// `users.phone`.
    CardholderPhone,
    /// `users.billing_address`.
    CardholderBillingAddress,
    /// `users.locale`.
    CardholderLocale,
    /// `cards.card`.
    Card,
    /// `directory_users.name`.
    DirectoryName,
    /// `directory_users.first_name`.
    DirectoryFirstName,
    /// `directory_users.last_name`.
    DirectoryLastName,
    /// `directory_users.username`.
    DirectoryUsername,
    /// `directory_users.email`.
    DirectoryEmail,
    /// `directory_users.metadata`.
    DirectoryMetadata,
    /// `transaction_ledgers.content`.
    TransactionLedger,
    /// `transaction_months.content`.
    TransactionMonth,
    /// `retained_transactions.content`.
    RetainedTransaction,
}

impl SealedColumn {
    /// Table and column. Part of the AAD of every value on disk: never change one.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CardholderName => "users.name",
            Self::CardholderEmail => "users.email",
            Self::CardholderPhone => "users.phone",
            Self::CardholderBillingAddress => "users.billing_address",
            Self::CardholderLocale => "users.locale",
            Self::Card => "cards.card",
            Self::DirectoryName => "directory_users.name",
            Self::DirectoryFirstName => "directory_users.first_name",
            Self::DirectoryLastName => "directory_users.last_name",
            Self::DirectoryUsername => "directory_users.username",
            Self::DirectoryEmail => "directory_users.email",
            Self::DirectoryMetadata => "directory_users.metadata",
            Self::TransactionLedger => "transaction_ledgers.content",
            Self::TransactionMonth => "transaction_months.content",
            Self::RetainedTransaction => "retained_transactions.content",
        }
    }

    /// Whether each of its values is sealed under a key of its row, made from the data key: so
    /// often is it written again, or so many rows there are.
    pub fn has_row_keys(self) -> bool {
        matches!(
            self,
            Self::TransactionLedger | Self::TransactionMonth | Self::RetainedTransaction
        )
    }

    /// The column's name in its table.
    pub fn name(self) -> &'static str {
        let whole = self.as_str();
        whole.split_once('.').map_or(whole, |(_, column)| column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values on disk are bound to these texts.
    #[test]
    fn the_names_on_disk_are_these() {
        let names = SealedTable::ALL.map(|table| {
            let columns = table.columns().iter();
            columns.map(|column| column.as_str()).collect::<Vec<_>>()
        });
        let [cardholders, cards, directory, ledgers, months, retained] = names;
        assert_eq!(
            cardholders,
            [
                "users.name",
                "users.email",
                "users.phone",
                "users.billing_address",
                "users.locale"
            ]
        );
        assert_eq!(cards, ["cards.card"]);
        assert_eq!(ledgers, ["transaction_ledgers.content"]);
        assert_eq!(months, ["transaction_months.content"]);
        assert_eq!(retained, ["retained_transactions.content"]);
        assert_eq!(
            directory,
            [
                "directory_users.name",
                "directory_users.first_name",
                "directory_users.last_name",
                "directory_users.username",
                "directory_users.email",
                "directory_users.metadata"
            ]
        );
    }

    #[test]
    fn a_column_is_named_after_its_table() {
        for table in SealedTable::ALL {
            for column in table.columns() {
                let whole = format!("{}.{}", table.name(), column.name());
                assert_eq!(column.as_str(), whole);
            }
            let indexed = table.index().map(|index| index.of);
            assert!(indexed.is_none_or(|column| table.columns().contains(&column)));
        }
    }

    #[test]
    fn versions_are_ordered_as_bytes_are() {
        let versions = [1, 2, 255, 256, 65_536, i32::MAX];
        assert!(versions.is_sorted_by_key(|version| version_bytes(*version)));
        assert!(versions.map(|v| version_of(&version_bytes(v))) == versions.map(Some));
        assert_eq!(version_of(b"abc"), None);
    }
}
