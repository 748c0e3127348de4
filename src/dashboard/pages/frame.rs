//! What stands round every screen.

use super::super::facts::Facts;
use super::super::language::Language;
use super::super::texts::Words;
use super::STYLE;
use crate::gateway::web_view::Font;
use crate::issuers::theme::Dress;
use chrono::{DateTime, Offset, Utc};
use chrono_tz::Tz;

/// How a page is shown, apart from what it says.
#[derive(Debug, Clone)]
pub struct Visit<'a> {
    /// The language.
    pub words: Words,
    /// The issuer's colours and fonts.
    pub dress: &'a Dress,
    /// Of the page's Content-Security-Policy.
    pub nonce: &'a str,
    /// From the page to the view's root: `./`, `../`, and behind it the token in a frame.
    pub root: &'a str,
    /// The script's name, with its hash.
    pub script: &'a str,
    /// The operator's fonts.
    pub fonts: &'a [Font],
    /// When the view closes if nobody asks for another page.
    pub ends: DateTime<Utc>,
    /// The moment of the page.
    pub now: DateTime<Utc>,
}

/// A language of the footer.
#[derive(Debug, Clone)]
pub struct LanguageLink {
    /// Its tag.
    pub tag: &'static str,
    /// Its name in itself.
    pub name: &'static str,
    /// Whether the page speaks it.
    pub current: bool,
    /// The page's address in it.
    pub href: String,
}

/// The head, the links and the foot of a page.
#[derive(Debug, Clone)]
pub struct Frame {
    words: Words,
    /// Of the Content-Security-Policy.
    pub nonce: String,
    /// Custom properties of the theme, and the style sheet.
    pub style: String,
    /// Value of `color-scheme`.
    pub scheme: &'static str,
    /// From the page to the view's root.
    pub root: String,
    /// The script's name; empty on pages outside of a view.
    pub script: String,
    /// Names of the fonts that the theme asks for.
    pub fonts: Vec<String>,
    /// The document's title.
    pub title: String,
    /// The issuer's name.
    pub issuer: String,
    /// Whether this is the overview itself.
    pub home: bool,
    /// The page itself, behind the root: opening it keeps the view open.
    pub here: String,
    /// Until when the view is open.
    pub ends: String,
    /// Seconds until then, for the script.
    pub seconds: i64,
    /// The languages on offer.
    pub languages: Vec<LanguageLink>,
    /// Back into the issuer's app.
    pub return_url: Option<String>,
    /// The issuer's terms.
    pub terms: Option<String>,
    /// Its privacy notice.
    pub privacy: Option<String>,
    /// Where the cardholder leaves the service.
    pub opt_out: Option<String>,
}

impl Frame {
    /// Of a page whose address behind the root is `here`.
    pub fn of(visit: &Visit<'_>, facts: &Facts, title: &str, here: String) -> Self {
        let words = visit.words;
        let issuer = &facts.issuer;
        let ends = visit.ends.with_timezone(&facts.zone);
        let fonts = visit
            .fonts
            .iter()
            .filter(|font| visit.dress.names(&font.family));
        let fonts: Vec<&Font> = fonts.collect();
        let languages = Language::OFFERED
            .into_iter()
            .map(|(language, name)| LanguageLink {
                tag: language.tag(),
                name,
                current: language.reads_as(words.language()),
                href: with_language(&here, language),
            });
        Self {
            nonce: visit.nonce.to_owned(),
            style: format!("{}{}{STYLE}", faces(&fonts, visit.root), visit.dress.css()),
            fonts: fonts.iter().map(|font| font.name.clone()).collect(),
            scheme: visit.dress.scheme(),
            root: visit.root.to_owned(),
            script: visit.script.to_owned(),
            title: format!("{title} · {}", words.t("service-name")),
            issuer: issuer.name.clone(),
            home: here.is_empty() || here.starts_with('?'),
            ends: words.with(
                "view-ends",
                &[
                    ("time", &words.formats.time(ends.time())),
                    ("zone", &zone_name(ends)),
                ],
            ),
            seconds: (visit.ends - visit.now).num_seconds().max(0),
            languages: languages.collect(),
            return_url: issuer.return_url.clone(),
            terms: issuer.terms.clone(),
            privacy: issuer.privacy.clone(),
            opt_out: issuer.opt_out.clone(),
            words,
            here,
        }
    }

    /// Of a page outside of a view: no links of a view, no script.
    pub(super) fn outside(
        words: Words,
        dress: &Dress,
        nonce: &str,
        title: &str,
        return_url: Option<String>,
    ) -> Self {
        Self {
            nonce: nonce.to_owned(),
            style: format!("{}{STYLE}", dress.css()),
            scheme: dress.scheme(),
            root: String::new(),
            script: String::new(),
            fonts: Vec::new(),
            title: title.to_owned(),
            issuer: String::new(),
            home: true,
            here: String::new(),
            ends: String::new(),
            seconds: 0,
            languages: Vec::new(),
            return_url,
            terms: None,
            privacy: None,
            opt_out: None,
            words,
        }
    }

    /// A text of the page's language.
    pub fn t(&self, id: &str) -> String {
        self.words.t(id)
    }

    /// The tag of the page's language.
    pub fn tag(&self) -> &'static str {
        self.words.tag()
    }
}

/// A rule for each font. `optional`: a page never moves because a font came late.
fn faces(fonts: &[&Font], root: &str) -> String {
    let faces = fonts.iter().map(|font| {
        let (family, weight, name) = (&font.family, &font.weight, &font.name);
        format!(
            "@font-face{{font-family:\"{family}\";font-weight:{weight};font-display:optional;\
             src:url({root}../../{name}) format(\"woff2\")}}"
        )
    });
    faces.collect()
}

/// `CET`; where the zone has no letters of its own, the distance from UTC: `UTC−3`.
fn zone_name(moment: DateTime<Tz>) -> String {
    let name = moment.format("%Z").to_string();
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return name;
    }
    let minutes = moment.offset().fix().local_minus_utc() / 60;
    let sign = if minutes < 0 { '−' } else { '+' };
    match (minutes.abs() / 60, minutes.abs() % 60) {
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, rest) => format!("UTC{sign}{hours}:{rest:02}"),
    }
}

fn with_language(here: &str, language: Language) -> String {
    let separator = if here.contains('?') { '&' } else { '?' };
    format!("{here}{separator}lang={}", language.tag())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    #[test]
    fn zones_have_names_that_people_know() {
        for (zone, name) in [
            (Tz::UTC, "UTC"),
            (Tz::Europe__Stockholm, "CET"),
            (Tz::America__Santiago, "UTC−3"),
            (Tz::America__Costa_Rica, "CST"),
            (Tz::Asia__Kuala_Lumpur, "UTC+8"),
            (Tz::Asia__Kathmandu, "UTC+5:45"),
        ] {
            let moment = zone.with_ymd_and_hms(2026, 11, 17, 12, 0, 0).unwrap();
            assert_eq!(zone_name(moment), name);
        }
    }

    #[test]
    fn a_font_is_loaded_if_the_theme_names_it() {
        let font = |family: &str| Font {
            family: family.to_owned(),
            weight: "400".to_owned(),
            name: "font-0.woff2".to_owned(),
            bytes: Vec::new(),
        };
        let dress = Dress::of(&crate::issuers::theme::Theme::default(), true);
        assert!(dress.names("Mark Offc For MC") && !dress.names("Mark"));
        let css = faces(&[&font("Mark Offc For MC")], "../");
        assert!(
            css.contains("url(../../../font-0.woff2)") && css.contains("\"Mark Offc For MC\""),
            "{css}"
        );
    }
}
