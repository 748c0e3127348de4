use super::sample::{facts, months, payment, visit, year};
use super::*;
use crate::dashboard::facts::{DonationFacts, NoticeFacts, Scoring};
use crate::dashboard::language::Language;
use crate::dashboard::theme::Dress;
use crate::footprint::{Country, Grams, Purchase};
use crate::issuers::theme::Theme;
use askama::Template;
use chrono::NaiveDate;
use std::collections::BTreeMap;

fn dress() -> Dress {
    Dress::of(&Theme::default(), true)
}

fn overview(facts: &Facts, language: Language, query: &Query) -> String {
    let dress = dress();
    OverviewPage::of(&visit(language, &dress), facts, query)
        .render()
        .unwrap()
}

fn english(facts: &Facts) -> String {
    overview(facts, Language::EnUs, &Query::default())
}

fn month(text: &str) -> Option<Month> {
    Month::parse(text)
}

/// Every figure with a unit of the total's part.
fn has_figure(html: &str) -> bool {
    html.contains("<p class=\"figure\">")
}

#[test]
fn a_year_says_how_much_compared_with_what_and_why() {
    let html = english(&facts(months(year())));
    for text in [
        "<html lang=\"en-US\">",
        "Estimate, so far this month",
        "Compared with yourself",
        "October 2026: about",
        "Country average",
        "UN goal",
        "Highest: July 2026",
        "By category",
        "25% less spending on",
        "ICA Maxi",
        "SEK\u{a0}",
        "Card ending 4363",
        "Nothing here affects your card",
        "This view closes at 2:20",
    ] {
        assert!(html.contains(text), "{text}");
    }
    assert!(!html.contains("style=\""));
    assert!(!html.contains("Support a project"));
    assert!(!html.contains("undefined") && !html.contains("{ $"));
}

#[test]
fn pages_keep_within_their_weight() {
    for language in Language::ALL {
        let html = overview(&facts(months(year())), language, &Query::default());
        assert!(html.len() < 60_000, "{language:?}: {}", html.len());
    }
    assert!(SCRIPT.len() <= 3_000);
}

#[test]
fn every_screen_has_all_its_texts_in_every_language() {
    let facts = facts(months(year()));
    let dress = dress();
    for language in Language::ALL {
        let visit = visit(language, &dress);
        let query = Query {
            month: month("2026-10"),
            ..Query::default()
        };
        let payment = facts.payment("flight").unwrap().1;
        let explanation = explained(payment);
        let screens = [
            OverviewPage::of(&visit, &facts, &query).render(),
            CategoryPage::of(&visit, &facts, 101, &query)
                .unwrap()
                .render(),
            PaymentsPage::of(&visit, &facts, &query).render(),
            PaymentPage::of(&visit, &facts, payment, Some(&explanation)).render(),
            MethodPage::of(&visit, &facts).render(),
            IntroPage::of(&visit, &facts).render(),
        ];
        for html in screens {
            let html = html.unwrap();
            assert!(html.contains(&format!("<html lang=\"{}\">", language.tag())));
            assert!(
                !html.contains("{$") && !html.contains("{ $"),
                "{language:?}"
            );
        }
    }
}

fn explained(payment: &crate::dashboard::facts::Payment) -> crate::footprint::Explanation<'static> {
    sample::SCORER.explain(&Purchase {
        mcc: payment.mcc,
        amount: payment.amount,
        date: payment.date,
        country: payment.country,
    })
}

#[test]
fn states_say_what_is_missing_and_show_no_figure_of_it() {
    let mut waiting = facts(BTreeMap::new());
    waiting.scoring = Scoring::Waiting;
    waiting.introduced = false;
    let html = english(&waiting);
    assert!(html.contains("No payments yet") && html.contains("Check again"));
    assert!(html.contains("Got it") && !has_figure(&html));

    let mut running = facts(months(year()));
    running.scoring = Scoring::Running {
        scored: 120,
        total: 480,
    };
    let html = english(&running);
    assert!(html.contains("120 of 480 payments are done."));
    let october = Query {
        month: month("2026-10"),
        ..Query::default()
    };
    let html = overview(&running, Language::EnUs, &october);
    assert!(html.contains("Estimate, incomplete"));

    let mut failed = facts(BTreeMap::new());
    failed.scoring = Scoring::Failed;
    let html = english(&failed);
    assert!(html.contains("Not available") && !has_figure(&html));

    let mut one = year();
    one.retain(|payment| payment.date < NaiveDate::from_ymd_opt(2026, 11, 1).unwrap());
    let html = english(&facts(months(one)));
    assert!(html.contains("No payments in November 2026.") && !has_figure(&html));
    assert!(html.contains("Compared with yourself"));

    let day = NaiveDate::from_ymd_opt(2026, 11, 3).unwrap();
    let cash = payment("cash", day, "6011", "ATM", 500);
    let html = english(&facts(months(vec![cash])));
    assert!(html.contains("Nothing is counted this month"));
    assert!(html.contains("<strong>0 kg</strong>") && html.contains("not counted"));

    let refund = payment("refund", day, "5651", "H&amp;M <b>", -900);
    let html = english(&facts(months(vec![refund])));
    assert!(html.contains("Refunds outweigh purchases this month."));
    assert!(
        html.contains("bar minus") && html.contains("H&#38;amp;M &#60;b&#62;"),
        "{html}"
    );
}

