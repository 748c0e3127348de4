//! What the web view has to know of a cardholder, in one read; and that its introduction is closed.

use super::CardholderStatus;
use crate::ids::{CardholderId, IssuerId};
use crate::store::error::StoreError;
use crate::store::pool::Store;
use crate::store::schema::{cards, scoring_jobs, users};
use crate::store::scoring_jobs::JobState;
use diesel::prelude::*;

/// A cardholder who looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// The user's state.
    pub status: CardholderStatus,
    /// The issuer's epoch when the user enrolled.
    pub enrolment_epoch: i32,
    /// When the user enrolled, microseconds since 1970 UTC.
    pub created_at: i64,
    /// Whether the introduction was closed.
    pub introduced: bool,
    /// Sealed.
    pub billing_address: Option<Vec<u8>>,
    /// Last four digits of the card.
    pub last_four: Option<String>,
    /// State of the job that scores the months before the enrolment, and how many transactions it
    /// has scored.
    pub scoring: Option<(JobState, i32)>,
}

type Row = (
    String,
    i32,
    i64,
    Option<i64>,
    Option<Vec<u8>>,
    Option<String>,
    Option<(String, i32)>,
);

impl Store {
    /// The cardholder, whatever its state; `None` if the issuer has no such one.
    pub async fn visitor(
        &self,
        issuer_id: IssuerId,
        user_id: &CardholderId,
    ) -> Result<Option<Visitor>, StoreError> {
        let user_id = user_id.as_str().to_owned();
        self.read(move |conn| {
            let row: Option<Row> = users::table
                .left_join(
                    cards::table.on(cards::issuer_id
                        .eq(users::issuer_id)
                        .and(cards::user_id.eq(users::user_id))),
                )
                .left_join(
                    scoring_jobs::table.on(scoring_jobs::issuer_id
                        .eq(users::issuer_id)
                        .and(scoring_jobs::user_id.eq(users::user_id))),
                )
                .filter(users::issuer_id.eq(issuer_id.0))
                .filter(users::user_id.eq(&user_id))
                .select((
                    users::status,
                    users::enrolment_epoch,
                    users::created_at,
                    users::introduced_at,
                    users::billing_address,
                    cards::last_four.nullable(),
                    (scoring_jobs::status, scoring_jobs::scored).nullable(),
                ))
                .first(conn)
                .optional()?;
            row.map(visitor).transpose()
        })
        .await
    }

    /// Notes that an active cardholder has closed the introduction; the first time stays.
    pub async fn introduce(
        &self,
        issuer_id: IssuerId,
        user_id: &CardholderId,
        at: i64,
    ) -> Result<(), StoreError> {
        let user_id = user_id.as_str().to_owned();
        self.maintain(move |conn| {
            let user = users::table
                .filter(users::issuer_id.eq(issuer_id.0))
                .filter(users::user_id.eq(&user_id))
                .filter(users::status.eq(CardholderStatus::Active.as_str()))
                .filter(users::introduced_at.is_null());
            diesel::update(user)
                .set(users::introduced_at.eq(at))
                .execute(conn)?;
            Ok(())
        })
        .await
    }
}

fn visitor(row: Row) -> Result<Visitor, StoreError> {
    let (status, enrolment_epoch, created_at, introduced_at, billing_address, last_four, scoring) =
        row;
    let status = CardholderStatus::parse(&status);
    let scoring = scoring.map(|(state, scored)| {
        let state = JobState::parse(&state);
        let state = state.ok_or_else(|| StoreError::internal("unknown state of a scoring job"))?;
        Ok::<_, StoreError>((state, scored))
    });
    Ok(Visitor {
        status: status.ok_or_else(|| StoreError::internal("unknown user status"))?,
        enrolment_epoch,
        created_at,
        introduced: introduced_at.is_some(),
        billing_address,
        last_four,
        scoring: scoring.transpose()?,
    })
}
