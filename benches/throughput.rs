//! `make bench`: how many enrolments and updates the product does, as a share of what the machine's
//! cores do in bare RSA-2048 private operations. docs/performance.md explains every number.
//!
//! It starts a release build of the gateway as a process of its own, on databases of its own, and
//! drives it over HTTP with requests that were encrypted and signed before the clock started. The
//! load generator and the database share the cores with the gateway; that is part of the ratio.
//! Nothing here asserts a time: figures are printed, wrong answers fail.
//!
//! ```sh
//! make bench                                     # all of it, about ten minutes on two cores
//! BENCH_USERS=1000000,5000000 make bench         # growth up to five million users
//! BENCH_ONLY=rounds BENCH_SECONDS=3 make bench   # a quick look
//! scripts/with-postgres.sh cargo bench --features bundled --bench throughput -- --help
//! ```
//!
//! | argument | environment | default | what |
//! | --- | --- | --- | --- |
//! | `--seconds` | `BENCH_SECONDS` | 8 | measured length of each run, after one second of warm-up |
//! | `--rounds` | `BENCH_ROUNDS` | 3 | how often enrolments and updates are measured; the median counts |
//! | `--connections` | `BENCH_CONNECTIONS` | 128 | keep-alive connections of the saturating load |
//! | `--users` | `BENCH_USERS` | 1000000 | how many users there are in the growth runs, in ascending order |
//! | `--nodes` | `BENCH_NODES` | 1,2,3 | gateways on one PostgreSQL |
//! | `--transactions` | `BENCH_TRANSACTIONS` | 5000000 | how many stored transactions there are beside the second import; 0: none |
//! | `--overload` | `BENCH_OVERLOAD` | 10 | times the saturating load |
//! | `--multi-buffer` | `BENCH_MULTI_BUFFER` | auto | `crypto.multi_buffer` of the `_mb` runs: `auto` or a path |
//! | `--only` | `BENCH_ONLY` | all | phases: `rounds`, `elliptic`, `multi-buffer`, `sqlite`, `nodes`, `growth`, `latency`, `overload`, `fairness`, `memory`, `transactions`, `dashboard` |
//!
//! The modules: [`settings`]; [`sandbox`], [`database`] and [`gateway`] are the machine under test;
//! [`requests`] prepares, [`connection`] and [`load`] drive, [`outcome`] holds what came back and
//! [`check`] proves it; [`rsa`] is the yardstick; [`fill`] enrols millions by COPY; [`phases`] says
//! what is measured in which order; [`report`] and [`plot`] show it.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to people"
)]

#[cfg(target_os = "linux")]
#[path = "throughput"]
mod linux {
    mod check;
    mod connection;
    mod database;
    mod fill;
    mod gateway;
    mod load;
    mod outcome;
    mod phases;
    mod plot;
    mod progress;
    mod report;
    mod requests;
    mod rsa;
    mod sandbox;
    mod settings;

    pub(crate) fn main() -> anyhow::Result<()> {
        phases::run(&settings::Settings::read()?)
    }
}

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> anyhow::Result<()> {
    anyhow::bail!("the throughput benchmark needs Linux: epoll and /proc")
}