#[test]
fn under_two_full_months_nothing_is_compared_with_oneself() {
    let mut few = year();
    few.retain(|payment| payment.date >= NaiveDate::from_ymd_opt(2026, 10, 1).unwrap());
    let html = english(&facts(months(few)));
    assert!(!html.contains("Compared with yourself"));
    assert!(html.contains("mean of your last 1 full month."));
}

#[test]
fn a_country_without_a_figure_gets_the_worlds_and_is_told() {
    let mut elsewhere = facts(months(year()));
    let country = Country::from_alpha3("ATA").unwrap();
    elsewhere.country = country;
    let benchmarks = crate::footprint::Benchmarks::builtin().unwrap();
    elsewhere.benchmark = benchmarks.latest(country);
    elsewhere.goal = benchmarks.goal(country);
    let html = english(&elsewhere);
    assert!(html.contains("no national figure for ATA"));
    assert!(html.contains("World average") && !html.contains("Country average"));
    elsewhere.benchmark = None;
    elsewhere.goal = None;
    let html = english(&elsewhere);
    assert!(html.contains("no figure to compare with for ATA") && !html.contains("UN goal"));
}

#[test]
fn a_new_method_is_announced_with_both_totals() {
    let mut changed = facts(months(year()));
    changed.notice = Some(NoticeFacts {
        date: NaiveDate::from_ymd_opt(2026, 10, 2).unwrap(),
        before: Grams::from_centigrams(312_000_000),
        after: Grams::from_centigrams(298_000_000),
    });
    let html = english(&changed);
    assert!(
        html.contains("was about 3.1 t before and is about 3 t now"),
        "{html}"
    );
}

#[test]
fn a_project_is_offered_without_sums() {
    let mut with_project = facts(months(year()));
    with_project.donation = Some(DonationFacts {
        name: "Forest Fund".into(),
        url: "https://forest.example/".into(),
        text: "Plants where the wood was cut.".into(),
    });
    let html = english(&with_project);
    assert!(html.contains("Forest Fund") && html.contains("does not change the footprint"));
}

#[test]
fn a_sum_can_be_worked_out_again_from_what_is_printed() {
    let facts = facts(months(year()));
    let dress = dress();
    for id in ["flight", "refund", "t-13-2", "t-0-9"] {
        let Some((_, payment)) = facts.payment(id) else {
            continue;
        };
        let page = PaymentPage::of(
            &visit(Language::EnUs, &dress),
            &facts,
            payment,
            Some(&explained(payment)),
        );
        let sum = page.sum.clone().unwrap().replace(',', "");
        let (terms, total) = sum.rsplit_once(" = ").unwrap();
        let total: f64 = total.split(' ').next().unwrap().parse().unwrap();
        let mut grams = 0.0;
        for term in terms.split(" + ") {
            let last = term.rsplit(" = ").next().unwrap();
            let number = |text: &str| -> f64 {
                let text = text.trim().split([' ', '\u{a0}']).next().unwrap();
                text.parse().unwrap()
            };
            let (left, right) = last.split_once(" × ").unwrap();
            grams += number(left) * number(right) * 1000.0;
        }
        assert!(
            (grams - total).abs() < total.abs() * 1e-4 + 0.05,
            "{sum}: {grams}"
        );
    }
}

#[test]
fn lists_are_cut_into_pages() {
    let facts = facts(months(year()));
    let dress = dress();
    let visit = visit(Language::EnUs, &dress);
    let all = facts.payments().count();
    let first = PaymentsPage::of(&visit, &facts, &Query::default());
    assert_eq!(first.payments.len(), PAGE);
    assert_eq!(first.previous, None);
    assert_eq!(first.next.as_deref(), Some("transactions?offset=20"));
    let beyond = Query {
        offset: 1_000_000,
        ..Query::default()
    };
    let last = PaymentsPage::of(&visit, &facts, &beyond);
    assert!(last.next.is_none() && !last.payments.is_empty());
    assert!(last.range.unwrap().ends_with(&format!("of {all}")));
    let one = Query {
        month: month("2026-07"),
        category: Some(308),
        ..Query::default()
    };
    assert_eq!(PaymentsPage::of(&visit, &facts, &one).payments.len(), 1);
}

