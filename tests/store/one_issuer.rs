//! Every statement on a table with cardholders is one issuer's, and every statement on records of
//! the users API is one app's: what a distributed PostgreSQL needs to run it on one shard.
//!
//! Citus is not in Debian, so the rule is tested where it can be: at the wire. A proxy keeps what
//! the product sends to PostgreSQL while the writers' model and everything else that touches the
//! tables runs.

use crate::fixture::{ISSUER, Rig, TestKek, draft, finder};
use crate::model::play_cases;
use crate::passes::months::{post, post_and_keep, rewrite};
use crate::passes::rows::{directory_app, enrol_many, record, unwatched};
use crate::support::proxy::Proxy;
use crate::support::{Backend, TestDatabase, pool_mode};
use issuer_gateway::ids::{CardholderId, IssuerId};
use issuer_gateway::queue::Backlog;
use issuer_gateway::rotation;
use issuer_gateway::rotation::primary::{begin_index_rotation, rotate_seal};
use issuer_gateway::store::cardholders::CardholderStatus;
use issuer_gateway::store::erasure::WAITING;
use issuer_gateway::store::scoring_jobs::{DueJob, JobState, Next};
use issuer_gateway::store::transactions::Rewritten;
use issuer_gateway::store::{DatabaseUrl, Store, Writer, now};
use issuer_gateway::vault::Vault;
use std::collections::BTreeSet;
use std::num::NonZeroU32;

