//! An issuer's colours and fonts (cce-api.md 3.8): its own values over the defaults.
//!
//! The values end up in CSS, so each known key has a strict form. Keys that we do not know are kept
//! and echoed, within limits, and never rendered. A font family may hold apostrophes, which only
//! [`css_families`] brings into a style sheet.

mod colour;
mod dress;
mod families;

pub use colour::Colour;
pub use dress::{Dress, Palette};
pub use families::css_families;

use crate::text_form::TextForm;
use crate::violation::Violation;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Unknown keys that one issuer may have.
pub const MOST_OWN_KEYS: usize = 32;
/// An unknown key.
pub const OWN_KEY: TextForm = TextForm::printable(1, 100);
/// The value of an unknown key.
pub const OWN_VALUE: TextForm = TextForm::printable(0, 100);
const COLOUR: TextForm = TextForm::matching("^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$");
const SIZE: TextForm = TextForm::matching("^[1-9][0-9]{0,2}px$");
const FONT_FAMILY: TextForm = TextForm::of_length(1, 100).and_pattern("^[A-Za-z0-9 ,'-]*$");

/// What kind of value a key has.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Colour,
    Family,
    Size,
}

/// Path of each known key in the request, its kind and its default (the example of the published
/// contract).
const KNOWN: [(&str, Kind, &str); 16] = [
    ("preferredTheme.backgroundColor", Kind::Colour, "#FFFFFF"),
    (
        "preferredTheme.widgetBackgroundColor",
        Kind::Colour,
        "#FFFFFF",
    ),
    ("preferredTheme.fontColor", Kind::Colour, "#000000"),
    ("preferredTheme.barGraphColor", Kind::Colour, "#111111"),
    ("preferredTheme.buttonColor", Kind::Colour, "#999999"),
    ("preferredTheme.buttonTextColor", Kind::Colour, "#FFFFFF"),
    ("preferredTheme.titleFontType", Kind::Family, FAMILY),
    ("preferredTheme.titleFontSize", Kind::Size, "28px"),
    ("preferredTheme.subTitleFontType", Kind::Family, FAMILY),
    ("preferredTheme.subTitleFontSize", Kind::Size, "20px"),
    ("preferredTheme.paragraphFontType", Kind::Family, FAMILY),
    ("preferredTheme.paragraphFontSize", Kind::Size, "15px"),
    ("preferredTheme.buttonTextFontType", Kind::Family, FAMILY),
    ("preferredTheme.buttonTextFontSize", Kind::Size, "15px"),
    ("preferredTheme.linkFontType", Kind::Family, FAMILY),
    ("preferredTheme.linkFontSize", Kind::Size, "15px"),
];
const FAMILY: &str = "Mark Offc For MC";

/// The keys that an issuer has set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Theme(BTreeMap<String, String>);

impl Theme {
    /// Checks the members of a `preferredTheme`.
    ///
    /// # Errors
    /// Every broken rule. What is wrong with unknown keys is one violation: their names are text of
    /// the sender, which an answer must not repeat.
    pub fn parse(members: &Map<String, Value>) -> Result<Self, Vec<Violation>> {
        let mut theme = Self::default();
        let mut violations = Vec::new();
        for (path, kind, _) in KNOWN {
            if let Some(value) = members.get(key(path)) {
                match kind.check(value) {
                    Ok(text) => drop(theme.0.insert(key(path).to_owned(), text.to_owned())),
                    Err(rule) => violations.push(Violation::invalid(path, rule)),
                }
            }
        }
        let mut strangers_fit = true;
        for (name, value) in members.iter().filter(|(name, _)| !is_known(name)) {
            match value {
                Value::String(text) if is_own(name, &OWN_KEY) && is_own(text, &OWN_VALUE) => {
                    theme.0.insert(name.clone(), text.clone());
                }
                _ => strangers_fit = false,
            }
        }
        if !strangers_fit {
            violations.push(Violation::invalid(
                "preferredTheme",
                "keys of your own must have 1 to 100 characters, and strings of at most 100 characters as values",
            ));
        }
        if members.keys().filter(|name| !is_known(name)).count() > MOST_OWN_KEYS {
            violations.push(too_many());
        }
        if violations.is_empty() {
            Ok(theme)
        } else {
            Err(violations)
        }
    }

    /// Reads what [`Theme::to_json`] wrote; `None` if it is no JSON object of strings.
    pub fn from_json(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok().map(Self)
    }

    /// The keys that are set, as they are stored.
    pub fn to_json(&self) -> String {
        serde_json::json!(self.0).to_string()
    }

    /// Whether no key is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets the keys of `newer` too; the other keys stay. Refused if too many keys are not ours.
    pub fn merged(mut self, newer: Self) -> Result<Self, Violation> {
        self.0.extend(newer.0);
        if self.0.keys().filter(|name| !is_known(name)).count() > MOST_OWN_KEYS {
            return Err(too_many());
        }
        Ok(self)
    }

    /// Every key: what is set, and the defaults of the others.
    pub fn with_defaults(&self) -> BTreeMap<&str, &str> {
        let set = self.0.iter().map(|(k, v)| (k.as_str(), v.as_str()));
        let defaults = KNOWN.iter().map(|(path, _, value)| (key(path), *value));
        defaults.chain(set).collect()
    }
}

/// Each known key with the form of its values and its default.
pub fn known_keys() -> impl Iterator<Item = (&'static str, TextForm, &'static str)> {
    KNOWN
        .into_iter()
        .map(|(path, kind, default)| (key(path), kind.form(), default))
}

