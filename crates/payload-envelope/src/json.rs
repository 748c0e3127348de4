//! JSON as encrypted payloads need it: objects without duplicate names in, ASCII-only text out.
//!
//! `serde_json` keeps the last of two members with the same name, so a check and a use could see
//! different values; [`parse_object`] refuses them. Strings are wiped when an [`Object`] is
//! dropped, because decrypted payloads pass through here.

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Number, Value};
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// Why a text is not acceptable JSON, as the rule that it breaks. It never carries a part of the
/// text. Lines and columns count from 1, columns in bytes; a byte order mark does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing, or white space alone.
    #[error("must not be empty")]
    Empty,
    /// Not UTF-8 from this byte on, counted from 1.
    #[error("must be UTF-8, and is not from byte {0} on")]
    NotUtf8(usize),
    /// It ends before the root value does.
    #[error("must be JSON, and ends too early")]
    Cut,
    /// Not JSON (RFC 8259).
    #[error("must be JSON: {fault} at line {line}, column {column}")]
    Syntax {
        /// What the reader found there, in words of its own.
        fault: String,
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// Nested deeper than 128 levels.
    #[error("must not be nested deeper than 128 levels")]
    TooDeep,
    /// A name appears twice in one object.
    #[error("must not have a name twice in one object, as at line {line}, column {column}")]
    Duplicate {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// JSON, but no object at the root.
    #[error("must be a JSON object")]
    NotAnObject,
}

impl Error {
    fn of(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        match error.classify() {
            // The one error of ours: everything else is JSON that any reader takes.
            Category::Data => Self::Duplicate { line, column },
            Category::Eof | Category::Io => Self::Cut,
            Category::Syntax => {
                let text = error.to_string();
                let end = text.rfind(" at line ").unwrap_or(text.len());
                let fault = text.get(..end).unwrap_or_default();
                if fault == "recursion limit exceeded" {
                    return Self::TooDeep;
                }
                Self::Syntax {
                    fault: fault.to_owned(),
                    line,
                    column,
                }
            }
        }
    }
}

/// A parsed JSON object whose strings are zeroized on drop. `Debug` shows no content.
pub struct Object(Map<String, Value>);

impl Object {
    /// The member called `name`, if there is one.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All members; the order is not the order on the wire.
    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Object(…)")
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Number(number) => *number = Number::from(0),
        Value::Null | Value::Bool(_) => {}
    }
}

/// Parses a whole JSON text whose root is an object, refusing duplicate names at every depth.
pub fn parse_object(text: &[u8]) -> Result<Object, Error> {
    match parse(text)? {
        Value::Object(members) => Ok(Object(members)),
        mut other => {
            wipe(&mut other);
            Err(Error::NotAnObject)
        }
    }
}

/// Parses a whole JSON text of any kind, refusing duplicate names at every depth.
///
/// A byte order mark before it is ignored, as RFC 8259, 8.1 allows: writers in .NET put one there.
pub fn parse(text: &[u8]) -> Result<Value, Error> {
    let text = std::str::from_utf8(without_bom(text))
        .map_err(|error| Error::NotUtf8(error.valid_up_to().saturating_add(1)))?;
    if text.trim_ascii().is_empty() {
        return Err(Error::Empty);
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Unique
        .deserialize(&mut deserializer)
        .map_err(|error| Error::of(&error))?;
    if let Err(error) = deserializer.end() {
        let mut value = value;
        wipe(&mut value);
        return Err(Error::of(&error));
    }
    Ok(value)
}

/// The text without the byte order mark that may stand before it.
pub fn without_bom(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text)
}

/// Writes `value` compactly with every character above U+007F as a `\uXXXX` escape.
///
/// Official client libraries garble raw UTF-8 in decrypted answers.
pub fn to_ascii(value: &Value) -> Zeroizing<Vec<u8>> {
    let text = Zeroizing::new(value.to_string());
    // Room for the longest outcome, so that no copy is left behind by growing: 2 bytes become 6.
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() * 3));
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c as u8);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
            }
        }
    }
    out
}

/// Builds a [`Value`] like serde_json does, but fails on a name that was seen before.
struct Unique;

