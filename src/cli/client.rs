//! `client enrol|update|transactions|score|dashboard|explain`: an issuer server in one command, for
//! debugging integrations.

use super::client_explain;
use crate::client::identity::{Identity, KeyFiles};
use crate::client::{Answered, Client, Operation, Prepared, sample, sample_year};
use crate::ids::CardholderId;
use crate::oauth1::SignatureMethod;
use crate::payload::EnvelopeKind;
use anyhow::{Context, bail};
use chrono::{NaiveDate, Utc};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Enrol a cardholder (POST /issuers/users).
    #[command(visible_alias = "enroll")]
    Enrol(Call),
    /// Update a cardholder (PUT /issuers/users/{userid}).
    Update {
        /// The cardholder's userid, from the answer to the enrolment.
        user_id: String,
        #[command(flatten)]
        call: Call,
    },
    /// Hand in card transactions, or make some up.
    #[command(subcommand)]
    Transactions(Transactions),
    /// Print the address of a cardholder's web view
    /// (GET /issuers/users/{userid}/dashboards).
    Dashboard {
        /// The cardholder's userid, from the answer to the enrolment.
        user_id: String,
        /// Language of the view: en-US, es-419, es-CL, es-CR, sv, pl-PL or ms-MY.
        #[arg(long, value_name = "TAG")]
        lang: Option<String>,
        #[command(flatten)]
        call: Call,
    },
    /// Show a cardholder's score of the month
    /// (GET /issuers/users/{userid}/aggregate-carbon-scores).
    Score {
        /// The cardholder's userid, from the answer to the enrolment.
        user_id: String,
        #[command(flatten)]
        call: Call,
    },
    /// Explain why recorded calls were refused: the mistake, how to mend it, and a proof.
    ///
    /// The recording is a HAR file, output of curl -v, --trace or --trace-ascii, or raw HTTP as
    /// tcpdump -A and mitmproxy show it. It is judged by the sandbox's keys and issuers, by those
    /// of the gateway that --config names (before the command), or by explicit key files. Nothing
    /// is sent anywhere. The exit status is 1 if a call has a mistake.
    Explain(client_explain::Arguments),
}

#[derive(Debug, Subcommand)]
pub(super) enum Transactions {
    /// Send transactions (POST /issuers/transactions): {"transactions": [...]}, at most 5000.
    Send(Call),
    /// Print a made-up year of a cardholder's transactions, as send takes them.
    Sample {
        /// The cardholder's userid, from the answer to the enrolment.
        user_id: String,
        /// The last day of the year. By default today.
        #[arg(long, value_name = "YYYY-MM-DD")]
        until: Option<NaiveDate>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Call {
    /// File with the JSON to send, or - for standard input. By default the command makes a sample.
    #[arg(value_name = "JSON")]
    input: Option<PathBuf>,
    /// Encryption of the payload.
    #[arg(long, value_enum, default_value = "jwe")]
    envelope: EnvelopeArgument,
    /// The sandbox's key to encrypt to. Field-level encryption knows RSA alone.
    #[arg(
        long,
        value_enum,
        default_value = "rsa",
        conflicts_with = "consumer_key"
    )]
    key: KeyArgument,
    /// Signature method.
    #[arg(long, value_enum, default_value = "rsa-sha256")]
    signature: SignatureArgument,
    /// Show the request in clear, both messages on the wire, and the opened answer.
    #[arg(short, long)]
    verbose: bool,
    /// The sandbox's own description: base URL, keys and issuers.
    #[arg(long, value_name = "FILE", default_value = "sandbox/sandbox.json")]
    sandbox: PathBuf,
    /// Issuer of the sandbox to play: demo, compat or basic.
    #[arg(long, default_value = "demo")]
    issuer: String,
    /// Base URL of the gateway with its path prefix (/cts), instead of the sandbox's.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    #[command(flatten)]
    keys: Keys,
    /// Certificate authority of the gateway's TLS certificate (PEM), if it is not a public one.
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
}

