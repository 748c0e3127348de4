//! An issuer's changes to its own profile. Reading, deciding and writing happen under one lock, so
//! two changes at once lose nothing, whichever nodes they came to.

use super::{IssuerRecord, IssuerRow, Others, apply, raise_version, ranges};
use crate::ids::IssuerId;
use crate::store::audit::AuditDraft;
use crate::store::connection::AnyConnection;
use crate::store::error::StoreError;
use crate::store::nonces;
use crate::store::pool::Store;
use crate::store::schema::issuers;
use crate::store::writer::Nonce;
use diesel::prelude::*;
use std::collections::HashSet;

/// A decided change; `None` and empty leave things as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the columns of `issuers`, described in migrations/"
)]
pub struct ProfileChange {
    pub terms_and_condition_url: Option<String>,
    pub privacy_notice_url: Option<String>,
    pub opt_out_url: Option<String>,
    pub theme: Option<String>,
    /// Ranges to add after those that are there; what the issuer has already is passed over.
    pub account_ranges: Vec<String>,
    /// Ranges that the issuer has added before and that go, because they lie in one that is added
    /// now.
    pub absorbed_ranges: Vec<String>,
}

impl Store {
    /// Changes an issuer's profile by a signed call: nonce, audit entry and change in one
    /// transaction.
    ///
    /// `decide` gets the issuer as it is at that moment (without certificates) and can look up
    /// ranges of others. Its refusal is returned as it is; it turns the audit entry into one, and
    /// nothing but nonce and entry is written. Returns the issuer as it is afterwards, or `None` if
    /// the nonce was used before.
    pub async fn change_profile<R, F>(
        &self,
        nonce: Nonce,
        audit: AuditDraft,
        decide: F,
    ) -> Result<Option<Result<IssuerRecord, R>>, StoreError>
    where
        R: Send + 'static,
        F: FnOnce(
                &IssuerRecord,
                &mut Others<'_>,
                &mut AuditDraft,
            ) -> Result<Result<ProfileChange, R>, StoreError>
            + Send
            + 'static,
    {
        let at = audit.at;
        let issuer_id = nonce.issuer_id;
        self.operate(audit, move |conn, audit| {
            if !nonces::consume(conn, &nonce)? {
                audit.refuse("nonce-used");
                return Ok(None);
            }
            apply::lock(conn)?;
            let before = read(conn, issuer_id)?;
            let mut others = Others::than(issuer_id.0, conn);
            match decide(&before, &mut others, audit)? {
                Ok(change) => Ok(Some(Ok(write(conn, before, change, at)?))),
                Err(refusal) => Ok(Some(Err(refusal))),
            }
        })
        .await
    }
}

fn read(conn: &mut AnyConnection, issuer_id: IssuerId) -> Result<IssuerRecord, StoreError> {
    let row: IssuerRow = issuers::table
        .find(issuer_id.0)
        .select(IssuerRow::as_select())
        .first(conn)?;
    let mut record = row.into_record()?;
    for range in ranges::of(conn, issuer_id.0)? {
        record.take_range(range);
    }
    Ok(record)
}

fn write(
    conn: &mut AnyConnection,
    before: IssuerRecord,
    change: ProfileChange,
    at: i64,
) -> Result<IssuerRecord, StoreError> {
    let mut after = before.clone();
    let profile = &mut after.declared.profile;
    let set = |column: &mut Option<String>, value: Option<String>| {
        if value.is_some() {
            *column = value;
        }
    };
    set(
        &mut profile.terms_and_condition_url,
        change.terms_and_condition_url,
    );
    set(&mut profile.privacy_notice_url, change.privacy_notice_url);
    set(&mut profile.opt_out_url, change.opt_out_url);
    set(&mut profile.theme, change.theme);
    let gone: HashSet<&String> = change.absorbed_ranges.iter().collect();
    let declared = &mut after.declared;
    declared
        .account_ranges
        .retain(|range| !gone.contains(range));
    after.added_ranges.retain(|range| !gone.contains(range));
    let mut known: HashSet<&String> = before.declared.account_ranges.iter().collect();
    let new: Vec<String> = change
        .account_ranges
        .iter()
        .filter(|prefix| known.insert(prefix))
        .cloned()
        .collect();
    let id = before.issuer_id.0;
    ranges::withdraw(conn, id, &change.absorbed_ranges)?;
    ranges::insert(conn, id, new.iter().map(|range| (range.as_str(), true)))?;
    after.declared.account_ranges.extend_from_slice(&new);
    after.added_ranges.extend(new);
    if after == before {
        return Ok(after);
    }
    after.updated_at = at;
    diesel::update(issuers::table.find(id))
        .set((&after.declared.profile, issuers::updated_at.eq(at)))
        .execute(conn)?;
    raise_version(conn, &[id])?;
    Ok(after)
}
