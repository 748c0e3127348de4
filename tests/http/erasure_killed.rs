//! The real program, killed while it erases: what it accepted is erased after all, and once.

use super::erasure::{assert_all_erased_once, enrol, in_state};
use crate::on_both;
use crate::support::gateway::{TestClient, TestGateway, accepted, consumer_key, test_key};
use crate::support::{Backend, TestDatabase, until};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const USERS: i64 = 300;

on_both!(
    a_killed_gateway_finishes_after_its_restart,
    |backend: Backend| {
        let gateway = TestGateway::start_without_erasure(backend);
        let users = enrol(&gateway, USERS.try_into().unwrap());
        let database = gateway.stop().unwrap();
        let config = write_config(&database);

        let node = Node::start(&config);
        let issuer = consumer_key("compat");
        let client = TestClient::new(&node.base_url, &issuer, "other-issuer-signing", None);
        assert_eq!(accepted(&client.delete(&users)), users);
        node.kill();
        let left = || in_state(&database, "TERMINATING");
        assert_eq!(
            left() + in_state(&database, "DELETED"),
            USERS,
            "202 is durable"
        );

        // Killed again each time that it has got a bit further; the last one may finish.
        for _ in 0..3 {
            let before = left();

            let node = Node::start(&config);
            until("it goes on", || left() < before || before == 0);
            node.kill();
        }
        let node = Node::start(&config);
        until("all are erased", || left() == 0);
        assert_all_erased_once(&database, USERS);
        node.kill();
        assert_all_erased_once(&database, USERS);
    }
);

fn write_config(database: &TestDatabase) -> PathBuf {
    let path = database.dir().join("gateway.toml");
    let text = format!(
        "[server]\ndrain_delay_s = 0\nlisten = \"127.0.0.1:0\"\n[database]\nurl = \"{}\"\n[vault]\nkek_file = {:?}\n\
         [[keys.gateway]]\nfile = {:?}\nstate = \"primary\"\n",
        database.url_text,
        test_key("kek.key"),
        test_key("gateway.pem"),
    );
    std::fs::write(&path, text).unwrap();
    path
}

/// A running `issuer-gateway serve`; killed when dropped.
struct Node {
    child: Child,
    base_url: String,
}

impl Node {
    fn start(config: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_issuer-gateway"))
            .arg("--config")
            .arg(config)
            .arg("serve")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let base_url = lines
            .by_ref()
            .map_while(Result::ok)
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(&line).ok())
            .find_map(|line| Some(format!("http://{}", line.get("address")?.as_str()?)));
        // Nobody reading would stop it at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            base_url: base_url.expect("it says where it listens"),
        }
    }

    /// SIGKILL: it gets no chance to finish anything.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
