//! An issuer programme as an operator writes it: TOML, validated whole before anything is stored.
//!
//! [`read`] reports every problem of the file, each by issuer and member. The store refuses
//! conflicts with other issuers on board, such as a range that is taken.

mod answers;
mod certificates;
mod overlaps;

use super::Responses;
use super::account_range::AccountRange;
use super::dashboard::DashboardSettings;
use super::profile::{
    CONTACT_ADDRESS, COUNTRY_NAME, CUSTOMER_ID, ISSUER_NAME, WEB_URL_RULE, web_url,
};
use super::theme::Theme;
use crate::footprint::{Country, SetId};
use crate::ids::ClientId;
use crate::payload::EnvelopeKind;
use crate::store::issuers::{Envelopes, IssuerDeclaration, ProfileColumns};
use crate::toml_error;
use chrono_tz::Tz;
use serde::Deserialize;
use std::fmt;
use std::path::{Path, PathBuf};

/// Prefixes that one issuer's `self_service_ranges` can have.
const MOST_PREFIXES: usize = 100;

/// All that is wrong with a file of issuers.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct DeclarationError(pub Vec<String>);

impl fmt::Display for DeclarationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    issuer: Vec<toml::Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    client_id: String,
    name: String,
    customer_id: Option<String>,
    email: String,
    currency_code: String,
    country_code: String,
    country_name: String,
    terms_and_condition_url: Option<String>,
    privacy_notice_url: Option<String>,
    opt_out_url: Option<String>,
    theme: Option<serde_json::Map<String, serde_json::Value>>,
    account_ranges: Vec<String>,
    donation: bool,
    responses: Option<String>,
    #[serde(default)]
    unicode_names: bool,
    #[serde(default = "yes")]
    rsa_pss: bool,
    envelopes: Option<Vec<String>>,
    #[serde(default)]
    field_level_headers: bool,
    #[serde(default)]
    accept_expired_signing: bool,
    answers: Option<answers::Answers>,
    self_service_ranges: Option<Vec<String>>,
    #[serde(default)]
    dashboard: DashboardSettings,
    time_zone: Option<String>,
    factor_set: Option<String>,
    signing: Vec<Signing>,
    #[serde(default)]
    encryption: Vec<Encryption>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signing {
    consumer_key: String,
    certificate: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Encryption {
    certificate: PathBuf,
}

/// Reads `file`; certificate paths are relative to its folder.
pub fn read(file: &Path) -> Result<Vec<IssuerDeclaration>, DeclarationError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| DeclarationError(vec![format!("{}: {error}", file.display())]))?;
    parse(&text, file.parent().unwrap_or(Path::new("")))
}

/// Parses the TOML text of a file that lies in `folder`.
pub fn parse(text: &str, folder: &Path) -> Result<Vec<IssuerDeclaration>, DeclarationError> {
    let file: File = toml::from_str(text)
        .map_err(|error| DeclarationError(vec![toml_error::describe(text, &error)]))?;
    let mut problems = Vec::new();
    let mut declarations = Vec::new();
    for (index, table) in file.issuer.into_iter().enumerate() {
        let name = match table.get("client_id").and_then(toml::Value::as_str) {
            Some(client_id) => format!("issuer {client_id}"),
            None => format!("issuer number {}", index + 1),
        };
        match table.try_into::<Entry>() {
            Ok(entry) => {
                let mut report = |problem: String| problems.push(format!("{name}: {problem}"));
                declarations.extend(declare(entry, folder, &mut report));
            }
            Err(error) => problems.push(format!(
                "{name}: {}",
                toml_error::without_value(error.message())
            )),
        }
    }
    overlaps::check(&declarations, &mut problems);
    if problems.is_empty() {
        Ok(declarations)
    } else {
        Err(DeclarationError(problems))
    }
}

/// Reports every problem. `None` only if a value has no form that the declaration could hold.
fn declare(
    entry: Entry,
    folder: &Path,
    report: &mut dyn FnMut(String),
) -> Option<IssuerDeclaration> {
    let client_id = ClientId::parse(&entry.client_id);
    let responses = match &entry.responses {
        None => Some(Responses::Mirror),
        Some(text) => Responses::parse(text),
    };
    if responses.is_none() {
        report("responses: must be \"mirror\" or \"dashboards-only\"".to_owned());
    }
    if client_id.is_none() {
        report("client_id: must be 1 to 200 of A-Z a-z 0-9 _ -".to_owned());
    }
    check_profile(&entry, report);
    let theme = entry.theme.as_ref().map(Theme::parse).transpose();
    for violation in theme.as_ref().err().into_iter().flatten() {
        let path = violation.path.replacen("preferredTheme", "theme", 1);
        report(format!("{path}: {}", violation.rule));
    }
    if entry.account_ranges.is_empty() {
        report("account_ranges: must name at least one range".to_owned());
    }
    for range in &entry.account_ranges {
        if let Err(error) = AccountRange::parse(range) {
            report(format!("account_ranges: {range:?}: {error}"));
        }
    }
    if entry.signing.is_empty() {
        report("signing: must name at least one certificate".to_owned());
    }
    if entry.encryption.is_empty() && responses == Some(Responses::Mirror) {
        report(
            "encryption: must name at least one certificate, because responses = \"mirror\""
                .to_owned(),
        );
    }
    let envelopes = envelopes(&entry, report);
    let answers = answers::form(entry.answers.as_ref(), report);
    check_space(&entry, report);
    let faults = entry.dashboard.faults();
    faults
        .into_iter()
        .for_each(|fault| report(format!("dashboard.{fault}")));
    let time_zone = time_zone(&entry, report);
    if entry
        .factor_set
        .as_deref()
        .is_some_and(|id| SetId::stored(id).is_none())
    {
        report("factor_set: must be the id of a factor set, such as ig-2026.1".to_owned());
    }
    let certificates = certificates::certificates(&entry, folder, report);
    if let (Some(envelopes), Some(answers)) = (envelopes, &answers) {
        let mirrors = responses == Some(Responses::Mirror) && envelopes.field_level();
        if mirrors || answers.kind() == EnvelopeKind::FieldLevel {
            certificates::require_rsa(&certificates, report);
        }
    }
    let url = |text: Option<String>| text.as_deref().and_then(web_url);
    Some(IssuerDeclaration {
        client_id: client_id?,
        name: entry.name,
        profile: ProfileColumns {
            customer_id: entry.customer_id,
            email: entry.email,
            currency_code: entry.currency_code.to_ascii_uppercase(),
            country_code: entry.country_code.to_ascii_uppercase(),
            country_name: entry.country_name,
            terms_and_condition_url: url(entry.terms_and_condition_url),
            privacy_notice_url: url(entry.privacy_notice_url),
            opt_out_url: url(entry.opt_out_url),
            theme: theme.ok().flatten().map(|theme| theme.to_json()),
        },
        donation: entry.donation,
        responses: responses?,
        unicode_names: entry.unicode_names,
        rsa_pss: entry.rsa_pss,
        envelopes: envelopes?,
        field_level_headers: entry.field_level_headers,
        accept_expired_signing: entry.accept_expired_signing,
        answers: answers?,
        self_service_ranges: entry.self_service_ranges,
        dashboard: entry.dashboard.to_json(),
        time_zone: time_zone?,
        factor_set: entry.factor_set,
        account_ranges: entry.account_ranges,
        certificates,
    })
}

