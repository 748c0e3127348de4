//! An operator's acts on a cardholder, found by id alone or with its issuer.

use super::CardholderStatus;
use crate::ids::{CardholderId, ClientId, IssuerId};
use crate::store::audit::AuditDraft;
use crate::store::connection::AnyConnection;
use crate::store::error::StoreError;
use crate::store::pool::Store;
use crate::store::schema::{cards, issuers, users};
use diesel::prelude::*;

/// A user as an operator may see it: nothing sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCardholder {
    /// Whose user it is.
    pub issuer_id: IssuerId,
    /// The issuer's client id.
    pub client_id: String,
    /// Its state.
    pub status: CardholderStatus,
    /// The issuer has turned donation on since: the user must enrol again.
    pub must_enrol_again: bool,
    /// Last four digits of the PAN; `None` once the card is erased.
    pub last_four: Option<String>,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
    /// Microseconds since 1970 UTC.
    pub updated_at: i64,
}

/// What became of a change of state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switched {
    /// Done, or so already.
    Done,
    /// There is no such user.
    Unknown,
    /// Its deletion was accepted: this cannot be undone.
    Leaving(CardholderStatus),
}

/// The columns of [`FoundCardholder`], as Diesel reads them.
type Columns = (i32, String, String, i32, i32, Option<String>, i64, i64);

impl Store {
    /// Every user with this id, of one issuer or of all: at most one for each issuer.
    pub async fn find_users_anywhere(
        &self,
        user_id: &CardholderId,
        client_id: Option<&ClientId>,
    ) -> Result<Vec<FoundCardholder>, StoreError> {
        let user_id = user_id.as_str().to_owned();
        let client_id = client_id.map(|id| id.as_str().to_owned());
        self.read(move |conn| {
            // One look-up by primary key for each issuer, never a scan of all users.
            let all: Vec<i32> = match &client_id {
                None => issuers::table.select(issuers::issuer_id).load(conn)?,
                Some(client_id) => issuers::table
                    .filter(issuers::client_id.eq(client_id))
                    .select(issuers::issuer_id)
                    .load(conn)?,
            };
            let mut found = Vec::new();
            for issuer_id in all {
                found.extend(find(conn, issuer_id, &user_id)?);
            }
            Ok(found)
        })
        .await
    }

    /// Makes a user ACTIVE or INACTIVE; a user whose deletion was accepted stays as it is.
    pub async fn switch_user(
        &self,
        issuer_id: IssuerId,
        user_id: &CardholderId,
        active: bool,
        audit: AuditDraft,
    ) -> Result<Switched, StoreError> {
        let status = if active {
            CardholderStatus::Active
        } else {
            CardholderStatus::Inactive
        };
        let audit = AuditDraft {
            issuer_id: Some(issuer_id),
            subject: Some(user_id.as_str().to_owned()),
            detail: Some(status.as_str().to_owned()),
            ..audit
        };
        let user_id = user_id.as_str().to_owned();
        let at = audit.at;
        self.operate(audit, move |conn, audit| {
            let key = (issuer_id.0, &user_id);
            let states = [CardholderStatus::Active, CardholderStatus::Inactive]
                .map(CardholderStatus::as_str);
            let changed = diesel::update(users::table.find(key))
                .filter(users::status.eq_any(states))
                .set((users::status.eq(status.as_str()), users::updated_at.eq(at)))
                .execute(conn)?;
            if changed == 1 {
                return Ok(Switched::Done);
            }
            match find(conn, issuer_id.0, &user_id)? {
                None => {
                    audit.refuse("user-not-found");
                    Ok(Switched::Unknown)
                }
                Some(user) => {
                    audit.refuse("user-leaving");
                    Ok(Switched::Leaving(user.status))
                }
            }
        })
        .await
    }
}

fn find(
    conn: &mut AnyConnection,
    issuer_id: i32,
    user_id: &str,
) -> Result<Option<FoundCardholder>, StoreError> {
    let row: Option<Columns> = users::table
        .inner_join(issuers::table.on(issuers::issuer_id.eq(users::issuer_id)))
        .left_join(
            cards::table.on(cards::issuer_id
                .eq(users::issuer_id)
                .and(cards::user_id.eq(users::user_id))),
        )
        .filter(users::issuer_id.eq(issuer_id))
        .filter(users::user_id.eq(user_id))
        .select((
            users::issuer_id,
            issuers::client_id,
            users::status,
            users::enrolment_epoch,
            issuers::enrolment_epoch,
            cards::last_four.nullable(),
            users::created_at,
            users::updated_at,
        ))
        .first(conn)
        .optional()?;
    let found = |(
        issuer_id,
        client_id,
        status,
        epoch,
        current,
        last_four,
        created_at,
        updated_at,
    ): Columns| {
        Ok(FoundCardholder {
            issuer_id: IssuerId(issuer_id),
            client_id,
            status: CardholderStatus::parse(&status)
                .ok_or_else(|| StoreError::internal("unknown user status"))?,
            must_enrol_again: epoch < current,
            last_four,
            created_at,
            updated_at,
        })
    };
    row.map(found).transpose()
}
