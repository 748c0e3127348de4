//! The part of an issuer that it reads and changes itself (cce-api.md 3.6).

use super::theme::Theme;
use crate::store::issuers::ProfileColumns;
use crate::text_form::TextForm;
use url::Url;

/// The parts of an issuer that no rule of enrolment needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerProfile {
    /// As stored.
    pub columns: ProfileColumns,
    /// Colours and fonts, parsed.
    pub theme: Theme,
}

impl IssuerProfile {
    /// The profile of a stored issuer; `None` if its theme does not parse.
    pub fn of(columns: &ProfileColumns) -> Option<Self> {
        Some(Self {
            columns: columns.clone(),
            theme: stored_theme(columns)?,
        })
    }
}

/// The theme of a stored profile; `None` if it does not parse.
pub fn stored_theme(columns: &ProfileColumns) -> Option<Theme> {
    match &columns.theme {
        None => Some(Theme::default()),
        Some(json) => Theme::from_json(json),
    }
}

/// The network's number of a customer.
pub const CUSTOMER_ID: TextForm = TextForm::of_length(1, 200).and_pattern("^[A-Za-z0-9_]+$");
/// The name of an issuer.
pub const ISSUER_NAME: TextForm = TextForm::of_length(1, 100);
/// The contact address of a programme.
pub const CONTACT_ADDRESS: TextForm = TextForm::of_length(1, 100).and_pattern("@");
/// The name of an issuer's country: letters, white space and `( ) , . \`.
pub const COUNTRY_NAME: TextForm = TextForm::of_length(3, 50).and_pattern(r"^[A-Za-z\s(),.\\]+$");
/// What [`web_url`] accepts, with white space round it; an empty text is none.
pub const WEB_URL: TextForm = TextForm::matching(r"^(\s*[Hh][Tt][Tt][Pp][Ss]?://[^\s/]\S*\s*)?$");
/// The most characters of a URL, without the white space round it.
const MOST_URL_CHARACTERS: usize = 2_083;
/// The rule that [`web_url`] checks, in words.
pub const WEB_URL_RULE: &str = "must be an absolute http or https URL of at most 2083 characters";

/// An absolute `http` or `https` URL of at most 2083 characters, without the white space round it
/// (cce-api.md 3.7).
///
/// It is kept as it was written. White space and control characters inside are refused: a browser
/// would drop them.
pub fn web_url(text: &str) -> Option<String> {
    let text = text.trim();
    let written_whole = (1..=MOST_URL_CHARACTERS).contains(&text.chars().count())
        && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    let is_web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    let rest = text.split_once("://").map(|(_, rest)| rest);
    // The parser also takes `https:host` and `https:///host`.
    let has_authority = rest.is_some_and(|rest| !rest.starts_with(['/', '\\']));
    (written_whole && has_authority && Url::parse(text).is_ok_and(|url| is_web(&url)))
        .then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_urls_are_absolute_and_whole() {
        for text in [
            "https://www.issuer.term-and-conditions.html",
            " http://a.example/x?y=1#z\n",
            "https://räksmörgås.example/",
        ] {
            assert_eq!(web_url(text).as_deref(), Some(text.trim()), "{text}");
        }
        for text in [
            "",
            " ",
            "www.issuer.example",
            "/terms",
            "//a.example",
            "javascript:alert(1)",
            "javascript://a.example/%0aalert(1)",
            "data:text/html,x",
            "ftp://a.example",
            "https://",
            "https:a.example",
            "https:///a.example",
            "https://a b.example",
            "https://a.example/x y",
            "https://a.example/\u{1}",
            "https://a.example:99999/",
        ] {
            assert_eq!(web_url(text), None, "{text}");
        }
        let long = |length: usize| format!("https://a.example/{}", "x".repeat(length - 18));
        assert!(web_url(&long(2_083)).is_some());
        assert!(web_url(&long(2_084)).is_none());
    }
}
