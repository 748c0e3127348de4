//! The introduction by itself, to read it again.

use super::super::facts::Facts;
use super::frame::{Frame, Visit};
use askama::Template;

/// The page of the introduction.
#[derive(Debug, Template)]
#[template(path = "intro.html", config = "src/dashboard/askama.toml")]
pub struct IntroPage {
    /// What stands round it.
    pub frame: Frame,
}

impl IntroPage {
    /// It needs no figures.
    pub fn of(visit: &Visit<'_>, facts: &Facts) -> Self {
        let title = visit.words.t("intro-title");
        Self {
            frame: Frame::of(visit, facts, &title, "intro".to_owned()),
        }
    }
}
