//! The factor set of an issuer's new transactions.

use super::{IssuerStatus, apply, raise_version};
use crate::ids::{ClientId, IssuerId};
use crate::store::audit::AuditDraft;
use crate::store::error::StoreError;
use crate::store::pool::Store;
use crate::store::schema::issuers;
use diesel::prelude::*;

impl Store {
    /// Sets the factor set of an issuer; false if there is no such issuer.
    pub async fn set_factor_set(
        &self,
        client_id: &ClientId,
        set: &str,
        audit: AuditDraft,
    ) -> Result<bool, StoreError> {
        let (client_id, set) = (client_id.as_str().to_owned(), set.to_owned());
        let at = audit.at;
        self.operate(audit, move |conn, audit| {
            apply::lock(conn)?;
            let found: Option<(i32, Option<String>)> = issuers::table
                .filter(issuers::client_id.eq(&client_id))
                .filter(issuers::status.ne(IssuerStatus::Removed.as_str()))
                .select((issuers::issuer_id, issuers::factor_set))
                .first(conn)
                .optional()?;
            audit.issuer_id = found.as_ref().map(|(id, _)| IssuerId(*id));
            audit.subject = Some(client_id);
            audit.detail = Some(set.clone());
            let Some((id, was)) = found else {
                audit.refuse("issuer-unknown");
                return Ok(false);
            };
            if was.as_ref() != Some(&set) {
                diesel::update(issuers::table.find(id))
                    .set((issuers::factor_set.eq(&set), issuers::updated_at.eq(at)))
                    .execute(conn)?;
                raise_version(conn, &[id])?;
            }
            Ok(true)
        })
        .await
    }
}
