//! Changes the keys of the data at rest while nodes serve: the work of the `vault` commands.
//!
//! A change of keys is a change of rows in `data_keys`. It takes effect on all nodes at once:
//!
//! - [`primary`]: new primary data keys
//! - [`kek`]: all data keys under another KEK
//!
//! Then a pass brings the stored rows under the new keys:
//!
//! - [`reseal`] seals every row under the primary data key, and [`reindex`] makes every blind index
//!   under the primary index key. Each sweeps until no row is left under an older key, then retires
//!   the older keys
//! - [`verify`] opens every sealed column and makes every blind index again
//!
//! The MACs of purges in the audit trail are under data keys, too: `reseal` makes them anew, and
//! `verify` checks them.
//!
//! A pass may be interrupted at any moment and run again, and two may run at once. The rows
//! themselves show which of them are still to be done. Each transaction rewrites a few rows.

mod anchors;
pub mod kek;
mod pass;
pub mod primary;
mod row;
mod rows;
mod verify;

pub use crate::store::pace::Limits;
pub use row::Misfit;
pub use rows::{Passed, reindex, reseal};
pub use verify::{Verified, verify};

use crate::store::audit::{AuditDraft, Broken};
use crate::store::passes::RowKey;

/// What turns up on the way.
#[derive(Debug)]
pub enum Event<'a> {
    /// About so many rows are to be done: for a progress bar.
    RowsToDo(u64),
    /// So many more rows are done.
    Rows(u64),
    /// A row does not fit; said once of each.
    Misfit {
        /// Which.
        key: &'a RowKey,
        /// Why.
        misfit: &'a Misfit,
    },
    /// The keyed anchor of a purge in the audit trail does not fit.
    Anchor {
        /// The chain that it is of.
        chain: &'a str,
        /// Why.
        broken: &'a Broken,
    },
}

/// Gets the events of a pass.
pub type Observer<'a> = &'a mut dyn FnMut(Event<'_>);

/// The audit entry of a walk over the rows: a refusal where some do not fit.
pub(crate) fn entry(action: &str, rows: u64, misfits: u64) -> AuditDraft {
    let entry = AuditDraft {
        detail: Some(format!("rows={rows} misfits={misfits}")),
        ..AuditDraft::local(action)
    };
    match misfits {
        0 => entry,
        _ => entry.refused("rows-do-not-fit"),
    }
}
