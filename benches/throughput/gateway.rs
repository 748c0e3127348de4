//! The gateway: the released program as a process of its own, seen from outside.

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a start or a stop may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often is looked whether it has happened.
const LOOK: Duration = Duration::from_millis(20);
/// What a gateway logs when it serves.
const LISTENING: &str = r#""message":"listening""#;

/// A running gateway; dropping it ends it.
pub(crate) struct Gateway {
    process: Process,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    metrics: SocketAddr,
}

/// Memory of a process, in MiB.
pub(crate) struct Memory {
    /// Resident now.
    pub(crate) resident: f64,
    /// The most that was ever resident.
    pub(crate) peak: f64,
}

/// The program, with nothing of the benchmark's own environment.
pub(crate) fn program(arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_issuer-gateway"));
    let ours = std::env::vars_os().filter(|(name, _)| {
        name.to_str()
            .is_some_and(|name| name.starts_with("ISSUER_GATEWAY_"))
    });
    for (name, _) in ours {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null());
    command
}

/// Runs a command of the program to its end.
pub(crate) fn run(arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<()> {
    let output = program(arguments, environment).output()?;
    ensure!(
        output.status.success(),
        "issuer-gateway {}: {}{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr),
        String::from_utf8_lossy(&output.stdout)
    );
    Ok(())
}

/// A child whose output goes to a file.
pub(crate) struct Process {
    child: Child,
    output: PathBuf,
}

impl Process {
    /// Starts it; standard output and standard error go to `output`.
    pub(crate) fn start(mut command: Command, output: PathBuf) -> anyhow::Result<Self> {
        let file = File::create(&output)?;
        let child = command.stdout(file.try_clone()?).stderr(file).spawn()?;
        Ok(Self { child, output })
    }

    /// Waits for a line with `text` in it.
    pub(crate) fn wait_for(&mut self, text: &str) -> anyhow::Result<String> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let ended = self.child.try_wait()?;
            if let Some(line) = self.written(text)? {
                return Ok(line);
            }
            let written = || std::fs::read_to_string(&self.output).unwrap_or_default();
            ensure!(ended.is_none(), "the gateway has ended:\n{}", written());
            ensure!(Instant::now() < give_up, "no {text} in:\n{}", written());
            std::thread::sleep(LOOK);
        }
    }

    /// The first line so far with `text` in it.
    fn written(&self, text: &str) -> anyhow::Result<Option<String>> {
        let written = std::fs::read_to_string(&self.output)?;
        let line = written.lines().find(|line| line.contains(text));
        Ok(line.map(str::to_owned))
    }

    /// Asks it to stop and waits until it has.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let give_up = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the gateway has ended with {status}");
                // A line for each request: some ten megabytes a run.
                std::fs::remove_file(&self.output)?;
                return Ok(());
            }
            ensure!(Instant::now() < give_up, "the gateway does not stop");
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail where it has ended, as it should have.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Gateway {
    /// Starts one with `config` laid over by `environment`, and waits until it listens.
    pub(crate) fn start(
        config: &Path,
        log: PathBuf,
        environment: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let config = config
            .to_str()
            .context("the temporary folder is not UTF-8")?;
        let metrics = free_address()?;
        let mut command = program(&["--config", config, "serve"], environment);
        command.env("ISSUER_GATEWAY__METRICS__LISTEN", metrics.to_string());
        let mut process = Process::start(command, log)?;
        let line: Value = serde_json::from_str(&process.wait_for(LISTENING)?)?;
        let address = line.get("address").and_then(Value::as_str);
        let address = address.context("the gateway does not say where it listens")?;
        Ok(Self {
            address: address.parse()?,
            metrics,
            process,
        })
    }

    /// How many requests it says it has answered 200.
    pub(crate) fn answered_200(&self) -> anyhow::Result<u64> {
        let page = self.metrics()?;
        let counters = page.lines().filter(|line| {
            line.starts_with("issuer_gateway_requests_total{") && line.contains(r#"status="200""#)
        });
        counters
            .map(|line| {
                let (_, count) = line.rsplit_once(' ').context("a counter without value")?;
                Ok(count.parse::<u64>()?)
            })
            .sum()
    }

    /// Whether it says that Intel's library does the RSA private operations.
    pub(crate) fn uses_crypto_mb(&self) -> anyhow::Result<bool> {
        let used = r#"issuer_gateway_rsa_engine{engine="crypto_mb"} 1"#;
        Ok(self.metrics()?.lines().any(|line| line == used))
    }

    fn metrics(&self) -> anyhow::Result<String> {
        let url = format!("http://{}/metrics", self.metrics);
        Ok(ureq::get(&url).call()?.body_mut().read_to_string()?)
    }

    /// Why it does without Intel's library, as it has logged.
    pub(crate) fn why_no_crypto_mb(&self) -> anyhow::Result<String> {
        let line = self.process.written("crypto_mb is not used")?;
        let line: Value = serde_json::from_str(&line.context("the gateway does not say why")?)?;
        let reasons = line.get("reasons").and_then(Value::as_str);
        Ok(reasons.unwrap_or_default().to_owned())
    }

    /// What /proc says of its memory.
    pub(crate) fn memory(&self) -> anyhow::Result<Memory> {
        let status = format!("/proc/{}/status", self.process.child.id());
        let status = std::fs::read_to_string(status)?;
        let field = |name: &str| -> anyhow::Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kibibytes = line.and_then(|line| line.split_whitespace().next());
            Ok(kibibytes.context("no such line in /proc")?.parse::<f64>()? / 1_024.0)
        };
        Ok(Memory {
            resident: field("VmRSS:")?,
            peak: field("VmHWM:")?,
        })
    }

    /// Stops it in order.
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        self.process.stop()
    }
}

/// A loopback address that nobody uses at this moment.
fn free_address() -> anyhow::Result<SocketAddr> {
    match TcpListener::bind("127.0.0.1:0") {
        Ok(listener) => Ok(listener.local_addr()?),
        Err(error) => bail!("no free port: {error}"),
    }
}
