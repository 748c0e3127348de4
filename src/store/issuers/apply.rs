//! Declares issuers: writes the difference to the stored ones as one transaction.

use super::{
    ALL, IssuerDeclaration, IssuerRecord, IssuerStatus, RangeClash, answers_text, load, plan,
    raise_version, ranges,
};
use crate::ids::{ClientId, IssuerId};
use crate::store::audit::AuditDraft;
use crate::store::connection::{AnyConnection, on_backend};
use crate::store::error::StoreError;
use crate::store::schema::{issuer_certificates, issuers};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use std::collections::HashSet;

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
    pub change: IssuerChange,
    /// Ranges that it had added itself and that went, because they are at odds with what is
    /// declared.
    pub withdrawn: Vec<String>,
}

/// Whether a declaration changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssuerChange {
    /// The issuer is new, or was removed before.
    Created,
    /// Something differed.
    Updated,
    /// Everything was as declared already.
    Unchanged,
}

impl IssuerChange {
    /// As the audit trail has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
        }
    }
}

/// An entry for each issuer that was changed and for each that lost ranges; one without subject if
/// none was.
pub(super) fn entries(draft: AuditDraft, applied: &[Applied]) -> Vec<AuditDraft> {
    let entry = |issuer: &Applied, detail: String| AuditDraft {
        issuer_id: Some(issuer.issuer_id),
        subject: Some(issuer.client_id.to_string()),
        detail: Some(detail),
        ..draft.clone()
    };
    let mut changed = Vec::new();
    for issuer in applied {
        if issuer.change != IssuerChange::Unchanged {
            changed.push(entry(issuer, issuer.change.as_str().to_owned()));
        }
        if !issuer.withdrawn.is_empty() {
            let ranges = issuer.withdrawn.join(",");
            changed.push(entry(issuer, format!("withdrawn {ranges}")));
        }
    }
    if changed.is_empty() {
        changed.push(AuditDraft {
            detail: Some(IssuerChange::Unchanged.as_str().to_owned()),
            ..draft
        });
    }
    changed
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
    let stored = load(conn, ALL)?;
    let plans = plan::plans(&declarations, &stored);
    let all = plans.iter().map(|plan| {
        (
            &plan.declared.client_id,
            plan.declared.account_ranges.as_slice(),
        )
    });
    if let Some(clash) = ranges::find_clash(all) {
        return Err(clash.into());
    }
    // All old ranges go before the first new one comes: a range may move from one issuer to
    // another.
    for plan in &plans {
        match (plan.known, plan.change()) {
            (Some(known), IssuerChange::Created | IssuerChange::Updated) if plan.is_declared => {
                delete_details(conn, known.issuer_id.0)?;
            }
            (Some(known), _) => ranges::withdraw(conn, known.issuer_id.0, &plan.withdrawn)?,
            (None, _) => {}
        }
    }
    let mut applied = Vec::with_capacity(plans.len());
    for plan in plans {
        let change = plan.change();
        let issuer_id = match (plan.known, change) {
            (Some(known), IssuerChange::Unchanged) => known.issuer_id.0,
            (Some(known), _) => {
                update(conn, known, &plan.declared, at)?;
                known.issuer_id.0
            }
            (None, _) => insert(conn, &plan.declared, at)?,
        };
        if change != IssuerChange::Unchanged && plan.is_declared {
            insert_details(conn, issuer_id, &plan.declared, &plan.added)?;
        }
        if plan.is_declared || change != IssuerChange::Unchanged {
            applied.push(Applied {
                client_id: plan.declared.client_id,
                issuer_id: IssuerId(issuer_id),
                change,
                withdrawn: plan.withdrawn,
            });
        }
    }
    let changed = applied
        .iter()
        .filter(|a| a.change != IssuerChange::Unchanged);
    let changed: Vec<i32> = changed.map(|a| a.issuer_id.0).collect();
    if !changed.is_empty() {
        raise_version(conn, &changed)?;
    }
    Ok(applied)
}

macro_rules! declared_columns {
    ($d:expr) => {
        (
            issuers::name.eq(&$d.name),
            &$d.profile,
            issuers::donation.eq($d.donation),
            issuers::responses.eq($d.responses.as_str()),
            issuers::unicode_names.eq($d.unicode_names),
            issuers::rsa_pss.eq($d.rsa_pss),
            issuers::envelopes.eq($d.envelopes.as_str()),
            issuers::field_level_headers.eq($d.field_level_headers),
            issuers::accept_expired_signing.eq($d.accept_expired_signing),
            issuers::answers.eq(answers_text($d.answers)),
            issuers::self_service_ranges.eq($d.self_service_ranges.as_ref().map(|s| s.join(","))),
            issuers::time_zone.eq($d.time_zone.name()),
            issuers::factor_set.eq($d.factor_set.as_deref()),
            issuers::dashboard.eq($d.dashboard.as_deref()),
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
    ranges::delete(conn, issuer_id)?;
    diesel::delete(issuer_certificates::table.filter(issuer_certificates::issuer_id.eq(issuer_id)))
        .execute(conn)?;
    Ok(())
}

fn insert_details(
    conn: &mut AnyConnection,
    issuer_id: i32,
    declared: &IssuerDeclaration,
    added: &[String],
) -> QueryResult<()> {
    let added: HashSet<&String> = added.iter().collect();
    let all = declared.account_ranges.iter();
    let all = all.map(|range| (range.as_str(), added.contains(range)));
    ranges::insert(conn, issuer_id, all)?;
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
