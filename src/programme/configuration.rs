//! The rules for an `IssuerConfiguration`, the body of `PUT /issuers` (cce-api.md 3.7).
//!
//! Every broken rule is found. Unknown members are ignored; `null` is "not sent", but not inside
//! the theme.

use crate::issuers::account_range::{self, AccountRange};
use crate::issuers::added_ranges::MOST;
use crate::issuers::profile::{WEB_URL_RULE, web_url};
use crate::issuers::theme::Theme;
use crate::json::{self, Object};
use crate::violation::{Code, Violation};
use serde_json::Value;

const RANGES: &str = "supportedAccountRange";

/// What an issuer wants to change of itself; `None` and empty mean "as it is".
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Configuration {
    /// To be added.
    pub(super) account_ranges: Vec<AccountRange>,
    pub(super) terms_and_condition_url: Option<String>,
    pub(super) privacy_notice_url: Option<String>,
    pub(super) opt_out_url: Option<String>,
    /// To be merged.
    pub(super) theme: Theme,
}

/// Reads the body: what is well-formed of it, and every broken format rule.
pub(super) fn read(body: &[u8]) -> (Configuration, Vec<Violation>) {
    let mut configuration = Configuration::default();
    if body.is_empty() {
        let rule = Violation::invalid("", "a request body is required");
        return (configuration, vec![rule]);
    }
    let object = match json::parse_object(body) {
        Ok(object) => object,
        Err(error) => {
            return (
                configuration,
                vec![Violation::invalid("", error.to_string())],
            );
        }
    };
    let mut violations = Vec::new();
    if let Some(text) = text(&object, RANGES, &mut violations) {
        match account_range::parse_list(text) {
            Ok(ranges) => configuration.account_ranges = ranges,
            Err(error) => violations.push(Violation::invalid(RANGES, error.to_string())),
        }
    }
    let urls = [
        (
            "termsAndConditionURL",
            &mut configuration.terms_and_condition_url,
        ),
        ("privacyNoticeURL", &mut configuration.privacy_notice_url),
        ("optOutURL", &mut configuration.opt_out_url),
    ];
    for (name, url) in urls {
        // An empty text is what `GET /issuers` answers for a URL that was never set.
        if let Some(text) = text(&object, name, &mut violations).filter(|text| !text.is_empty()) {
            *url = web_url(text);
            if url.is_none() {
                violations.push(Violation::invalid(name, WEB_URL_RULE));
            }
        }
    }
    match object.get("preferredTheme") {
        None | Some(Value::Null) => {}
        Some(Value::Object(members)) => match Theme::parse(members) {
            Ok(theme) => configuration.theme = theme,
            Err(broken) => violations.extend(broken),
        },
        Some(_) => violations.push(Violation::invalid("preferredTheme", "must be an object")),
    }
    (configuration, violations)
}

/// A text member, if it was sent.
fn text<'a>(
    object: &'a Object,
    name: &'static str,
    violations: &mut Vec<Violation>,
) -> Option<&'a str> {
    match object.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(_) => {
            violations.push(Violation::invalid(name, "must be a string"));
            None
        }
    }
}

/// First come, first served: no range may touch another issuer's (cce-api.md 7.6).
pub(super) fn range_taken() -> Violation {
    Violation {
        code: Code::AccountRangeTaken,
        path: RANGES.into(),
        rule: "must not equal, contain or lie in a range of another issuer".into(),
    }
}

/// The operator's setting `self_service_ranges` is the space.
pub(super) fn range_outside() -> Violation {
    Violation::invalid(
        RANGES,
        "must lie in the space in which the operator lets this issuer add ranges",
    )
}

pub(super) fn too_many_ranges() -> Violation {
    Violation::invalid(RANGES, format!("at most {MOST} ranges can be added"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn paths(body: &Value) -> Vec<String> {
        let (_, violations) = read(body.to_string().as_bytes());
        violations
            .into_iter()
            .map(|v| v.path.into_owned())
            .collect()
    }

    #[test]
    fn nothing_sent_changes_nothing() {
        for body in [
            "{}",
            r#"{"supportedAccountRange":null,"optOutURL":null,"preferredTheme":null}"#,
            r#"{"issuerName":"New","email":7,"status":"SUSPENDED","preferredTheme":{}}"#,
        ] {
            assert_eq!(
                read(body.as_bytes()),
                (Configuration::default(), Vec::new()),
                "{body}"
            );
        }
    }

    #[test]
    fn what_is_no_object_is_one_violation() {
        for body in ["", "[]", "null", "\"x\"", "{", r#"{"a":1,"a":2}"#] {
            let (_, violations) = read(body.as_bytes());
            assert_eq!(violations.len(), 1, "{body}");
            assert_eq!(violations[0].path, "");
        }
    }

    #[test]
    fn every_broken_rule_is_found() {
        let body = json!({
            "supportedAccountRange": "5344,12",
            "termsAndConditionURL": "ftp://bank.example",
            "privacyNoticeURL": 7,
            "optOutURL": "javascript:alert(1)",
            "preferredTheme": {"fontColor": "red", "linkFontType": null, "linkFontSize": "15"},
        });
        assert_eq!(
            paths(&body),
            [
                "supportedAccountRange",
                "termsAndConditionURL",
                "privacyNoticeURL",
                "optOutURL",
                "preferredTheme.fontColor",
                "preferredTheme.linkFontType",
                "preferredTheme.linkFontSize",
            ]
            .map(|path| path)
        );
        assert_eq!(paths(&json!({"preferredTheme": []})), ["preferredTheme"]);
        assert_eq!(
            paths(&json!({"supportedAccountRange": 5344})),
            ["supportedAccountRange"]
        );
    }
}
