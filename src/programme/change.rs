//! `PUT /issuers`: ranges are added, URLs replaced, theme keys merged (cce-api.md 3.7, 7.6).

use super::answer;
use super::configuration::{self, Configuration};
use crate::attempt::{self, Action, Attempt};
use crate::call::Call;
use crate::gateway::Gateway;
use crate::issuers::account_range::AccountRange;
use crate::issuers::added_ranges::{Space, additions};
use crate::issuers::profile::{IssuerProfile, stored_theme};
use crate::issuers::theme::Theme;
use crate::refusal::Refusal;
use crate::store::StoreError;
use crate::store::issuers::{IssuerRecord, Others, ProfileChange};
use crate::violation::Violation;

/// A request, and the format rules that it breaks. The other rules are judged under the store's
/// lock; the one answer then has all violations.
struct Wanted {
    configuration: Configuration,
    violations: Vec<Violation>,
}

/// Changes the profile of the issuer that calls; the answer is the whole new profile as JSON.
pub async fn change(gateway: &Gateway, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let attempt = Attempt::begin(gateway, call, Action::ChangeIssuer)?;
    let wanted = match prepare(&attempt) {
        Ok(wanted) => wanted,
        Err(refusal) => return Err(attempt.refuse(refusal).await),
    };
    let issuer = attempt.issuer();
    let changed = {
        let _turn = issuer.changes.enter().await?;
        let changed = attempt
            .commit_profile(move |stored, others| decide(wanted, stored, others))
            .await?;
        // This node answers by the new profile from now on, the others when they look next.
        if let Err(error) = gateway.registry.refresh(&gateway.store).await {
            tracing::warn!(%error, "issuers not reloaded after a change; will be tried again");
        }
        changed
    };
    let profile = IssuerProfile::of(&changed.declared.profile)
        .ok_or(Refusal::Internal("a stored theme does not parse"))?;
    Ok(answer::profile(
        &changed.declared.client_id,
        changed.status,
        changed.declared.account_ranges.iter().map(String::as_str),
        &profile,
    ))
}

/// Checks what can be checked without the store's lock.
fn prepare(attempt: &Attempt<'_>) -> Result<Wanted, Refusal> {
    let call = attempt.call;
    attempt.require_active()?;
    // Without a body there is no media type to judge: the missing body is the mistake.
    if !call.body.is_empty() {
        call.require_json()?;
    }
    let (configuration, mut violations) = configuration::read(call.body);
    if !violations.is_empty() && configuration.account_ranges.is_empty() {
        // The request is refused anyway, and nothing of it needs the lock: this node knows the
        // theme well enough.
        let theme = attempt.issuer().profile.theme.clone();
        violations.extend(theme.merged(configuration.theme).err());
        return Err(violations.into());
    }
    Ok(Wanted {
        configuration,
        violations,
    })
}

/// Judges the request against the issuer as it is stored now, under the lock.
fn decide(
    wanted: Wanted,
    stored: &IssuerRecord,
    others: &mut Others<'_>,
) -> Result<Result<ProfileChange, Refusal>, StoreError> {
    if let Err(refusal) = attempt::require_active(stored.status) {
        return Ok(Err(refusal));
    }
    let Wanted {
        configuration,
        mut violations,
    } = wanted;
    let declared = &stored.declared;
    let ranges = additions(
        configuration.account_ranges,
        &declared.account_ranges,
        &stored.added_ranges,
        Space(declared.self_service_ranges.as_deref()),
    );
    if ranges.outside {
        violations.push(configuration::range_outside());
    }
    if ranges.too_many {
        violations.push(configuration::too_many_ranges());
    } else {
        let new: Vec<&str> = ranges.new.iter().map(AccountRange::as_str).collect();
        if !others.touched(&new)?.is_empty() {
            violations.push(configuration::range_taken());
        }
    }
    let mut theme = None;
    if !configuration.theme.is_empty() {
        match merged(stored, configuration.theme) {
            Ok(Ok(merged)) => theme = Some(merged.to_json()),
            Ok(Err(violation)) => violations.push(violation),
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
    if !violations.is_empty() {
        return Ok(Err(violations.into()));
    }
    Ok(Ok(ProfileChange {
        terms_and_condition_url: configuration.terms_and_condition_url,
        privacy_notice_url: configuration.privacy_notice_url,
        opt_out_url: configuration.opt_out_url,
        theme,
        account_ranges: ranges.new.iter().map(AccountRange::to_string).collect(),
        absorbed_ranges: ranges.absorbed,
    }))
}

fn merged(stored: &IssuerRecord, newer: Theme) -> Result<Result<Theme, Violation>, Refusal> {
    let old = stored_theme(&stored.declared.profile);
    let old = old.ok_or(Refusal::Internal("a stored theme does not parse"))?;
    Ok(old.merged(newer))
}
