//! The donation toggle (cce-api.md 7.1).

use super::{IssuerStatus, apply, raise_version};
use crate::ids::{ClientId, IssuerId};
use crate::store::audit::AuditDraft;
use crate::store::error::StoreError;
use crate::store::pool::Store;
use crate::store::schema::issuers;
use diesel::prelude::*;

/// What became of a toggle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toggled {
    /// There is no such issuer.
    Unknown,
    /// It was so already.
    Unchanged,
    /// Done. ON after OFF: every user enrolled before has to enrol again.
    Changed,
}

impl Store {
    /// Turns an issuer's donation feature on or off.
    ///
    /// ON after OFF raises the issuer's epoch; the rows of its users stay untouched, however many
    /// they are.
    pub async fn set_donation(
        &self,
        client_id: &ClientId,
        on: bool,
        audit: AuditDraft,
    ) -> Result<Toggled, StoreError> {
        let client_id = client_id.as_str().to_owned();
        let at = audit.at;
        self.operate(audit, move |conn, audit| {
            apply::lock(conn)?;
            let found: Option<(i32, bool)> = issuers::table
                .filter(issuers::client_id.eq(&client_id))
                .filter(issuers::status.ne(IssuerStatus::Removed.as_str()))
                .select((issuers::issuer_id, issuers::donation))
                .first(conn)
                .optional()?;
            audit.issuer_id = found.map(|(id, _)| IssuerId(id));
            audit.subject = Some(client_id);
            audit.detail = Some(if on { "on" } else { "off" }.to_owned());
            let Some((id, was)) = found else {
                audit.refuse("issuer-unknown");
                return Ok(Toggled::Unknown);
            };
            if was == on {
                return Ok(Toggled::Unchanged);
            }
            diesel::update(issuers::table.find(id))
                .set((
                    issuers::donation.eq(on),
                    issuers::enrolment_epoch.eq(issuers::enrolment_epoch + i32::from(on)),
                    issuers::updated_at.eq(at),
                ))
                .execute(conn)?;
            raise_version(conn, &[id])?;
            Ok(Toggled::Changed)
        })
        .await
    }
}
