//! `issuer apply|list|show|set-status|set-donation|remove`: the operator's view of the issuers.

mod certificates;

use crate::app;
use crate::config::Config;
use crate::footprint::builtin;
use crate::ids::ClientId;
use crate::issuers::dashboard::DashboardSettings;
use crate::issuers::declaration;
use crate::issuers::profile::stored_theme;
use crate::issuers::theme::Dress;
use crate::store::Store;
use crate::store::audit::AuditDraft;
use crate::store::issuers::{
    IssuerChange, IssuerDeclaration, IssuerStatus, Removal, Toggled, answers_text,
};
use anyhow::{Context, bail, ensure};
use chrono::{DateTime, Utc};
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Bring the issuers of a TOML file on board, or change them; applying it twice changes nothing
    /// more.
    ///
    /// The file is validated whole: one fault, and nothing is stored. Issuers that the file does
    /// not name stay as they are. Running nodes follow within two seconds.
    Apply {
        /// TOML with [[issuer]] tables; docs/operations.md describes them.
        file: PathBuf,
    },
    /// List all issuers.
    List,
    /// Show one issuer with its account ranges and certificates.
    Show {
        /// The issuer's client id.
        client_id: String,
    },
    /// Change an issuer's state; running nodes follow within two seconds.
    SetStatus {
        /// The issuer's client id.
        client_id: String,
        /// INACTIVE, ACTIVE, SUSPENDED or TERMINATED.
        #[arg(value_parser = ["INACTIVE", "ACTIVE", "SUSPENDED", "TERMINATED"], ignore_case = true)]
        status: String,
    },
    /// Turn an issuer's donation feature on or off; running nodes follow within two seconds.
    ///
    /// After a switch from off to on every cardholder must enrol again. Set the same value in the
    /// issuer's TOML file, or its next `issuer apply` turns the feature back.
    SetDonation {
        /// The issuer's client id.
        client_id: String,
        /// on or off.
        #[arg(value_parser = ["on", "off"], ignore_case = true)]
        donation: String,
    },
    /// Take an issuer without cardholders off board.
    ///
    /// Its account ranges become free, and its calls get SERVICE_PROVIDER_NOT_FOUND. `issuer apply`
    /// brings it back.
    Remove {
        /// The issuer's client id.
        client_id: String,
    },
}

pub(super) fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    super::runtime()?.block_on(async {
        let (_, store) = app::open_store(&config.database)?;
        match command {
            Command::Apply { file } => apply(&store, &file).await,
            Command::List => list(&store).await,
            Command::Show { client_id } => show(&store, &client_id).await,
            Command::SetStatus { client_id, status } => {
                set_status(&store, &client_id, &status).await
            }
            Command::SetDonation {
                client_id,
                donation,
            } => set_donation(&store, &client_id, donation.eq_ignore_ascii_case("on")).await,
            Command::Remove { client_id } => remove(&store, &client_id).await,
        }
    })
}

async fn apply(store: &Store, file: &std::path::Path) -> anyhow::Result<()> {
    let declarations = declaration::read(file)?;
    require_sets(store, &declarations).await?;
    let mut warnings = certificates::warnings(&declarations, Utc::now());
    for declared in declarations.iter().filter(|d| d.profile.theme.is_some()) {
        let remarks = view_remarks(declared).into_iter();
        warnings.extend(remarks.map(|remark| format!("issuer {}: {remark}", declared.client_id)));
    }
    for applied in store
        .apply_issuers(declarations, AuditDraft::local("issuer.apply"))
        .await?
    {
        let change = match applied.change {
            IssuerChange::Created => "brought on board",
            IssuerChange::Updated => "changed",
            IssuerChange::Unchanged => "unchanged",
        };
        println!("issuer {}: {change}", applied.client_id);
        if !applied.withdrawn.is_empty() {
            println!(
                "issuer {}: ranges that it had added go, because the declaration wins: {}",
                applied.client_id,
                applied.withdrawn.join(", ")
            );
        }
    }
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
    Ok(())
}

/// Every factor set that is declared must be there.
async fn require_sets(store: &Store, declarations: &[IssuerDeclaration]) -> anyhow::Result<()> {
    let named = declarations.iter().filter_map(|declared| {
        let set = declared.factor_set.as_deref()?;
        (set != builtin::SET_ID).then_some((&declared.client_id, set))
    });
    let named: Vec<_> = named.collect();
    if named.is_empty() {
        return Ok(());
    }
    let loaded = store.loaded_factor_sets().await?;
    let unknown = named
        .into_iter()
        .filter(|(_, set)| !loaded.iter().any(|known| known == set));
    let problems: Vec<_> = unknown
        .map(|(issuer, set)| {
            format!("issuer {issuer}: factor_set: there is no factor set {set}: `factors load --set {set} FOLDER` first")
        })
        .collect();
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}

async fn list(store: &Store) -> anyhow::Result<()> {
    let issuers = store.load_registry().await?.issuers;
    println!(
        "{:<50} {:<20} {:<10} {:<8} {:<15} ACCOUNT RANGES",
        "CLIENT ID", "NAME", "STATUS", "DONATION", "RESPONSES"
    );
    for issuer in issuers {
        let declared = issuer.declared;
        println!(
            "{:<50} {:<20} {:<10} {:<8} {:<15} {}",
            declared.client_id.as_str(),
            declared.name,
            issuer.status.as_str(),
            on_off(declared.donation),
            declared.responses.as_str(),
            declared.account_ranges.join(",")
        );
    }
    Ok(())
}

