use super::sample::{facts, months, payment, visit, year};
use super::*;
use crate::dashboard::language::Language;
use crate::footprint::Purchase;
use crate::issuers::theme::Dress;
use crate::issuers::theme::Theme;
use askama::Template;
use chrono::NaiveDate;

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
        "This view closes at 3:20\u{202f}PM CET",
    ] {
        assert!(html.contains(text), "{text}");
    }
    assert!(!html.contains("style=\""));
    assert!(!html.contains("Support a project"));
    assert!(!html.contains("undefined") && !html.contains("{ $"));
}

#[test]
fn the_script_keeps_within_its_weight() {
    assert!(SCRIPT.len() <= 3_000);
}

pub(super) fn explained(
    payment: &crate::dashboard::facts::Payment,
) -> crate::footprint::Explanation<'static> {
    sample::SCORER.explain(&Purchase {
        mcc: payment.mcc,
        amount: payment.amount,
        date: payment.date,
        country: payment.country,
    })
}

#[test]
fn states_say_what_is_missing_and_show_no_figure_of_it() {
    let state = |name: &str| english(&states::named(name));
    let html = state("waiting");
    assert!(html.contains("No payments yet") && html.contains("Check again"));
    assert!(html.contains("Got it") && !has_figure(&html));
    let html = state("empty");
    assert!(html.contains("No payments yet") && !html.contains("Check again"));

    let running = states::named("running");
    let html = english(&running);
    assert!(html.contains("120 of 480 payments are done."));
    assert!(html.contains("Estimate, so far this month, incomplete"));
    assert!(html.contains("<title>Footprint, November 2026 – Still calculating"));
    let october = Query {
        month: month("2026-10"),
        ..Query::default()
    };
    let html = overview(&running, Language::EnUs, &october);
    assert!(html.contains("Estimate, incomplete"));

    let html = state("failed");
    assert!(html.contains("Not available") && !has_figure(&html));

    let html = state("none-this-month");
    assert!(html.contains("No payments in November 2026.") && !has_figure(&html));
    assert!(html.contains("Compared with yourself"));

    let html = state("unscored");
    assert!(html.contains("Nothing is counted this month"));
    assert!(html.contains("<strong>0 kg</strong>") && html.contains("not counted"));

    let html = state("negative");
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
    let mut elsewhere = states::named("world");
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
    let html = english(&states::named("new-method"));
    assert!(
        html.contains("was about 3.1 t before and is about 3 t now"),
        "{html}"
    );
}

#[test]
fn a_project_is_offered_without_sums() {
    let html = english(&states::named("project"));
    assert!(html.contains("Forest Fund") && html.contains("does not change the footprint"));
}

#[test]
fn against_less_than_nothing_there_is_no_percentage() {
    let day = |month| NaiveDate::from_ymd_opt(2026, month, 3).unwrap();
    let facts = facts(months(vec![
        payment("refund", day(9), "5651", "H&M", -9_000),
        payment("fuel", day(10), "5542", "Circle K", 900),
    ]));
    let html = english(&facts);
    let line = html
        .lines()
        .find(|line| line.contains("higher than September"));
    let line = line.unwrap();
    assert!(line.contains("kg") && !line.contains(['%', '–']), "{line}");
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
