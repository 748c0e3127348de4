//! Error messages for TOML texts that never quote a value: a value may be a password.
//!
//! A fault of syntax is told by line and column alone. A fault of content is told by the setting's
//! name and the kind of value that is expected there.

use toml::de::Error;

/// `line 3, column 7: not valid TOML`, or what the content should be, with its place.
pub fn describe(text: &str, error: &Error) -> String {
    let place = error.span().map(|span| place(text, span.start));
    // A text that reads as a table has broken a rule of content, which the message names.
    let rule = match text.parse::<toml::Table>() {
        Ok(_) => without_value(error.message()),
        Err(_) => "not valid TOML".to_owned(),
    };
    match place {
        Some(place) => format!("{place}: {rule}"),
        None => rule,
    }
}

/// A message of serde without the value that it found. It keeps the names of unknown settings, and
/// the expected form.
pub fn without_value(message: &str) -> String {
    let kinds = [
        ("invalid type: ", "wrong type"),
        ("invalid value: ", "unfit value"),
        ("unknown variant ", "unknown value"),
        ("invalid length ", "wrong length"),
    ];
    // The words of the crate `config`, which does not say what it expected.
    if message.contains("does not have variant constructor") {
        return "unknown value".to_owned();
    }
    let quoting = kinds.iter().find_map(|(says, kind)| {
        let at = message.find(says)?;
        Some((message.get(at..)?, kind))
    });
    match quoting {
        // The value may hold the word itself: what is expected comes last.
        Some((found, kind)) => match found.rsplit_once(", expected ") {
            Some((_, expected)) => format!("{kind}, expected {expected}"),
            None => (*kind).to_owned(),
        },
        None => message.to_owned(),
    }
}

fn place(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    format!("line {line}, column {column}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "never read")]
    struct Settings {
        number: u8,
        kind: Option<Kind>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        One,
        Two,
    }

    #[test]
    fn errors_say_where_and_what_is_expected_and_quote_nothing() {
        for (text, expected) in [
            ("number = \"canary", "line 1, column 17: not valid TOML"),
            (
                "a = 1\nnumber = canary",
                "line 2, column 10: not valid TOML",
            ),
            (
                "number = \"canary\"",
                "line 1, column 10: wrong type, expected u8",
            ),
            (
                "number = \"canary, expected canary\"",
                "line 1, column 10: wrong type, expected u8",
            ),
            (
                "number = 1000",
                "line 1, column 10: unfit value, expected u8",
            ),
            (
                "number = 1\nkind = \"canary\"",
                "line 2, column 8: unknown value, expected `one` or `two`",
            ),
            (
                "number = 1\nother = \"canary\"",
                "line 2, column 1: unknown field `other`, expected `number` or `kind`",
            ),
            ("kind = \"one\"", "line 1, column 1: missing field `number`"),
        ] {
            let error = toml::from_str::<Settings>(text).unwrap_err();
            let described = describe(text, &error);
            assert_eq!(described, expected, "{text}");
            assert!(!described.contains("canary"));
        }
    }
}
