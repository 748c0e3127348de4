//! Transactions as they are stored: counted by opening them, and filled in by COPY.

use crate::linux::fill::vault_keys;
use crate::linux::sandbox::{Sandbox, Site};
use anyhow::{Context, ensure};
use diesel::prelude::*;
use indicatif::ProgressBar;
use issuer_gateway::footprint::{Month, Scorer};
use issuer_gateway::ids::IssuerId;
use issuer_gateway::store::now;
use issuer_gateway::store::schema::{transaction_ledgers, transaction_months, users};
use issuer_gateway::transactions::codec;
use issuer_gateway::transactions::item::{Kind, Merchant, SourceId};
use issuer_gateway::transactions::ledger::Ledger;
use issuer_gateway::transactions::stored::{Scored, StoredMonth, StoredTransaction};
use issuer_gateway::vault::{Place, SealedColumn, VaultKeys};

/// Cardholders written at once.
const CHUNK: usize = 200;

/// How many transactions there are, and how many bytes both tables and their indexes take.
pub(super) fn size(sandbox: &Sandbox, site: &Site) -> anyhow::Result<(usize, i64)> {
    let keys = vault_keys(sandbox, site)?;
    let mut conn = site.database.connect()?;
    let rows: Vec<(i32, String, i32, Vec<u8>)> = transaction_months::table
        .select((
            transaction_months::issuer_id,
            transaction_months::user_id,
            transaction_months::month,
            transaction_months::content,
        ))
        .load(&mut conn)?;
    let mut count = 0;
    for (issuer_id, user_id, month, content) in rows {
        let place = Place::of_month(IssuerId(issuer_id), &user_id, month);
        let clear = keys.open_sealed(place, &content)?;
        let month = Month::from_key(month).context("no month")?;
        count += codec::decode_month(month, &clear)?.1.transactions.len();
    }
    site.database.execute("VACUUM FULL transaction_months")?;
    site.database.execute("VACUUM FULL transaction_ledgers")?;
    site.database.execute("VACUUM (ANALYZE)")?;
    site.database.execute("CHECKPOINT")?;
    let bytes = site.database.number(
        "SELECT pg_total_relation_size('transaction_months') + pg_total_relation_size('transaction_ledgers') AS n",
    )?;
    Ok((count, bytes))
}

/// Twelve months before the running one, with so many transactions each, for each of the
/// cardholders.
pub(super) fn fill(
    sandbox: &Sandbox,
    site: &Site,
    user_ids: &[String],
    a_month: u32,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let keys = vault_keys(sandbox, site)?;
    let mut conn = site.database.connect()?;
    let issuer_id: i32 = users::table
        .filter(users::user_id.eq(user_ids.first().context("nobody to fill in")?))
        .select(users::issuer_id)
        .first(&mut conn)?;
    let scorer = Scorer::builtin()?;
    let this_month = Month::of(chrono::Utc::now().date_naive());
    let patterns = (1..=12)
        .map(|before| pattern(&scorer, this_month.plus(-before), a_month))
        .collect::<anyhow::Result<Vec<_>>>()?;
    for chunk in user_ids.chunks(CHUNK) {
        let mut ledgers = Vec::with_capacity(chunk.len());
        let mut months = Vec::with_capacity(chunk.len() * 12);
        for user_id in chunk {
            let mut ledger = Ledger::new(scorer.set().id().clone());
            for pattern in &patterns {
                let mut month = pattern.clone();
                for transaction in &mut month.transactions {
                    let id = uuid::Uuid::new_v4().to_string();
                    transaction.source = SourceId::parse(&id).context("no id")?;
                    ledger.note(month.month, &transaction.source);
                }
                let clear = codec::encode_month(&ledger.set, &month)?;
                let key = month.month.key();
                let place = Place::of_month(IssuerId(issuer_id), user_id, key);
                months.push((user_id.clone(), key, seal(&keys, place, &clear)?));
            }
            let clear = codec::encode_ledger(&ledger)?;
            let column = SealedColumn::TransactionLedger;
            let place = Place::of_issuer(IssuerId(issuer_id), user_id, column);
            ledgers.push((user_id.clone(), seal(&keys, place, &clear)?));
        }
        copy(&mut conn, issuer_id, &ledgers, &months)?;
        bar.inc(u64::try_from(chunk.len())?);
    }
    site.database.execute("VACUUM (ANALYZE)")?;
    site.database.execute("CHECKPOINT")
}

fn pattern(scorer: &Scorer, month: Month, count: u32) -> anyhow::Result<StoredMonth> {
    let mut stored = StoredMonth::empty(month);
    let first = month.first_day().context("no day")?;
    for purchase in super::feed::mix(u64::from(count)) {
        let purchase = issuer_gateway::footprint::Purchase {
            date: first,
            ..purchase
        };
        let scored = Scored::of(&scorer.score(&purchase)).context("no rate")?;
        stored.push(StoredTransaction {
            source: SourceId::Uuid([0; 16]),
            date: purchase.date,
            mcc: purchase.mcc,
            amount: purchase.amount,
            country: purchase.country,
            kind: Kind::Purchase,
            brand: None,
            merchant: Merchant::parse("Corner Market"),
            original: None,
            scored,
        })?;
    }
    ensure!(!stored.transactions.is_empty(), "an empty month");
    Ok(stored)
}

fn seal(keys: &VaultKeys, place: Place<'_>, clear: &[u8]) -> anyhow::Result<(Vec<u8>, i32)> {
    let sealed = keys.seal(place, clear)?;
    Ok((sealed.bytes, sealed.key_version))
}

type SealedRow = (Vec<u8>, i32);

fn copy(
    conn: &mut PgConnection,
    issuer_id: i32,
    ledgers: &[(String, SealedRow)],
    months: &[(String, i32, SealedRow)],
) -> anyhow::Result<()> {
    let at = now();
    let ledger = |(user_id, (content, key)): &(String, SealedRow)| {
        use transaction_ledgers as t;
        (
            t::issuer_id.eq(issuer_id),
            t::user_id.eq(user_id.clone()),
            t::content.eq(content.clone()),
            t::seal_key.eq(*key),
            t::updated_at.eq(at),
        )
    };
    let month = |(user_id, month, (content, key)): &(String, i32, SealedRow)| {
        use transaction_months as t;
        (
            t::issuer_id.eq(issuer_id),
            t::user_id.eq(user_id.clone()),
            t::month.eq(*month),
            t::content.eq(content.clone()),
            t::seal_key.eq(*key),
            t::updated_at.eq(at),
        )
    };
    diesel::copy_from(transaction_ledgers::table)
        .from_insertable(ledgers.iter().map(ledger).collect::<Vec<_>>())
        .execute(conn)?;
    diesel::copy_from(transaction_months::table)
        .from_insertable(months.iter().map(month).collect::<Vec<_>>())
        .execute(conn)?;
    Ok(())
}