#[test]
fn a_payment_that_counts_nothing_says_why() {
    let day = NaiveDate::from_ymd_opt(2026, 11, 3).unwrap();
    let facts = facts(months(vec![payment("cash", day, "6011", "ATM", 500)]));
    let dress = dress();
    let page = PaymentPage::of(
        &visit(Language::Sv, &dress),
        &facts,
        facts.payment("cash").unwrap().1,
        None,
    );
    assert_eq!(
        (page.figure.as_deref(), page.exact.as_deref()),
        (None, None)
    );
    let html = page.render().unwrap();
    assert!(html.contains("Kontanter"), "{html}");
}

#[test]
fn debug_shows_no_merchant() {
    let facts = facts(months(year()));
    let dress = dress();
    let visit = visit(Language::EnUs, &dress);
    let text = format!(
        "{facts:?} {:?} {:?}",
        OverviewPage::of(&visit, &facts, &Query::default()),
        facts.payment("flight")
    );
    assert!(!text.contains("ICA") && !text.contains("SAS"), "{text}");
}

/// `DASHBOARD_PREVIEW=folder cargo test --lib preview` writes screens there, to look at.
#[test]
fn preview() {
    let Some(folder) = std::env::var_os("DASHBOARD_PREVIEW") else {
        return;
    };
    let folder = std::path::PathBuf::from(folder);
    let themes = [
        ("plain", serde_json::json!({})),
        (
            "bank",
            serde_json::json!({"backgroundColor": "#F3F5F4", "widgetBackgroundColor": "#FFFFFF",
                "fontColor": "#16302B", "barGraphColor": "#0B6E4F", "buttonColor": "#0B6E4F",
                "buttonTextColor": "#FFFFFF", "titleFontType": "Georgia, serif"}),
        ),
        (
            "hostile",
            serde_json::json!({"backgroundColor": "#FFFF00", "widgetBackgroundColor": "#FF00FF",
                "fontColor": "#FF8800", "barGraphColor": "#FF00EE", "titleFontSize": "999px",
                "paragraphFontType": "O'Neil, serif"}),
        ),
    ];
    let facts = facts(months(year()));
    for (name, theme) in themes {
        let theme = Theme::parse(theme.as_object().unwrap()).unwrap();
        let dress = Dress::of(&theme, true);
        for language in Language::ALL {
            let visit = visit(language, &dress);
            let flight = facts.payment("flight").unwrap().1;
            let fuel = facts
                .payments()
                .map(|(_, p)| p)
                .find(|p| p.mcc.number() == 5542);
            let october = Query {
                month: month("2026-10"),
                ..Query::default()
            };
            let mut first = OverviewPage::of(&visit, &facts, &Query::default());
            first.intro = true;
            let closed = NoticePage::of(
                visit.words,
                &dress,
                "bm9uY2U",
                NoticeKind::Closed,
                facts.issuer.return_url.clone(),
                None,
                "1",
            );
            let screens = [
                (
                    "overview",
                    OverviewPage::of(&visit, &facts, &Query::default()).render(),
                ),
                ("first", first.render()),
                (
                    "october",
                    OverviewPage::of(&visit, &facts, &october).render(),
                ),
                (
                    "category",
                    CategoryPage::of(&visit, &facts, 101, &october)
                        .unwrap()
                        .render(),
                ),
                (
                    "payments",
                    PaymentsPage::of(&visit, &facts, &Query::default()).render(),
                ),
                (
                    "flight",
                    PaymentPage::of(&visit, &facts, flight, Some(&explained(flight))).render(),
                ),
                (
                    "fuel",
                    PaymentPage::of(
                        &visit,
                        &facts,
                        fuel.unwrap(),
                        Some(&explained(fuel.unwrap())),
                    )
                    .render(),
                ),
                ("method", MethodPage::of(&visit, &facts).render()),
                ("intro", IntroPage::of(&visit, &facts).render()),
                ("closed", closed.render()),
            ];
            for (screen, html) in screens {
                let file = folder.join(format!("{name}-{}-{screen}.html", language.tag()));
                std::fs::write(file, html.unwrap()).unwrap();
            }
        }
    }
}
