//! The figures: a table for people, one line of JSON for programs.

mod fairness;
mod table;

use super::outcome::Outcome;
use super::rsa::{Yardstick, median};
use anyhow::Context;
pub(crate) use fairness::{Fairness, Other};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use table::Table;

/// One run.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// Answers 200.
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// The share of one core that the load generator took.
    pub(crate) generator: f64,
}

impl Run {
    pub(crate) fn of(outcome: &Outcome) -> Self {
        let percentile = |share| outcome.latencies.percentile_ms(share).unwrap_or(f64::NAN);
        Self {
            per_second: outcome.per_second(),
            p50_ms: percentile(0.50),
            p99_ms: percentile(0.99),
            generator: outcome.generator_share(),
        }
    }

    /// Each figure's median on its own; none of no runs.
    pub(crate) fn median_of(runs: &[Self]) -> Option<Self> {
        let of = |figure: fn(&Self) -> f64| median(&runs.iter().map(figure).collect::<Vec<_>>());
        (!runs.is_empty()).then(|| Self {
            per_second: of(|run| run.per_second),
            p50_ms: of(|run| run.p50_ms),
            p99_ms: of(|run| run.p99_ms),
            generator: of(|run| run.generator),
        })
    }
}

/// Runs beside this many users.
#[derive(Debug)]
pub(crate) struct Growth {
    pub(crate) users: u32,
    pub(crate) jwe: Vec<Run>,
    pub(crate) update: Vec<Run>,
}

impl Growth {
    /// The size in words.
    pub(crate) fn beside(&self) -> String {
        match self.users {
            0 => "empty at first".to_owned(),
            users => format!("{users} users"),
        }
    }
}

/// A point of the curve.
#[derive(Debug)]
pub(crate) struct Point {
    /// Of the peak.
    pub(crate) percent: u32,
    /// Requests due per second.
    pub(crate) offered: f64,
    pub(crate) run: Run,
}

/// Far beyond the peak.
#[derive(Debug)]
pub(crate) struct Overload {
    /// What was offered.
    what: String,
    run: Run,
    /// Answers 200, as a share of the peak.
    of_peak: f64,
    sent_per_second: f64,
    statuses: BTreeMap<u16, u64>,
    lost: u64,
    refused_p50_ms: Option<f64>,
    refused_p99_ms: Option<f64>,
    refused: usize,
    without_retry_after: u64,
}

impl Overload {
    pub(crate) fn of(what: String, peak: f64, outcome: &Outcome) -> Self {
        Self {
            what,
            run: Run::of(outcome),
            of_peak: outcome.per_second() / peak,
            sent_per_second: outcome.sent_per_second(),
            statuses: outcome.statuses.clone(),
            lost: outcome.lost,
            refused_p50_ms: outcome.refusals.percentile_ms(0.50),
            refused_p99_ms: outcome.refusals.percentile_ms(0.99),
            refused: outcome.refusals.len(),
            without_retry_after: outcome.without_retry_after,
        }
    }
}

/// Resident memory of the gateway in MiB.
#[derive(Debug)]
pub(crate) struct Remembered {
    pub(crate) idle: f64,
    /// The most that was seen under load.
    pub(crate) busy: f64,
    /// The most that there ever was, says the kernel.
    pub(crate) peak: f64,
    pub(crate) run: Run,
}

/// Card transactions, per second.
#[derive(Debug, Default)]
pub(crate) struct Transactions {
    /// Scored by one thread.
    pub(crate) score_per_second: f64,
    /// Handed in through the API, a thousand a call.
    pub(crate) api_per_second: f64,
    /// Imported from a file, from the command's start to its end.
    pub(crate) import_per_second: f64,
    /// The same beside so many stored ones.
    pub(crate) import_beside_many: Option<f64>,
    pub(crate) beside: u32,
    pub(crate) sqlite_import_per_second: f64,
    /// Bytes of tables and indexes for each stored transaction.
    pub(crate) bytes_each: f64,
    /// Scores of a month asked for, as fast as it goes, and at half of that.
    pub(crate) aggregate: Option<Run>,
    pub(crate) aggregate_half: Option<Run>,
}

/// Overviews of the cardholder's web view.
#[derive(Debug)]
pub(crate) struct Dashboard {
    /// At 50 a second.
    pub(crate) p95_ms: f64,
    /// As fast as it goes.
    pub(crate) per_second: f64,
}

