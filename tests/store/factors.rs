//! What operators load for scoring: recorded whole, in order, with its audit entry.

use crate::fixture::draft;
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use issuer_gateway::store::Store;
use issuer_gateway::store::factors::{FactorFile, SET};

on_both!(
    loads_are_recorded_in_order_and_audited,
    a_load_that_was_validated_beside_other_data_is_not_recorded,
    a_file_of_a_set_is_there_once,
);

fn file(kind: &str, set: Option<&str>, name: &str) -> (FactorFile, String) {
    let file = FactorFile {
        kind: kind.to_owned(),
        set_id: set.map(str::to_owned),
        file: name.to_owned(),
        checksum: format!("sum of {name}"),
        row_count: 3,
        kept: 2,
    };
    (file, format!("text of {name}"))
}

async fn loads_are_recorded_in_order_and_audited(backend: Backend) {
    let database = TestDatabase::new(backend);
    let store = Store::open(&database.url(), 2);
    assert_eq!(store.factor_version().await, Ok(0));
    let load = async |expected, files| {
        let audit = draft("factors.load");
        store.load_factors(expected, files, audit).await
    };
    assert_eq!(load(0, vec![file("rates", None, "a.csv")]).await, Ok(true));
    let set = ["mcc.csv", "areas.csv"].map(|name| file(SET, Some("own-1"), name));
    assert_eq!(load(1, set.to_vec()).await, Ok(true));
    assert_eq!(load(2, vec![file("rates", None, "a.csv")]).await, Ok(true));

    let all = store.factors_after(0).await.unwrap();
    assert_eq!(all.version, 3);
    let named: Vec<_> = all
        .loads
        .iter()
        .map(|(load, text)| (load.file.file.as_str(), text.as_str()))
        .collect();
    assert_eq!(
        named,
        [
            ("a.csv", "text of a.csv"),
            ("mcc.csv", "text of mcc.csv"),
            ("areas.csv", "text of areas.csv"),
            ("a.csv", "text of a.csv"),
        ]
    );
    assert!(all.loads.is_sorted_by_key(|(load, _)| load.load_id));
    let second = all.loads[1].0.load_id;
    let newer = store.factors_after(second).await.unwrap();
    assert_eq!(newer.loads, all.loads[2..]);
    let loads = store.factor_loads().await.unwrap();
    assert!(loads.iter().eq(all.loads.iter().map(|(load, _)| load)));
    assert_eq!(
        store.loaded_factor_sets().await,
        Ok(vec!["own-1".to_owned()])
    );
    let entries = database.texts(
        "SELECT subject || ' ' || detail AS t FROM audit_entries WHERE action = 'factors.load' ORDER BY seq",
    );
    assert_eq!(entries.len(), 4);
    assert!(entries[0].starts_with("rates load ") && entries[0].ends_with(" sum of a.csv"));
    assert!(entries[1].starts_with("own-1 load "));
}

async fn a_load_that_was_validated_beside_other_data_is_not_recorded(backend: Backend) {
    let database = TestDatabase::new(backend);
    let store = Store::open(&database.url(), 4);
    // Four at once, validated beside the same: one is recorded.
    let tasks: Vec<_> = (0..4)
        .map(|number| {
            let store = store.clone();
            let files = vec![file("grid", None, &format!("{number}.csv"))];
            tokio::spawn(async move { store.load_factors(0, files, draft("factors.load")).await })
        })
        .collect();
    let mut recorded = 0;
    for task in tasks {
        recorded += usize::from(task.await.unwrap().unwrap());
    }
    assert_eq!(recorded, 1);
    assert_eq!(store.factor_version().await, Ok(1));
    assert_eq!(database.count("factor_loads"), 1);
    let entries = "SELECT count(*) AS n FROM audit_entries WHERE action = 'factors.load'";
    assert_eq!(database.number(entries), 1);
}

async fn a_file_of_a_set_is_there_once(backend: Backend) {
    let database = TestDatabase::new(backend);
    let store = Store::open(&database.url(), 2);
    let load = async |expected, files| {
        let audit = draft("factors.load");
        store.load_factors(expected, files, audit).await
    };
    let mcc = || file(SET, Some("own-1"), "mcc.csv");
    assert_eq!(load(0, vec![mcc()]).await, Ok(true));
    let again = load(1, vec![file(SET, Some("own-1"), "areas.csv"), mcc()]).await;
    assert!(again.is_err());
    assert_eq!(database.count("factor_loads"), 1);
    assert_eq!(store.factor_version().await, Ok(1));
}