/// Explicit key files, instead of a sandbox.json.
#[derive(Debug, Args)]
pub(super) struct Keys {
    /// OAuth consumer key: CLIENT_ID!KEY_ID.
    #[arg(long, requires_all = ["signing_key", "gateway_certificate", "base_url"])]
    consumer_key: Option<String>,
    /// Private key that signs requests (PKCS#8 PEM).
    #[arg(long, value_name = "FILE", requires = "consumer_key")]
    signing_key: Option<PathBuf>,
    /// Certificate that requests are encrypted to (PEM).
    #[arg(long, value_name = "FILE", requires = "consumer_key")]
    gateway_certificate: Option<PathBuf>,
    /// Private key that opens encrypted answers (PKCS#8 PEM).
    #[arg(long, value_name = "FILE", requires = "consumer_key")]
    decryption_key: Option<PathBuf>,
}

impl Keys {
    /// The files; `None`: a sandbox.json has to do.
    pub(super) fn files<'a>(&'a self, tls_ca: Option<&'a Path>) -> Option<KeyFiles<'a>> {
        Some(KeyFiles {
            consumer_key: self.consumer_key.as_deref()?,
            signing_key: self.signing_key.as_deref()?,
            gateway_certificate: self.gateway_certificate.as_deref()?,
            decryption_key: self.decryption_key.as_deref(),
            tls_ca,
        })
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum EnvelopeArgument {
    /// Compact JWE, RSA-OAEP-256 or ECDH-ES+A256KW, and A256GCM.
    Jwe,
    /// Field-level encryption, RSA-OAEP with SHA-256 and AES-128-CBC, hex.
    Fle,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KeyArgument {
    Rsa,
    Ec,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SignatureArgument {
    RsaSha256,
    RsaPss,
}

/// `config` is the file of `--config`, for `explain`.
pub(super) fn run(config: Option<&Path>, command: Command) -> anyhow::Result<ExitCode> {
    let (call, operation) = match command {
        Command::Explain(arguments) => return client_explain::run(config, &arguments),
        Command::Enrol(call) => (call, Operation::Enrol),
        Command::Update { user_id, call } => (call, Operation::Update(parse(&user_id)?)),
        Command::Transactions(Transactions::Send(call)) => (call, Operation::PostTransactions),
        Command::Transactions(Transactions::Sample { user_id, until }) => {
            let last = until.unwrap_or_else(|| Utc::now().date_naive());
            let items = sample_year::transactions(parse(&user_id)?.as_str(), last);
            println!("{:#}", json!({ "transactions": items }));
            return Ok(ExitCode::SUCCESS);
        }
        Command::Dashboard {
            user_id,
            lang,
            call,
        } => (call, Operation::Dashboard(parse(&user_id)?, lang)),
        Command::Score { user_id, call } => (call, Operation::AggregateScore(parse(&user_id)?)),
    };
    let (identity, prefix) = identity(&call)?;
    let clear = clear_request(call.input.as_deref(), &operation, prefix.as_deref())?;
    let envelope = match call.envelope {
        EnvelopeArgument::Jwe => EnvelopeKind::Jwe,
        EnvelopeArgument::Fle => EnvelopeKind::FieldLevel,
    };
    let signature = match call.signature {
        SignatureArgument::RsaSha256 => SignatureMethod::RsaSha256,
        SignatureArgument::RsaPss => SignatureMethod::RsaPss,
    };
    let client = Client::new(identity)?;
    let request = match &clear {
        Some(clear) => client.prepare(&operation, envelope, signature, clear)?,
        None => client.sign(&operation, signature, Vec::new())?,
    };
    if call.verbose {
        show_request(clear.as_deref(), &request);
    }
    let answer = client.send(&request)?;
    match (address(&operation, &answer), call.verbose) {
        (Some(url), false) => println!("{url}"),
        _ => show_answer(&answer, call.verbose),
    }
    Ok(if (200..300).contains(&answer.status) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The keys to use, and an account range for a sample, if one is known.
fn identity(call: &Call) -> anyhow::Result<(Identity, Option<String>)> {
    let files = call.keys.files(call.tls_ca.as_deref());
    if let (Some(files), Some(base_url)) = (files, &call.base_url) {
        return Ok((Identity::from_files(base_url.clone(), &files)?, None));
    }
    let (mut identity, issuer) = Identity::from_sandbox(&call.sandbox, &call.issuer)?;
    if call.key == KeyArgument::Ec {
        identity = identity.with_ec_key(&call.sandbox)?;
    }
    if let Some(base_url) = &call.base_url {
        identity.base_url.clone_from(base_url);
    }
    identity.tls_ca.clone_from(&call.tls_ca);
    Ok((identity, issuer.account_ranges.first().cloned()))
}

/// The address that an answer holds, to be printed alone.
fn address<'a>(operation: &Operation, answer: &'a Answered) -> Option<&'a str> {
    match operation {
        Operation::Dashboard(..) => answer.clear.as_ref()?.get("url")?.as_str(),
        _ => None,
    }
}

fn parse(user_id: &str) -> anyhow::Result<CardholderId> {
    CardholderId::parse(user_id).with_context(|| format!("the user id {}", CardholderId::RULE))
}

/// What to encrypt; `None`: the call has no body.
fn clear_request(
    input: Option<&Path>,
    operation: &Operation,
    prefix: Option<&str>,
) -> anyhow::Result<Option<Vec<u8>>> {
    let text = match (input, operation, prefix) {
        (None, Operation::AggregateScore(_) | Operation::Dashboard(..), _) => return Ok(None),
        (Some(_), Operation::AggregateScore(_) | Operation::Dashboard(..), _) => {
            bail!("this call has no body: give no file")
        }
        (None, Operation::PostTransactions, _) => {
            bail!("give the JSON to send: a file, or - for standard input")
        }
        (Some(file), _, _) if file == Path::new("-") => {
            let mut text = Vec::new();
            std::io::stdin()
                .read_to_end(&mut text)
                .context("standard input")?;
            text
        }
        (Some(file), _, _) => std::fs::read(file).with_context(|| file.display().to_string())?,
        (None, Operation::Update(_), _) => sample::update().to_string().into_bytes(),
        (None, Operation::Enrol, Some(prefix)) => {
            sample::enrolment(prefix).to_string().into_bytes()
        }
        (None, Operation::Enrol, None) => {
            bail!("with explicit keys give the JSON to send: a file, or - for standard input")
        }
    };
    Ok(Some(text))
}

fn show_request(clear: Option<&[u8]>, request: &Prepared) {
    if let Some(clear) = clear {
        println!("--- request in clear");
        println!("{}", pretty(clear));
    }
    println!("--- request on the wire");
    println!("{} {}", request.method, request.url);
    println!("Authorization: {}", request.authorization);
    println!("Content-Type: application/json; charset=utf-8");
    println!();
    println!("{}", String::from_utf8_lossy(&request.body));
}

fn show_answer(answer: &Answered, verbose: bool) {
    if verbose {
        println!("--- answer on the wire");
        println!("HTTP {}", answer.status);
        println!("{}", String::from_utf8_lossy(&answer.body));
        println!("--- answer opened");
    } else {
        eprintln!("HTTP {}", answer.status);
    }
    match &answer.clear {
        Some(clear) => println!("{clear:#}"),
        None => println!("{}", String::from_utf8_lossy(&answer.body)),
    }
}

fn pretty(json: &[u8]) -> String {
    match serde_json::from_slice::<Value>(json) {
        Ok(value) => format!("{value:#}"),
        Err(_) => String::from_utf8_lossy(json).into_owned(),
    }
}
