//! Declaring issuers: the difference to what is stored, written as one transaction.

use super::{
    IssuerDeclaration, IssuerRecord, IssuerStatus, RangeClash, load, raise_version, ranges,
};
use crate::ids::{ClientId, IssuerId};
use crate::store::audit::AuditDraft;
use crate::store::connection::{AnyConnection, on_backend};
use crate::store::error::StoreError;
use crate::store::schema::{account_ranges, issuer_certificates, issuers};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

/// Why declarations were refused, all of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// Ranges of two issuers overlap.
    #[error(transparent)]
    RangeClash(#[from] RangeClash),
    /// One issuer is declared twice.
    #[error("issuer {0} is declared twice")]
    DeclaredTwice(ClientId),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ApplyError {
    /// Stable id for logs and audit.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::RangeClash(_) => "account-range-overlap",
            Self::DeclaredTwice(_) => "issuer-declared-twice",
            Self::Store(error) => error.reason(),
        }
    }
}

impl From<diesel::result::Error> for ApplyError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What a declaration did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The issuer.
    pub client_id: ClientId,
    /// Its number.
    pub issuer_id: IssuerId,
    /// What happened to it.
    pub change: Change,
}

/// Whether a declaration changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The issuer is new, or was removed before.
    Created,
    /// Something differed.
    Updated,
    /// Everything was as declared already.
    Unchanged,
}

impl Change {
    /// As the audit trail has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
        }
    }
}

/// An entry for each issuer that was changed; one without subject if none was.
pub(super) fn entries(draft: AuditDraft, applied: &[Applied]) -> Vec<AuditDraft> {
    let changed: Vec<_> = applied
        .iter()
        .filter(|issuer| issuer.change != Change::Unchanged)
        .map(|issuer| AuditDraft {
            issuer_id: Some(issuer.issuer_id),
            subject: Some(issuer.client_id.to_string()),
            detail: Some(issuer.change.as_str().to_owned()),
            ..draft.clone()
        })
        .collect();
    if !changed.is_empty() {
        return changed;
    }
    vec![AuditDraft {
        detail: Some(Change::Unchanged.as_str().to_owned()),
        ..draft
    }]
}

/// Keeps two operators, and on PostgreSQL two processes, from changing issuers at once.
pub(super) fn lock(conn: &mut AnyConnection) -> QueryResult<()> {
    on_backend!(conn, c => {
        // BEGIN IMMEDIATE is the lock.
        sqlite: { let _: &mut SqliteConnection = c; Ok(()) },
        postgres: c.batch_execute(
            "LOCK TABLE issuers, account_ranges, issuer_certificates IN SHARE ROW EXCLUSIVE MODE"),
    })
}

pub(super) fn apply(
    conn: &mut AnyConnection,
    declarations: Vec<IssuerDeclaration>,
    at: i64,
) -> Result<Vec<Applied>, ApplyError> {
    lock(conn)?;
    let mut names = HashSet::new();
    if let Some(twice) = declarations.iter().find(|d| !names.insert(&d.client_id)) {
        return Err(ApplyError::DeclaredTwice(twice.client_id.clone()));
    }
    let stored = load(conn)?;
    let by_name: HashMap<&ClientId, &IssuerRecord> = stored
        .iter()
        .map(|record| (&record.declared.client_id, record))
        .collect();
    let declarations: Vec<_> = declarations
        .iter()
        .map(|declared| {
            let known = by_name.get(&declared.client_id).copied();
            (together(normal(declared.clone()), known), known)
        })
        .collect();
    let unmentioned = stored
        .iter()
        .map(|record| &record.declared)
        .filter(|declared| !names.contains(&declared.client_id));
    let ranges = declarations
        .iter()
        .map(|((declared, _), _)| declared)
        .chain(unmentioned)
        .map(|declared| (&declared.client_id, declared.account_ranges.as_slice()));
    if let Some(clash) = ranges::find_clash(ranges) {
        return Err(clash.into());
    }

    let plan: Vec<_> = declarations
        .iter()
        .map(|((declared, added), known)| {
            let change = match known {
                None => Change::Created,
                Some(known) if known.status == IssuerStatus::Removed => Change::Created,
                Some(known) if known.declared == *declared && known.added_ranges == *added => {
                    Change::Unchanged
                }
                Some(_) => Change::Updated,
            };
            (declared, added, *known, change)
        })
        .collect();
    // All old ranges go before the first new one comes: a range may move from one issuer to another.
    for (_, _, known, change) in &plan {
        if let (Some(known), Change::Created | Change::Updated) = (known, change) {
            delete_details(conn, known.issuer_id.0)?;
        }
    }
    let mut applied = Vec::with_capacity(plan.len());
    for (declared, added, known, change) in &plan {
        let issuer_id = match (known, change) {
            (Some(known), Change::Unchanged) => known.issuer_id.0,
            (Some(known), _) => {
                update(conn, known, declared, at)?;
                known.issuer_id.0
            }
            (None, _) => insert(conn, declared, at)?,
        };
        if *change != Change::Unchanged {
            insert_details(conn, issuer_id, declared, added)?;
        }
        applied.push(Applied {
            client_id: declared.client_id.clone(),
            issuer_id: IssuerId(issuer_id),
            change: *change,
        });
    }
    if applied.iter().any(|a| a.change != Change::Unchanged) {
        raise_version(conn)?;
    }
    Ok(applied)
}

