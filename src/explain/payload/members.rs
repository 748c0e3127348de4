//! Looks for what the envelope lacks: a token or members under other names.

use serde_json::{Map, Value};

/// A text somewhere in a body, and its path.
pub(super) struct Place<'v> {
    pub(super) path: String,
    pub(super) text: &'v str,
}

/// The first text anywhere that looks like encrypted data: a compact JWE, or long hex or base64.
pub(super) fn encrypted(value: &Value) -> Option<Place<'_>> {
    let mut found = Vec::new();
    texts(value, String::new(), &mut found);
    let token = found.iter().position(|place| is_token(place.text));
    let long = || {
        found.iter().position(|place| {
            let legal = |b: u8| b.is_ascii_alphanumeric() || b"+/-_=".contains(&b);
            place.text.len() >= 128 && place.text.bytes().all(legal)
        })
    };
    let at = token.or_else(long)?;
    found.into_iter().nth(at)
}

/// Five segments, the first of which begins as base64 of `{"` does.
pub(super) fn is_token(text: &str) -> bool {
    text.starts_with("eyJ") && text.split('.').count() == 5
}

fn texts<'v>(value: &'v Value, path: String, found: &mut Vec<Place<'v>>) {
    let below = |name: &str| match path.as_str() {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    match value {
        Value::String(text) => found.push(Place { path, text }),
        Value::Object(members) => {
            for (name, member) in members {
                texts(member, below(name), found);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                texts(item, below(&at.to_string()), found);
            }
        }
        _ => {}
    }
}

/// A member whose name is the wanted one but for case, `_` and `-`.
pub(super) fn alike<'m>(members: &'m Map<String, Value>, wanted: &str) -> Option<&'m str> {
    let letters = |name: &str| -> String {
        let bare = name.chars().filter(char::is_ascii_alphanumeric);
        bare.map(|c| c.to_ascii_lowercase()).collect()
    };
    let names = members.keys().filter(|name| *name != wanted);
    names
        .map(String::as_str)
        .find(|name| letters(name) == letters(wanted))
}

/// The value at a dotted path.
pub(super) fn at<'v>(members: &'v Map<String, Value>, path: &str) -> Option<&'v Value> {
    let mut names = path.split('.');
    let mut value = members.get(names.next()?)?;
    for name in names {
        value = value.get(name)?;
    }
    Some(value)
}

/// An object below the root that has one of these members.
pub(super) fn wrapped_in<'m>(members: &'m Map<String, Value>, names: &[&str]) -> Option<&'m str> {
    let has = |value: &Value| names.iter().any(|name| value.get(name).is_some());
    let mut members = members.iter();
    members
        .find(|(_, value)| has(value))
        .map(|(name, _)| name.as_str())
}
