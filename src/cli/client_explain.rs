//! `client explain`: why a recorded call was refused, without sending anything.

use super::client::Keys;
use crate::app;
use crate::client::identity::SandboxFile;
use crate::config::Config;
use crate::explain::{Explanation, Knowledge, OwnKey, Spent, explain, read};
use crate::issuers::registry::IssuerRegistry;
use crate::reloadable;
use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The recording: HAR, output of curl -v or curl --trace, or raw HTTP; - for standard input.
    #[arg(value_name = "FILE")]
    input: PathBuf,
    /// File with the request body, where the recording has none: output of curl -v.
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// When the call came, where the recording does not say: RFC 3339, or seconds since 1970.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Print JSON: a list with an explanation for each call.
    #[arg(long)]
    json: bool,
    /// The sandbox's own description, or its folder: keys, issuers and base URL.
    #[arg(long, value_name = "FILE", default_value = "sandbox/sandbox.json")]
    sandbox: PathBuf,
    /// Base URL of the gateway with its path prefix (/cts), with explicit key files.
    #[arg(long, value_name = "URL", requires = "consumer_key")]
    base_url: Option<String>,
    #[command(flatten)]
    keys: Keys,
}

/// An explanation, and what has to be known about the recording.
#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    explanation: Explanation,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remarks: Vec<String>,
}

pub(super) fn run(config: Option<&Path>, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let found = recorded(arguments)?;
    let mut known = knowledge(config, arguments)?;
    let mut told = Vec::new();
    for found in found {
        let explanation = explain(&found.call, &known);
        known.spent.extend(Spent::of(&found.call));
        let remarks = found.remarks;
        told.push(Told {
            explanation,
            remarks,
        });
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&told)?);
    } else {
        let texts: Vec<String> = told.iter().map(text).collect();
        print!("{}", texts.join("\n"));
    }
    let mistakes = told.iter().any(|told| told.explanation.cause.is_some());
    Ok(match mistakes {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}

fn text(told: &Told) -> String {
    let remarks = told
        .remarks
        .iter()
        .map(|remark| format!("Note: {remark}\n"));
    format!("{}{}", told.explanation, remarks.collect::<String>())
}

/// The calls of the recording, completed by the options.
fn recorded(arguments: &Arguments) -> anyhow::Result<Vec<read::Found>> {
    let name = arguments.input.display();
    let mut text = Vec::new();
    if arguments.input == Path::new("-") {
        std::io::stdin()
            .read_to_end(&mut text)
            .context("standard input")?;
    } else {
        text = std::fs::read(&arguments.input).with_context(|| name.to_string())?;
    }
    let mut found = read::read(&text).with_context(|| name.to_string())?;
    if let Some(file) = &arguments.body {
        let [found] = found.as_mut_slice() else {
            bail!(
                "--body is for a recording of one call; this one has {}",
                found.len()
            );
        };
        found.call.body = std::fs::read(file).with_context(|| file.display().to_string())?;
        found.call.missing = 0;
    }
    if let Some(at) = &arguments.at {
        let at = moment(at).context("--at must be an RFC 3339 time, or seconds since 1970")?;
        for found in &mut found {
            found.call.at = Some(at);
        }
    }
    for found in found.iter_mut().filter(|found| found.call.missing > 0) {
        let remark = "The recording does not have the body: give it with --body FILE.";
        found.remarks.push(remark.to_owned());
    }
    Ok(found)
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    let seconds = text.parse().ok();
    let of_seconds = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    of_seconds.or_else(|| {
        let moment = DateTime::parse_from_rfc3339(text).ok()?;
        Some(moment.to_utc())
    })
}

/// What the calls are judged by.
fn knowledge(config: Option<&Path>, arguments: &Arguments) -> anyhow::Result<Knowledge> {
    if let (Some(files), Some(base_url)) = (arguments.keys.files(None), &arguments.base_url) {
        return Knowledge::of_client(base_url, &files);
    }
    if let Some(file) = config {
        let config = Config::load(file)?;
        let listen = config.server.listen;
        return of_gateway(&config, listen, &[]);
    }
    let mut description = arguments.sandbox.clone();
    if description.is_dir() {
        description.push("sandbox.json");
    }
    let sandbox = SandboxFile::read(&description)?;
    let folder = description.parent().unwrap_or(Path::new(""));
    let config = Config::load(&folder.join("gateway.toml"))?;
    let address = sandbox.base_url.rsplit("://").next().unwrap_or_default();
    let listen = address.parse().unwrap_or(config.server.listen);
    of_gateway(&config, listen, &OwnKey::of_sandbox(&sandbox, folder)?)
}

/// What a gateway with this configuration knows; its database has the issuers.
fn of_gateway(config: &Config, listen: SocketAddr, own: &[OwnKey]) -> anyhow::Result<Knowledge> {
    let issuers = super::runtime()?.block_on(async {
        let (_, store) = app::open_store(&config.database)?;
        let registry = IssuerRegistry::load(&store).await?;
        anyhow::Ok(registry.issuers())
    })?;
    Knowledge::of_gateway(
        config,
        reloadable::origins(&config.server, listen)?,
        config.oauth.window_seconds,
        &issuers,
        own,
    )
}