/// The tables that shard, and the column that they shard by.
const SHARDED: [(&str, &str); 8] = [
    ("users", "issuer_id"),
    ("cards", "issuer_id"),
    ("oauth_nonces", "issuer_id"),
    ("scoring_jobs", "issuer_id"),
    ("transaction_ledgers", "issuer_id"),
    ("transaction_months", "issuer_id"),
    ("retained_transactions", "issuer_id"),
    ("directory_users", "app_id"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_is_one_issuers() {
    let database = TestDatabase::new(Backend::Postgres);
    let (proxy, url) = listened_to(&database);
    let (rig, second) = (rig(&url).await, writer(&url));
    let rig = play_cases(&database, rig, second, 24).await;
    // The model's values are none that open.
    database.execute("TRUNCATE users, cards, scoring_jobs, directory_users");
    everything_else(&rig).await;

    let statements: BTreeSet<String> = proxy.sent().iter().flat_map(|sent| said(sent)).collect();
    let strays: Vec<_> = statements
        .iter()
        .filter(|text| !is_one_owners(text))
        .collect();
    assert!(strays.is_empty(), "{strays:#?}");
    // They were really listened to: what is written, locked and removed is among them.
    for beginning in [
        "insert into oauth_nonces",
        "insert into cards",
        "insert into users",
        "insert into scoring_jobs",
        "insert into transaction_ledgers",
        "insert into transaction_months",
        "insert into retained_transactions",
        "delete from oauth_nonces",
        "delete from cards",
        "delete from scoring_jobs",
        "delete from transaction_ledgers",
        "delete from transaction_months",
        "delete from retained_transactions",
        "update cards",
        "update users",
        "update directory_users",
        "update transaction_ledgers",
        "update transaction_months",
        "update retained_transactions",
        "with given as materialized",
        "select user_id from users where issuer_id = $1 and user_id = any($2) order by user_id for",
    ] {
        let among = statements.iter().any(|text| text.starts_with(beginning));
        assert!(among, "{beginning}: {statements:#?}");
    }
}

#[test]
fn a_stray_statement_is_told() {
    for (text, fits) in [
        (
            "select 1 from users where issuer_id = $1 and user_id = $2",
            true,
        ),
        ("select 1 from issuers", true),
        ("select user_id from users where user_id = $1", false),
        (
            "select 1 from issuers, cards where issuers.issuer_id = cards.issuer_id",
            false,
        ),
        (
            "insert into users (issuer_id, user_id) select $1, given.* from x",
            true,
        ),
        (
            "insert into cards (issuer_id, user_id) values ($1, $2)",
            true,
        ),
        (
            "insert into users (issuer_id, user_id) select * from unnest($1, $2)",
            false,
        ),
        (
            "select min(issuer_id) as owner from users where issuer_id > $1",
            true,
        ),
        (
            "select min(issuer_id) as owner from users where issuer_id > $1 for update",
            false,
        ),
        (
            "with x as (delete from cards where issuer_id = $1) select 1",
            false,
        ),
        ("update directory_users set a = b where app_id = $1", true),
        (
            "update directory_users set a = b where issuer_id = $1",
            false,
        ),
    ] {
        assert_eq!(is_one_owners(text), fits, "{text}");
    }
}

/// The beginnings of reads that ask which issuers have something to do, or how much there is. They
/// lock nothing.
const OF_ALL: [&str; 3] = [
    WAITING,
    "SELECT DISTINCT issuer_id AS n FROM scoring_jobs ",
    "SELECT status, count(*) AS n FROM scoring_jobs ",
];

/// Whether a statement, in lower case and without quotes, names the owner of each sharded table in
/// it.
fn is_one_owners(text: &str) -> bool {
    let words: BTreeSet<&str> = text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .collect();
    let mut named = SHARDED.iter().filter(|(table, _)| words.contains(table));
    named.all(|(table, column)| {
        let next = format!("select min({column}) as owner from {table} where {column} > $1");
        let inserted = format!("insert into {table} ({column}, ");
        let of_all = |beginning: &&str| text.starts_with(&beginning.to_lowercase());
        if text == next || OF_ALL.iter().any(of_all) {
            return !text.contains(" for ");
        }
        if text.contains(" as (insert")
            || text.contains(" as (update")
            || text.contains(" as (delete")
        {
            return false;
        }
        match text.split_once(&inserted) {
            Some((_, rest)) => rest.contains(") values ($1, ") || rest.contains(") select $1, "),
            None => text.contains(&format!("{column} = $")),
        }
    })
}

/// Everything that touches the tables beside the writers: lookups, operators, erasure, purge,
/// passes.
async fn everything_else(rig: &Rig) {
    let (store, vault) = (&rig.store, &rig.vault);
    let ids = enrol_many(rig, 0..4).await;
    let app = directory_app(rig).await;
    record(rig, app, 1, Some("a@example.com")).await;
    for id in &ids[..2] {
        // The second time there is a ledger.
        post(rig, id, &[24_301, 24_302]).await;
        post(rig, id, &[24_302]).await;
    }
    let kept: Vec<String> = (0..3).map(|n| format!("{n:032x}")).collect();
    post_and_keep(rig, &ids[0], &[24_301], &kept).await;
    let of_the_card = store.retained(ISSUER, vec![(1, vec![7; 32])], 10).await;
    assert_eq!(of_the_card.unwrap().len(), 3);
    store
        .delete_retained(ISSUER, kept[..1].to_vec())
        .await
        .unwrap();
    store.transactions_of(ISSUER, &ids[0], 0).await.unwrap();
    store
        .transaction_month(ISSUER, &ids[0], 24_301)
        .await
        .unwrap();
    scoring(rig, &ids).await;
    let found = rig.finder.user(ISSUER, &ids[0]).await.unwrap();
    assert!(found.is_some());
    assert!(
        rig.finder
            .user(IssuerId(2), &ids[0])
            .await
            .unwrap()
            .is_none()
    );
    store.known_users(ISSUER, &ids).await.unwrap();
    store.load_sealed_user(ISSUER, &ids[0]).await.unwrap();
    store.find_users_anywhere(&ids[0], None).await.unwrap();
    let inactive = store.switch_user(ISSUER, &ids[0], false, draft("user.switch"));
    inactive.await.unwrap();
    let leaving = CardholderStatus::Terminating;
    let set = store.set_user_status(ISSUER, &ids[1], leaving, draft("user.set-status"));
    assert!(set.await.unwrap());
    assert_eq!(store.pending_erasures().await, Ok(1));
    assert_eq!(store.erase_users(now()).await, Ok(1));

    rotate_seal(store, vault).await.unwrap();
    begin_index_rotation(store, vault).await.unwrap();
    enrol_many(rig, 4..6).await;
    let limits = rotation::Limits {
        batch: NonZeroU32::new(3).unwrap(),
        rows_per_second: None,
    };
    let resealed = rotation::reseal(store, vault, limits, &mut unwatched).await;
    assert!(resealed.unwrap().rows > 0);
    let reindexed = rotation::reindex(store, vault, limits, &mut unwatched).await;
    assert!(reindexed.unwrap().rows > 0);
    let verified = rotation::verify(store, vault, limits, &mut unwatched).await;
    assert_eq!(verified.unwrap().misfits, 0);
    assert!(store.purge_retained(ISSUER, now(), 1).await.unwrap() > 0);
    // As if it were later by an hour.
    assert!(store.purge_nonces(-3_600_000_000).await.unwrap() > 0);
}

/// The jobs of enrolments, and ledgers that are written anew.
async fn scoring(rig: &Rig, ids: &[CardholderId]) {
    let store = &rig.store;
    let due = store.issuers_with_due_jobs(i64::MAX).await.unwrap();
    assert!(due.contains(&ISSUER));
    let run = |_: &DueJob| Next::Run(i64::MAX);
    let looked = store
        .look_at_jobs(ISSUER, i64::MAX, 100, run)
        .await
        .unwrap();
    assert_eq!(looked.len(), ids.len());
    let end = Next::End(JobState::Done, now());
    let settled = store.settle_job(ISSUER, &ids[0], i64::MAX, 1, end).await;
    assert_eq!(settled, Ok(true));
    store.scoring_job(ISSUER, &ids[0]).await.unwrap();
    store.unended_jobs().await.unwrap();
    let page = store.ledgers_after(ISSUER, "", 10).await.unwrap();
    assert_eq!(page.len(), 2);
    store.count_ledgers_after(ISSUER, "", 10).await.unwrap();
    let rewritten = rewrite(rig, ISSUER, &ids[0]).await;
    assert_eq!(rewritten, Ok(Rewritten::Done));
}

/// The database behind a proxy that keeps what is sent to it.
fn listened_to(database: &TestDatabase) -> (Proxy, DatabaseUrl) {
    let serving = database.serving_text();
    let (before, name) = serving.rsplit_once('/').unwrap();
    let (start, host) = before.rsplit_once('@').unwrap();
    let proxy = Proxy::start(host.to_owned());
    proxy.keep_what_is_sent();
    let url = format!("{start}@{}/{name}?sslmode=disable", proxy.address);
    let url = DatabaseUrl::parse(&url).unwrap();
    (proxy, url.pooled(pool_mode()))
}

async fn rig(url: &DatabaseUrl) -> Rig {
    let kek = TestKek::random();
    let store = Store::open(url, 4);
    Rig {
        vault: Vault::open(&store, kek.alone()).await.unwrap(),
        kek,
        finder: finder(&store),
        writer: writer(url),
        store,
    }
}

fn writer(url: &DatabaseUrl) -> Writer {
    Writer::start(url, 2, 1_000, Backlog::default()).unwrap()
}

/// The statements among what a client of PostgreSQL has sent: in lower case, without the quotes of
/// names. The protocol's messages are a letter, their length and their content; the first one has
/// no letter.
fn said(sent: &[u8]) -> Vec<String> {
    let mut statements = Vec::new();
    let mut rest = skip(sent, 0);
    while let Some((kind, message)) = rest.split_first() {
        let content = content(message);
        let text = match kind {
            b'Q' => Some(content),
            // Parse: the statement's name first.
            b'P' => content.splitn(2, |byte| *byte == 0).nth(1),
            _ => None,
        };
        if let Some(text) = text {
            let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
            let text = String::from_utf8(text.to_vec()).unwrap();
            statements.push(text.replace('"', "").to_lowercase());
        }
        rest = skip(rest, 1);
    }
    statements
}

/// What follows a message whose length stands after `before` bytes.
fn skip(bytes: &[u8], before: usize) -> &[u8] {
    let Some(length) = bytes.get(before..).and_then(|rest| rest.first_chunk::<4>()) else {
        return &[];
    };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap();
    bytes.get(before + length..).unwrap_or_default()
}

fn content(message: &[u8]) -> &[u8] {
    let length = message.len() - skip(message, 0).len();
    &message[4..length]
}
