//! What becomes of users whose deletion was accepted: their data goes, once, wherever it was.

use crate::on_both;
use crate::support::gateway::{TestGateway, accepted, assert_refused, config, user_id};
use crate::support::{Backend, TestDatabase, until};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use issuer_gateway::client::sample;
use issuer_gateway::ids::CardholderId;
use issuer_gateway::store::erasure::{DUE, WAITING};

pub(crate) fn in_state(database: &TestDatabase, status: &str) -> i64 {
    database.number(&format!(
        "SELECT count(*) AS n FROM users WHERE status = '{status}'"
    ))
}

#[track_caller]
pub(crate) fn assert_all_erased_once(database: &TestDatabase, users: i64) {
    assert_eq!(in_state(database, "DELETED"), users);
    assert_eq!(database.count("cards"), 0);
    assert_eq!(database.count("scoring_jobs"), 0);
    let entries = "SELECT count(*) AS n FROM audit_entries WHERE action = 'user.erase' AND outcome = 'accepted'";
    assert_eq!(database.number(entries), users, "one entry for each user");
    let subjects = "SELECT count(DISTINCT subject) AS n FROM audit_entries a \
        JOIN users u ON u.user_id = a.subject AND u.issuer_id = a.issuer_id WHERE action = 'user.erase'";
    assert_eq!(database.number(subjects), users);
}

/// Enrols through the issuer whose answers are plain, which is quicker.
pub(crate) fn enrol(gateway: &TestGateway, count: usize) -> Vec<String> {
    let client = gateway.client("compat");
    let mut users: Vec<String> = (0..count)
        .map(|_| user_id(&client.enrol(&sample::enrolment("222300"))))
        .collect();
    users.sort();
    users
}

/// The value of a metric without labels.
fn metric(gateway: &TestGateway, name: &str) -> i64 {
    let page = gateway.gateway.metrics.render();
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap().parse().unwrap()
}

on_both!(
    a_deleted_user_is_gone_and_the_card_is_free,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let client = gateway.client("demo");
        let enrolment = sample::enrolment("534403");
        let user = user_id(&client.enrol(&enrolment));
        let kept = user_id(&client.enrol(&sample::enrolment("534403")));
        assert_eq!(accepted(&client.delete(&[&user])), [user.as_str()]);
        let database = gateway.database.as_ref().unwrap();
        until("the user is erased", || in_state(database, "DELETED") == 1);

        assert_refused(
            &client.update(&user, &sample::update()),
            404,
            &["USER_NOT_FOUND"],
        );
        assert_refused(&client.delete(&[&user]), 404, &["USER_NOT_FOUND"]);
        let again = user_id(&client.enrol(&enrolment));
        assert_ne!(again, user, "the card has a new user");
        for alive in [&again, &kept] {
            assert_eq!(client.update(alive, &sample::update()).status, 200);
        }
        assert_eq!(database.count("cards"), 2);
        assert_eq!(database.count("scoring_jobs"), 2);
        until("the gauge is down", || {
            metric(&gateway, "issuer_gateway_erasures_pending") == 0
        });
        assert_eq!(metric(&gateway, "issuer_gateway_users_erased_total"), 1);
    }
);

