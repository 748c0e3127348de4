//! The columns of a file: those of the API, in any order.

use super::fields::{Fields, MOST};
use super::row::Row;
use super::{Fault, What, rejected};

/// A column that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    TransactionId,
    UserId,
    CardNumber,
    Mcc,
    Amount,
    Currency,
    Date,
    Indicator,
    Country,
    Original,
    Merchant,
    Brand,
}

/// How many there are.
pub(super) const COLUMNS: usize = 12;

impl Column {
    const ALL: [Self; COLUMNS] = [
        Self::TransactionId,
        Self::UserId,
        Self::CardNumber,
        Self::Mcc,
        Self::Amount,
        Self::Currency,
        Self::Date,
        Self::Indicator,
        Self::Country,
        Self::Original,
        Self::Merchant,
        Self::Brand,
    ];

    const REQUIRED: [Self; 5] = [
        Self::TransactionId,
        Self::Mcc,
        Self::Amount,
        Self::Currency,
        Self::Date,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::TransactionId => "transactionId",
            Self::UserId => "userid",
            Self::CardNumber => "cardNumber",
            Self::Mcc => "mcc",
            Self::Amount => "amountValue",
            Self::Currency => "amountCurrencyCode",
            Self::Date => "date",
            Self::Indicator => "indicator",
            Self::Country => "countryISOCode",
            Self::Original => "originalTransactionId",
            Self::Merchant => "merchantName",
            Self::Brand => "cardBrand",
        }
    }
}

/// The columns in the file's order.
pub(super) struct Header(Vec<Column>);

impl Header {
    /// From the fields of the first line; the error quotes none of them, for a file without a
    /// header begins with a transaction.
    pub(super) fn read<'f>(names: impl Iterator<Item = &'f str>) -> Result<Self, String> {
        let mut columns = Vec::with_capacity(MOST);
        for (name, place) in names.zip(1..) {
            let column = Column::ALL
                .into_iter()
                .find(|column| column.name().eq_ignore_ascii_case(name.trim()))
                .ok_or_else(|| {
                    let known = Column::ALL.map(Column::name).join(", ");
                    format!("column {place} is none of {known}")
                })?;
            if columns.contains(&column) {
                return Err(format!("{} is there twice", column.name()));
            }
            columns.push(column);
        }
        let missing = Column::REQUIRED
            .into_iter()
            .find(|column| !columns.contains(column));
        if let Some(column) = missing {
            return Err(format!("{} is missing", column.name()));
        }
        if !columns.contains(&Column::UserId) && !columns.contains(&Column::CardNumber) {
            return Err("userid or cardNumber is missing".to_owned());
        }
        Ok(Self(columns))
    }

    /// What a line is.
    pub(super) fn row(&self, fields: &mut Fields, line: &[u8]) -> What {
        let split = match fields.split(line) {
            Ok(split) => split,
            Err(fault) => return rejected(fault),
        };
        if split.count() != self.0.len() {
            let rule = format!("must have {} fields, has {}", self.0.len(), split.count());
            return rejected(Fault::whole(rule));
        }
        let mut row = Row::default();
        for (column, text) in self.0.iter().zip(split.iter()) {
            row.set(*column, text);
        }
        row.read()
    }
}
