//! What an issuer changes of itself: read, decided and written under one lock, so that two changes at once lose
//! nothing, on whichever nodes they came in.

use super::{IssuerRecord, IssuerRow, apply, raise_version};
use crate::ids::IssuerId;
use crate::store::audit::AuditDraft;
use crate::store::connection::{AnyConnection, on_backend};
use crate::store::error::StoreError;
use crate::store::pool::Store;
use crate::store::schema::{account_ranges, issuers};
use crate::store::writer::Nonce;
use diesel::prelude::*;
use std::collections::HashSet;

/// Account ranges in one statement; PostgreSQL takes 65535 values.
const ROWS: usize = 1_000;

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
}

impl Store {
    /// Changes an issuer's profile by a signed call: nonce, audit entry and change in one transaction.
    ///
    /// `decide` gets the issuer as it is at that moment (without certificates) and the account ranges of all others. Its
    /// refusal is returned as it is; it turns the audit entry into one, and nothing but nonce and entry is written.
    /// Returns the issuer as it is afterwards, or `None` if the nonce was used before.
    pub async fn change_profile<R, F>(
        &self,
        nonce: Nonce,
        audit: AuditDraft,
        decide: F,
    ) -> Result<Option<Result<IssuerRecord, R>>, StoreError>
    where
        R: Send + 'static,
        F: FnOnce(&IssuerRecord, &[String], &mut AuditDraft) -> Result<ProfileChange, R>
            + Send
            + 'static,
    {
        let at = audit.at;
        let issuer_id = nonce.issuer_id;
        self.operate_signed(nonce, audit, move |conn, audit| {
            apply::lock(conn)?;
            let (before, others) = read(conn, issuer_id)?;
            match decide(&before, &others, audit) {
                Ok(change) => write(conn, before, change, at).map(Ok),
                Err(refusal) => Ok(Err(refusal)),
            }
        })
        .await
    }
}

/// The issuer, and the ranges of all others.
fn read(
    conn: &mut AnyConnection,
    issuer_id: IssuerId,
) -> Result<(IssuerRecord, Vec<String>), StoreError> {
    let row: IssuerRow = issuers::table
        .find(issuer_id.0)
        .select(IssuerRow::as_select())
        .first(conn)?;
    let mut record = row.into_record()?;
    let ranges: Vec<(i32, String, bool)> = account_ranges::table
        .order((account_ranges::issuer_id, account_ranges::position))
        .select((
            account_ranges::issuer_id,
            account_ranges::prefix,
            account_ranges::added,
        ))
        .load(conn)?;
    let mut others = Vec::new();
    for (owner, prefix, added) in ranges {
        if owner != issuer_id.0 {
            others.push(prefix);
            continue;
        }
        if added {
            record.added_ranges.push(prefix.clone());
        }
        record.declared.account_ranges.push(prefix);
    }
    Ok((record, others))
}

fn write(
    conn: &mut AnyConnection,
    before: IssuerRecord,
    change: ProfileChange,
    at: i64,
) -> Result<IssuerRecord, StoreError> {
    let mut after = before.clone();
    let declared = &mut after.declared;
    let set = |column: &mut Option<String>, value: Option<String>| {
        if value.is_some() {
            *column = value;
        }
    };
    set(
        &mut declared.terms_and_condition_url,
        change.terms_and_condition_url,
    );
    set(&mut declared.privacy_notice_url, change.privacy_notice_url);
    set(&mut declared.opt_out_url, change.opt_out_url);
    set(&mut declared.theme, change.theme);
    let mut known: HashSet<&String> = before.declared.account_ranges.iter().collect();
    let new: Vec<String> = change
        .account_ranges
        .iter()
        .filter(|prefix| known.insert(prefix))
        .cloned()
        .collect();
    add_ranges(conn, before.issuer_id, &new)?;
    declared.account_ranges.extend_from_slice(&new);
    after.added_ranges.extend(new);
    if after == before {
        return Ok(after);
    }
    after.updated_at = at;
    let declared = &after.declared;
    diesel::update(issuers::table.find(before.issuer_id.0))
        .set((
            issuers::terms_and_condition_url.eq(&declared.terms_and_condition_url),
            issuers::privacy_notice_url.eq(&declared.privacy_notice_url),
            issuers::opt_out_url.eq(&declared.opt_out_url),
            issuers::theme.eq(&declared.theme),
            issuers::updated_at.eq(at),
        ))
        .execute(conn)?;
    raise_version(conn)?;
    Ok(after)
}

fn add_ranges(
    conn: &mut AnyConnection,
    issuer_id: IssuerId,
    prefixes: &[String],
) -> QueryResult<()> {
    let last: Option<i32> = account_ranges::table
        .filter(account_ranges::issuer_id.eq(issuer_id.0))
        .select(diesel::dsl::max(account_ranges::position))
        .first(conn)?;
    let first = last.map_or(0, |last| last + 1);
    let rows: Vec<_> = (first..)
        .zip(prefixes)
        .map(|(position, prefix)| {
            (
                account_ranges::prefix.eq(prefix),
                account_ranges::issuer_id.eq(issuer_id.0),
                account_ranges::position.eq(position),
                account_ranges::added.eq(true),
            )
        })
        .collect();
    for chunk in rows.chunks(ROWS) {
        on_backend!(conn, c => {
            sqlite: diesel::insert_into(account_ranges::table).values(chunk.to_vec()).execute(c)?,
            postgres: diesel::insert_into(account_ranges::table).values(chunk.to_vec()).execute(c)?,
        });
    }
    Ok(())
}
