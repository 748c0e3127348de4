//! Starts the program, reads what it writes, and ends it with the test.

use serde_json::Value;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take on a busy machine before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(60);

fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_issuer-gateway"));
    command.args(args);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ISSUER_GATEWAY_")) {
        command.env_remove(name);
    }
    command.env_remove("SUDO_USER");
    command.env("USER", "tester").env("COLUMNS", "200");
    command
}

/// What a command that has ended wrote.
pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// Asserts success and returns standard output.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}\n{}", self.stdout, self.stderr);
        self.stdout
    }

    /// Asserts exit status 1 and returns standard error, which must name all of `named`.
    #[track_caller]
    pub(crate) fn refused(self, named: &[&str]) -> String {
        assert_eq!(self.code, Some(1), "{}\n{}", self.stdout, self.stderr);
        for name in named {
            assert!(
                self.stderr.contains(name),
                "{name:?} is not in: {}",
                self.stderr
            );
        }
        self.stderr
    }
}

/// Runs a command to its end.
pub(crate) fn run(args: &[&str]) -> Output {
    run_with(args, &[], b"")
}

/// Runs a command with environment variables and standard input.
pub(crate) fn run_with(args: &[&str], env: &[(&str, &str)], input: &[u8]) -> Output {
    let mut child = program(args)
        .envs(env.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without reading.
    child.stdin.take().unwrap().write_all(input).ok();
    let output = child.wait_with_output().unwrap();
    Output {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A running program; dropping it kills it and waits for its end.
pub(crate) struct Running {
    child: Child,
    dir: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Running {
    /// Starts it; what it writes goes to files.
    pub(crate) fn start(args: &[&str], env: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str| File::create(dir.path().join(name)).unwrap();
        let child = program(args)
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .unwrap();
        Self { child, dir }
    }

    /// Starts `sandbox --dir DIR --port 0` and waits until it serves.
    pub(crate) fn sandbox(dir: &Path) -> Self {
        let mut running = Self::start(&["sandbox", "--dir", text(dir), "--port", "0"], &[]);
        running.wait_for("stdout", "Serving until Ctrl-C.");
        running
    }

    /// Starts `serve` with a configuration that logs `info` as JSON; returns its base URL, too.
    pub(crate) fn serve(config: &Path, env: &[(&str, &str)]) -> (Self, String) {
        let mut running = Self::start(&["--config", text(config), "serve"], env);
        let line = running.wait_for("stderr", r#""message":"listening""#);
        let line: Value = serde_json::from_str(&line).unwrap();
        let base_url = format!("http://{}", line["address"].as_str().unwrap());
        (running, base_url)
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line that contains `text` and returns it.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, stream: &str, text: &str) -> String {
        self.wait_for_any(stream, &[text])
    }

    /// Waits for a line that contains one of `texts` and returns it.
    #[track_caller]
    pub(crate) fn wait_for_any(&mut self, stream: &str, texts: &[&str]) -> String {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let ended = self.child.try_wait().unwrap();
            if let Some(line) = self
                .written(stream)
                .lines()
                .find(|line| texts.iter().any(|text| line.contains(text)))
            {
                return line.to_owned();
            }
            let (out, err) = (self.written("stdout"), self.written("stderr"));
            assert!(ended.is_none(), "it ended: {ended:?}\n{out}\n{err}");
            assert!(
                Instant::now() < give_up,
                "none of {texts:?} in\n{out}\n{err}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Everything written to `stdout` or `stderr` so far.
    pub(crate) fn written(&self, stream: &str) -> String {
        let bytes = std::fs::read(self.dir.path().join(stream)).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Sends a signal.
    pub(crate) fn send(&mut self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Waits until the process handles SIGTERM itself.
    pub(crate) fn wait_for_handlers(&self) {
        let give_up = Instant::now() + PATIENCE;
        let status = format!("/proc/{}/status", self.child.id());
        let handles = || {
            let status = std::fs::read_to_string(&status).unwrap();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            let caught = u64::from_str_radix(caught.unwrap().trim(), 16).unwrap();
            // SIGTERM is 15; the lowest bit stands for 1.
            caught & (1 << 14) != 0
        };
        while !handles() {
            assert!(Instant::now() < give_up, "SIGTERM is not handled");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Sends SIGTERM or SIGINT and waits for the end.
    pub(crate) fn signal(&mut self, name: &str) -> ExitStatus {
        self.send(name);
        let give_up = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < give_up, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it the hard way, as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Writes a file and returns its path.
pub(crate) fn write(dir: &Path, name: &str, content: &str) -> PathBuf {
    let file = dir.join(name);
    std::fs::write(&file, content).unwrap();
    file
}
