//! COPY into each table that an enrolment writes to.

use super::NONCE_LIFE;
use diesel::prelude::*;
use issuer_gateway::store::audit::{AuditChain, AuditEntry};
use issuer_gateway::store::cardholders::{SealedCard, SealedCardholder};
use issuer_gateway::store::schema;

/// What is scored: about twelve months, in microseconds.
const SCORED: i64 = 365 * 86_400_000_000;

pub(super) fn users(conn: &mut PgConnection, users: &[&SealedCardholder]) -> QueryResult<usize> {
    use schema::users as t;
    let row = |user: &&SealedCardholder| {
        (
            t::issuer_id.eq(user.issuer_id),
            t::user_id.eq(user.user_id.clone()),
            t::status.eq(user.status.clone()),
            t::enrolment_epoch.eq(user.enrolment_epoch),
            t::name.eq(user.profile.name.clone()),
            t::email.eq(user.profile.email.clone()),
            t::billing_address.eq(user.profile.billing_address.clone()),
            t::locale.eq(user.profile.locale.clone()),
            t::email_index.eq(user.profile.email_index.clone()),
            t::email_index_key.eq(user.profile.email_index_key),
            t::seal_key.eq(user.seal_key),
            t::created_at.eq(user.created_at),
            t::updated_at.eq(user.updated_at),
        )
    };
    diesel::copy_from(t::table)
        .from_insertable(users.iter().map(row).collect::<Vec<_>>())
        .execute(conn)
}

pub(super) fn cards(conn: &mut PgConnection, cards: &[&SealedCard]) -> QueryResult<usize> {
    use schema::cards as t;
    let row = |card: &&SealedCard| {
        (
            t::issuer_id.eq(card.issuer_id),
            t::user_id.eq(card.user_id.clone()),
            t::last_four.eq(card.last_four.clone()),
            t::pan_index.eq(card.pan_index.clone()),
            t::pan_index_key.eq(card.pan_index_key),
            t::card.eq(card.card.clone()),
            t::seal_key.eq(card.seal_key),
            t::created_at.eq(card.created_at),
        )
    };
    diesel::copy_from(t::table)
        .from_insertable(cards.iter().map(row).collect::<Vec<_>>())
        .execute(conn)
}

pub(super) fn scoring_jobs(
    conn: &mut PgConnection,
    users: &[&SealedCardholder],
) -> QueryResult<usize> {
    use schema::scoring_jobs as t;
    let row = |user: &&SealedCardholder| {
        (
            t::issuer_id.eq(user.issuer_id),
            t::user_id.eq(user.user_id.clone()),
            t::status.eq("pending"),
            t::window_from.eq(user.created_at - SCORED),
            t::window_to.eq(user.created_at),
            t::attempts.eq(0),
            t::created_at.eq(user.created_at),
        )
    };
    diesel::copy_from(t::table)
        .from_insertable(users.iter().map(row).collect::<Vec<_>>())
        .execute(conn)
}

/// A nonce for each of the users.
pub(super) fn nonces(conn: &mut PgConnection, users: &[&SealedCardholder]) -> QueryResult<usize> {
    use schema::oauth_nonces as t;
    let row = |user: &&SealedCardholder| {
        let nonce: String = uuid::Uuid::new_v4().simple().to_string();
        (
            t::issuer_id.eq(user.issuer_id),
            t::nonce.eq(nonce.chars().take(16).collect::<String>()),
            t::expires_at.eq(user.created_at + NONCE_LIFE),
        )
    };
    diesel::copy_from(t::table)
        .from_insertable(users.iter().map(row).collect::<Vec<_>>())
        .execute(conn)
}

pub(super) fn audit_entries(conn: &mut PgConnection, entries: &[AuditEntry]) -> QueryResult<usize> {
    use schema::audit_entries as t;
    let row = |entry: &AuditEntry| {
        (
            t::chain.eq(entry.chain.clone()),
            t::seq.eq(entry.seq),
            t::at.eq(entry.at),
            t::actor.eq(entry.actor.clone()),
            t::action.eq(entry.action.clone()),
            t::outcome.eq(entry.outcome.clone()),
            t::issuer_id.eq(entry.issuer_id),
            t::subject.eq(entry.subject.clone()),
            t::request_id.eq(entry.request_id.clone()),
            t::origin.eq(entry.origin.clone()),
            t::previous_hash.eq(entry.previous_hash.clone()),
            t::hash.eq(entry.hash.clone()),
        )
    };
    diesel::copy_from(t::table)
        .from_insertable(entries.iter().map(row).collect::<Vec<_>>())
        .execute(conn)
}

/// The end of a chain.
pub(super) fn audit_head(conn: &mut PgConnection, chain: &AuditChain) -> QueryResult<usize> {
    use schema::audit_heads as t;
    let row = (
        t::chain.eq(chain.id()),
        t::seq.eq(chain.seq()),
        t::hash.eq(chain.hash()),
    );
    diesel::insert_into(t::table).values(row).execute(conn)
}