/// The setting `envelopes`; `None` if it does not say which.
fn envelopes(entry: &Entry, report: &mut dyn FnMut(String)) -> Option<Envelopes> {
    let names = entry.envelopes.as_deref();
    let has = |name: &str| names.is_none_or(|names| names.iter().any(|known| known == name));
    let known =
        |name: &String| name == Envelopes::Jwe.as_str() || name == Envelopes::FieldLevel.as_str();
    let envelopes = match (
        has(Envelopes::Jwe.as_str()),
        has(Envelopes::FieldLevel.as_str()),
    ) {
        (true, true) => Some(Envelopes::Both),
        (true, false) => Some(Envelopes::Jwe),
        (false, true) => Some(Envelopes::FieldLevel),
        (false, false) => None,
    };
    if envelopes.is_none() || !names.is_none_or(|names| names.iter().all(known)) {
        report("envelopes: must list \"jwe\", \"field-level\" or both".to_owned());
        return None;
    }
    if entry.field_level_headers && envelopes == Some(Envelopes::Jwe) {
        report("field_level_headers: needs \"field-level\" in envelopes".to_owned());
    }
    envelopes
}

/// The setting `self_service_ranges`.
fn check_space(entry: &Entry, report: &mut dyn FnMut(String)) {
    let prefixes = entry.self_service_ranges.as_deref().unwrap_or_default();
    if prefixes.len() > MOST_PREFIXES {
        report(format!(
            "self_service_ranges: must have at most {MOST_PREFIXES} prefixes"
        ));
    }
    for prefix in prefixes {
        if !(1..=8).contains(&prefix.len()) || !prefix.bytes().all(|b| b.is_ascii_digit()) {
            report(format!(
                "self_service_ranges: {prefix:?}: must be 1 to 8 digits"
            ));
        }
    }
}

/// The setting `time_zone`.
fn time_zone(entry: &Entry, report: &mut dyn FnMut(String)) -> Option<Tz> {
    let zone = match &entry.time_zone {
        None => Some(Tz::UTC),
        Some(name) => name.parse().ok(),
    };
    if zone.is_none() {
        report("time_zone: must be an IANA name, such as \"Europe/Stockholm\"".to_owned());
    }
    zone
}

/// The rules of `IssuerProfileDetails` (cce-api.md 3.6).
fn check_profile(entry: &Entry, report: &mut dyn FnMut(String)) {
    if !ISSUER_NAME.has_length(&entry.name) {
        report("name: must be 1 to 100 characters".to_owned());
    }
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if entry
        .customer_id
        .as_ref()
        .is_some_and(|id| !CUSTOMER_ID.has_length(id) || !id.chars().all(word))
    {
        report("customer_id: must be 1 to 200 of A-Z a-z 0-9 _".to_owned());
    }
    if !CONTACT_ADDRESS.has_length(&entry.email) || !entry.email.contains('@') {
        report("email: must be an address of at most 100 characters".to_owned());
    }
    if iso_currency::Currency::from_code(&entry.currency_code.to_ascii_uppercase()).is_none() {
        report("currency_code: must be an ISO 4217 code".to_owned());
    }
    if Country::from_alpha3(&entry.country_code.to_ascii_uppercase()).is_none() {
        report("country_code: must be an ISO 3166-1 alpha-3 code".to_owned());
    }
    let in_name =
        |c: char| c.is_ascii_alphabetic() || c.is_ascii_whitespace() || "(),.\\".contains(c);
    if !COUNTRY_NAME.has_length(&entry.country_name) || !entry.country_name.chars().all(in_name) {
        report("country_name: must be 3 to 50 of letters, blanks and ( ) , .".to_owned());
    }
    let urls = [
        ("terms_and_condition_url", &entry.terms_and_condition_url),
        ("privacy_notice_url", &entry.privacy_notice_url),
        ("opt_out_url", &entry.opt_out_url),
    ];
    for (name, url) in urls {
        if url.as_ref().is_some_and(|url| web_url(url).is_none()) {
            report(format!("{name}: {WEB_URL_RULE}"));
        }
    }
}
