//! One view model for each page of the console. Templates and files are compiled in.

mod call;
mod json;
mod list;
mod orders;
mod trying;

pub use call::CallPage;
pub use json::{call_json, list_json};
pub use list::{Filter, ListPage, Names, row};
pub use orders::FaultsPage;
pub use trying::{FILES, TryPage};

use askama::Template;

/// The style sheet of every page.
pub const STYLE: &str = include_str!("../templates/style.css");
/// The script of every page.
pub const SCRIPT: &str = include_str!("../templates/script.js");

/// An issuer in a list to choose from.
pub struct Choice {
    name: String,
    chosen: bool,
}

fn choices<'a>(names: impl Iterator<Item = &'a String>, chosen: &str) -> Vec<Choice> {
    let choice = |name: &String| Choice {
        name: name.clone(),
        chosen: name == chosen,
    };
    names.map(choice).collect()
}

/// A page of few words: what is not there, or was refused.
#[derive(Template)]
#[template(path = "notice.html", config = "src/console/askama.toml")]
pub struct NoticePage {
    tab: &'static str,
    heading: &'static str,
    text: String,
}

impl NoticePage {
    /// `text` is shown as it is, escaped.
    pub fn new(heading: &'static str, text: String) -> Self {
        Self {
            tab: "",
            heading,
            text,
        }
    }
}
