//! What must hold when all has been rotated.

use super::calls::Cardholder;
use super::data_keys::{UNLIMITED, no_misfit, reseal};
use super::records::Recorder;
use super::{Installation, Operator, Size};
use crate::rotation::deployment::{metrics, reloads};
use crate::support::at_rest::stored;
use issuer_gateway::audit;
use issuer_gateway::audit::purged::PurgeKeys;
use issuer_gateway::rotation::verify;
use issuer_gateway::sealed::SealedTable;
use issuer_gateway::store::data_keys::Purpose;
use serde_json::Value;

/// Every node has taken up every change of its configuration, but the broken one, and nothing else
/// has failed.
pub(super) fn rotated(installation: &Installation, size: &Size) {
    for node in &installation.nodes {
        let taken_up = reloads(&node.gateway, "success");
        assert!(taken_up > size.gateway_keys, "{taken_up}");
        assert_eq!(reloads(&node.gateway, "failure"), 1, "the broken one");
        let page = metrics(&node.gateway);
        let failed = page
            .lines()
            .filter(|line| line.starts_with("issuer_gateway_background_failures_total{"))
            .find(|line| !line.ends_with(" 0"));
        assert_eq!(failed, None);
    }
    let entries = |action: &str, detail: &str| {
        installation.database.number(&format!(
            "SELECT count(*) AS n FROM audit_entries \
             WHERE action = '{action}' AND outcome = 'accepted' AND detail LIKE '{detail}'"
        ))
    };
    let number = |count: usize| i64::try_from(count).unwrap();
    let loads = size.gateway_keys * size.nodes;
    assert_eq!(
        entries("gateway-key.load", "primary"),
        number(loads + size.nodes)
    );
    let rounds = size.certificate_rounds * installation.issuers.len();
    assert!(entries("issuer.apply", "updated") >= number(rounds));
}

/// After a last `reseal` every row is under the newest keys, and all others are wiped.
pub(super) fn nothing_under_an_old_key(installation: &Installation, size: &Size) {
    let operator = Operator::new(&installation.original);
    let passed = reseal(&operator, UNLIMITED);
    let seal = i32::try_from(size.data_keys).unwrap() + 1;
    assert_eq!((passed.version, passed.misfits), (seal, 0));
    for table in SealedTable::ALL {
        let counts = operator.run(operator.store.version_counts(table)).unwrap();
        let versions: Vec<_> = counts.keys().copied().collect();
        let expected = match table {
            SealedTable::Cardholders | SealedTable::Cards | SealedTable::DirectoryUsers => {
                vec![(seal, Some(2))]
            }
            // Nobody buys anything here.
            _ => Vec::new(),
        };
        assert_eq!(versions, expected, "{}", table.name());
    }
    let keys = operator.run(operator.store.data_keys()).unwrap();
    for (purpose, primary) in [(Purpose::Seal, seal), (Purpose::Index, 2)] {
        let keys: Vec<_> = keys
            .iter()
            .filter(|key| key.purpose == purpose.as_str())
            .collect();
        assert_eq!(keys.len(), usize::try_from(primary).unwrap());
        for key in keys {
            let wiped = key.is_retired() && key.wrapped.is_empty();
            assert_eq!(wiped, key.version != primary, "{purpose:?} {}", key.version);
        }
    }
}

/// Whoever was told to be enrolled is, and nobody else; and all that is stored is what was sent
/// last.
pub(super) fn everybody_opens(
    installation: &Installation,
    cardholders: &[Cardholder],
    records: &[Value],
) {
    let database = &installation.database;
    for (table, expected) in [
        ("users", cardholders.len()),
        ("cards", cardholders.len()),
        ("directory_users", records.len()),
    ] {
        assert_eq!(
            database.count(table),
            i64::try_from(expected).unwrap(),
            "{table}"
        );
    }
    let operator = Operator::new(&installation.original);
    let Operator { store, vault, .. } = &operator;
    let verified = operator
        .run(verify(store, vault, UNLIMITED, &mut no_misfit))
        .unwrap();
    let rows = 2 * cardholders.len() + records.len();
    assert_eq!(
        (verified.rows, verified.misfits),
        (u64::try_from(rows).unwrap(), 0)
    );

    let node = &installation.nodes[0].gateway;
    for cardholder in cardholders {
        let Cardholder {
            issuer, user_id, ..
        } = cardholder;
        assert_eq!(stored(node, issuer, user_id), cardholder.stored);
    }
    let mut recorder = Recorder::new(installation, 0);
    for record in records {
        recorder.read(record).unwrap();
    }
}

/// The audit trail, written by all nodes and commands meanwhile, holds.
pub(super) fn trail_holds(installation: &Installation) {
    let operator = Operator::new(&installation.original);
    let keys = PurgeKeys::later(|| Box::pin(async { anyhow::bail!("nothing was purged") }));
    let summary = operator
        .run(audit::verify::verify(&operator.store, &keys, &mut |_| {}))
        .unwrap();
    assert_eq!(summary.broken, 0, "{summary:?}");
    assert!(summary.entries > 0, "{summary:?}");
}
