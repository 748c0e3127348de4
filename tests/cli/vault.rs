//! `vault`: what its commands say and do, and that they say no secret.

mod keepers;
mod passes;
mod rotate_kek;
mod split_kek;

use crate::config_file::{Sections, ready};
use crate::on_both;
use crate::process::{Output, Running, run_with, text, write};
use crate::serve::client;
use crate::support::gateway::user_id;
use crate::support::{Backend, TestDatabase};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use issuer_gateway::client::sample;
use issuer_gateway::vault::Kek;
use std::path::{Path, PathBuf};

/// A database with issuers, a configuration, and everything that the program has written about it.
struct Installation {
    database: TestDatabase,
    /// Where the gateway finds the database.
    url: String,
    dir: tempfile::TempDir,
    config: PathBuf,
    written: String,
}

impl Installation {
    fn new(backend: Backend) -> Self {
        let database = TestDatabase::empty(backend);
        let dir = tempfile::tempdir().unwrap();
        let config = ready(&database, dir.path(), |_| {});
        Self {
            url: database.url_text.clone(),
            database,
            dir,
            config,
            written: String::new(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a new KEK into a file.
    fn make_kek(&self, name: &str) -> Kek {
        let text = Kek::generate().unwrap();
        write(self.dir.path(), name, &format!("{}\n", *text));
        Kek::from_base64(&text).unwrap()
    }

    /// Replaces `[vault]` as a deployment does: a whole new file, in one step.
    fn configure(&self, vault: &str) {
        let mut sections = Sections::new(&self.url);
        sections.vault = vault.to_owned();
        let partial = tempfile::tempdir_in(self.dir.path()).unwrap();
        std::fs::rename(sections.write(partial.path()), &self.config).unwrap();
    }

    fn vault(&mut self, args: &[&str], env: &[(&str, &str)]) -> Output {
        let all = [&["--config", text(&self.config), "vault"], args].concat();
        let output = run_with(&all, env, b"");
        self.written += &format!("{args:?}\n{}{}", output.stdout, output.stderr);
        output
    }

    fn serve_refused(&mut self, env: &[(&str, &str)], named: &[&str]) {
        let output = run_with(&["--config", text(&self.config), "serve"], env, b"");
        self.written += &output.refused(named);
    }

    fn stop(&mut self, mut running: Running) {
        assert!(running.signal("TERM").success());
        self.written += &running.written("stdout");
        self.written += &running.written("stderr");
    }

    /// Nothing that was written holds a KEK or a share, in whatever form.
    fn assert_no_secret(&self, files: &[&Path]) {
        assert!(self.written.len() > 1_000, "{}", self.written);
        let dump = self.database.dump().to_lowercase();
        for file in files {
            let content = std::fs::read_to_string(file).unwrap();
            let content = content.trim();
            // A share's value is its part before the last.
            let value = content.rsplit('.').nth(1).unwrap_or(content);
            let bytes = STANDARD.decode(value).unwrap();
            assert_eq!(bytes.len(), 32, "{}", file.display());
            for secret in [value.to_owned(), hex::encode(&bytes), format!("{bytes:?}")] {
                assert!(!self.written.contains(&secret), "{}", file.display());
                assert!(!dump.contains(&secret.to_lowercase()), "{}", file.display());
            }
        }
    }
}

/// An enrolled user is updated: nobody could have without the data keys.
fn assert_updates(base_url: &str, user: &str) {
    let answer = client(base_url).update(user, &sample::update());
    assert_eq!(answer.status, 200, "{:?}", answer.clear);
}

fn status_shows_keys_and_rows(backend: Backend) {
    let mut at = Installation::new(backend);
    let old = at.make_kek("old.key");
    let further = at.make_kek("further.key");
    at.configure("kek_file = \"old.key\"\nfurther_keks = [{ file = \"further.key\" }]");
    let (running, base_url) = Running::serve(&at.config, &[]);
    for _ in 0..3 {
        user_id(&client(&base_url).enrol(&sample::enrolment("534403")));
    }
    at.stop(running);
    let words = |output: &str| -> Vec<String> {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        output.lines().map(words).collect()
    };
    let shown = words(&at.vault(&["status"], &[]).ok());
    let id = old.id();
    for line in [
        format!("KEK {id}"),
        format!("further KEK {}", further.id()),
        "users seal 1 3".to_owned(),
        "users index 1 3".to_owned(),
        "cards seal 1 3".to_owned(),
        "cards index 1 3".to_owned(),
    ] {
        assert!(shown.contains(&line), "{line} is not in {shown:#?}");
    }
    for key in [
        format!("seal 1 primary {id} 20"),
        format!("index 1 primary {id} 20"),
    ] {
        assert!(
            shown.iter().any(|line| line.starts_with(&key)),
            "{key}: {shown:#?}"
        );
    }

    // What it is for: somebody has lost track of the KEKs.
    at.configure(r#"kek_file = "further.key""#);
    let shown = words(&at.vault(&["status"], &[]).ok());
    let missing = format!("seal 1 primary {id} not at hand 20");
    assert!(
        shown.iter().any(|line| line.starts_with(&missing)),
        "{shown:#?}"
    );
    at.configure(r#"kek_file = "gone.key""#);
    let output = at.vault(&["status"], &[]);
    assert!(output.stderr.contains("gone.key"), "{}", output.stderr);
    assert!(output.ok().contains("cards"));
    at.assert_no_secret(&[&at.path("old.key"), &at.path("further.key")]);
}

on_both!(blocking: status_shows_keys_and_rows);
