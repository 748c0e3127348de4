//! An installation with one issuer, and the real program that serves it.

use crate::support::gateway::{issuers_toml, test_key};
use crate::support::{TestDatabase, until};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

/// What issuers sign; each call goes to a node's own address.
pub(crate) const ORIGIN: &str = "https://api.gateway.example";
/// Seconds that a node has to end in.
const SHUTDOWN: u64 = 5;
/// Lines of a node's log that a failed test shows.
const SHOWN: usize = 40;

/// Configuration and database.
pub(crate) struct Site {
    pub(crate) database: TestDatabase,
    config: PathBuf,
    /// Dropped last.
    dir: tempfile::TempDir,
}

/// What a command that has ended wrote.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) output: String,
}

impl Site {
    /// With all issuers on board.
    pub(crate) fn new(database: TestDatabase) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("gateway.toml");
        let site = Self {
            database,
            config,
            dir,
        };
        site.write_config(&site.config, &site.database.url_text);
        let issuers = site.dir.path().join("issuers.toml");
        let keys = format!("certificate = \"{}", test_key("").display());
        let text = issuers_toml().replace("certificate = \"", &keys);
        std::fs::write(&issuers, text).unwrap();
        site.succeeds(&["issuer", "apply", issuers.to_str().unwrap()]);
        site
    }

    /// A further configuration that reaches the same database by another URL.
    pub(crate) fn config_for(&self, url: &str) -> PathBuf {
        let file = self.dir.path().join("other.toml");
        self.write_config(&file, url);
        file
    }

    fn write_config(&self, file: &Path, url: &str) {
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nworkers = 2\nshutdown_timeout_s = {SHUTDOWN}\n\
             public_base_urls = [\"{ORIGIN}\"]\n[database]\nurl = \"{url}\"\npool_size = 4\n\
             [vault]\nkek_file = {:?}\n[[keys.gateway]]\nfile = {:?}\ncertificate = {:?}\nstate = \"primary\"\n",
            test_key("kek.key"),
            test_key("gateway.pem"),
            test_key("gateway-cert.pem"),
        );
        std::fs::write(file, text).unwrap();
    }

    /// A folder for a test's own files.
    pub(crate) fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// Starts a node.
    pub(crate) fn start(&self) -> Node {
        Node::start(&self.config)
    }

    /// Runs a command of the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = program();
        command.arg("--config").arg(&self.config).args(arguments);
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended {
            status: output.status,
            output: text(&output.stdout) + &text(&output.stderr),
        }
    }

    /// Runs a command that must succeed.
    #[track_caller]
    pub(crate) fn succeeds(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert!(ended.status.success(), "{arguments:?}: {}", ended.output);
        ended.output
    }
}

/// The program, so that it finds no setting of the test's own environment. A write beyond a
/// file-size limit fails and raises no signal, as on a full disk.
fn program() -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
    command.arg(env!("CARGO_BIN_EXE_issuer-gateway"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ISSUER_GATEWAY_")) {
        command.env_remove(name);
    }
    command
}

/// A running `serve`; killed when dropped.
pub(crate) struct Node {
    child: Child,
    pub(crate) address: SocketAddr,
    log: Arc<Mutex<VecDeque<String>>>,
}

impl Node {
    /// Starts it and waits until it listens.
    pub(crate) fn start(config: &Path) -> Self {
        let mut child = program()
            .arg("--config")
            .arg(config)
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut first = Vec::new();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let found = listening(&line);
            first.push(line);
            found
        });
        let Some(address) = address else {
            child.kill().ok();
            child.wait().ok();
            panic!("it never listened:\n{}", first.join("\n"));
        };
        let log = Arc::new(Mutex::new(VecDeque::from(first)));
        let kept = Arc::clone(&log);
        // Nobody reading would stop it at a full pipe.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut kept = kept.lock().unwrap();
                kept.push_back(line);
                if kept.len() > SHOWN {
                    kept.pop_front();
                }
            }
        });
        Self {
            child,
            address,
            log,
        }
    }

    fn id(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// The last lines that it logged.
    pub(crate) fn log(&self) -> String {
        let lines = self.log.lock().unwrap();
        lines.iter().cloned().collect::<Vec<_>>().join("\n")
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// SIGKILL, so that it gets no chance to finish anything; then another one is started in its
    /// place.
    pub(crate) fn kill_and_restart(&mut self, site: &Site) {
        assert!(self.runs(), "it ended by itself:\n{}", self.log());
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        *self = site.start();
    }

    /// SIGTERM; returns how it ended. Fails if it does not end by itself.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        kill_process(self.id(), Signal::TERM).unwrap();
        let mut ended = None;
        until("the node ends after SIGTERM", || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        ended.unwrap()
    }

    /// Bytes that each file of the process may have from now on; `None` lifts the limit.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let maximum = getrlimit(Resource::Fsize).maximum;
        let limit = Rlimit {
            current: bytes.or(maximum),
            maximum,
        };
        prlimit(Some(self.id()), Resource::Fsize, limit).unwrap();
    }
}

/// The address in the line that says that the node listens.
fn listening(line: &str) -> Option<SocketAddr> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    (line.get("message")? == "listening")
        .then(|| line.get("address")?.as_str()?.parse().ok())
        .flatten()
}

impl Drop for Node {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        if std::thread::panicking() {
            println!("the node's last lines:\n{}", self.log());
        }
    }
}
