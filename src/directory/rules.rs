//! Bodies and ids of the users API, parsed (cce-api.md, Part B). Pure; every broken rule is
//! reported, never a value.

use crate::json;
use crate::text_form::TextForm;
use crate::violation::Violation;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// Text that is personal.
pub type Secret = Zeroizing<String>;

/// A user name. Like a name, it holds more than white space.
pub const USERNAME: TextForm = TextForm::printable(1, 64);
/// The app's own id of a user: neither `.` nor `..`, because clients and proxies resolve a path
/// segment of dots alone, so it would never arrive.
pub const USER_ID: TextForm = TextForm::of_length(1, 64).and_pattern(concat!(
    r"^([^.\s\x00-\x1F\x7F-\x9F][^\s\x00-\x1F\x7F-\x9F]*",
    r"|\.[^.\s\x00-\x1F\x7F-\x9F][^\s\x00-\x1F\x7F-\x9F]*",
    r"|\.\.[^\s\x00-\x1F\x7F-\x9F]+)$",
));
/// A display name.
pub const DISPLAY_NAME: TextForm = TextForm::printable(1, 200);
/// A first or last name.
pub const NAME_PART: TextForm = TextForm::printable(1, 100);
/// An e-mail address: one `@` with text on both sides.
pub const EMAIL: TextForm = TextForm::of_length(5, 254)
    .and_pattern(r"^[^\s\x00-\x1F\x7F-\x9F@]+@[^\s\x00-\x1F\x7F-\x9F@]+$");
/// Largest metadata, in bytes as sent.
const METADATA_BYTES: usize = 16 * 1024;
/// Deepest metadata: the object itself is the first level.
const METADATA_LEVELS: usize = 8;
/// The largest record number: the largest integer that JSON readers agree on, 2^53 - 1 (RFC 8259,
/// section 6).
const NUMBER_MAX: i64 = 9_007_199_254_740_991;

/// What a body of `POST /users` or `PUT /users/{user_id}` sets. `None`: not mentioned; inside,
/// `None`: cleared.
#[derive(Default)]
pub struct DirectoryProfile {
    /// `username`
    pub username: Option<Secret>,
    /// `name`
    pub name: Option<Option<Secret>>,
    /// `email`
    pub email: Option<Option<Secret>>,
    /// `user_id`
    pub user_id: Option<String>,
    /// `metadata`, as sent.
    pub metadata: Option<Secret>,
}

/// The body of `PUT /users?id=`: all of it.
pub struct Replacement {
    /// `firstName`
    pub first_name: Secret,
    /// `lastName`
    pub last_name: Secret,
    /// `email`
    pub email: Secret,
}

/// Reads a body of B1 or B2; unknown members are ignored.
pub fn profile(body: &[u8]) -> Result<DirectoryProfile, Vec<Violation>> {
    let object = parse(body)?;
    let mut broken = Vec::new();
    let mut profile = DirectoryProfile::default();
    if let Some(value) = object.get("username") {
        profile.username = text(&mut broken, "username", value, &USERNAME);
    }
    match object.get("name") {
        None => {}
        Some(Value::Null) => profile.name = Some(None),
        Some(value) => profile.name = text(&mut broken, "name", value, &DISPLAY_NAME).map(Some),
    }
    match object.get("email") {
        None => {}
        Some(Value::Null) => profile.email = Some(None),
        Some(value) => profile.email = email(&mut broken, value).map(Some),
    }
    if let Some(value) = object.get("user_id") {
        let fitting = value.as_str().filter(|text| is_user_id(text));
        profile.user_id = fitting.map(str::to_owned);
        if fitting.is_none() {
            broken.push(Violation::invalid(
                "user_id",
                "must be 1 to 64 characters without white space, not . or ..",
            ));
        }
    }
    if let Some(value) = object.get("metadata") {
        profile.metadata = metadata(&mut broken, value, body);
    }
    if broken.is_empty() {
        Ok(profile)
    } else {
        Err(broken)
    }
}

/// Reads a body of B3. An `id` in it is ignored: the query decides.
pub fn replacement(body: &[u8]) -> Result<Replacement, Vec<Violation>> {
    let object = parse(body)?;
    let mut broken = Vec::new();
    let missing = Value::Null;
    let member = |name| object.get(name).unwrap_or(&missing);
    let first_name = text(&mut broken, "firstName", member("firstName"), &NAME_PART);
    let last_name = text(&mut broken, "lastName", member("lastName"), &NAME_PART);
    let email = email(&mut broken, member("email"));
    match (first_name, last_name, email) {
        (Some(first_name), Some(last_name), Some(email)) => Ok(Replacement {
            first_name,
            last_name,
            email,
        }),
        _ => Err(broken),
    }
}

