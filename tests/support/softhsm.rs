//! Tokens of SoftHSM, each in a folder of its own. Only programs that get [`SoftHsm::env`] see
//! them.

use std::path::{Path, PathBuf};
use std::process::Command;

pub const PIN: &str = "73195246";

/// A folder with tokens.
pub struct SoftHsm {
    dir: tempfile::TempDir,
    module: String,
    configuration: String,
}

impl SoftHsm {
    /// A folder with one token of the label `gateway`.
    pub fn new() -> Self {
        let module = std::env::var("ISSUER_GATEWAY_TEST_SOFTHSM").unwrap_or_else(|_| {
            panic!("ISSUER_GATEWAY_TEST_SOFTHSM is not set: this test needs softhsm2; run it by `make test` or scripts/with-postgres.sh")
        });
        let dir = tempfile::tempdir().unwrap();
        let tokens = dir.path().join("tokens");
        std::fs::create_dir(&tokens).unwrap();
        let configuration = dir.path().join("softhsm2.conf");
        let text = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            tokens.display()
        );
        std::fs::write(&configuration, text).unwrap();
        std::fs::write(dir.path().join("pin"), format!("{PIN}\n")).unwrap();
        let hsm = Self {
            configuration: configuration.display().to_string(),
            module,
            dir,
        };
        hsm.add_token("gateway");
        hsm
    }

    /// One more token.
    pub fn add_token(&self, label: &str) {
        let so_pin = "90817263";
        self.util(&[
            "--init-token",
            "--free",
            "--label",
            label,
            "--pin",
            PIN,
            "--so-pin",
            so_pin,
        ]);
    }

    /// Puts a key of these bytes into the token `gateway`.
    pub fn import_aes(&self, label: &str, id: &str, key: &[u8; 32]) {
        let file = self.dir.path().join("imported");
        std::fs::write(&file, key).unwrap();
        self.util(&[
            "--import",
            &file.display().to_string(),
            "--aes",
            "--token",
            "gateway",
            "--label",
            label,
            "--id",
            id,
            "--pin",
            PIN,
        ]);
        std::fs::remove_file(file).unwrap();
    }

    fn util(&self, args: &[&str]) {
        let output = Command::new("softhsm2-util")
            .args(["--module", &self.module])
            .args(args)
            .envs(self.env())
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
    }

    /// What a program needs to see the tokens.
    pub fn env(&self) -> [(&str, &str); 1] {
        [("SOFTHSM2_CONF", &self.configuration)]
    }

    pub fn pin_file(&self) -> PathBuf {
        self.dir.path().join("pin")
    }

    /// The folder with the tokens' files.
    pub fn folder(&self) -> PathBuf {
        self.dir.path().join("tokens")
    }

    /// The token is unplugged.
    pub fn unplug(&self) {
        std::fs::rename(self.folder(), self.dir.path().join("away")).unwrap();
        std::fs::create_dir(self.folder()).unwrap();
    }

    /// It is put back.
    pub fn plug_in(&self) {
        std::fs::remove_dir(self.folder()).unwrap();
        std::fs::rename(self.dir.path().join("away"), self.folder()).unwrap();
    }

    /// `[[tokens]]` for the token `gateway`, by the name `hsm`.
    pub fn toml(&self) -> String {
        self.toml_of("hsm", "gateway", &self.pin_file())
    }

    /// `[[tokens]]` for any token.
    pub fn toml_of(&self, name: &str, label: &str, pin_file: &Path) -> String {
        format!(
            "[[tokens]]\nname = \"{name}\"\nmodule = \"{}\"\nlabel = \"{label}\"\npin_file = \"{}\"\ntimeout_ms = 20000\n",
            self.module,
            pin_file.display()
        )
    }
}
