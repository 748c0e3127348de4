//! The issuers of a sandbox: the three that it has by itself, or those of a seed file.

use serde::Deserialize;

/// An issuer that a sandbox brings on board.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Plan {
    /// Its short name: its folder, and its name in `sandbox.json`.
    pub(super) name: String,
    /// Its name for people.
    pub(super) title: String,
    /// Its account ranges.
    pub(super) account_ranges: Vec<String>,
    /// The donation toggle.
    pub(super) donation: bool,
    /// How it gets its answers.
    pub(super) responses: Responses,
    /// For clients that send parameters of field-level encryption as headers.
    pub(super) field_level_headers: bool,
    /// What the web view wears; empty: the published example.
    pub(super) theme: &'static str,
}

/// How an issuer gets its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Responses {
    /// As it sent its request.
    Mirror,
    /// In clear.
    DashboardsOnly,
}

impl Responses {
    /// As the declaration has it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Mirror => "mirror",
            Self::DashboardsOnly => "dashboards-only",
        }
    }
}

/// Those of every sandbox without a seed file.
pub(in crate::cli) fn usual() -> Vec<Plan> {
    let ranges = |ranges: &[&str]| ranges.iter().map(ToString::to_string).collect();
    vec![
        Plan {
            name: "demo".to_owned(),
            title: "Demo Bank".to_owned(),
            account_ranges: ranges(&["534403", "518145", "5424"]),
            donation: true,
            responses: Responses::Mirror,
            field_level_headers: false,
            theme: r##"backgroundColor = "#F3F5F4", fontColor = "#16302B", barGraphColor = "#0B6E4F", buttonColor = "#0B6E4F""##,
        },
        Plan {
            name: "compat".to_owned(),
            title: "Compat Bank".to_owned(),
            account_ranges: ranges(&["222300", "552433"]),
            donation: true,
            responses: Responses::DashboardsOnly,
            field_level_headers: true,
            theme: "",
        },
        Plan {
            name: "basic".to_owned(),
            title: "Basic Bank".to_owned(),
            account_ranges: ranges(&["510665", "5050"]),
            donation: false,
            responses: Responses::Mirror,
            field_level_headers: false,
            theme: r##"backgroundColor = "#101820", widgetBackgroundColor = "#18222D", fontColor = "#E8EDF2", barGraphColor = "#F2A93B", buttonColor = "#F2A93B", buttonTextColor = "#101820""##,
        },
    ]
}