/// All that was measured; what was not is empty.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) jwe: Vec<Run>,
    pub(crate) field_level: Vec<Run>,
    pub(crate) update: Vec<Run>,
    pub(crate) jwe_ec: Vec<Run>,
    pub(crate) jwe_multi_buffer: Vec<Run>,
    pub(crate) field_level_multi_buffer: Vec<Run>,
    /// Why the two above are empty.
    pub(crate) no_multi_buffer: Option<String>,
    pub(crate) sqlite: Vec<Run>,
    pub(crate) nodes: Vec<(usize, Run)>,
    pub(crate) growth: Vec<Growth>,
    pub(crate) curve: Vec<Point>,
    pub(crate) overload: Vec<Overload>,
    pub(crate) fairness: Option<Fairness>,
    pub(crate) memory: Option<Remembered>,
    pub(crate) transactions: Option<Transactions>,
    pub(crate) dashboard: Option<Dashboard>,
}

/// The line for programs; `null` is what was not measured.
#[derive(Debug, Serialize)]
struct Line {
    rsa_per_s: f64,
    jwe_per_s: Option<f64>,
    jwe_ratio: Option<f64>,
    fle_per_s: Option<f64>,
    fle_ratio: Option<f64>,
    update_ratio: Option<f64>,
    jwe_ec_ratio: Option<f64>,
    jwe_ratio_mb: Option<f64>,
    fle_ratio_mb: Option<f64>,
    sqlite_ratio: Option<f64>,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
    fairness_p99_ratio: Option<f64>,
    rss_mib: Option<f64>,
    import_per_s: Option<f64>,
    api_tx_per_s: Option<f64>,
    score_per_s_core: Option<f64>,
    bytes_per_tx: Option<f64>,
    aggregate_per_s: Option<f64>,
    dashboard_page_p95_ms: Option<f64>,
    dashboard_per_s: Option<f64>,
}

/// The offered load, in percent of the peak, that `p50_ms` and `p99_ms` of the line are for.
const HALF: u32 = 50;

/// Prints the table, then the line, which also goes to `folder`.
pub(crate) fn print(results: &Results, yardstick: &Yardstick, folder: &Path) -> anyhow::Result<()> {
    table(results, yardstick).print();
    if let Some(reason) = &results.no_multi_buffer {
        println!("\nWithout Intel's crypto_mb: {reason}");
    }
    if !results.curve.is_empty() {
        println!("\n{}", folder.join("load.svg").display());
    }
    let line = serde_json::to_string(&line(results, yardstick))?;
    println!("\n{line}");
    let file = folder.join("throughput.json");
    std::fs::write(&file, format!("{line}\n")).with_context(|| file.display().to_string())
}

fn line(results: &Results, yardstick: &Yardstick) -> Line {
    let rounded = |value: f64, places: i32| {
        let factor = 10_f64.powi(places);
        (value * factor).round() / factor
    };
    let rate = |runs: &[Run]| Run::median_of(runs).map(|run| rounded(run.per_second, 1));
    let ratio = |runs: &[Run]| {
        Run::median_of(runs).map(|run| rounded(run.per_second / yardstick.per_second(), 3))
    };
    let of_transactions = |figure: fn(&Transactions) -> f64| {
        let all = results.transactions.as_ref();
        all.map(|all| rounded(figure(all), 1))
    };
    let half = results.curve.iter().find(|point| point.percent == HALF);
    Line {
        rsa_per_s: rounded(yardstick.per_second(), 1),
        jwe_per_s: rate(&results.jwe),
        jwe_ratio: ratio(&results.jwe),
        fle_per_s: rate(&results.field_level),
        fle_ratio: ratio(&results.field_level),
        update_ratio: ratio(&results.update),
        jwe_ec_ratio: ratio(&results.jwe_ec),
        jwe_ratio_mb: ratio(&results.jwe_multi_buffer),
        fle_ratio_mb: ratio(&results.field_level_multi_buffer),
        sqlite_ratio: ratio(&results.sqlite),
        p50_ms: half.map(|point| rounded(point.run.p50_ms, 2)),
        p99_ms: half.map(|point| rounded(point.run.p99_ms, 2)),
        fairness_p99_ratio: results
            .fairness
            .as_ref()
            .map(|fairness| rounded(fairness.p99_ratio(), 2)),
        rss_mib: results
            .memory
            .as_ref()
            .map(|memory| rounded(memory.peak, 1)),
        import_per_s: of_transactions(|all| all.import_per_second),
        api_tx_per_s: of_transactions(|all| all.api_per_second),
        score_per_s_core: of_transactions(|all| all.score_per_second),
        bytes_per_tx: of_transactions(|all| all.bytes_each),
        aggregate_per_s: of_transactions(|all| {
            all.aggregate
                .as_ref()
                .map_or(f64::NAN, |run| run.per_second)
        }),
        dashboard_page_p95_ms: results
            .dashboard
            .as_ref()
            .map(|pages| rounded(pages.p95_ms, 2)),
        dashboard_per_s: results
            .dashboard
            .as_ref()
            .map(|pages| rounded(pages.per_second, 1)),
    }
}

