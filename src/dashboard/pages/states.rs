//! The states of a cardholder's view, made up: for tests, and as files to look at.

use super::sample::{facts, months, payment, visit, year};
use super::tests::explained;
use super::*;
use crate::dashboard::facts::{DonationFacts, NoticeFacts, Scoring};
use crate::dashboard::language::Language;
use crate::footprint::{Benchmarks, Country, Grams};
use crate::issuers::theme::{Dress, Theme};
use askama::Template;
use chrono::NaiveDate;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Every state of the overview.
const ALL: [&str; 11] = [
    "first",
    "waiting",
    "empty",
    "running",
    "failed",
    "none-this-month",
    "unscored",
    "negative",
    "new-method",
    "project",
    "world",
];

/// The facts of a state.
pub(super) fn named(name: &str) -> Facts {
    let november = |day| NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
    let whole = || facts(months(year()));
    let without = || facts(BTreeMap::new());
    let one = |payment| facts(months(vec![payment]));
    match name {
        "first" => Facts {
            introduced: false,
            ..whole()
        },
        "waiting" => Facts {
            scoring: Scoring::Waiting,
            introduced: false,
            ..without()
        },
        "empty" => without(),
        "running" => Facts {
            scoring: Scoring::Running {
                scored: 120,
                total: 480,
            },
            ..whole()
        },
        "failed" => Facts {
            scoring: Scoring::Failed,
            ..without()
        },
        "none-this-month" => {
            let mut before = year();
            before.retain(|payment| payment.date < november(1));
            facts(months(before))
        }
        "unscored" => one(payment("cash", november(3), "6011", "ATM", 500)),
        "negative" => one(payment("refund", november(3), "5651", "H&amp;M <b>", -900)),
        "new-method" => Facts {
            notice: Some(NoticeFacts {
                date: NaiveDate::from_ymd_opt(2026, 10, 2).unwrap(),
                before: Grams::from_centigrams(312_000_000),
                after: Grams::from_centigrams(298_000_000),
            }),
            ..whole()
        },
        "project" => Facts {
            donation: Some(DonationFacts {
                name: "Forest Fund".into(),
                url: "https://forest.example/".into(),
                text: "Plants where the wood was cut.".into(),
            }),
            imperial: true,
            ..whole()
        },
        "world" => {
            let country = Country::from_alpha3("ATA").unwrap();
            let benchmarks = Benchmarks::builtin().unwrap();
            Facts {
                country,
                benchmark: benchmarks.latest(country),
                goal: benchmarks.goal(country),
                ..whole()
            }
        }
        _ => panic!("there is no state {name}"),
    }
}

/// `DASHBOARD_PREVIEW=folder cargo test --lib preview` writes every screen and state there, in
/// three themes and all languages: `THEME-TAG-SCREEN.html`.
#[test]
fn preview() {
    let Some(folder) = std::env::var_os("DASHBOARD_PREVIEW").map(PathBuf::from) else {
        return;
    };
    std::fs::create_dir_all(&folder).unwrap();
    for (theme, members) in [
        ("plain", json!({})),
        (
            "bank",
            json!({"backgroundColor": "#F3F5F4", "widgetBackgroundColor": "#FFFFFF",
                "fontColor": "#16302B", "barGraphColor": "#0B6E4F", "buttonColor": "#0B6E4F",
                "buttonTextColor": "#FFFFFF", "titleFontType": "Georgia, serif"}),
        ),
        (
            "hostile",
            json!({"backgroundColor": "#FFFF00", "widgetBackgroundColor": "#FF00FF",
                "fontColor": "#FF8800", "barGraphColor": "#FF00EE", "titleFontSize": "999px",
                "paragraphFontType": "O'Neil, serif"}),
        ),
    ] {
        let theme_of = Theme::parse(members.as_object().unwrap()).unwrap();
        let dress = Dress::of(&theme_of, true);
        for language in Language::ALL {
            for (screen, html) in screens(&visit(language, &dress)) {
                let file = format!("{theme}-{}-{screen}.html", language.tag());
                std::fs::write(folder.join(file), html).unwrap();
            }
        }
    }
}

fn screens(visit: &Visit<'_>) -> Vec<(&'static str, String)> {
    let facts = facts(months(year()));
    let running = Query::default();
    let october = Query {
        month: Month::parse("2026-10"),
        ..Query::default()
    };
    let one = |id: &str| {
        let (_, payment) = facts.payment(id).unwrap();
        PaymentPage::of(visit, &facts, payment, Some(&explained(payment)))
    };
    let cash = named("unscored");
    let uncounted = PaymentPage::of(visit, &cash, cash.payment("cash").unwrap().1, None);
    let fuel = facts.payments().find(|(_, p)| p.mcc.number() == 5542);
    let fuel = fuel.unwrap().1.id.clone();
    let mut all = vec![
        (
            "overview",
            OverviewPage::of(visit, &facts, &running).render(),
        ),
        (
            "october",
            OverviewPage::of(visit, &facts, &october).render(),
        ),
        (
            "category",
            CategoryPage::of(visit, &facts, 101, &october)
                .unwrap()
                .render(),
        ),
        (
            "payments",
            PaymentsPage::of(visit, &facts, &running).render(),
        ),
        ("flight", one("flight").render()),
        ("refund", one("refund").render()),
        ("fuel", one(&fuel).render()),
        ("uncounted", uncounted.render()),
        ("method", MethodPage::of(visit, &facts).render()),
        ("intro", IntroPage::of(visit, &facts).render()),
    ];
    for name in ALL {
        all.push((
            name,
            OverviewPage::of(visit, &named(name), &running).render(),
        ));
    }
    for (name, kind) in [
        ("closed", NoticeKind::Closed),
        ("no-cookie", NoticeKind::NoCookie),
        ("missing", NoticeKind::Missing),
        ("busy", NoticeKind::Busy(5)),
        ("fault", NoticeKind::Failed),
    ] {
        let url = facts.issuer.return_url.clone();
        let overview = (kind == NoticeKind::Missing).then(|| "./".to_owned());
        let notice = NoticePage::of(
            visit.words,
            visit.dress,
            visit.nonce,
            kind,
            url,
            overview,
            "5f1c2a",
        );
        all.push((name, notice.render()));
    }
    let rendered = all.into_iter().map(|(name, html)| (name, html.unwrap()));
    rendered.collect()
}

#[test]
fn every_screen_and_state_has_its_texts_in_every_language() {
    let dress = Dress::of(&Theme::default(), true);
    for language in Language::ALL {
        for (screen, html) in screens(&visit(language, &dress)) {
            assert!(
                html.contains(&format!("<html lang=\"{}\">", language.tag()))
                    && !html.contains("{$")
                    && !html.contains("{ $")
                    && !html.contains("style=\""),
                "{language:?} {screen}"
            );
            assert!(html.len() < 60_000, "{language:?} {screen}: {}", html.len());
        }
    }
}