/// Whether a text can be a user id; it is compared byte for byte.
pub fn is_user_id(text: &str) -> bool {
    USER_ID.has_length(text)
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
        && text != "."
        && text != ".."
}

/// The query's `id` (cce-api.md B3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// May be a record: 1 to 2^53 - 1.
    Possible(i64),
    /// A number that can never be one.
    Impossible,
}

/// Reads the query's `id`; `None` if it is not a number.
pub fn number(text: &str) -> Option<Number> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        let fitting = text.parse().ok().filter(|n| (1..=NUMBER_MAX).contains(n));
        return Some(fitting.map_or(Number::Impossible, Number::Possible));
    }
    // Not `inf` and `NaN`, which Rust reads as well.
    let numeric = text
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    (numeric && text.parse::<f64>().is_ok()).then_some(Number::Impossible)
}

fn parse(body: &[u8]) -> Result<json::Object, Vec<Violation>> {
    json::parse_object(body).map_err(|error| vec![Violation::invalid("", error.to_string())])
}

fn text(
    broken: &mut Vec<Violation>,
    path: &'static str,
    value: &Value,
    form: &TextForm,
) -> Option<Secret> {
    let fitting = value.as_str().filter(|text| {
        form.has_length(text) && !text.trim().is_empty() && !text.chars().any(char::is_control)
    });
    if fitting.is_none() {
        let rule = format!(
            "must be a text of {} printable characters",
            form.length_in_words()
        );
        broken.push(Violation::invalid(path, rule));
    }
    fitting.map(secret)
}

fn email(broken: &mut Vec<Violation>, value: &Value) -> Option<Secret> {
    let fitting = value.as_str().filter(|text| {
        let around = text.split_once('@');
        EMAIL.has_length(text)
            && !text.chars().any(|c| c.is_whitespace() || c.is_control())
            && around.is_some_and(|(local, domain)| {
                !local.is_empty() && !domain.is_empty() && !domain.contains('@')
            })
    });
    if fitting.is_none() {
        broken.push(Violation::invalid(
            "email",
            "must be an e-mail address of 5 to 254 characters",
        ));
    }
    fitting.map(secret)
}

fn metadata(broken: &mut Vec<Violation>, value: &Value, body: &[u8]) -> Option<Secret> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        metadata: &'a RawValue,
    }
    let raw = serde_json::from_slice::<Body<'_>>(json::without_bom(body)).ok();
    let raw = raw.map(|body| body.metadata.get());
    let fitting = raw.filter(|raw| {
        value.is_object() && raw.len() <= METADATA_BYTES && levels(value) <= METADATA_LEVELS
    });
    if fitting.is_none() {
        broken.push(Violation::invalid(
            "metadata",
            "must be an object of at most 16384 bytes and 8 levels",
        ));
    }
    fitting.map(secret)
}

