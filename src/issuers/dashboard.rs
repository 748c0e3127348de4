//! What an operator sets for an issuer's web view: `[issuers.dashboard]` in its declaration.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use url::Url;

/// The languages that have texts.
const LANGUAGES: [&str; 5] = ["en-US", "es-419", "sv", "pl-PL", "ms-MY"];
/// Most characters of a donation's text.
const MOST_TEXT: usize = 200;
/// Most characters of an address.
const MOST_URL: usize = 2_083;

/// The settings; every one has a default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DashboardSettings {
    /// Origins that may show the view in a frame. With any, the view carries its token in every
    /// address instead of a cookie.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub frame_origins: Vec<String>,
    /// Where "Back to the app" leads: `https`, or the app's own scheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
    /// Details show pounds beside kilograms.
    #[serde(skip_serializing_if = "is_default")]
    pub units: Units,
    /// Whether a light theme gets a dark palette.
    #[serde(skip_serializing_if = "is_default")]
    pub dark: Dark,
    /// An address opens one view, not as many as it is asked for within 15 minutes.
    #[serde(skip_serializing_if = "is_default")]
    pub single_use: bool,
    /// The provider of a project that can be supported; shown only with the donation toggle on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub donation_name: Option<String>,
    /// Its page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub donation_url: Option<String>,
    /// A text for each language: `en-US`, `es-419`, `sv`, `pl-PL`, `ms-MY`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub donation_texts: BTreeMap<String, String>,
}

/// Units of the details.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Units {
    /// Kilograms alone.
    #[default]
    Metric,
    /// Pounds, too.
    Imperial,
}

/// Whether a light theme gets a dark palette for devices that ask for one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dark {
    /// It does.
    #[default]
    Auto,
    /// The issuer's colours are shown everywhere.
    Off,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl DashboardSettings {
    /// What is wrong with them, each with the setting's name.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if !self.frame_origins.iter().all(|origin| is_origin(origin)) {
            faults.push("frame_origins: must be origins such as https://bank.example".to_owned());
        }
        if self
            .return_url
            .as_deref()
            .is_some_and(|url| !is_return_url(url))
        {
            faults
                .push("return_url: must be an https URL, or one of an app's own scheme".to_owned());
        }
        let https = |url: &str| parsed(url).is_some_and(|url| url.scheme() == "https");
        if self.donation_url.as_deref().is_some_and(|url| !https(url)) {
            faults.push("donation_url: must be an https URL".to_owned());
        }
        for (tag, text) in &self.donation_texts {
            let known = LANGUAGES.contains(&tag.as_str());
            let length = text.chars().count();
            if !known || !(1..=MOST_TEXT).contains(&length) || text.contains(char::is_control) {
                faults.push(
                    "donation_texts: a text of 1 to 200 characters for each of en-US, es-419, sv, pl-PL, ms-MY"
                        .to_owned(),
                );
                break;
            }
        }
        if let (true, Err(missing)) = (self.names_a_provider(), self.provider()) {
            faults.push(missing.to_owned());
        }
        faults
    }

    fn names_a_provider(&self) -> bool {
        self.donation_name.is_some()
            || self.donation_url.is_some()
            || !self.donation_texts.is_empty()
    }

    /// The provider's name and page.
    ///
    /// # Errors
    /// What is missing.
    pub fn provider(&self) -> Result<(&str, &str), &'static str> {
        let complete = LANGUAGES
            .iter()
            .all(|language| self.donation_texts.contains_key(*language));
        match (&self.donation_name, &self.donation_url) {
            (Some(name), Some(url)) if complete => Ok((name, url)),
            _ => Err("donations need donation_name, donation_url and a text in each language"),
        }
    }

    /// The stored form; `None` if everything is as by default.
    pub fn to_json(&self) -> Option<String> {
        (*self != Self::default()).then(|| serde_json::json!(self).to_string())
    }

    /// Reads what [`DashboardSettings::to_json`] wrote; `None` if it is something else.
    pub fn from_json(json: Option<&str>) -> Option<Self> {
        json.map_or(Some(Self::default()), |json| {
            serde_json::from_str(json).ok()
        })
    }
}

fn parsed(text: &str) -> Option<Url> {
    let clean =
        text.len() <= MOST_URL && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    clean.then(|| Url::parse(text).ok())?
}

/// `https://host[:port]` and nothing behind it.
fn is_origin(text: &str) -> bool {
    parsed(text)
        .is_some_and(|url| url.scheme() == "https" && url.origin().ascii_serialization() == text)
}

/// `https`, or a scheme of an app; never one that a browser runs or reads files with.
fn is_return_url(text: &str) -> bool {
    const REFUSED: [&str; 8] = [
        "http",
        "javascript",
        "data",
        "file",
        "blob",
        "vbscript",
        "about",
        "ws",
    ];
    parsed(text).is_some_and(|url| !REFUSED.contains(&url.scheme()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(toml: &str) -> Vec<String> {
        toml::from_str::<DashboardSettings>(toml).unwrap().faults()
    }

    #[test]
    fn origins_and_urls_are_checked() {
        for good in [
            "",
            "frame_origins = ['https://bank.example', 'https://bank.example:8443']",
            "return_url = 'bankapp://home'",
            "return_url = 'https://bank.example/x'",
            "units = 'imperial'\ndark = 'off'\nsingle_use = true",
        ] {
            assert_eq!(faults(good), [] as [String; 0], "{good}");
        }
        for bad in [
            "frame_origins = ['http://bank.example']",
            "frame_origins = ['https://bank.example/']",
            "frame_origins = ['https://bank.example; script-src *']",
            "frame_origins = ['*']",
            "return_url = 'javascript:alert(1)'",
            "return_url = 'http://bank.example'",
            "donation_url = 'http://trees.example'",
            "donation_name = 'Trees'",
        ] {
            assert!(!faults(bad).is_empty(), "{bad}");
        }
    }

    #[test]
    fn a_provider_needs_a_text_in_each_language() {
        let mut settings = DashboardSettings {
            donation_name: Some("Trees".into()),
            donation_url: Some("https://trees.example".into()),
            ..DashboardSettings::default()
        };
        assert!(settings.provider().is_err());
        for language in LANGUAGES {
            settings
                .donation_texts
                .insert(language.to_owned(), "A text.".to_owned());
        }
        assert_eq!(settings.provider(), Ok(("Trees", "https://trees.example")));
        assert_eq!(settings.faults(), [] as [String; 0]);
        let json = settings.to_json();
        assert_eq!(
            DashboardSettings::from_json(json.as_deref()),
            Some(settings)
        );
        assert_eq!(DashboardSettings::default().to_json(), None);
        assert_eq!(DashboardSettings::from_json(Some("{\"mine\":1}")), None);
    }
}
