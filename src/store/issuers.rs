//! Issuers with their account ranges and certificates: loaded whole, changed by the operator.
//!
//! `registry_version` rises in the transaction of every change; nodes poll it and load again.

mod answers;
mod apply;
mod donation;
mod factor_set;
mod plan;
mod profile;
mod ranges;
mod types;

pub use answers::answers_text;
pub use apply::{Applied, ApplyError, IssuerChange};
pub use donation::Toggled;
pub use profile::ProfileChange;
pub use ranges::{Others, RangeClash};
pub use types::{
    CertificatePurpose, Envelopes, IssuerCertificate, IssuerDeclaration, IssuerRecord,
    IssuerStatus, ProfileColumns, Removal, Responses, StoredRegistry,
};

use super::audit::AuditDraft;
use super::connection::{AnyConnection, snapshot};
use super::error::StoreError;
use super::pool::Store;
use super::schema::{issuer_certificates, issuers, registry_version, users};
use crate::ids::{ClientId, IssuerId};
use diesel::prelude::*;
use std::collections::HashMap;

/// A row of `issuers`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = issuers)]
struct IssuerRow {
    issuer_id: i32,
    client_id: String,
    name: String,
    #[diesel(embed)]
    profile: ProfileColumns,
    status: String,
    donation: bool,
    enrolment_epoch: i32,
    responses: String,
    unicode_names: bool,
    rsa_pss: bool,
    created_at: i64,
    updated_at: i64,
    envelopes: String,
    field_level_headers: bool,
    accept_expired_signing: bool,
    self_service_ranges: Option<String>,
    answers: String,
    time_zone: String,
    factor_set: Option<String>,
    dashboard: Option<String>,
}

/// Older than every version.
const ALL: i64 = -1;

fn unreadable() -> StoreError {
    StoreError::internal("unknown code in an issuer's row")
}

impl IssuerRow {
    fn into_record(self) -> Result<IssuerRecord, StoreError> {
        Ok(IssuerRecord {
            issuer_id: IssuerId(self.issuer_id),
            status: IssuerStatus::parse(&self.status).ok_or_else(unreadable)?,
            added_ranges: Vec::new(),
            enrolment_epoch: self.enrolment_epoch,
            created_at: self.created_at,
            updated_at: self.updated_at,
            declared: IssuerDeclaration {
                client_id: ClientId::parse(&self.client_id).ok_or_else(unreadable)?,
                name: self.name,
                profile: self.profile,
                donation: self.donation,
                responses: Responses::parse(&self.responses).ok_or_else(unreadable)?,
                unicode_names: self.unicode_names,
                rsa_pss: self.rsa_pss,
                envelopes: Envelopes::parse(&self.envelopes).ok_or_else(unreadable)?,
                field_level_headers: self.field_level_headers,
                accept_expired_signing: self.accept_expired_signing,
                answers: answers::parse(&self.answers).ok_or_else(unreadable)?,
                self_service_ranges: self.self_service_ranges.as_deref().map(listed),
                dashboard: self.dashboard,
                time_zone: self.time_zone.parse().map_err(|_| unreadable())?,
                factor_set: self.factor_set,
                account_ranges: Vec::new(),
                certificates: Vec::new(),
            },
        })
    }
}

/// The items of a stored list; an empty text is an empty list.
fn listed(text: &str) -> Vec<String> {
    text.split_terminator(',').map(str::to_owned).collect()
}

/// A row of `issuer_certificates` without its issuer, as Diesel reads it.
type CertificateColumns = (
    i32,
    String,
    String,
    String,
    String,
    Option<i64>,
    Option<i64>,
);

