//! Wraps every data key under the configured KEK.

use crate::store::audit::AuditDraft;
use crate::store::data_keys::{DataKeyRow, Rewrapped};
use crate::store::{Store, StoreError};
use crate::vault::{Keks, VaultError};

/// How often the data keys may change under it before it gives up.
const ATTEMPTS: usize = 10;

/// Wraps every data key that is not retired under the primary KEK, all in one transaction, and
/// reads them again to see that they open. Returns how many were wrapped anew: 0 if all had been
/// before.
///
/// Running nodes are not touched: they hold the data keys unwrapped.
///
/// # Errors
/// [`VaultError::WrongKek`] if a data key is wrapped with a KEK that is not at hand; nothing is
/// written then but the refusal in the audit trail.
pub async fn rotate(store: &Store, keks: &Keks) -> Result<usize, VaultError> {
    let audit = || AuditDraft {
        subject: Some(keks.primary().id().to_owned()),
        ..AuditDraft::local("vault.rotate-kek")
    };
    for _ in 0..ATTEMPTS {
        let read = store.data_keys().await?;
        let rewrapped = match rewrap(&read, keks) {
            Ok(rewrapped) => rewrapped,
            Err(error) => {
                store.record(audit().refused(error.reason())).await?;
                return Err(error);
            }
        };
        let count = rewrapped.len();
        if count == 0 {
            return Ok(0);
        }
        let audit = AuditDraft {
            detail: Some(format!("data-keys={count}")),
            ..audit()
        };
        match store.rewrap_data_keys(read, rewrapped, audit).await? {
            Rewrapped::Changed => {}
            Rewrapped::Done => {
                rewrap(&store.data_keys().await?, keks)?;
                return Ok(count);
            }
        }
    }
    Err(StoreError::Busy.into())
}

/// Those that are to change. Fails if any that is not retired does not open.
fn rewrap(read: &[DataKeyRow], keks: &Keks) -> Result<Vec<DataKeyRow>, VaultError> {
    let in_force = read.iter().filter(|key| !key.is_retired());
    in_force
        .filter_map(|key| keks.rewrap(key).transpose())
        .collect()
}