impl Kind {
    fn form(self) -> TextForm {
        match self {
            Self::Colour => COLOUR,
            Self::Family => FONT_FAMILY,
            Self::Size => SIZE,
        }
    }

    fn check(self, value: &Value) -> Result<&str, &'static str> {
        let text = match value {
            Value::String(text) => text.as_str(),
            Value::Null => return Err("must not be null"),
            _ => return Err("must be a string"),
        };
        let (fits, rule) = match self {
            Self::Colour => (is_colour(text), "must be # and 3 or 6 hexadecimal digits"),
            Self::Size => (is_size(text), "must be 1px to 999px"),
            Self::Family => (
                is_family(text),
                "must be 1 to 100 letters A to Z, digits, blanks, commas, apostrophes and hyphens",
            ),
        };
        if fits { Ok(text) } else { Err(rule) }
    }
}

fn key(path: &str) -> &str {
    path.split_once('.').map_or(path, |(_, key)| key)
}

fn is_known(name: &str) -> bool {
    KNOWN.iter().any(|(path, ..)| key(path) == name)
}

fn is_own(text: &str, form: &TextForm) -> bool {
    form.has_length(text) && !text.chars().any(char::is_control)
}

fn too_many() -> Violation {
    Violation::invalid(
        "preferredTheme",
        "at most 32 keys of your own can be stored",
    )
}

fn is_colour(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|digits| {
        matches!(digits.len(), 3 | 6) && digits.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

fn is_size(text: &str) -> bool {
    text.strip_suffix("px").is_some_and(|digits| {
        (1..=3).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0')
    })
}

fn is_family(text: &str) -> bool {
    FONT_FAMILY.has_length(text)
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b" ,'-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(theme: Value) -> Result<Theme, Vec<(String, String)>> {
        Theme::parse(theme.as_object().unwrap()).map_err(|violations| {
            let texts = |v: Violation| (v.path.into_owned(), v.rule.into_owned());
            violations.into_iter().map(texts).collect()
        })
    }

    #[test]
    fn each_kind_has_its_form() {
        let cases = [
            (
                "fontColor",
                vec!["#FFFFFF", "#abc", "#09aF1b"],
                vec!["FFFFFF", "#ffff", "#ggg", "red", "", "#fffffff", " #fff"],
            ),
            (
                "linkFontSize",
                vec!["1px", "15px", "999px"],
                vec![
                    "15", "0px", "015px", "1000px", "1.5px", "15 px", "px", "15em",
                ],
            ),
            (
                "titleFontType",
                vec!["Mark Offc For MC", "O'Neil, sans-serif"],
                vec!["", "a;b", "x\"y", "a{", "é", "url(x)"],
            ),
        ];
        for (key, good, bad) in cases {
            for text in good {
                assert!(parse(json!({key: text})).is_ok(), "{key} {text}");
            }
            for text in bad {
                let violations = parse(json!({key: text})).unwrap_err();
                assert_eq!(violations[0].0, format!("preferredTheme.{key}"), "{text}");
            }
        }
        assert!(parse(json!({"titleFontType": "a".repeat(101)})).is_err());
        let null = parse(json!({"titleFontType": null})).unwrap_err();
        assert_eq!(null[0].1, "must not be null");
        assert!(parse(json!({"fontColor": 7})).is_err());
    }

    #[test]
    fn all_violations_are_reported_and_no_foreign_name() {
        let all = parse(json!({"fontColor": "x", "linkFontSize": "x", "mine": 1, "a\u{7}": "x"}));
        let paths: Vec<String> = all.unwrap_err().into_iter().map(|(path, _)| path).collect();
        assert_eq!(
            paths,
            [
                "preferredTheme.fontColor",
                "preferredTheme.linkFontSize",
                "preferredTheme"
            ]
        );
    }

    #[test]
    fn keys_of_the_issuers_own_are_kept_within_limits() {
        let own = |first: usize, count: usize| {
            let members = (first..first + count).map(|n| (format!("own{n}"), json!("x")));
            Value::Object(members.collect())
        };
        let theme = parse(own(0, 32)).unwrap();
        assert!(parse(own(0, 33)).is_err());
        assert!(theme.clone().merged(parse(own(0, 32)).unwrap()).is_ok());
        assert!(theme.clone().merged(parse(own(32, 1)).unwrap()).is_err());
        let known = parse(json!({"fontColor": "#abc"})).unwrap();
        assert!(theme.merged(known).is_ok());
        assert!(parse(json!({"": "x"})).is_err());
        assert!(parse(json!({"x": "y".repeat(101)})).is_err());
        // The spelling of July 2022 is a stranger's key (cce-api.md 8.20).
        assert!(parse(json!({"widgetbackgroundColor": "anything"})).is_ok());
    }

    #[test]
    fn newer_keys_win_and_the_rest_stays() {
        let old = parse(json!({"fontColor": "#111", "mine": "a"})).unwrap();
        let newer = parse(json!({"fontColor": "#222", "linkFontSize": "9px"})).unwrap();
        let merged = old.merged(newer).unwrap();
        assert_eq!(Theme::from_json(&merged.to_json()).unwrap(), merged);
        let all = merged.with_defaults();
        assert_eq!(all.len(), 17);
        for (key, value) in [
            ("fontColor", "#222"),
            ("mine", "a"),
            ("linkFontSize", "9px"),
            ("backgroundColor", "#FFFFFF"),
        ] {
            assert_eq!(all[key], value);
        }
        assert_eq!(Theme::from_json("[]"), None);
    }
}
