//! The texts that a client may have hashed in place of the body that it sent.

use super::super::json_text::{self, STYLES};
use super::super::knowledge::Knowledge;
use super::super::payload;
use super::super::recorded::Recorded;
use crate::json;
use serde_json::Value;

/// Texts of this length and more are not written anew.
const MOST: usize = 1 << 20;

/// A text, and the mistake of hashing it.
pub(super) struct Body {
    pub(super) code: &'static str,
    /// `the body with a line feed at its end`
    pub(super) what: String,
    pub(super) advice: &'static str,
    pub(super) bytes: Vec<u8>,
}

impl Body {
    /// Whether this is what was sent.
    pub(super) fn is_right(&self) -> bool {
        self.code.is_empty()
    }
}

const SAME_BYTES: &str = "Hash the very bytes that are sent, at the last moment.";
const AFTER_ENCRYPTION: &str =
    "Encrypt first, then hash and sign the encrypted body, as the last step before sending.";

/// The body itself, then the usual others; none twice.
pub(super) fn all(call: &Recorded, known: &Knowledge) -> Vec<Body> {
    let mut bodies = Bodies {
        all: vec![Body {
            code: "",
            what: "the body".to_owned(),
            advice: "",
            bytes: call.body.clone(),
        }],
    };
    bodies.of_the_ends(&call.body);
    if call.body.len() < MOST {
        bodies.of_charsets(&call.body);
        bodies.of_json(&call.body);
        if let Some(clear) = payload::clear_text(call, known) {
            bodies.add(
                "body_hash.clear_text",
                "the payload before it was encrypted",
                AFTER_ENCRYPTION,
                clear.to_vec(),
            );
            for (how, text) in rewritten(&clear) {
                let what = format!("the payload before it was encrypted, {how}");
                bodies.add("body_hash.clear_text", &what, AFTER_ENCRYPTION, text);
            }
        }
    }
    bodies.all
}

struct Bodies {
    all: Vec<Body>,
}

impl Bodies {
    fn add(&mut self, code: &'static str, what: &str, advice: &'static str, bytes: Vec<u8>) {
        if !self.all.iter().any(|known| known.bytes == bytes) {
            self.all.push(Body {
                code,
                what: what.to_owned(),
                advice,
                bytes,
            });
        }
    }

    fn of_the_ends(&mut self, body: &[u8]) {
        self.add(
            "body_hash.empty_body",
            "an empty body",
            "Give the signing function the body: many HTTP libraries call it before the body is \
             there.",
            Vec::new(),
        );
        const NEWLINE: &str = "Hash and send the same bytes: editors, echo and heredocs add a line feed, and curl \
             --data @file removes it (use --data-binary).";
        for (what, end) in [
            ("the body with a line feed at its end", &b"\n"[..]),
            ("the body with CR LF at its end", b"\r\n"),
        ] {
            self.add("body_hash.newline", what, NEWLINE, [body, end].concat());
        }
        let trimmed = body.trim_ascii_end();
        self.add(
            "body_hash.newline",
            "the body without the white space at its end",
            NEWLINE,
            trimmed.to_vec(),
        );
        let mut lines = body.to_vec();
        if lines.pop() == Some(b'\n') {
            self.add(
                "body_hash.newline",
                "the body without its last line feed",
                NEWLINE,
                lines,
            );
        }
        const BOM: &str = "Write UTF-8 without a byte order mark (.NET: new UTF8Encoding(false)).";
        let without = json::without_bom(body);
        self.add(
            "body_hash.bom",
            "the body without its byte order mark",
            BOM,
            without.to_vec(),
        );
        self.add(
            "body_hash.bom",
            "the body with a byte order mark before it",
            BOM,
            [b"\xEF\xBB\xBF", body].concat(),
        );
    }

