//! Reads cardholders and their cards. The [writer](super::writer) enrols and updates them.

mod operator;
mod visitor;

pub use operator::{FoundCardholder, Switched};
pub use visitor::Visitor;

use super::audit::AuditDraft;
use super::connection::{AnyConnection, on_backend};
use super::error::StoreError;
use super::pool::Store;
use super::schema::{cards, users};
use super::writer::unnest::{Unnest, UnnestColumn, by_issuer};
use crate::ids::{CardholderId, IssuerId};
use diesel::prelude::*;
use diesel::sql_types::{Integer, Nullable, Text};
use std::collections::{HashMap, HashSet};

/// The states of a user (cce-api.md, section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CardholderStatus {
    /// `ACTIVE`.
    Active,
    /// `INACTIVE`.
    Inactive,
    /// `TERMINATING`: deletion was asked for and is under way.
    Terminating,
    /// `DELETED`: erased; only the ids and the audit trail remain.
    Deleted,
}

impl CardholderStatus {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
            Self::Terminating => "TERMINATING",
            Self::Deleted => "DELETED",
        }
    }

    /// From the stored text.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Active,
            Self::Inactive,
            Self::Terminating,
            Self::Deleted,
        ]
        .into_iter()
        .find(|status| status.as_str() == text)
    }
}

/// What an update, a score or a dashboard has to know of a user: nothing sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardholderSummary {
    /// The user's state.
    pub status: CardholderStatus,
    /// The issuer's epoch when the user enrolled: below the issuer's, the user must enrol again.
    pub enrolment_epoch: i32,
    /// Last four digits of the PAN; `None` once the card is erased.
    pub last_four: Option<String>,
}

/// What an issuer tells of a cardholder beside the card, sealed, and the blind index of the e-mail
/// address. The default is nothing: what an erasure leaves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = users, treat_none_as_null = true)]
#[expect(
    missing_docs,
    reason = "the columns of `users`, described in migrations/"
)]
pub struct SealedProfile {
    pub name: Option<Vec<u8>>,
    pub email: Option<Vec<u8>>,
    pub phone: Option<Vec<u8>>,
    pub billing_address: Option<Vec<u8>>,
    pub locale: Option<Vec<u8>>,
    /// Set together with `email`, as is its key version.
    pub email_index: Option<Vec<u8>>,
    pub email_index_key: Option<i32>,
}

/// All of a user, sealed as stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = users)]
#[expect(
    missing_docs,
    reason = "the columns of `users`, described in migrations/"
)]
pub struct SealedCardholder {
    pub issuer_id: i32,
    pub user_id: String,
    pub status: String,
    pub enrolment_epoch: i32,
    #[diesel(embed)]
    pub profile: SealedProfile,
    pub seal_key: i32,
    pub created_at: i64,
    pub updated_at: i64,
}

/// A user's card, sealed as stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = cards)]
#[expect(
    missing_docs,
    reason = "the columns of `cards`, described in migrations/"
)]
pub struct SealedCard {
    pub issuer_id: i32,
    pub user_id: String,
    pub last_four: String,
    pub pan_index: Vec<u8>,
    pub pan_index_key: i32,
    pub card: Vec<u8>,
    pub seal_key: i32,
    pub created_at: i64,
}

/// Issuer, user id, state, epoch, last four digits.
type SummaryRow = (i32, String, String, i32, Option<String>);

type SummarySql = (Integer, Text, Text, Integer, Nullable<Text>);

const SUMMARIES: &str = "SELECT users.issuer_id, users.user_id, users.status, \
    users.enrolment_epoch, cards.last_four \
    FROM users LEFT JOIN cards ON cards.issuer_id = users.issuer_id AND cards.user_id = users.user_id \
    WHERE users.issuer_id = {owner} AND users.user_id = ANY({rows})";

