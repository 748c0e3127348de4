//! `vault status`: KEKs, data keys, and the number of rows under each.

use crate::cli::issuer::date;
use crate::config::Config;
use crate::sealed::SealedTable;
use crate::store::Store;
use crate::store::audit::pages::ChainRange;
use crate::store::data_keys::DataKeyRow;
use crate::vault::Keks;
use crate::{app, keys};
use std::collections::BTreeMap;

pub(super) fn run(config: &Config) -> anyhow::Result<()> {
    let at_hand = keks(config);
    crate::cli::runtime()?.block_on(async {
        let (_, store) = app::open_store(&config.database)?;
        data_keys(&store.data_keys().await?, at_hand.as_ref());
        rows(&store).await
    })
}

/// The configured KEKs. If they do not load, the command still shows the rest.
fn keks(config: &Config) -> Option<Keks> {
    let loaded = match keys::kek::load(config) {
        Ok(loaded) => loaded,
        Err(error) => {
            eprintln!("warning: {error:#}");
            return None;
        }
    };
    for (number, id) in loaded.ids().into_iter().enumerate() {
        let label = if number == 0 { "KEK" } else { "further KEK" };
        println!("{label:<12} {id}");
    }
    Some(loaded)
}

fn data_keys(keys: &[DataKeyRow], at_hand: Option<&Keks>) {
    println!(
        "\n{:<8} {:<8} {:<8} {:<29} CREATED",
        "KEY", "VERSION", "STATE", "KEK"
    );
    for key in keys {
        let kek = match &key.kek_id {
            _ if key.is_retired() => "-".to_owned(),
            id if at_hand.is_some_and(|keks| keks.opens(id)) => id.clone(),
            id => format!("{id} not at hand"),
        };
        println!(
            "{:<8} {:<8} {:<8} {kek:<29} {}",
            key.purpose,
            key.version,
            key.state,
            date(Some(key.created_at))
        );
    }
}

async fn rows(store: &Store) -> anyhow::Result<()> {
    println!("\n{:<16} {:<8} {:<8} ROWS", "TABLE", "KEY", "VERSION");
    for table in SealedTable::ALL {
        let mut rows = BTreeMap::new();
        for ((seal, index), count) in store.version_counts(table).await? {
            *rows.entry(("seal", seal)).or_insert(0) += count;
            if let Some(index) = index {
                *rows.entry(("index", index)).or_insert(0) += count;
            }
        }
        for ((purpose, version), count) in rows {
            println!("{:<16} {purpose:<8} {version:<8} {count}", table.name());
        }
    }
    let mut anchors = BTreeMap::new();
    for anchor in store.audit_purges(&ChainRange::default(), i64::MAX).await? {
        *anchors.entry(anchor.seal_key).or_insert(0) += 1;
    }
    for (version, count) in anchors {
        println!("{:<16} {:<8} {version:<8} {count}", "audit_purges", "seal");
    }
    Ok(())
}
