//! Looks for secrets in everything that was written, in every form that a slip would give them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// Something that must not be written anywhere.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Secret {
    name: String,
    /// Compared without case: as it is, in hex, and as `Debug` prints bytes.
    folded: Vec<String>,
    /// Compared with case: base64 at each of the three alignments, in both alphabets.
    exact: Vec<String>,
}

impl Secret {
    /// A value of which no form may be found; at least 8 bytes, or chance would find it.
    pub(super) fn value(name: &str, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref();
        assert!(value.len() >= 8, "{name} is too short to be looked for");
        let mut folded = vec![hex::encode(value), decimal(value)];
        folded.extend(String::from_utf8(value.to_vec()).map(|text| text.to_lowercase()));
        let exact = (0..3)
            .flat_map(|offset| {
                [
                    core(&STANDARD, value, offset),
                    core(&URL_SAFE, value, offset),
                ]
            })
            .collect();
        Self {
            name: name.to_owned(),
            folded,
            exact,
        }
    }

    /// A token that is looked for as it is.
    pub(super) fn token(name: &str, token: &str) -> Self {
        assert!(token.len() >= 16, "{name} is too short to be looked for");
        Self {
            name: name.to_owned(),
            folded: Vec::new(),
            exact: vec![token.to_owned()],
        }
    }
}

/// `[1, 2, 3]` without its brackets.
fn decimal(bytes: &[u8]) -> String {
    let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
    numbers.join(", ")
}

/// The characters of the base64 text that `value` alone decides when `offset` bytes stand before
/// it.
fn core(engine: &impl Engine, value: &[u8], offset: usize) -> String {
    let mut bytes = vec![0; offset];
    bytes.extend_from_slice(value);
    let text = engine.encode(&bytes);
    text[(offset * 8).div_ceil(6)..bytes.len() * 8 / 6].to_owned()
}

/// Something that was written: a log, a dump, a file.
pub(super) struct Written {
    name: String,
    text: String,
    folded: String,
}

impl Written {
    pub(super) fn new(name: &str, bytes: impl AsRef<[u8]>) -> Self {
        // What is not UTF-8 is replaced; the secrets and their forms are ASCII.
        let text = String::from_utf8_lossy(bytes.as_ref()).into_owned();
        Self {
            name: name.to_owned(),
            folded: text.to_lowercase(),
            text,
        }
    }

    /// The names of all secrets that are in it.
    pub(super) fn leaks<'a>(&self, secrets: &'a [Secret]) -> Vec<&'a str> {
        let found = |secret: &&Secret| {
            secret.folded.iter().any(|form| self.folded.contains(form))
                || secret.exact.iter().any(|form| self.text.contains(form))
        };
        secrets
            .iter()
            .filter(found)
            .map(|secret| secret.name.as_str())
            .collect()
    }

    #[track_caller]
    pub(super) fn assert_no(&self, secrets: &[Secret]) {
        let leaks = self.leaks(secrets);
        assert!(
            leaks.is_empty(),
            "in {}: {leaks:?}\n{}",
            self.name,
            self.lines_with(secrets)
        );
    }

    fn lines_with(&self, secrets: &[Secret]) -> String {
        let lines = self
            .text
            .lines()
            .filter(|line| !Self::new("", line).leaks(secrets).is_empty());
        lines
            .take(5)
            .map(|line| line.chars().take(2_000).collect::<String>() + "\n")
            .collect()
    }
}

#[test]
fn every_form_is_found() {
    let secrets = [
        Secret::value("card", "5344035171224363"),
        Secret::value("name", "Canaryfirst"),
    ];
    for secret in ["5344035171224363", "Canaryfirst"] {
        for offset in 0..3 {
            let padded = format!("{}{secret} and more", "x".repeat(offset));
            for text in [
                padded.clone(),
                padded.to_uppercase(),
                hex::encode(&padded),
                hex::encode_upper(&padded),
                STANDARD.encode(&padded),
                URL_SAFE.encode(&padded),
                format!("{:?}", padded.as_bytes()),
                format!("{:?}", Some(&padded)),
            ] {
                assert_eq!(
                    Written::new("test", &text).leaks(&secrets).len(),
                    1,
                    "{text}"
                );
            }
        }
    }
    assert!(
        Written::new("test", "4363, Canary, 534403")
            .leaks(&secrets)
            .is_empty()
    );
}