async fn show(store: &Store, client_id: &str) -> anyhow::Result<()> {
    let issuers = store.load_registry().await?.issuers;
    let record = issuers
        .into_iter()
        .find(|issuer| issuer.declared.client_id.as_str() == client_id);
    let record = record.with_context(|| format!("no issuer {client_id}"))?;
    let issuer = record.declared;
    let profile = &issuer.profile;
    let optional = |text: Option<&str>| text.unwrap_or("-").to_owned();
    let rows = [
        ("client id", issuer.client_id.to_string()),
        ("name", issuer.name.clone()),
        ("customer id", optional(profile.customer_id.as_deref())),
        ("email", profile.email.clone()),
        ("currency", profile.currency_code.clone()),
        (
            "country",
            format!("{} ({})", profile.country_code, profile.country_name),
        ),
        (
            "terms and conditions",
            optional(profile.terms_and_condition_url.as_deref()),
        ),
        (
            "privacy notice",
            optional(profile.privacy_notice_url.as_deref()),
        ),
        ("opt out", optional(profile.opt_out_url.as_deref())),
        ("status", record.status.as_str().to_owned()),
        ("donation", on_off(issuer.donation).to_owned()),
        ("responses", issuer.responses.as_str().to_owned()),
        (
            "other answers",
            answers_text(issuer.answers).replace(',', ", "),
        ),
        ("unicode names", issuer.unicode_names.to_string()),
        ("RSA-PSS signatures", issuer.rsa_pss.to_string()),
        ("envelopes", issuer.envelopes.as_str().replace(',', ", ")),
        (
            "field-level headers",
            on_off(issuer.field_level_headers).to_owned(),
        ),
        (
            "expired signing",
            if issuer.accept_expired_signing {
                "accepted"
            } else {
                "refused"
            }
            .to_owned(),
        ),
        ("time zone", issuer.time_zone.name().to_owned()),
        ("factor set", factor_set(issuer.factor_set.as_deref())),
        ("account ranges", issuer.account_ranges.join(", ")),
        (
            "self-service ranges",
            optional(
                issuer
                    .self_service_ranges
                    .as_ref()
                    .map(|s| s.join(", "))
                    .as_deref(),
            ),
        ),
        ("added by the issuer", record.added_ranges.join(", ")),
        ("theme", optional(profile.theme.as_deref())),
        ("web view", optional(issuer.dashboard.as_deref())),
    ];
    for (label, value) in rows {
        println!("{label:<22}{value}");
    }
    for remark in view_remarks(&issuer) {
        println!("{:<22}{remark}", "web view");
    }
    certificates::show(&issuer.certificates, Utc::now());
    Ok(())
}

/// What the web view has to change of the theme, and why it shows no project.
fn view_remarks(issuer: &IssuerDeclaration) -> Vec<String> {
    let theme = stored_theme(&issuer.profile).unwrap_or_default();
    let mut remarks = Dress::of(&theme, true).warnings().to_vec();
    let view = DashboardSettings::from_json(issuer.dashboard.as_deref()).unwrap_or_default();
    if let (true, Err(missing)) = (issuer.donation, view.provider()) {
        remarks.push(format!("shows no project to support: {missing}"));
    }
    remarks
}

pub(super) fn date(micros: Option<i64>) -> String {
    let time: Option<DateTime<Utc>> = micros.and_then(DateTime::from_timestamp_micros);
    time.map_or_else(
        || "-".to_owned(),
        |time| time.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

fn factor_set(declared: Option<&str>) -> String {
    declared.map_or_else(
        || format!("{} (the gateway's own)", builtin::SET_ID),
        str::to_owned,
    )
}

fn on_off(switch: bool) -> &'static str {
    if switch { "on" } else { "off" }
}

async fn set_status(store: &Store, client_id: &str, status: &str) -> anyhow::Result<()> {
    let id = ClientId::parse(client_id).context("not a client id")?;
    let status = IssuerStatus::parse(&status.to_uppercase()).context("not a status")?;
    let found = store
        .set_issuer_status(&id, status, AuditDraft::local("issuer.set-status"))
        .await?;
    ensure!(found, "no issuer {client_id}");
    println!("issuer {client_id} is {}", status.as_str());
    Ok(())
}

async fn set_donation(store: &Store, client_id: &str, on: bool) -> anyhow::Result<()> {
    let id = ClientId::parse(client_id).context("not a client id")?;
    let toggled = store
        .set_donation(&id, on, AuditDraft::local("issuer.set-donation"))
        .await?;
    let state = on_off(on);
    match toggled {
        Toggled::Unknown => bail!("no issuer {client_id}"),
        Toggled::Unchanged => println!("issuer {client_id}: donation is {state} already"),
        Toggled::Changed if on => println!(
            "issuer {client_id}: donation is on; every user enrolled before must enrol again"
        ),
        Toggled::Changed => println!("issuer {client_id}: donation is off"),
    }
    Ok(())
}

async fn remove(store: &Store, client_id: &str) -> anyhow::Result<()> {
    let id = ClientId::parse(client_id).context("not a client id")?;
    match store
        .remove_issuer(&id, AuditDraft::local("issuer.remove"))
        .await?
    {
        Removal::Removed => println!("issuer {client_id} is off board"),
        Removal::Unknown => bail!("no issuer {client_id}"),
        Removal::HasCardholders => {
            bail!("issuer {client_id} has users; set its status to TERMINATED instead")
        }
    }
    Ok(())
}
