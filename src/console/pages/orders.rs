//! `/console/faults`: what goes wrong with the next calls.

use super::super::Console;
use super::super::faults::EVERYBODY;
use super::list::Names;
use super::{Choice, choices};
use crate::client::identity::SandboxFile;
use askama::Template;

/// The page.
#[derive(Template)]
#[template(path = "faults.html", config = "src/console/askama.toml")]
pub struct FaultsPage {
    tab: &'static str,
    notice: Option<String>,
    issuers: Vec<Choice>,
    codes: Vec<(String, u16)>,
    standing: Vec<Standing>,
    base_url: String,
}

struct Standing {
    issuer: String,
    fault: String,
    calls: u32,
}

impl FaultsPage {
    /// `codes`: each `ReasonCode` that can be ordered, with its status.
    pub fn of(console: &Console, sandbox: &SandboxFile, codes: Vec<(String, u16)>) -> Self {
        let names = Names::of(sandbox);
        let standing = console.faults.standing().into_iter();
        let standing = standing.map(|(client_id, order)| Standing {
            issuer: match client_id.as_str() {
                EVERYBODY => "everybody".to_owned(),
                client_id => names.get(client_id).to_owned(),
            },
            fault: order.fault.to_string(),
            calls: order.calls,
        });
        Self {
            tab: "faults",
            notice: console.heard(),
            issuers: choices(sandbox.issuers.keys(), ""),
            codes,
            standing: standing.collect(),
            base_url: sandbox.base_url.clone(),
        }
    }
}
