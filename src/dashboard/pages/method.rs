//! How it works: method, limits, sources, version, who sees what.

use super::super::facts::Facts;
use super::frame::{Frame, Visit};
use askama::Template;

/// The page of the method.
#[derive(Debug, Template)]
#[template(path = "method.html", config = "src/dashboard/askama.toml")]
pub struct MethodPage {
    /// What stands round it.
    pub frame: Frame,
    /// The version in force.
    pub version: String,
    /// Who sees what.
    pub privacy: String,
}

impl MethodPage {
    /// Of the facts of any month.
    pub fn of(visit: &Visit<'_>, facts: &Facts) -> Self {
        let words = &visit.words;
        let here = "method".to_owned();
        Self {
            frame: Frame::of(visit, facts, &words.t("method-title"), here),
            version: words.with(
                "about-method-plain",
                &[("version", facts.set.id().as_str())],
            ),
            privacy: words.with("method-privacy", &[("issuer", &facts.issuer.name)]),
        }
    }
}
