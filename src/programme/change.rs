//! `PUT /issuers`: ranges are added, URLs replaced, theme keys merged (cce-api.md 3.7, 7.6).

use super::answer;
use super::configuration::{self, Configuration, check_ranges};
use crate::call::{self, Action, Call, Caller};
use crate::gateway::Gateway;
use crate::issuers::account_range::AccountRange;
use crate::issuers::profile::Profile;
use crate::issuers::theme::Theme;
use crate::refusal::Refusal;
use crate::store::issuers::{IssuerRecord, ProfileChange};
use crate::violation::Violation;
use std::collections::BTreeSet;

/// Changes the profile of the issuer that calls; the answer is the whole new profile as JSON.
pub async fn change(gateway: &Gateway, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let caller = Caller::authenticate(gateway, call)?;
    let wanted = match prepare(gateway, call, &caller) {
        Ok(wanted) => wanted,
        Err(refusal) => {
            return caller
                .settle(gateway, call, Action::ChangeIssuer, None, Err(refusal))
                .await
                .map(|(_, body)| body);
        }
    };
    let audit = caller.audit(call, Action::ChangeIssuer, None);
    let changed = gateway
        .store
        .change_profile(caller.nonce(), audit, move |stored, others, audit| {
            decide(wanted, stored, others).inspect_err(|refusal| audit.refuse(refusal.reason()))
        })
        .await?;
    caller.spent(gateway);
    let changed = changed.ok_or_else(call::replayed)??;
    // This node answers by the new profile from now on, the others when they look next.
    if let Err(error) = gateway.registry.refresh(&gateway.store).await {
        tracing::warn!(%error, "issuers not reloaded after a change; will be tried again");
    }
    let profile =
        Profile::of(&changed.declared).ok_or(Refusal::Internal("a stored theme does not parse"))?;
    Ok(answer::profile(
        &changed.declared.client_id,
        changed.status,
        changed.declared.account_ranges.iter().map(String::as_str),
        &profile,
    ))
}

/// Checks what can be checked without the store's lock.
fn prepare(gateway: &Gateway, call: &Call<'_>, caller: &Caller) -> Result<Configuration, Refusal> {
    caller.require_active()?;
    // Without a body there is no media type to judge: the missing body is the mistake.
    if !call.body.is_empty() {
        call.require_json()?;
    }
    let (wanted, mut violations) = configuration::read(call.body);
    if violations.is_empty() {
        return Ok(wanted);
    }
    // The request is refused anyway: report with it what the lock would have found, by what this node knows.
    let issuers = gateway.registry.issuers();
    let others = issuers
        .iter()
        .filter(|other| other.id != caller.issuer.id)
        .flat_map(|other| other.account_ranges.iter().cloned())
        .collect();
    violations.extend(check_ranges(&wanted.account_ranges, &others));
    let theme = caller.issuer.profile.theme.clone().merged(wanted.theme);
    violations.extend(theme.err());
    Err(violations.into())
}

/// Judges the request against the issuer as it is stored now, under the lock.
fn decide(
    wanted: Configuration,
    stored: &IssuerRecord,
    others: &[String],
) -> Result<ProfileChange, Refusal> {
    call::require_active(stored.status)?;
    let others: BTreeSet<AccountRange> = others
        .iter()
        .filter_map(|prefix| AccountRange::parse(prefix).ok())
        .collect();
    let mut violations: Vec<Violation> = Vec::new();
    violations.extend(check_ranges(&wanted.account_ranges, &others));
    let theme = if wanted.theme.is_empty() {
        None
    } else {
        match merged(stored, wanted.theme)? {
            Ok(theme) => Some(theme.to_json()),
            Err(violation) => {
                violations.push(violation);
                None
            }
        }
    };
    if !violations.is_empty() {
        return Err(violations.into());
    }
    let ranges = wanted.account_ranges.iter();
    Ok(ProfileChange {
        terms_and_condition_url: wanted.terms_and_condition_url,
        privacy_notice_url: wanted.privacy_notice_url,
        opt_out_url: wanted.opt_out_url,
        theme,
        account_ranges: ranges.map(AccountRange::to_string).collect(),
    })
}

fn merged(stored: &IssuerRecord, newer: Theme) -> Result<Result<Theme, Violation>, Refusal> {
    let old = match &stored.declared.theme {
        None => Theme::default(),
        Some(json) => {
            Theme::from_json(json).ok_or(Refusal::Internal("a stored theme does not parse"))?
        }
    };
    Ok(old.merged(newer))
}
