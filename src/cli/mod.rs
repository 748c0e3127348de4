//! The command line: one file for each command.

mod audit;
mod backup;
mod client;
mod client_explain;
mod demo;
mod factors;
mod issuer;
mod keys;
mod migrate;
mod progress;
mod sandbox;
mod serve;
mod transactions;
mod user;
mod users;
mod vault;

use crate::config::Config;
use anyhow::Context;
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Gateway for card-issuer APIs with end-to-end encrypted payloads.
///
/// Try it: `issuer-gateway sandbox --demo` makes keys, a database and three issuers in ./sandbox,
/// listens on http://127.0.0.1:8080 and shows an enrolment. Then run in another terminal:
/// `issuer-gateway client enrol -v`.
#[derive(Debug, Parser)]
#[command(name = "issuer-gateway", version, arg_required_else_help = true)]
struct Arguments {
    /// Configuration file (TOML); ISSUER_GATEWAY__SECTION__NAME variables override it.
    #[arg(long, value_name = "FILE", env = "ISSUER_GATEWAY_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway with the configuration given by --config.
    Serve,
    /// Run a complete gateway out of one folder. The first run makes keys, database and issuers.
    Sandbox(sandbox::Arguments),
    /// Play an issuer server: encrypt a request, sign it, send it, and open the answer.
    #[command(subcommand)]
    Client(client::Command),
    /// Bring issuers on board, show them, change their state.
    #[command(subcommand)]
    Issuer(issuer::Command),
    /// Make, list, rotate and check the gateway keys, to which issuers encrypt.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Show an enrolled cardholder, change its state.
    #[command(subcommand)]
    User(user::Command),
    /// Make apps of the users API, issue and revoke their keys and user tokens.
    #[command(subcommand)]
    Users(users::Command),
    /// Show and change the keys of the data at rest: data keys, and the KEK that wraps them.
    #[command(subcommand)]
    Vault(vault::Command),
    /// Show the factor sets behind scores, load rates, prices and sets, or score one purchase.
    #[command(subcommand)]
    Factors(factors::Command),
    /// Import card transactions from files, score stored ones anew.
    #[command(subcommand)]
    Transactions(transactions::Command),
    /// Verify or export the audit trail.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Copy the SQLite database to a file while nodes serve, and verify the copy.
    ///
    /// The copy shows the database at one moment and has mode 0600. It gets its name only after it
    /// is whole, checked and on the disk. The audit trail gets an entry. With PostgreSQL the
    /// command names pg_dump and pg_basebackup, and fails.
    Backup(backup::Arguments),
    /// Apply missing database migrations, then exit.
    Migrate,
}

/// Parses the command line and runs it; the exit status is 0, 1 (the command failed) or 2 (usage).
pub fn main() -> ExitCode {
    // Before libpq does it: OpenSSL must not be torn down at exit, while a thread of the pool still
    // connects.
    openssl::init();
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let config = arguments.config.as_deref();
    match arguments.command {
        Command::Serve => serve::run(config)?,
        Command::Sandbox(arguments) => sandbox::run(&arguments)?,
        Command::Client(command) => return client::run(config, command),
        Command::Issuer(command) => issuer::run(&load(config)?, command)?,
        Command::Keys(command) => keys::run(config, command)?,
        Command::User(command) => user::run(&load(config)?, command)?,
        Command::Users(command) => users::run(&load(config)?, command)?,
        Command::Vault(command) => return vault::run(config, command),
        Command::Factors(command) => factors::run(config, &command)?,
        Command::Transactions(command) => return transactions::run(&load(config)?, command),
        Command::Audit(command) => return audit::run(&load(config)?, command),
        Command::Backup(arguments) => backup::run(&load(config)?, &arguments)?,
        Command::Migrate => migrate::run(&load(config)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn load(file: Option<&Path>) -> anyhow::Result<Config> {
    let file = file
        .context("--config FILE is needed, before the command: issuer-gateway --config FILE …")?;
    Ok(Config::load(file)?)
}

/// A runtime for commands; the servers bring their own worker threads.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?)
}

/// Runs a server. Threads that hang do not keep the process from ending.
fn run_to_the_end(server: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = runtime()?;
    let ended = runtime.block_on(server);
    runtime.shutdown_background();
    ended
}