/// Every issuer that was changed after `version`, the removed ones too, in the order of their
/// numbers; certificates are sorted. [`ALL`] as version: every issuer.
fn load(conn: &mut AnyConnection, version: i64) -> Result<Vec<IssuerRecord>, StoreError> {
    let rows: Vec<IssuerRow> = issuers::table
        .filter(issuers::changed_in.gt(version))
        .order(issuers::issuer_id)
        .select(IssuerRow::as_select())
        .load(conn)?;
    let mut records: Vec<_> = rows
        .into_iter()
        .map(IssuerRow::into_record)
        .collect::<Result<_, _>>()?;
    if version == ALL {
        load_all_details(conn, &mut records)?;
    } else {
        for record in &mut records {
            let id = record.issuer_id.0;
            for range in ranges::of(conn, id)? {
                record.take_range(range);
            }
            let rows: Vec<CertificateColumns> = issuer_certificates::table
                .filter(issuer_certificates::issuer_id.eq(id))
                .load(conn)?;
            for row in rows {
                record.declared.certificates.push(certificate(row)?);
            }
        }
    }
    for record in &mut records {
        record.declared.certificates.sort();
    }
    Ok(records)
}

/// Ranges and certificates of `records`, which are all issuers, in one statement each.
fn load_all_details(
    conn: &mut AnyConnection,
    records: &mut [IssuerRecord],
) -> Result<(), StoreError> {
    let mut by_id: HashMap<i32, &mut IssuerRecord> = records
        .iter_mut()
        .map(|record| (record.issuer_id.0, record))
        .collect();
    for (issuer_id, range) in ranges::all(conn)? {
        let record = by_id.get_mut(&issuer_id).ok_or_else(unreadable)?;
        record.take_range(range);
    }
    let rows: Vec<CertificateColumns> = issuer_certificates::table.load(conn)?;
    for row in rows {
        let record = by_id.get_mut(&row.0).ok_or_else(unreadable)?;
        record.declared.certificates.push(certificate(row)?);
    }
    Ok(())
}

fn certificate(row: CertificateColumns) -> Result<IssuerCertificate, StoreError> {
    let (_, purpose, fingerprint, consumer_key, pem, not_before, not_after) = row;
    Ok(IssuerCertificate {
        purpose: CertificatePurpose::parse(&purpose).ok_or_else(unreadable)?,
        fingerprint,
        consumer_key,
        pem,
        not_before,
        not_after,
    })
}

fn read_version(conn: &mut AnyConnection) -> Result<i64, StoreError> {
    Ok(registry_version::table
        .select(registry_version::version)
        .first(conn)?)
}

/// Raises the version, for the issuers that this transaction has changed.
fn raise_version(conn: &mut AnyConnection, changed: &[i32]) -> QueryResult<()> {
    let version: i64 = diesel::update(registry_version::table)
        .set(registry_version::version.eq(registry_version::version + 1))
        .returning(registry_version::version)
        .get_result(conn)?;
    for issuer_id in changed {
        diesel::update(issuers::table.find(issuer_id))
            .set(issuers::changed_in.eq(version))
            .execute(conn)?;
    }
    Ok(())
}

impl Store {
    /// The version of the registry: cheap, to be polled.
    pub async fn registry_version(&self) -> Result<i64, StoreError> {
        self.read(read_version).await
    }

    /// All issuers with their ranges and certificates, and the version they had.
    pub async fn load_registry(&self) -> Result<StoredRegistry, StoreError> {
        self.load_changes(ALL).await
    }

    /// The issuers that were changed after `version`, and the version that there is now.
    pub async fn load_changes(&self, version: i64) -> Result<StoredRegistry, StoreError> {
        self.read(move |conn| {
            let (version, issuers) = snapshot(conn, |conn| {
                Ok::<_, StoreError>((read_version(conn)?, load(conn, version)?))
            })?;
            Ok(StoredRegistry { version, issuers })
        })
        .await
    }

