//! An import that is killed again and again ends with the same months as one that was left alone.

use super::{Scene, count};
use crate::on_both;
use crate::process::Running;
use crate::support::{Backend, until};
use issuer_gateway::transactions::import::PORTION;

on_both!(blocking: twenty_kills_change_nothing);

const KILLS: usize = 20;

/// Portions of the file: a process does some before it is killed.
const PORTIONS: usize = 100;

/// Purchases in each portion. The rest are authorisations, which cost little.
const PURCHASES: usize = 10;

fn twenty_kills_change_nothing(backend: Backend) {
    let left_alone = Scene::new(backend, 4);
    let csv = left_alone.purchases(PORTIONS * PURCHASES);
    let lines: Vec<&str> = csv.lines().collect();
    let mut padded = format!("{}\n", lines[0]);
    for line in &lines[1..] {
        padded += line;
        padded += "\nwrong\n";
        padded += &"x,,,,,,AT,,\n".repeat(PORTION / PURCHASES - 2);
    }
    let file = left_alone.write("may.csv", &padded);
    let told = left_alone.import(&file, &[]);
    let expected = u64::try_from(PORTIONS * PURCHASES).unwrap();
    assert_eq!(
        count(&told.stdout, "stored and scored"),
        expected,
        "{}",
        told.stdout
    );
    let rejects = left_alone.dir.path().join("may.csv.rejects.csv");
    let months = left_alone.months();
    let rejected = std::fs::read_to_string(&rejects).unwrap();

    // The same cardholders, without their transactions.
    for table in ["transaction_months", "transaction_ledgers"] {
        left_alone.database.execute(&format!("DELETE FROM {table}"));
    }
    let position = || {
        let rows = "SELECT coalesce(max(position), 0) AS n FROM transaction_imports";
        left_alone.database.number(rows)
    };
    for kill in 0..KILLS {
        let before = position();
        assert!(
            before > 0 || kill == 0,
            "it came to its end before kill {kill}"
        );
        let running = Running::start(&left_alone.arguments(&file), &[]);
        until("a portion is done", || position() > before);
        running.kill();
    }
    let last = left_alone.import(&file, &[]);
    assert!(
        last.stdout.contains("goes on behind record"),
        "{}",
        last.stdout
    );
    assert_eq!(last.code, Some(1), "{}", last.stderr);
    // The summary is of all processes together.
    let summary = |text: &str| {
        let lines = text.lines().filter(|line| !line.starts_with("goes on"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(summary(&last.stdout), summary(&told.stdout));
    assert_eq!(left_alone.months(), months);
    assert_eq!(std::fs::read_to_string(&rejects).unwrap(), rejected);
}
