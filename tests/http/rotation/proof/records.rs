//! A server of the users API: makes, changes and reads records without a pause, and tries to take
//! an address twice.

use super::load::Load;
use super::{Installation, Node};
use crate::support::http::send;
use anyhow::{Context, ensure};
use issuer_gateway::client::Answered;
use serde_json::{Value, json};

pub(super) struct Recorder<'a> {
    nodes: &'a [Node],
    app_key: &'a str,
    number: usize,
    calls: usize,
    /// What each record must look like.
    records: Vec<Value>,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(installation: &'a Installation, number: usize) -> Self {
        Self {
            nodes: &installation.nodes,
            app_key: &installation.app_key,
            number,
            calls: number,
            records: Vec::new(),
        }
    }

    /// Calls until the load ends; returns what each record must look like.
    pub(super) fn run(mut self, load: &Load) -> Vec<Value> {
        load.note("record", self.make(0));
        let mut turn = 0;
        while load.goes_on() {
            turn += 1;
            match turn % 4 {
                0 => load.note("record", self.make(turn)),
                1 => load.note("record changed", self.change(turn)),
                2 => load.note("record read", self.read_one(turn)),
                _ => load.note("address twice at once", self.take_twice_at_once(turn)),
            }
        }
        self.records
    }

    fn make(&mut self, turn: usize) -> anyhow::Result<()> {
        let email = self.address(turn);
        let record =
            json!({"name": format!("Record {turn}"), "email": email, "metadata": {"turn": turn}});
        let made = self.call("POST", "/users", &record);
        self.records.push(expect(made, 201)?);
        Ok(())
    }

    /// Another name and address; the former address of the record is free again.
    fn change(&mut self, turn: usize) -> anyhow::Result<()> {
        let number = turn * 31 % self.records.len().max(1);
        let mut expected = self.records.get(number).context("no record")?.clone();
        let path = path(&expected);
        for (member, text) in [("name", "Changed"), ("email", &self.address(turn))] {
            expected[member] = json!(text);
        }
        let change = json!({"name": expected["name"], "email": expected["email"]});
        let changed = expect(self.call("PUT", &path, &change), 200)?;
        ensure!(changed == expected, "{changed} instead of {expected}");
        self.records[number] = changed;
        Ok(())
    }

    fn read_one(&mut self, turn: usize) -> anyhow::Result<()> {
        let number = turn * 17 % self.records.len().max(1);
        let expected = self.records.get(number).context("no record")?.clone();
        self.read(&expected)
    }

    /// The record is what it must be.
    pub(super) fn read(&mut self, expected: &Value) -> anyhow::Result<()> {
        let node = self.next_node();
        let read = expect(node.get(&path(expected), self.app_key), 200)?;
        ensure!(read == *expected, "{read} instead of {expected}");
        Ok(())
    }

    /// Two new records want one address at the same moment: one gets it. A third one, that wants an
    /// old address, does not.
    fn take_twice_at_once(&mut self, turn: usize) -> anyhow::Result<()> {
        let wanted = json!({"email": self.address(turn)});
        let (one_node, other_node) = (self.next_node(), self.next_node());
        let key = self.app_key;
        let (one, other) = std::thread::scope(|scope| {
            let one = scope.spawn(|| one_node.write("POST", "/users", key, &wanted));
            let other = other_node.write("POST", "/users", key, &wanted);
            (one.join().unwrap(), other)
        });
        let (made, refused) = match one.status {
            201 => (one, other),
            _ => (other, one),
        };
        self.records.push(expect(made, 201)?);
        expect(refused, 409)?;
        let number = turn * 13 % self.records.len();
        let taken = self.records[number]["email"]
            .as_str()
            .unwrap()
            .to_uppercase();
        expect(self.call("POST", "/users", &json!({ "email": taken })), 409)?;
        Ok(())
    }

    fn address(&self, turn: usize) -> String {
        format!("u{}-{turn}@example.com", self.number)
    }

    fn call(&mut self, method: &str, path: &str, body: &Value) -> Answered {
        self.next_node().write(method, path, self.app_key, body)
    }

    fn next_node(&mut self) -> &'a Node {
        self.calls += 1;
        &self.nodes[self.calls % self.nodes.len()]
    }
}

impl Node {
    fn get(&self, path: &str, key: &str) -> Answered {
        let authorization = format!("Bearer {key}");
        let headers = [("Authorization", authorization.as_str())];
        send(
            "GET",
            &format!("{}{path}", self.gateway.base_url),
            &headers,
            b"",
        )
    }

    fn write(&self, method: &str, path: &str, key: &str, body: &Value) -> Answered {
        let authorization = format!("Bearer {key}");
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
        ];
        let url = format!("{}{path}", self.gateway.base_url);
        send(method, &url, &headers, body.to_string().as_bytes())
    }
}

fn path(record: &Value) -> String {
    format!("/users/{}", record["user_id"].as_str().unwrap())
}

fn expect(answer: Answered, status: u16) -> anyhow::Result<Value> {
    let got = answer.status;
    let clear = answer.clear.context("no object")?;
    ensure!(got == status, "{got} instead of {status}: {clear}");
    Ok(clear)
}