/// Those of these users who are there, by issuer and user id.
pub(super) fn summaries(
    conn: &mut AnyConnection,
    keys: &mut [(IssuerId, &CardholderId)],
) -> QueryResult<HashMap<(i32, String), Result<CardholderSummary, StoreError>>> {
    keys.sort();
    let keys = &*keys;
    let rows: Vec<SummaryRow> = on_backend!(conn, c => {
        sqlite: {
            let mut rows = Vec::with_capacity(keys.len());
            for (issuer_id, user_id) in keys {
                let found = users::table
                    .left_join(
                        cards::table.on(cards::issuer_id
                            .eq(users::issuer_id)
                            .and(cards::user_id.eq(users::user_id))),
                    )
                    .filter(users::issuer_id.eq(issuer_id.0))
                    .filter(users::user_id.eq(user_id.as_str()))
                    .select((
                        users::issuer_id,
                        users::user_id,
                        users::status,
                        users::enrolment_epoch,
                        cards::last_four.nullable(),
                    ))
                    .first(c)
                    .optional()?;
                rows.extend(found);
            }
            rows
        },
        postgres: {
            let mut rows = Vec::with_capacity(keys.len());
            for (issuer_id, keys) in by_issuer(keys, |(issuer_id, _)| issuer_id.0) {
                let user_ids = keys.iter().map(|(_, user_id)| user_id.as_str()).collect();
                let columns = vec![UnnestColumn::Text(user_ids)];
                let found: Vec<SummaryRow> = Unnest::<SummarySql>::of(issuer_id, SUMMARIES, columns)
                    .load(c)?;
                rows.extend(found);
            }
            rows
        },
    });
    let summary = |(issuer_id, user_id, status, enrolment_epoch, last_four): SummaryRow| {
        let status = CardholderStatus::parse(&status);
        let summary = status.map(|status| CardholderSummary {
            status,
            enrolment_epoch,
            last_four,
        });
        let known = summary.ok_or_else(|| StoreError::internal("unknown user status"));
        ((issuer_id, user_id), known)
    };
    Ok(rows.into_iter().map(summary).collect())
}

impl Store {
    /// Those of `user_ids` that are this issuer's and not erased, whatever else their state.
    pub async fn known_users(
        &self,
        issuer_id: IssuerId,
        user_ids: &[CardholderId],
    ) -> Result<HashSet<String>, StoreError> {
        let user_ids: Vec<String> = user_ids.iter().map(|id| id.as_str().to_owned()).collect();
        self.read(move |conn| {
            let known: Vec<String> = users::table
                .filter(users::issuer_id.eq(issuer_id.0))
                .filter(users::user_id.eq_any(&user_ids))
                .filter(users::status.ne(CardholderStatus::Deleted.as_str()))
                .select(users::user_id)
                .load(conn)?;
            Ok(known.into_iter().collect())
        })
        .await
    }

    /// Everything stored of a user, still sealed.
    pub async fn load_sealed_user(
        &self,
        issuer_id: IssuerId,
        user_id: &CardholderId,
    ) -> Result<Option<(SealedCardholder, Option<SealedCard>)>, StoreError> {
        let user_id = user_id.as_str().to_owned();
        self.read(move |conn| {
            let user = users::table
                .find((issuer_id.0, &user_id))
                .select(SealedCardholder::as_select())
                .first(conn)
                .optional()?;
            let Some(user) = user else { return Ok(None) };
            let card = cards::table
                .find((issuer_id.0, &user_id))
                .select(SealedCard::as_select())
                .first(conn)
                .optional()?;
            Ok(Some((user, card)))
        })
        .await
    }

    /// Sets a user's state; false if the issuer has no such user.
    pub async fn set_user_status(
        &self,
        issuer_id: IssuerId,
        user_id: &CardholderId,
        status: CardholderStatus,
        audit: AuditDraft,
    ) -> Result<bool, StoreError> {
        let user_id = user_id.as_str().to_owned();
        let at = audit.at;
        self.operate(audit, move |conn, audit| {
            let changed = diesel::update(users::table.find((issuer_id.0, &user_id)))
                .set((users::status.eq(status.as_str()), users::updated_at.eq(at)))
                .execute(conn)?;
            audit.issuer_id = Some(issuer_id);
            audit.subject = Some(user_id);
            audit.detail = Some(status.as_str().to_owned());
            if changed == 0 {
                audit.refuse("user-not-found");
            }
            Ok(changed == 1)
        })
        .await
    }
}
