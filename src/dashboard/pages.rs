//! The screens: each a view model that its template renders. A view model holds finished texts, so
//! that a template can be read, and edited, without Rust.

mod category;
mod chart;
mod compare;
mod frame;
mod intro;
mod method;
mod notice;
mod overview;
mod payment;
mod payments;
mod steps;
mod total;
mod what_if;

pub use category::CategoryPage;
pub use frame::{Frame, Visit};
pub use intro::IntroPage;
pub use method::MethodPage;
pub use notice::{NoticeKind, NoticePage};
pub use overview::OverviewPage;
pub use payment::PaymentPage;
pub(crate) use payments::chosen;
pub use payments::{PAGE, PaymentsPage};
pub use what_if::CUTS;
pub(crate) use what_if::cut;

use super::facts::Facts;
use super::texts::Words;
use crate::footprint::Month;

/// The page's script, 3 KB at most. It warns before the view closes; everything works without it.
pub const SCRIPT: &str = include_str!("templates/script.js");

/// The style sheet, in the head of every page.
const STYLE: &str = include_str!("templates/style.css");

/// What the address of a page asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// A month; the running one if none.
    pub month: Option<Month>,
    /// Code of a spending area.
    pub category: Option<u16>,
    /// Percent of the "what if".
    pub cut: Option<i64>,
    /// First payment of the list, from 0.
    pub offset: usize,
}

/// The name of a spending area in a language.
pub(super) fn area_name(words: &Words, facts: &Facts, code: Option<u16>) -> String {
    let area = code.and_then(|code| facts.area(code));
    match area {
        // An operator's own set may have areas that no catalogue knows: theirs is English.
        Some(area) => {
            let id = format!("area-{}", area.id);
            let name = words.t(&id);
            if name == id {
                area.sub_category.clone()
            } else {
                name
            }
        }
        None => words.t("area-unknown"),
    }
}

/// A part of an address behind the view's root.
pub(super) fn encoded(segment: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~');
    percent_encoding::utf8_percent_encode(segment, KEPT).to_string()
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod states;
#[cfg(test)]
mod tests;
