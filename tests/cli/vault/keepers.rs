//! KEKs outside of the process: a command, a token, a transit service. Nodes serve while the KEK
//! moves between them.

use super::rotate_kek::hang_up;
use super::{Installation, assert_updates};
use crate::on_both;
use crate::process::Running;
use crate::serve::client;
use crate::support::gateway::user_id;
use crate::support::softhsm::SoftHsm;
use crate::support::transit::{Mood, TransitServer};
use crate::support::{Backend, Over, until};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use issuer_gateway::client::sample;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const TOKEN: &str = "pkcs11 = { token = \"hsm\", label = \"kek\", id = \"01\" }";

impl Installation {
    /// The KEKs of all data keys, each once.
    fn kek_ids(&self) -> Vec<String> {
        let sql = "SELECT DISTINCT kek_id AS t FROM data_keys WHERE state <> 'retired'";
        self.database.texts(sql)
    }
}

fn the_kek_moves_between_all_keepers_while_a_gateway_serves(backend: Backend) {
    let mut at = Installation::new(backend);
    let (hsm, transit) = (SoftHsm::new(), TransitServer::start());
    let tokens = hsm.toml();
    let env = hsm.env();
    at.make_kek("first.key");
    at.configure(&format!("kek = {{ file = \"first.key\" }}\n{tokens}"));
    let made = at
        .vault(&["make-kek", "--token", "hsm", "--label", "kek"], &env)
        .ok();
    assert!(made.contains("KEK:     pkcs11:"), "{made}");
    at.vault(&["make-kek", "--token", "hsm", "--label", "kek"], &env)
        .refused(&["hsm", "exists already"]);
    let shares = [at.path("1.share"), at.path("2.share")];
    let [one, two] = shares.each_ref().map(|path| path.to_str().unwrap());
    at.vault(&["split-kek", "--new", one, two], &env).ok();
    at.make_kek("last.key");

    let (mut running, base_url) = Running::serve(&at.config, &env);
    let user = user_id(&client(&base_url).enrol(&sample::enrolment("534403")));
    let (done, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let _over = Over(&done);
        for _ in 0..2 {
            scope.spawn(|| {
                let client = client(&base_url);
                while !done.load(Ordering::Relaxed) {
                    let answer = client.enrol(&sample::enrolment("534403"));
                    assert_eq!(answer.status, 200, "{:?}", answer.clear);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let (first, last) = ("file = \"first.key\"", "file = \"last.key\"");
        let (transit_toml, shares) = (
            transit.toml(),
            "shares = [{ file = \"2.share\" }, { file = \"1.share\" }]",
        );
        let command = "command = [\"/bin/cat\", \"LAST\"], timeout_s = 60"
            .replace("LAST", at.path("last.key").to_str().unwrap());
        let mut former = first;
        for (next, id) in [
            (TOKEN, "pkcs11:"),
            (transit_toml.as_str(), "transit:transit/gateway:1"),
            (shares, ""),
            (last, ""),
            // The same KEK from elsewhere: nothing is to be wrapped anew.
            (command.as_str(), ""),
        ] {
            let both = format!("kek = {{ {next} }}\nfurther_keks = [{{ {former} }}]\n{tokens}");
            at.configure(&both);
            hang_up(&mut running, true);
            let rotated = at.vault(&["rotate-kek"], &env).ok();
            let expected = if next == command {
                "already"
            } else {
                "2 data key(s)"
            };
            assert!(rotated.contains(expected), "{next}: {rotated}");
            let ids = at.kek_ids();
            assert_eq!(ids.len(), 1, "{ids:?}");
            assert!(
                ids[0].starts_with(id) && rotated.contains(&ids[0]),
                "{ids:?}"
            );
            at.configure(&format!("kek = {{ {next} }}\n{tokens}"));
            hang_up(&mut running, true);
            // A new data key is wrapped, and every node loads it.
            at.vault(&["rotate"], &env).ok();
            at.vault(&["reseal"], &env).ok();
            let seen = answered.load(Ordering::Relaxed);
            until("requests go on", || {
                answered.load(Ordering::Relaxed) > seen + 5
            });
            former = next;
        }
    });
    assert_updates(&base_url, &user);
    at.vault(&["verify"], &env).ok();
    at.stop(running);
    assert!(transit.calls().contains(&"encrypt".to_owned()));
    let files = ["first.key", "last.key", "1.share", "2.share"].map(|name| at.path(name));
    at.assert_no_secret(&files.each_ref().map(|file| file.as_path()));
}

fn a_new_version_at_the_transit_service_is_taken_up(backend: Backend) {
    let mut at = Installation::new(backend);
    let transit = TransitServer::start();
    at.configure(&format!("kek = {{ {} }}", transit.toml()));
    let (mut running, base_url) = Running::serve(&at.config, &[]);
    let user = user_id(&client(&base_url).enrol(&sample::enrolment("534403")));
    transit.rotate();
    let status = at.vault(&["status"], &[]).ok();
    assert!(
        status.contains("KEK          transit:transit/gateway:2"),
        "{status}"
    );
    assert!(!status.contains("not at hand"), "{status}");
    transit.calls();
    let rotated = at.vault(&["rotate-kek"], &[]).ok();
    assert!(rotated.contains("transit:transit/gateway:2"), "{rotated}");
    // The server itself brings them under its newest version.
    let rewraps = transit.calls().into_iter().filter(|call| call == "rewrap");
    assert_eq!(rewraps.count(), 2);
    hang_up(&mut running, true);
    transit.forget_former_versions();
    at.vault(&["verify"], &[]).ok();

    // A server that is sealed: nodes go on, commands and a start say so.
    transit.set(Mood::Status(503));
    assert_updates(&base_url, &user);
    at.vault(&["rotate"], &[]).refused(&["vault.kek", "sealed"]);
    hang_up(&mut running, false);
    assert_updates(&base_url, &user);
    at.serve_refused(&[], &["vault.kek", "transit:transit/gateway", "503"]);
    transit.set(Mood::Well);
    hang_up(&mut running, true);
    at.stop(running);
}

on_both!(blocking:
    the_kek_moves_between_all_keepers_while_a_gateway_serves,
    a_new_version_at_the_transit_service_is_taken_up,
);

/// Everything in the memory of a running node, also what is marked as not to be dumped.
struct CoreDump {
    file: PathBuf,
    _dir: tempfile::TempDir,
}

impl CoreDump {
    fn of(running: &Running) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let output = Command::new("gcore")
            .args(["-a", "-o", dir.path().join("core").to_str().unwrap()])
            .arg(running.id().to_string())
            .output()
            .expect("gcore, of the package gdb");
        let file = dir.path().join(format!("core.{}", running.id()));
        assert!(file.exists(), "{output:?}");
        Self { file, _dir: dir }
    }

    fn holds(&self, secret: &[u8]) -> bool {
        let mut file = File::open(&self.file).unwrap();
        let (mut chunk, untouched) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
        let mut seen: Vec<u8> = Vec::new();
        loop {
            let length = file.read(&mut chunk).unwrap();
            if length == 0 {
                return false;
            }
            // Most of it was reserved and never used.
            if chunk[..length] == untouched[..length] {
                seen.clear();
                continue;
            }
            seen.extend_from_slice(&chunk[..length]);
            if seen.windows(secret.len()).any(|window| window == secret) {
                return true;
            }
            seen.drain(..seen.len().saturating_sub(secret.len()));
        }
    }
}

#[test]
fn a_kek_in_a_token_is_in_no_core_dump() {
    let mut at = Installation::new(Backend::Sqlite);
    let hsm = SoftHsm::new();
    let mut key = [0; 32];
    openssl::rand::rand_bytes(&mut key).unwrap();
    // softhsm2-util cuts a key at a zero byte, and at a line feed.
    key.iter_mut().for_each(|byte| *byte |= 0x80);
    hsm.import_aes("kek", "01", &key);
    at.configure(&format!("kek = {{ {TOKEN} }}\n{}", hsm.toml()));
    let (running, base_url) = Running::serve(&at.config, &hsm.env());
    let user = user_id(&client(&base_url).enrol(&sample::enrolment("534403")));
    // Another data key, which the node has the token unwrap while it serves.
    at.vault(&["rotate"], &hsm.env()).ok();
    let sealed_under_2 = "SELECT count(*) AS n FROM users WHERE seal_key = 2";
    until("the node has the new data key", || {
        client(&base_url).enrol(&sample::enrolment("534403"));
        at.database.number(sealed_under_2) > 0
    });
    let dump = CoreDump::of(&running);
    assert!(!dump.holds(&key));
    assert!(!dump.holds(STANDARD.encode(key).as_bytes()));
    drop(dump);
    assert_updates(&base_url, &user);
    at.stop(running);

    // What the search is worth: a node with a KEK in a file has it in memory.
    let mut at = Installation::new(Backend::Sqlite);
    at.make_kek("kek.key");
    let text = std::fs::read_to_string(at.path("kek.key")).unwrap();
    at.configure("kek = { file = \"kek.key\" }");
    let (running, _) = Running::serve(&at.config, &[]);
    let kek = STANDARD.decode(text.trim()).unwrap();
    assert!(CoreDump::of(&running).holds(&kek));
    at.stop(running);
}

#[test]
fn faults_of_a_token_have_names() {
    let mut at = Installation::new(Backend::Sqlite);
    let hsm = SoftHsm::new();
    let (env, tokens) = (hsm.env(), hsm.toml());
    let nowhere = at.path("nowhere.so");
    let wrong_pin = at.path("pin");
    std::fs::write(&wrong_pin, "00000000").unwrap();
    hsm.import_aes("kek", "01", &[1; 32]);
    hsm.import_aes("twice", "02", &[2; 32]);
    hsm.import_aes("twice", "03", &[3; 32]);
    let kek = |key: &str| format!("kek = {{ pkcs11 = {{ token = \"hsm\", {key} }} }}\n");
    let module = |path: &std::path::Path| {
        let line = tokens
            .lines()
            .find(|line| line.starts_with("module"))
            .unwrap();
        tokens.replace(line, &format!("module = \"{}\"", path.display()))
    };
    for (vault, named) in [
        (
            kek("label = \"kek\"") + &module(&nowhere),
            &["hsm", "module", "nowhere.so"][..],
        ),
        (
            kek("label = \"kek\"") + &hsm.toml_of("hsm", "other", &hsm.pin_file()),
            &["no token", "\"other\""],
        ),
        (
            kek("label = \"kek\"") + &hsm.toml_of("hsm", "gateway", &wrong_pin),
            &["refuses the PIN"],
        ),
        (
            kek("label = \"kek\"") + &hsm.toml_of("hsm", "gateway", &nowhere),
            &["PIN", "nowhere.so"],
        ),
        (
            kek("label = \"absent\"") + &tokens,
            &["no such key", "\"absent\""],
        ),
        (
            kek("label = \"twice\"") + &tokens,
            &["several such keys", "\"twice\""],
        ),
        (kek("id = \"1\"") + &tokens, &["pkcs11", "hex"]),
        (kek("version = 1") + &tokens, &["pkcs11", "label"]),
        (kek("label = \"kek\""), &["pkcs11.token", "\"hsm\""]),
    ] {
        at.configure(&vault);
        at.serve_refused(&env, named);
    }
    at.configure(&(kek("label = \"twice\", id = \"03\"") + &tokens));
    let (running, _) = Running::serve(&at.config, &env);
    at.stop(running);
    assert!(!at.written.contains("00000000"));
}
