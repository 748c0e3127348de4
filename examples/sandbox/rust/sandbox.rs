//! A sandbox for a test: start, wait until it serves, read `sandbox.json`, stop. Needs `serde_json`
//! and `tempfile`; copy it into your tests. `tests/cli/console.rs` uses it.

use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running sandbox; dropping it ends it and removes its folder.
pub struct Sandbox {
    child: Child,
    folder: PathBuf,
    /// `sandbox.json`
    pub description: serde_json::Value,
    _root: tempfile::TempDir,
}

impl Sandbox {
    /// `program`: the issuer-gateway binary. `options`: more for its command line, such as
    /// `["--seed", "seed.toml", "--seed-keys=ci"]`.
    pub fn start(program: &Path, options: &[&str]) -> io::Result<Self> {
        let root = tempfile::tempdir()?;
        let folder = root.path().join("sandbox");
        let mut child = Command::new(program)
            .args(["sandbox", "--port", "0", "--dir"])
            .arg(&folder)
            .args(options)
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut sandbox = Self {
            child,
            folder,
            description: serde_json::Value::Null,
            _root: root,
        };
        // The line comes when it answers, and after the seed. If the program ends before, the
        // stream does.
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        if !lines.any(|line| line.starts_with("Serving")) {
            return Err(io::Error::other("the sandbox did not start"));
        }
        let description = std::fs::read(sandbox.path("sandbox.json"))?;
        sandbox.description = serde_json::from_slice(&description)?;
        Ok(sandbox)
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> &str {
        self.description["base_url"].as_str().unwrap_or_default()
    }

    /// A file that the description names.
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Its data go with the folder, so there is nothing to end in order.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