/// The declaration as it comes back from the database: certificates sorted, nothing doubled.
fn normal(mut declared: IssuerDeclaration) -> IssuerDeclaration {
    let mut seen = HashSet::new();
    declared
        .account_ranges
        .retain(|range| seen.insert(range.clone()));
    declared.certificates.sort();
    declared.certificates.dedup_by(|a, b| {
        (a.purpose, &a.fingerprint, &a.consumer_key) == (b.purpose, &b.fingerprint, &b.consumer_key)
    });
    declared
}

/// The declaration with what the issuer has set itself and the operator says nothing about, and the ranges that stay
/// the issuer's own.
fn together(
    mut declared: IssuerDeclaration,
    known: Option<&IssuerRecord>,
) -> (IssuerDeclaration, Vec<String>) {
    let Some(known) = known.filter(|known| known.status != IssuerStatus::Removed) else {
        return (declared, Vec::new());
    };
    let old = &known.declared;
    let keep = |new: &mut Option<String>, old: &Option<String>| {
        if new.is_none() {
            new.clone_from(old);
        }
    };
    keep(
        &mut declared.terms_and_condition_url,
        &old.terms_and_condition_url,
    );
    keep(&mut declared.privacy_notice_url, &old.privacy_notice_url);
    keep(&mut declared.opt_out_url, &old.opt_out_url);
    keep(&mut declared.theme, &old.theme);
    // A range that the operator names is the operator's from now on.
    let added: Vec<String> = known
        .added_ranges
        .iter()
        .filter(|range| !declared.account_ranges.contains(range))
        .cloned()
        .collect();
    declared.account_ranges.extend_from_slice(&added);
    (declared, added)
}

macro_rules! declared_columns {
    ($d:expr) => {
        (
            issuers::name.eq(&$d.name),
            issuers::customer_id.eq(&$d.customer_id),
            issuers::email.eq(&$d.email),
            issuers::currency_code.eq(&$d.currency_code),
            issuers::country_code.eq(&$d.country_code),
            issuers::country_name.eq(&$d.country_name),
            issuers::terms_and_condition_url.eq(&$d.terms_and_condition_url),
            issuers::privacy_notice_url.eq(&$d.privacy_notice_url),
            issuers::opt_out_url.eq(&$d.opt_out_url),
            issuers::theme.eq(&$d.theme),
            issuers::donation.eq($d.donation),
            issuers::responses.eq($d.responses.as_str()),
            issuers::unicode_names.eq($d.unicode_names),
            issuers::rsa_pss.eq($d.rsa_pss),
        )
    };
}

fn insert(conn: &mut AnyConnection, declared: &IssuerDeclaration, at: i64) -> QueryResult<i32> {
    diesel::insert_into(issuers::table)
        .values((
            issuers::client_id.eq(declared.client_id.as_str()),
            declared_columns!(declared),
            issuers::status.eq(IssuerStatus::Active.as_str()),
            issuers::enrolment_epoch.eq(1),
            issuers::created_at.eq(at),
            issuers::updated_at.eq(at),
        ))
        .returning(issuers::issuer_id)
        .get_result(conn)
}

fn update(
    conn: &mut AnyConnection,
    known: &IssuerRecord,
    declared: &IssuerDeclaration,
    at: i64,
) -> QueryResult<()> {
    // Donation ON after OFF: every user has to enrol again (cce-api.md 7.1).
    let turned_on = declared.donation && !known.declared.donation;
    let status = match known.status {
        IssuerStatus::Removed => IssuerStatus::Active,
        status => status,
    };
    diesel::update(issuers::table.find(known.issuer_id.0))
        .set((
            declared_columns!(declared),
            issuers::status.eq(status.as_str()),
            issuers::enrolment_epoch.eq(known.enrolment_epoch + i32::from(turned_on)),
            issuers::updated_at.eq(at),
        ))
        .execute(conn)?;
    Ok(())
}

fn delete_details(conn: &mut AnyConnection, issuer_id: i32) -> QueryResult<()> {
    delete_ranges(conn, issuer_id)?;
    diesel::delete(issuer_certificates::table.filter(issuer_certificates::issuer_id.eq(issuer_id)))
        .execute(conn)?;
    Ok(())
}

pub(super) fn delete_ranges(conn: &mut AnyConnection, issuer_id: i32) -> QueryResult<()> {
    diesel::delete(account_ranges::table.filter(account_ranges::issuer_id.eq(issuer_id)))
        .execute(conn)?;
    Ok(())
}

fn insert_details(
    conn: &mut AnyConnection,
    issuer_id: i32,
    declared: &IssuerDeclaration,
    added: &[String],
) -> QueryResult<()> {
    for (position, prefix) in (0_i32..).zip(&declared.account_ranges) {
        diesel::insert_into(account_ranges::table)
            .values((
                account_ranges::prefix.eq(prefix),
                account_ranges::issuer_id.eq(issuer_id),
                account_ranges::position.eq(position),
                account_ranges::added.eq(added.contains(prefix)),
            ))
            .execute(conn)?;
    }
    for certificate in &declared.certificates {
        diesel::insert_into(issuer_certificates::table)
            .values((
                issuer_certificates::issuer_id.eq(issuer_id),
                issuer_certificates::purpose.eq(certificate.purpose.as_str()),
                issuer_certificates::fingerprint.eq(&certificate.fingerprint),
                issuer_certificates::consumer_key.eq(&certificate.consumer_key),
                issuer_certificates::pem.eq(&certificate.pem),
                issuer_certificates::not_before.eq(certificate.not_before),
                issuer_certificates::not_after.eq(certificate.not_after),
            ))
            .execute(conn)?;
    }
    Ok(())
}