    fn of_charsets(&mut self, body: &[u8]) {
        const UTF8: &str = "Turn the text into bytes as UTF-8, once, for hashing and for sending.";
        let Ok(text) = std::str::from_utf8(json::without_bom(body)) else {
            return;
        };
        let units: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        for (what, mark, bytes) in [
            ("the body in UTF-16 (little endian)", &b""[..], &little),
            (
                "the body in UTF-16 (little endian, with a mark)",
                b"\xFF\xFE",
                &little,
            ),
            ("the body in UTF-16 (big endian)", b"", &big),
            (
                "the body in UTF-16 (big endian, with a mark)",
                b"\xFE\xFF",
                &big,
            ),
        ] {
            let bytes = [mark, bytes.as_slice()].concat();
            self.add("body_hash.utf16", what, UTF8, bytes);
        }
        let latin1: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
        if let Some(latin1) = latin1 {
            self.add("body_hash.latin1", "the body in Latin-1", UTF8, latin1);
        }
        let replaced = |c: char| if c.is_ascii() { c } else { '?' };
        let ascii: String = text.chars().map(replaced).collect();
        self.add(
            "body_hash.ascii",
            "the body in ASCII, with question marks for other letters",
            UTF8,
            ascii.into_bytes(),
        );
        let twice: String = text.bytes().map(char::from).collect();
        self.add(
            "body_hash.utf8_twice",
            "the body in UTF-8 twice",
            UTF8,
            twice.into_bytes(),
        );
        for (what, bytes) in [
            (
                "the body with LF for CR LF",
                text.replace("\r\n", "\n").into_bytes(),
            ),
            (
                "the body with CR LF for LF",
                text.replace("\r\n", "\n")
                    .replace('\n', "\r\n")
                    .into_bytes(),
            ),
        ] {
            self.add("body_hash.line_ends", what, SAME_BYTES, bytes);
        }
    }

    fn of_json(&mut self, body: &[u8]) {
        const REWRITTEN: &str = "Serialize once and keep the bytes: hash these, and hand the same bytes (not the \
             object) to the HTTP library.";
        for (how, text) in rewritten(body) {
            let what = format!("the body's JSON {how}");
            self.add("body_hash.rewritten_json", &what, REWRITTEN, text);
        }
        let Ok(Value::Object(members)) = serde_json::from_slice(json::without_bom(body)) else {
            return;
        };
        if let Some(Value::String(data)) = members.get("encryptedData") {
            self.add(
                "body_hash.encrypted_data_alone",
                "the value of encryptedData alone",
                "Hash the whole body with its braces, as it is sent.",
                data.clone().into_bytes(),
            );
        }
        let text = String::from_utf8_lossy(body);
        self.add(
            "body_hash.quoted",
            "the body as a JSON string",
            "Serialize once: the text was serialized as a string again.",
            Value::from(text.as_ref()).to_string().into_bytes(),
        );
    }
}

/// A JSON text in other styles: white space, sorted names, escaped slashes, ASCII alone.
fn rewritten(text: &[u8]) -> Vec<(String, Vec<u8>)> {
    let Ok(text) = std::str::from_utf8(json::without_bom(text)) else {
        return Vec::new();
    };
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return Vec::new();
    };
    let sorted = value.to_string();
    let unsorted = text.to_owned();
    let ascii = String::from_utf8_lossy(&json::to_ascii(&value)).into_owned();
    let mut all = Vec::new();
    for (order, text) in [
        ("", unsorted),
        (", its names sorted", sorted),
        (", its names sorted and in ASCII", ascii),
    ] {
        let Some(tokens) = json_text::tokens(&text) else {
            continue;
        };
        for style in STYLES {
            let written = json_text::written(&tokens, style);
            let name = style.name;
            if written.contains('/') {
                let escaped = written.replace("\\/", "/").replace('/', "\\/");
                all.push((
                    format!("{name}{order}, with \\/ for /"),
                    escaped.into_bytes(),
                ));
            }
            if written.contains("\\/") {
                let plain = written.replace("\\/", "/");
                all.push((format!("{name}{order}, with / for \\/"), plain.into_bytes()));
            }
            all.push((format!("{name}{order}"), written.into_bytes()));
        }
    }
    all
}