impl<'de> DeserializeSeed<'de> for Unique {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON with unique member names")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("number out of range"))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(Unique)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(Unique)?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("duplicate member name"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn refusal(text: impl AsRef<[u8]>) -> String {
        parse_object(text.as_ref()).unwrap_err().to_string()
    }

    #[test]
    fn numbers_read_as_the_nearest_double() {
        for (text, shortest) in [
            ("11.564407317559601", "11.564407317559601"),
            ("123456789.01000000000", "123456789.01"),
            ("0.1", "0.1"),
        ] {
            let nearest: f64 = text.parse().unwrap();
            let read = parse(text.as_bytes()).unwrap();
            assert_eq!(read.as_f64(), Some(nearest), "{text}");
            assert_eq!(read.to_string(), shortest);
        }
    }

    #[test]
    fn duplicate_names_are_refused_at_every_depth() {
        for (text, column) in [
            (r#"{"a":1,"a":2}"#, 13),
            (r#"{"x":{"a":1,"a":1}}"#, 18),
            (r#"{"x":[{"a":1,"\u0061":1}]}"#, 24),
        ] {
            let rule = "must not have a name twice in one object";
            assert_eq!(
                refusal(text),
                format!("{rule}, as at line 1, column {column}"),
                "{text}"
            );
        }
        assert!(parse_object(br#"{"a":{"a":1},"b":{"a":1}}"#).is_ok());
    }

    #[test]
    fn each_cause_has_its_own_words() {
        for text in ["null", "[]", "1", "\"x\"", "true"] {
            assert_eq!(refusal(text), "must be a JSON object", "{text}");
        }
        for text in ["", " ", "\r\n\t", "\u{feff}", "\u{feff} "] {
            assert_eq!(refusal(text), "must not be empty", "{text}");
        }
        for text in ["{", "{\"a\":", "{\"a\":\"x", "{\"a\":1,"] {
            assert_eq!(refusal(text), "must be JSON, and ends too early", "{text}");
        }
        for (text, expected) in [
            (
                "{}x",
                "must be JSON: trailing characters at line 1, column 3",
            ),
            (
                "{\n\"a\":1,}",
                "must be JSON: trailing comma at line 2, column 7",
            ),
            (
                "{'a':1}",
                "must be JSON: key must be a string at line 1, column 2",
            ),
            (
                "{\"a\" 1}",
                "must be JSON: expected `:` at line 1, column 6",
            ),
            (
                "{\"a\":NaN}",
                "must be JSON: expected value at line 1, column 6",
            ),
            (
                "{\"a\":1e999}",
                "must be JSON: number out of range at line 1, column 10",
            ),
            (
                "\u{feff}\u{feff}{}",
                "must be JSON: expected value at line 1, column 1",
            ),
        ] {
            assert_eq!(refusal(text), expected, "{text}");
        }
        assert_eq!(
            refusal(b"{\"a\":\"\xff\"}"),
            "must be UTF-8, and is not from byte 7 on"
        );
        let deep = "must not be nested deeper than 128 levels";
        assert_eq!(refusal("[".repeat(100_000)), deep);
        let nested = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        assert_eq!(refusal(nested), deep);
    }

    #[test]
    fn no_cause_quotes_the_text() {
        for text in [
            "canary",
            "{\"canary\" canary}",
            "{\"canary\":1,\"canary\":2}",
            "{\"a\":\"canary\\q\"}",
        ] {
            assert!(!refusal(text).contains("canary"), "{text}");
        }
    }

    #[test]
    fn a_byte_order_mark_before_the_text_is_ignored() {
        let parsed = parse_object("\u{feff}{\"a\":\"\u{feff}\"}".as_bytes()).unwrap();
        assert_eq!(parsed.get("a"), Some(&"\u{feff}".into()));
    }

    #[test]
    fn values_come_through_as_serde_json_reads_them() {
        let text = r#"{"a":[1,-2,3.5,true,false,null,"é\ud83d\ude00"],"b":{"c":{}}}"#;
        let parsed = parse_object(text.as_bytes()).unwrap();
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!(Value::Object(parsed.members().clone()), expected);
    }

    #[test]
    fn output_is_ascii_and_means_the_same() {
        let value = json!({"name": "Zoë \"日本\" 😀 \\ / &"});
        let text = to_ascii(&value);
        assert!(text.iter().all(u8::is_ascii));
        assert_eq!(serde_json::from_slice::<Value>(&text).unwrap(), value);
    }
}
