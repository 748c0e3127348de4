//! The pages that end a visit, or interrupt it.

use super::super::texts::Words;
use super::frame::Frame;
use crate::issuers::theme::Dress;
use askama::Template;

/// Why there is no screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// Expired, closed, erased, forged: all look the same.
    Closed,
    /// The same, where the cookie did not come.
    NoCookie,
    /// Nothing is at this address.
    Missing,
    /// Too much, or no database: so many seconds.
    Busy(i64),
    /// A fault of ours.
    Failed,
}

/// A page of few words.
#[derive(Debug, Template)]
#[template(path = "notice.html", config = "src/dashboard/askama.toml")]
pub struct NoticePage {
    /// What stands round it.
    pub frame: Frame,
    /// Its heading.
    pub heading: String,
    /// Its sentences.
    pub texts: Vec<String>,
    /// A way back to the overview, while the view lives.
    pub overview: Option<String>,
}

impl NoticePage {
    /// `return_url` and the dress are the issuer's only if a valid seal has named it; `overview` is
    /// where the view's first screen is, if the view lives; `request` is the request's id.
    pub fn of(
        words: Words,
        dress: &Dress,
        nonce: &str,
        kind: NoticeKind,
        return_url: Option<String>,
        overview: Option<String>,
        request: &str,
    ) -> Self {
        let (title, texts) = match kind {
            NoticeKind::Closed => ("closed-title", vec![words.t("closed-text")]),
            NoticeKind::NoCookie => (
                "closed-title",
                vec![words.t("closed-text"), words.t("closed-no-cookie")],
            ),
            NoticeKind::Missing => ("missing-title", vec![words.t("missing-text")]),
            NoticeKind::Busy(seconds) => {
                ("busy-title", vec![words.count("busy-text", seconds, &[])])
            }
            NoticeKind::Failed => (
                "failed-title",
                vec![words.with("failed-text", &[("id", request)])],
            ),
        };
        let heading = words.t(title);
        Self {
            frame: Frame::outside(words, dress, nonce, &heading, return_url),
            heading,
            texts,
            overview,
        }
    }
}