/// How deep objects and arrays are nested. The parser has bounded it to 128.
fn levels(value: &Value) -> usize {
    match value {
        Value::Object(members) => 1 + members.values().map(levels).max().unwrap_or(0),
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

fn secret(text: &str) -> Secret {
    Zeroizing::new(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn broken(body: &Value) -> Vec<String> {
        let violations = profile(body.to_string().as_bytes())
            .err()
            .unwrap_or_default();
        violations.iter().map(|v| v.path.to_string()).collect()
    }

    #[test]
    fn patterns_match_what_is_accepted() {
        let matches = |form: &TextForm, text: &str| {
            let pattern = regex::Regex::new(form.pattern.unwrap()).unwrap();
            form.has_length(text) && pattern.is_match(text)
        };
        for text in [
            ".", "..", "...", ".a", "a.", "..a", "a", "", " ", "a b", "a\n", "\u{85}", "é",
            "a\u{0}",
        ] {
            assert_eq!(matches(&USER_ID, text), is_user_id(text), "{text:?}");
        }
        for text in [
            "a@b.c", "a@bc", "@abcd", "abcd@", "a@b@c", "a @bc", "é@é.é", "abcde",
        ] {
            let accepted = email(&mut Vec::new(), &json!(text)).is_some();
            assert_eq!(matches(&EMAIL, text), accepted, "{text:?}");
        }
        for text in ["a", "é b", "a\tb", "a\u{9f}"] {
            let accepted = super::text(&mut Vec::new(), "name", &json!(text), &DISPLAY_NAME);
            assert_eq!(matches(&DISPLAY_NAME, text), accepted.is_some(), "{text:?}");
        }
    }

    #[test]
    fn each_member_has_its_rules() {
        let cases = [
            ("username", json!("u"), true),
            ("username", json!("u".repeat(64)), true),
            ("username", json!("u".repeat(65)), false),
            ("username", json!(""), false),
            ("username", json!("a\nb"), false),
            ("username", json!(null), false),
            ("name", json!("Zoë O'Hara-日本"), true),
            ("name", json!(null), true),
            ("name", json!(" "), false),
            ("name", json!(5), false),
            ("name", json!("n".repeat(201)), false),
            ("email", json!("a@b.c"), true),
            ("email", json!(null), true),
            ("email", json!("a@bc"), false),
            ("email", json!("no-address"), false),
            ("email", json!("a@b@c.de"), false),
            ("email", json!("@example.com"), false),
            ("email", json!("user@"), false),
            ("email", json!("a b@example.com"), false),
            (
                "email",
                json!(format!("{}@example.com", "a".repeat(250))),
                false,
            ),
            ("user_id", json!("testUserId"), true),
            ("user_id", json!("a/b?c#d"), true),
            ("user_id", json!(null), false),
            ("user_id", json!(7), false),
            ("user_id", json!(""), false),
            ("user_id", json!(".."), false),
            ("user_id", json!("two words"), false),
            ("user_id", json!("i".repeat(65)), false),
            ("metadata", json!({}), true),
            ("metadata", json!({"a": [1, {"b": null}]}), true),
            ("metadata", json!(null), false),
            ("metadata", json!([]), false),
            ("metadata", json!("text"), false),
        ];
        for (member, value, accepted) in cases {
            let expected: &[&str] = if accepted { &[] } else { &[member] };
            assert_eq!(
                broken(&json!({ member: value })),
                expected,
                "{member}: {value}"
            );
        }
        assert!(broken(&json!({"unknown": {"anything": 1}})).is_empty());
        assert_eq!(
            broken(&json!({"name": 1, "email": 2, "metadata": 3})).len(),
            3
        );
    }

    #[test]
    fn metadata_is_bounded_in_depth_and_size_and_kept_as_sent() {
        let nested = |levels: usize| {
            let text = format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
            profile(format!("{{\"metadata\":{text}}}").as_bytes()).is_ok()
        };
        assert!(nested(8));
        assert!(!nested(9));
        let sized = |bytes: usize| {
            let text = format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
            assert_eq!(text.len(), bytes);
            profile(format!("{{\"metadata\":{text}}}").as_bytes()).is_ok()
        };
        assert!(sized(16_384));
        assert!(!sized(16_385));

        let raw = r#"{"z":1.50,"a":12345678901234567890123,"m":{"é":"\u00e9"},"b":1E2}"#;
        let body = format!(r#"{{"name":"n","metadata": {raw} }}"#);
        assert_eq!(*profile(body.as_bytes()).unwrap().metadata.unwrap(), raw);
    }

    #[test]
    fn a_body_is_one_object_without_duplicate_names() {
        for body in [
            "",
            "null",
            "[]",
            "{",
            "{\"name\":\"a\",\"name\":\"b\"}",
            "{\"metadata\":{\"a\":1,\"a\":2}}",
        ] {
            assert!(profile(body.as_bytes()).is_err(), "{body}");
        }
        assert!(profile(b"{}").is_ok());
    }

    #[test]
    fn a_replacement_is_whole() {
        let whole = json!({"lastName": "Renn", "firstName": "David", "email": "david.renn@uw.edu"});
        assert!(replacement(whole.to_string().as_bytes()).is_ok());
        for member in ["lastName", "firstName", "email"] {
            for value in [None, Some(json!(null)), Some(json!("")), Some(json!(1))] {
                let mut body = whole.clone();
                match value {
                    None => body.as_object_mut().unwrap().remove(member),
                    Some(value) => body
                        .as_object_mut()
                        .unwrap()
                        .insert(member.to_owned(), value),
                };
                let violations = replacement(body.to_string().as_bytes()).err().unwrap();
                assert_eq!(violations[0].path, member, "{body}");
            }
        }
    }

    #[test]
    fn numbers_are_possible_impossible_or_none() {
        for (text, expected) in [
            ("1", Some(Number::Possible(1))),
            ("007", Some(Number::Possible(7))),
            ("9007199254740991", Some(Number::Possible(NUMBER_MAX))),
            ("9007199254740992", Some(Number::Impossible)),
            ("99999999999999999999999999", Some(Number::Impossible)),
            ("0", Some(Number::Impossible)),
            ("-1", Some(Number::Impossible)),
            ("1.5", Some(Number::Impossible)),
            ("1e3", Some(Number::Impossible)),
            ("", None),
            ("abc", None),
            ("1a", None),
            ("inf", None),
            ("NaN", None),
            ("-", None),
            ("{id}", None),
            ("٣", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }
}
