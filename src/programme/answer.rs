//! `IssuerProfileDetails` and `IssuerProfile` (cce-api.md 3.6), plain JSON in ASCII.

use crate::ids::ClientId;
use crate::issuers::account_range::AccountRange;
use crate::issuers::profile::IssuerProfile;
use crate::issuers::{Issuer, IssuerStatus};
use crate::json;
use serde_json::{Map, Value, json};

/// The answer of `GET /issuers`. It has the published schema's members and no other, because
/// generated Java and Go clients refuse a member that they do not know. The schema requires the
/// three URLs: one that was never set is an empty text.
pub(super) fn details(issuer: &Issuer) -> Vec<u8> {
    let profile = &issuer.profile;
    let ranges = issuer.account_ranges.iter().map(AccountRange::as_str);
    let mut members = common(&issuer.client_id, issuer.status, ranges, profile);
    for (name, url) in urls(profile) {
        members.insert(name.to_owned(), json!(url.unwrap_or("")));
    }
    for (name, text) in [
        ("email", &profile.columns.email),
        ("currencyCode", &profile.columns.currency_code),
        ("countryCode", &profile.columns.country_code),
        ("countryName", &profile.columns.country_name),
    ] {
        members.insert(name.to_owned(), json!(text));
    }
    written(members)
}

/// The answer of `PUT /issuers`; a URL that was never set is left out.
pub(super) fn profile<'a>(
    client_id: &ClientId,
    status: IssuerStatus,
    ranges: impl Iterator<Item = &'a str>,
    profile: &IssuerProfile,
) -> Vec<u8> {
    let mut members = common(client_id, status, ranges, profile);
    for (name, url) in urls(profile) {
        if let Some(url) = url {
            members.insert(name.to_owned(), json!(url));
        }
    }
    written(members)
}

fn urls(profile: &IssuerProfile) -> [(&'static str, Option<&str>); 3] {
    [
        (
            "termsAndConditionURL",
            profile.columns.terms_and_condition_url.as_deref(),
        ),
        (
            "privacyNoticeURL",
            profile.columns.privacy_notice_url.as_deref(),
        ),
        ("optOutURL", profile.columns.opt_out_url.as_deref()),
    ]
}

/// What both answers have.
fn common<'a>(
    client_id: &ClientId,
    status: IssuerStatus,
    ranges: impl Iterator<Item = &'a str>,
    profile: &IssuerProfile,
) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("clientId".to_owned(), json!(client_id.as_str()));
    if let Some(customer_id) = &profile.columns.customer_id {
        members.insert("customerId".to_owned(), json!(customer_id));
    }
    let ranges: Vec<&str> = ranges.collect();
    members.insert("supportedAccountRange".to_owned(), json!(ranges.join(",")));
    members.insert("status".to_owned(), json!(status.as_str()));
    members.insert(
        "preferredTheme".to_owned(),
        json!(profile.theme.with_defaults()),
    );
    members
}

fn written(members: Map<String, Value>) -> Vec<u8> {
    json::to_ascii(&Value::Object(members)).to_vec()
}