fn table(results: &Results, yardstick: &Yardstick) -> Table {
    let mut table = Table::new(yardstick);
    table.heading("saturated, one gateway");
    table.runs("JWE enrolments, PostgreSQL", &results.jwe, ">= 0.50");
    table.runs(
        "field-level enrolments, PostgreSQL",
        &results.field_level,
        ">= 0.50",
    );
    table.runs("updates, PostgreSQL", &results.update, ">= 0.45");
    table.runs("JWE enrolments to an EC key", &results.jwe_ec, ">= 1.30");
    table.runs("JWE enrolments, SQLite", &results.sqlite, ">= 0.30");
    table.runs("JWE enrolments, crypto_mb", &results.jwe_multi_buffer, "");
    table.runs(
        "field-level enrolments, crypto_mb",
        &results.field_level_multi_buffer,
        "",
    );

    table.heading("gateways on one PostgreSQL");
    for (nodes, run) in &results.nodes {
        table.run(&format!("JWE enrolments, gateways: {nodes}"), run, "");
    }

    table.heading("users enrolled before");
    let base = results.growth.first();
    for growth in &results.growth {
        for (what, runs, base) in [
            ("JWE enrolments", &growth.jwe, base.map(|base| &base.jwe)),
            ("updates", &growth.update, base.map(|base| &base.update)),
        ] {
            let of_empty = Run::median_of(runs)
                .zip(base.and_then(|base| Run::median_of(base)))
                .map(|(run, base)| run.per_second / base.per_second * 100.0);
            let note = of_empty.map(|share| format!("{share:.0} % of empty"));
            let name = format!("{what}, {}", growth.beside());
            table.runs(&name, runs, &note.unwrap_or_default());
        }
    }

    table.heading("open loop, latency from when a request was due");
    for point in &results.curve {
        let operations = point.run.p99_ms / yardstick.operation_ms();
        let note = format!("p99 = {operations:.1} RSA operations");
        let name = format!(
            "{} % of the peak, {:.0} per s",
            point.percent, point.offered
        );
        table.run(&name, &point.run, &note);
    }

    table.heading("overload");
    for overload in &results.overload {
        let note = format!("{:.0} % of the peak", overload.of_peak * 100.0);
        table.run(&overload.what, &overload.run, &note);
        table.text(&format!(
            "  sent per second: {:.0}",
            overload.sent_per_second
        ));
        table.text(&format!(
            "  answers: {:?}, lost: {}",
            overload.statuses, overload.lost
        ));
        if let (Some(p50), Some(p99)) = (overload.refused_p50_ms, overload.refused_p99_ms) {
            table.text(&format!(
                "  refused: {} in p50 {p50:.2} ms, p99 {p99:.2} ms; without Retry-After: {}",
                overload.refused, overload.without_retry_after
            ));
        }
    }

    if let Some(fairness) = &results.fairness {
        fairness.show(&mut table);
    }
    if let Some(all) = &results.transactions {
        transactions(&mut table, all);
    }
    if let Some(pages) = &results.dashboard {
        table.heading("the cardholder's web view, overview of a year");
        table.text(&format!(
            "{:<38} {:>9.1}  goal: p95 under 30 ms",
            "ms (p95) at 50 pages a second", pages.p95_ms
        ));
        table.text(&format!(
            "{:<38} {:>9.0}",
            "pages a second", pages.per_second
        ));
    }

    if let Some(memory) = &results.memory {
        table.heading("1,000 connections");
        table.run("JWE enrolments", &memory.run, "");
        table.text(&format!(
            "  resident: {:.1} MiB at the start, {:.1} MiB under load, {:.1} MiB at most (goal: under 150)",
            memory.idle, memory.busy, memory.peak
        ));
    }
    table
}

fn transactions(table: &mut Table, all: &Transactions) {
    table.heading("card transactions");
    let mut line = |name: &str, per_second: f64, note: &str| {
        table.text(&format!("{name:<38} {per_second:>9.0}  {note}"));
    };
    line(
        "scored, one thread",
        all.score_per_second,
        "goal: >= 500,000",
    );
    line(
        "API, 1,000 a call, PostgreSQL",
        all.api_per_second,
        "goal: >= 10,000",
    );
    line(
        "imported, PostgreSQL",
        all.import_per_second,
        "goal: >= 10,000",
    );
    if let Some(beside) = all.import_beside_many {
        let share = beside / all.import_per_second * 100.0;
        let note = format!("{share:.0} % of the one before");
        line(&format!("imported beside {}", all.beside), beside, &note);
    }
    line(
        "imported, SQLite",
        all.sqlite_import_per_second,
        "goal: >= 5,000",
    );
    line(
        "bytes for each",
        all.bytes_each,
        "tables and indexes, repacked",
    );
    if let Some(run) = &all.aggregate {
        table.run("scores of a month", run, "goal: >= 2,000");
    }
    if let Some(run) = &all.aggregate_half {
        table.run("scores of a month, half load", run, "goal: p99 < 10 ms");
    }
}
