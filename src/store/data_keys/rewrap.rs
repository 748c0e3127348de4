//! Wraps data keys under another KEK, all in one transaction.

use super::{DataKeyRow, load};
use crate::store::audit::AuditDraft;
use crate::store::error::StoreError;
use crate::store::pool::Store;
use crate::store::schema::data_keys;
use diesel::prelude::*;

/// What became of another wrapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rewrapped {
    /// Done, in one commit with its audit entry.
    Done,
    /// The data keys are not those that were read: nothing was written. Read them and try again.
    Changed,
}

impl Store {
    /// Replaces `kek_id` and `wrapped` of data keys. `read` is every data key as it was read,
    /// `rewrapped` those of them that change.
    ///
    /// Compares before it sets: where any data key has come or changed since it was read, nothing
    /// is written, so that neither a concurrent change is lost nor a key left under the former KEK.
    /// The generation stays: which key seals and indexes has not changed, and nodes hold them
    /// unwrapped.
    pub async fn rewrap_data_keys(
        &self,
        read: Vec<DataKeyRow>,
        rewrapped: Vec<DataKeyRow>,
        audit: AuditDraft,
    ) -> Result<Rewrapped, StoreError> {
        self.change_data_keys(move |conn| {
            if load(conn)? != read {
                return Ok((Rewrapped::Changed, Vec::new()));
            }
            for key in &rewrapped {
                diesel::update(data_keys::table.find((&key.purpose, key.version)))
                    .set((
                        data_keys::kek_id.eq(&key.kek_id),
                        data_keys::wrapped.eq(&key.wrapped),
                    ))
                    .execute(conn)?;
            }
            Ok((Rewrapped::Done, vec![audit.clone()]))
        })
        .await
    }
}