on_both!(nothing_personal_is_left, |backend: Backend| {
    let gateway = TestGateway::start_without_erasure(backend);
    let client = gateway.client("demo");
    // Every second one goes, so that pages hold both kinds.
    let (mut gone, mut kept, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    for count in 0..80 {
        let enrolment = sample::enrolment("534403");
        let user = CardholderId::parse(&user_id(&client.enrol(&enrolment))).unwrap();
        if count % 2 == 0 {
            gone.push(user);
            numbers.push(enrolment["cardNumber"].as_str().unwrap().to_owned());
        } else {
            kept.push(user);
        }
    }
    assert_eq!(
        client.update(gone[0].as_str(), &sample::update()).status,
        200
    );
    let traces: Vec<Vec<u8>> = gone
        .iter()
        .flat_map(|user| stored(&gateway, user))
        .collect();
    let ids: Vec<&str> = gone.iter().map(CardholderId::as_str).collect();
    accepted(&client.delete(&ids));
    let database = gateway.stop().unwrap();
    if backend == Backend::Sqlite {
        assert_eq!(
            in_files(&database, &traces),
            traces.len(),
            "they are there before"
        );
    }

    let gateway = TestGateway::start_with(&config(&database.url_text));
    until("the users are erased", || {
        in_state(&database, "DELETED") == 40
    });
    for user in &gone {
        assert_eq!(stored(&gateway, user), Vec::<Vec<u8>>::new());
    }
    let dump = database.dump().to_lowercase();
    for trace in &traces {
        assert!(
            !dump.contains(&hex::encode(trace)),
            "a sealed value is left in a row"
        );
    }
    if backend == Backend::Sqlite {
        until("the sealed values have left the files", || {
            in_files(&database, &traces) == 0
        });
    }
    let mut canaries = vec![
        "jane.sample@example.com",
        "Mayfair",
        "Jane Sample",
        "Brooklyn",
    ];
    canaries.extend(numbers.iter().map(String::as_str));
    database.assert_no_canary(&canaries);
    let client = gateway.client("demo");
    for user in &kept {
        assert_eq!(client.update(user.as_str(), &sample::update()).status, 200);
    }
});

/// Every sealed value and blind index that is stored of a user, but the index of the e-mail
/// address: here it is the same for all.
fn stored(gateway: &TestGateway, user: &CardholderId) -> Vec<Vec<u8>> {
    let issuer_id = gateway.issuer_id("demo");
    let loading = gateway.gateway.store.load_sealed_user(issuer_id, user);
    let (row, card) = gateway.block_on(loading).unwrap().unwrap();
    assert_eq!(row.profile.email_index.is_some(), card.is_some());
    assert_eq!(row.profile.email_index_key.is_some(), card.is_some());
    let (number, index) = card.map(|card| (card.card, card.pan_index)).unzip();
    [
        row.profile.name,
        row.profile.email,
        row.profile.phone,
        row.profile.billing_address,
        row.profile.locale,
        number,
        index,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// How many of these values are in the SQLite file or its write-ahead log.
fn in_files(database: &TestDatabase, traces: &[Vec<u8>]) -> usize {
    let files: Vec<Vec<u8>> = std::fs::read_dir(database.dir())
        .unwrap()
        .map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect();
    let found = |trace: &&Vec<u8>| {
        files
            .iter()
            .any(|bytes| bytes.windows(trace.len()).any(|window| window == *trace))
    };
    traces.iter().filter(found).count()
}

#[test]
fn two_gateways_erase_each_user_once() {
    let database = TestDatabase::new(Backend::Postgres);
    let node = || TestGateway::start_with(&config(&database.url_text));
    let (first, second) = (node(), node());
    let users = enrol(&first, 300);
    // Both accept, both are woken at once, both find the users of either.
    std::thread::scope(|scope| {
        for (gateway, part) in [(&first, &users[..150]), (&second, &users[150..])] {
            scope.spawn(move || {
                for list in part.chunks(50) {
                    assert_eq!(accepted(&gateway.client("compat").delete(list)), list);
                }
            });
        }
    });
    until("all are erased", || in_state(&database, "DELETED") == 300);
    assert_all_erased_once(&database, 300);
    let erased = |gateway| metric(gateway, "issuer_gateway_users_erased_total");
    until("the counters are up", || {
        erased(&first) + erased(&second) == 300
    });
}

#[test]
fn a_node_skips_what_another_one_is_erasing() {
    let gateway = TestGateway::start_without_erasure(Backend::Postgres);
    let users = enrol(&gateway, 5);
    accepted(&gateway.client("compat").delete(&users));
    let store = &gateway.gateway.store;
    let database = gateway.database.as_ref().unwrap();
    let mut other = PgConnection::establish(&database.url_text).unwrap();
    other
        .batch_execute(&format!(
            "BEGIN; SELECT 1 FROM users WHERE user_id IN ('{}', '{}') FOR UPDATE",
            users[0], users[3]
        ))
        .unwrap();
    // It neither waits for the two nor counts them as done.
    assert_eq!(gateway.block_on(store.erase_users(1)), Ok(3));
    assert_eq!(gateway.block_on(store.erase_users(2)), Ok(0));
    assert_eq!(gateway.block_on(store.pending_erasures()), Ok(2));
    other.batch_execute("ROLLBACK").unwrap();
    assert_eq!(gateway.block_on(store.erase_users(3)), Ok(2));
    assert_all_erased_once(database, 5);
}

#[derive(QueryableByName)]
struct SqlitePlan {
    #[diesel(sql_type = diesel::sql_types::Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct PostgresPlan {
    #[diesel(sql_type = diesel::sql_types::Text, column_name = "QUERY PLAN")]
    line: String,
}

fn plan(database: &TestDatabase, query: &str) -> String {
    match database.backend {
        Backend::Sqlite => {
            let path = database.dir().join("gateway.db");
            let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
            let plan: Vec<SqlitePlan> = sql_query(format!("EXPLAIN QUERY PLAN {query}"))
                .load(&mut conn)
                .unwrap();
            plan.into_iter().map(|row| row.detail).collect()
        }
        Backend::Postgres => {
            let mut conn = PgConnection::establish(&database.url_text).unwrap();
            // The table is empty here: without this a scan of nothing looks cheapest.
            conn.batch_execute("SET enable_seqscan = off").unwrap();
            let plan: Vec<PostgresPlan> = sql_query(format!("EXPLAIN {query}"))
                .load(&mut conn)
                .unwrap();
            plan.into_iter().map(|row| row.line).collect()
        }
    }
}

on_both!(
    the_queries_for_users_to_erase_use_their_index,
    |backend: Backend| {
        let database = TestDatabase::new(backend);
        for query in [WAITING, DUE] {
            let query = query.replace("$1", "1").replace("$2", "64");
            let plan = plan(&database, &query);
            assert!(plan.contains("users_terminating"), "{plan}");
        }
    }
);