    /// Declares issuers, all or none: new ones become ACTIVE, known ones (by client id) keep number
    /// and state and get exactly the certificates declared. Donation ON after OFF raises the epoch.
    ///
    /// What an issuer has set itself stays unless the declaration names it: its ranges are those
    /// declared and then those that it added; URLs and theme that are not declared stay as they
    /// are.
    ///
    /// The declaration wins over what issuers added themselves: an added range that touches what is
    /// declared for another issuer, lies in a range of its own issuer or outside the declared
    /// `self_service_ranges` goes, whether the issuer is declared or not. See
    /// [`Applied::withdrawn`].
    ///
    /// The version rises only if something changed. A range that touches one declared for another
    /// issuer is refused.
    pub async fn apply_issuers(
        &self,
        declarations: Vec<IssuerDeclaration>,
        audit: AuditDraft,
    ) -> Result<Vec<Applied>, ApplyError> {
        let draft = audit.clone();
        let apply = move |conn: &mut AnyConnection| {
            let applied = apply::apply(conn, declarations, draft.at)?;
            let entries = apply::entries(draft, &applied);
            Ok::<_, ApplyError>((applied, entries))
        };
        match self.change(apply).await {
            Ok(applied) => Ok(applied),
            Err(ApplyError::Store(error)) => Err(error.into()),
            Err(refused) => {
                self.record(audit.refused(refused.reason())).await?;
                Err(refused)
            }
        }
    }

    /// Sets an issuer's state; false if there is no such issuer. [`IssuerStatus::Removed`] is for
    /// [`Store::remove_issuer`] alone.
    pub async fn set_issuer_status(
        &self,
        client_id: &ClientId,
        status: IssuerStatus,
        audit: AuditDraft,
    ) -> Result<bool, StoreError> {
        let client_id = client_id.as_str().to_owned();
        let at = audit.at;
        self.operate(audit, move |conn, audit| {
            let changed: Option<i32> = diesel::update(issuers::table)
                .filter(issuers::client_id.eq(&client_id))
                .filter(issuers::status.ne(IssuerStatus::Removed.as_str()))
                .set((
                    issuers::status.eq(status.as_str()),
                    issuers::updated_at.eq(at),
                ))
                .returning(issuers::issuer_id)
                .get_result(conn)
                .optional()?;
            audit.issuer_id = changed.map(IssuerId);
            audit.subject = Some(client_id);
            audit.detail = Some(status.as_str().to_owned());
            if let Some(id) = changed {
                raise_version(conn, &[id])?;
            } else {
                audit.refuse("issuer-unknown");
            }
            Ok(changed.is_some())
        })
        .await
    }

    /// Removes an issuer that has no users: its ranges become free, its certificates stay, its
    /// number is never used for another issuer.
    pub async fn remove_issuer(
        &self,
        client_id: &ClientId,
        audit: AuditDraft,
    ) -> Result<Removal, StoreError> {
        let client_id = client_id.as_str().to_owned();
        let at = audit.at;
        self.operate(audit, move |conn, audit| {
            apply::lock(conn)?;
            let found: Option<i32> = issuers::table
                .filter(issuers::client_id.eq(&client_id))
                .filter(issuers::status.ne(IssuerStatus::Removed.as_str()))
                .select(issuers::issuer_id)
                .first(conn)
                .optional()?;
            audit.issuer_id = found.map(IssuerId);
            audit.subject = Some(client_id);
            let Some(id) = found else {
                audit.refuse("issuer-unknown");
                return Ok(Removal::Unknown);
            };
            let users: Vec<String> = users::table
                .filter(users::issuer_id.eq(id))
                .select(users::user_id)
                .limit(1)
                .load(conn)?;
            if !users.is_empty() {
                audit.refuse("issuer-has-users");
                return Ok(Removal::HasCardholders);
            }
            ranges::delete(conn, id)?;
            diesel::update(issuers::table.find(id))
                .set((
                    issuers::status.eq(IssuerStatus::Removed.as_str()),
                    issuers::updated_at.eq(at),
                ))
                .execute(conn)?;
            raise_version(conn, &[id])?;
            Ok(Removal::Removed)
        })
        .await
    }
}
