//! Knobs: arguments after `--`, or the environment.

use anyhow::{Context, ensure};
use clap::{Parser, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// What a run may be told; the table in benches/throughput.rs has the same.
#[derive(Debug, Parser)]
#[command(
    name = "throughput",
    about = "The throughput benchmark: see docs/performance.md"
)]
pub(crate) struct Settings {
    /// Measured length of each run in seconds, after one second of warm-up.
    #[arg(long, env = "BENCH_SECONDS", default_value_t = 8.0)]
    seconds: f64,
    /// How often enrolments and updates are measured; the median counts.
    #[arg(long, env = "BENCH_ROUNDS", default_value_t = 3)]
    pub(crate) rounds: usize,
    /// Keep-alive connections of the saturating load.
    #[arg(long, env = "BENCH_CONNECTIONS", default_value_t = 128)]
    pub(crate) connections: usize,
    /// How many users there are in the growth runs, in ascending order.
    #[arg(
        long,
        env = "BENCH_USERS",
        value_delimiter = ',',
        default_value = "1000000"
    )]
    pub(crate) users: Vec<u32>,
    /// Gateways on one PostgreSQL.
    #[arg(
        long,
        env = "BENCH_NODES",
        value_delimiter = ',',
        default_value = "1,2,3"
    )]
    pub(crate) nodes: Vec<usize>,
    /// How many stored transactions there are beside the second import of the transactions' phase.
    #[arg(long, env = "BENCH_TRANSACTIONS", default_value_t = 5_000_000)]
    pub(crate) transactions: u32,
    /// The overload, in times the saturating load.
    #[arg(long, env = "BENCH_OVERLOAD", default_value_t = 10)]
    pub(crate) overload: usize,
    /// `crypto.multi_buffer` of the runs with Intel's library: `auto` or a path.
    #[arg(long, env = "BENCH_MULTI_BUFFER", default_value = "auto")]
    pub(crate) multi_buffer: String,
    /// Only these phases.
    #[arg(long, env = "BENCH_ONLY", value_delimiter = ',', value_enum)]
    only: Vec<Phase>,
    /// Cargo says this to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Phase {
    Rounds,
    /// Enrolments that are encrypted to an EC key.
    Elliptic,
    MultiBuffer,
    Sqlite,
    Nodes,
    Latency,
    Overload,
    /// One issuer's latency while another floods.
    Fairness,
    Memory,
    Transactions,
    Dashboard,
    // Last: the disk is busy for a while after it.
    Growth,
}

impl Settings {
    pub(crate) fn read() -> anyhow::Result<Self> {
        let settings = Self::parse();
        ensure!(
            (1.0..=60.0).contains(&settings.seconds),
            "--seconds: 1 to 60: signatures are good for five minutes"
        );
        ensure!(settings.rounds > 0, "--rounds: at least 1");
        ensure!(
            (1..=4_096).contains(&settings.connections),
            "--connections: 1 to 4096"
        );
        ensure!(
            settings.users.is_sorted() && !settings.users.contains(&0),
            "--users: numbers above 0 in ascending order"
        );
        ensure!(!settings.nodes.contains(&0), "--nodes: numbers above 0");
        ensure!(
            (2..=100).contains(&settings.overload),
            "--overload: 2 to 100"
        );
        Ok(settings)
    }

    /// The measured length of each run.
    pub(crate) fn measured(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// Whether a phase is wanted.
    pub(crate) fn wants(&self, phase: Phase) -> bool {
        self.only.is_empty() || self.only.contains(&phase)
    }
}

/// Where figures and plots are written: `target/bench`.
pub(crate) fn output_folder() -> anyhow::Result<PathBuf> {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let folder = target.with_file_name("bench");
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder)
}
