//! The method on cases of its own; tests/cli runs it against a second implementation.

use super::super::set::Confidence;
use super::super::{MonthSums, Rows, Sums};
use super::*;
use crate::footprint::Currency;
use crate::footprint::dated::Kind;
use crate::footprint::table::Records;
use proptest::prelude::*;
use std::sync::LazyLock;

static SCORER: LazyLock<Scorer> = LazyLock::new(|| Scorer::builtin().unwrap());

fn purchase(mcc: &str, amount: &str, currency: &str, date: &str, country: &str) -> Purchase {
    let currency = Currency::from_alpha(currency).unwrap();
    Purchase {
        mcc: Mcc::parse(mcc).unwrap(),
        amount: Money::parse(amount, currency).unwrap(),
        date: date.parse().unwrap(),
        country: Country::from_alpha3(country).unwrap(),
    }
}

fn scored(scorer: &Scorer, purchase: &Purchase) -> Score {
    match scorer.score(purchase).verdict {
        Verdict::Scored(score) => score,
        other => panic!("{purchase:?} is {}", other.name()),
    }
}

#[test]
fn the_worked_examples() {
    let text = include_str!("../../../tests/footprint/worked_examples.csv");
    let rows: Vec<_> = Records::new(text).skip(1).map(Result::unwrap).collect();
    assert_eq!(rows.len(), 28);
    for (line, fields) in rows {
        let [mcc, amount, currency, date, country, status, co2e, co2] = fields.as_slice() else {
            panic!("line {line}");
        };
        let purchase = purchase(mcc, amount, currency, date, country);
        let found = SCORER.score(&purchase).verdict;
        let grams = match &found {
            Verdict::Scored(score) => (score.co2e.to_string(), score.co2.to_string()),
            _ => Default::default(),
        };
        assert_eq!(found.name(), status, "line {line}");
        assert_eq!(grams, (co2e.to_string(), co2.to_string()), "line {line}");
    }
}

#[test]
fn the_sum_in_one_line() {
    let cases = [
        (
            purchase("5411", "54.20", "USD", "2026-01-15", "USA"),
            "54.20 USD x 0.899779 = 48.768022 USD of 2022 x 0.4965 kg = 24213.32 g CO2e",
        ),
        (
            purchase("5411", "250", "SEK", "2025-11-12", "SWE"),
            "250.00 SEK / 10.9395 = 22.852964 EUR x 0.940083 = 21.483683 EUR of 2023 x 0.285573 kg = 6135.16 g CO2e",
        ),
        (
            purchase("5732", "4990", "JPY", "2025-10-15", "JPN"),
            "4990 JPY / 176.13 x 1.1622 = 32.926691 USD x 0.901973 = 29.698986 USD of 2022 x 0.282768 kg = 8397.94 g CO2e",
        ),
        (
            purchase("5542", "60", "USD", "2025-11-12", "USA"),
            "0.7 x 60.00 USD / 0.8056 USD = 52.135055 litre petrol x 2.9076 kg + 0.3 x 60.00 USD / 0.9423 USD = 19.102197 litre diesel x 3.365 kg = 215866.78 g CO2e",
        ),
        (
            purchase("5552", "18", "EUR", "2026-02-10", "DEU"),
            "18.00 EUR / 0.3869 EUR = 46.52365 kWh electricity x 0.3441 kg = 16008.79 g CO2e",
        ),
    ];
    for (purchase, line) in cases {
        assert_eq!(SCORER.explain(&purchase).line.as_deref(), Some(line));
    }
}

#[test]
fn the_explanation_has_every_step() {
    let explained = SCORER.explain(&purchase("4900", "900", "SEK", "2026-01-31", "SWE"));
    assert_eq!(explained.set.as_str(), "ig-2026.1");
    assert_eq!(
        explained.confidence_reason,
        Some(ConfidenceReason::QuantityFromPrice)
    );
    let [electricity] = explained.energy.as_slice() else {
        panic!("{:?}", explained.energy);
    };
    assert_eq!(electricity.weight, "0.74".parse().unwrap());
    assert_eq!(
        electricity.grid.map(|(place, year)| (place.code(), year)),
        Some(("SWE", 2024))
    );
    assert!(electricity.price_source.contains("Eurostat"));
    let spend = explained.spend.unwrap();
    assert_eq!(spend.basis.code(), "SWE");
    assert_eq!(spend.deflator.month.to_string(), "2026-01");
    // Saturday: Friday's rate.
    assert_eq!(spend.conversion.unwrap().date.to_string(), "2026-01-30");
    assert_eq!(spend.basket.len(), 2);

    let explained = SCORER.explain(&purchase("5651", "100", "USD", "2025-11-12", "USA"));
    let spend = explained.spend.unwrap();
    assert!(
        spend
            .basket
            .iter()
            .all(|share| share.multiplier.unwrap().1.starts_with("imports"))
    );
    assert_eq!(spend.factor.co2e, "0.2664".parse().unwrap());

    let explained = SCORER.explain(&purchase("6011", "100", "USD", "2025-11-12", "USA"));
    let reason = explained.category.unwrap().reason.as_deref();
    assert_eq!(reason, Some("cash withdrawn: what it buys is unknown"));
    assert_eq!((explained.line, explained.confidence_reason), (None, None));
}

#[test]
fn rates_and_consumer_prices_go_stale() {
    // The last rates are of 2026-04-13, the last consumer prices of May 2026.
    for (currency, country, date, stale) in [
        ("SEK", "SWE", "2026-04-20", false),
        ("SEK", "SWE", "2026-04-21", true),
        ("EUR", "SWE", "2026-04-21", false),
        ("EUR", "SWE", "2026-08-31", false),
        ("EUR", "SWE", "2026-09-01", true),
        ("USD", "USA", "2026-08-31", false),
        ("USD", "USA", "2026-09-01", true),
        ("EUR", "USA", "2026-04-21", true),
        ("SEK", "SWE", "2020-01-01", false),
    ] {
        let purchase = purchase("5411", "100", currency, date, country);
        let score = scored(&SCORER, &purchase);
        assert_eq!(score.stale, stale, "{currency} {country} {date}");
    }
    // Fuel needs no consumer prices.
    let fuel = scored(&SCORER, &purchase("5542", "60", "USD", "2026-12-31", "USA"));
    assert!(!fuel.stale && fuel.deflator.is_none() && fuel.conversion.is_none());
}

#[test]
fn dates_before_the_first_row_take_the_first() {
    let day = |date| scored(&SCORER, &purchase("4900", "900", "SEK", date, "SWE"));
    assert_eq!(day("2019-05-05").co2e, day("2022-01-01").co2e);
    let score = day("2019-05-05");
    assert_eq!(score.conversion.unwrap().date.to_string(), "2024-04-02");
    assert_eq!(score.deflator.unwrap().month.to_string(), "2022-01");
}

#[test]
fn the_merchants_country_alone_chooses_the_table() {
    let table = |country| {
        let score = scored(
            &SCORER,
            &purchase("5651", "100", "USD", "2025-11-12", country),
        );
        score.basis.code()
    };
    let tables = ["ESP", "GBR", "CHE", "NOR", "USA", "TUR", "XKX"].map(table);
    assert_eq!(
        tables,
        ["ESP", "GBR", "CHE", "NOR", "USD2022", "USD2022", "USD2022"]
    );
}

#[test]
fn leading_zeros_of_codes_do_not_matter() {
    let score = |mcc| SCORER.score(&purchase(mcc, "100", "USD", "2025-11-12", "USA"));
    assert_eq!(score("742"), score("0742"));
    assert_eq!(score("742").verdict.name(), "SCORED");
    for text in ["", "12345", "-1", "5a11", " 742"] {
        assert_eq!(Mcc::parse(text), None, "{text:?}");
    }
}

#[test]
fn shares_of_spending_are_counted_in_euro_cents() {
    let cents = |amount, currency| {
        SCORER
            .score(&purchase("6011", amount, currency, "2025-11-12", "USA"))
            .spend_eur_cents
    };
    assert_eq!(cents("250", "SEK"), Some(2285));
    assert_eq!(cents("-250", "SEK"), Some(-2285));
    assert_eq!(cents("12.34", "EUR"), Some(1234));
    assert_eq!(cents("1000", "CLP"), None);
}

#[test]
fn what_operators_append_counts() {
    let mut data = DatedData::clone(SCORER.data());
    let mut load = |kind, text: &str| {
        let rows = Rows::parse(kind, "f.csv", text).unwrap();
        data.append("f.csv", rows).unwrap()
    };
    assert_eq!(
        load(
            Kind::Rates,
            "date,currency,per_eur\n2026-01-14,CLP,1050.5\n"
        ),
        1
    );
    assert_eq!(
        load(
            Kind::Prices,
            "country,carrier,from_date,price,currency,source\nSWE,natural_gas,2025-01-01,0.15,EUR,test\n",
        ),
        1,
    );
    let scorer = Scorer::new(SCORER.set().clone(), Arc::new(data));
    let chile = purchase("5411", "10000", "CLP", "2026-01-15", "CHL");
    assert_eq!(SCORER.score(&chile).verdict, Verdict::UnsupportedCurrency);
    assert!(scored(&scorer, &chile).co2e > Grams::default());
    let sweden = scorer.explain(&purchase("4900", "900", "SEK", "2026-01-31", "SWE"));
    let carriers: Vec<_> = sweden.energy.iter().map(|step| step.carrier).collect();
    assert_eq!(carriers, [Carrier::NaturalGas, Carrier::Electricity]);
}

#[test]
fn a_stored_score_is_explained_with_the_rows_that_it_was_made_from() {
    let late = purchase("4900", "900", "SEK", "2026-08-03", "SWE");
    let stored = SCORER.score(&late);
    let mut data = DatedData::clone(SCORER.data());
    for (kind, text) in [
        (Kind::Rates, "date,currency,per_eur\n2026-08-01,SEK,12.5\n"),
        (
            Kind::Cpi,
            "month,cpi_u,to_usd2022,to_eur2023,status\n2026-08,337.5,0.867126,0.9,published\n",
        ),
    ] {
        data.append("f.csv", Rows::parse(kind, "f.csv", text).unwrap())
            .unwrap();
    }
    let scorer = Scorer::new(SCORER.set().clone(), Arc::new(data));
    assert_ne!(scorer.score(&late), stored);
    let Verdict::Scored(score) = stored.verdict else {
        panic!("{}", stored.verdict.name());
    };
    let explained = scorer.explain_as_of(&late, AsOf::score(late.date, &score));
    assert_eq!(explained.assessment, stored);
    assert_eq!(explained.spend.unwrap().conversion, score.conversion);
}

#[test]
fn a_reversal_is_exactly_the_original_taken_back() {
    let original = SCORER.score(&purchase("5651", "79.95", "GBP", "2025-12-20", "GBR"));
    let mut sums = MonthSums::default();
    sums.add(&original).unwrap();
    sums.add(&original.reversed()).unwrap();
    let total = sums.total().unwrap();
    assert_eq!(
        total,
        Sums {
            scored: 2,
            ..Sums::default()
        }
    );
    assert_eq!(original.reversed().reversed(), original);
}

#[test]
fn rates_that_cannot_be_right_give_no_grams() {
    let mut data = DatedData::clone(SCORER.data());
    let rates = "date,currency,per_eur\n2026-01-14,CLP,0.0001\n2026-01-14,USD,100000000\n";
    data.append("f.csv", Rows::parse(Kind::Rates, "f.csv", rates).unwrap())
        .unwrap();
    let scorer = Scorer::new(SCORER.set().clone(), Arc::new(data));
    let purchase = purchase("5411", "1000000000", "CLP", "2026-01-14", "CHL");
    assert_eq!(scorer.score(&purchase).verdict, Verdict::OutOfRange);
}

fn any_purchase() -> impl Strategy<Value = Purchase> {
    let countries: Vec<_> = Country::all().collect();
    let currencies: Vec<_> = Currency::all()
        .filter(|currency| SCORER.data().has_rate(*currency))
        .collect();
    let codes = SCORER
        .set()
        .categories()
        .iter()
        .map(|category| category.from);
    let codes: Vec<_> = codes.chain(Mcc::new(1234)).collect();
    (
        proptest::sample::select(codes),
        proptest::sample::select(currencies),
        -100_000_000i64..100_000_000,
        0u64..1500,
        proptest::sample::select(countries),
    )
        .prop_map(|(mcc, currency, units, days, country)| Purchase {
            mcc,
            amount: Money::from_minor_units(units, currency).unwrap(),
            date: NaiveDate::from_ymd_opt(2023, 1, 1).unwrap() + chrono::Days::new(days),
            country,
        })
}

proptest! {
    #[test]
    fn a_refund_of_the_same_day_is_the_purchase_negative(purchase in any_purchase()) {
        let refund = Purchase { amount: -purchase.amount, ..purchase };
        let (one, other) = (SCORER.score(&purchase), SCORER.score(&refund));
        let mut sums = MonthSums::default();
        sums.add(&one).unwrap();
        sums.add(&other).unwrap();
        let total = sums.total().unwrap();
        prop_assert_eq!((total.co2e, total.co2), Default::default());
        prop_assert_eq!((total.spend_scored, total.spend_not_scored), (0, 0));
    }

    #[test]
    fn a_thousandfold_amount_is_a_thousandfold_score_within_rounding(purchase in any_purchase()) {
        let larger = Money::new(purchase.amount.value() * Decimal::ONE_THOUSAND, purchase.amount.currency());
        if let Ok(amount) = larger {
            let larger = Purchase { amount, ..purchase };
            if let (Verdict::Scored(one), Verdict::Scored(other)) = (SCORER.score(&purchase).verdict, SCORER.score(&larger).verdict) {
                let difference = other.co2e.centigrams() - 1000 * one.co2e.centigrams();
                prop_assert!(difference.abs() <= 500, "{difference}");
                let difference = other.co2.centigrams() - 1000 * one.co2.centigrams();
                prop_assert!(difference.abs() <= 500, "{difference}");
            }
        }
    }

    #[test]
    fn sums_are_free_of_order_and_can_be_taken_back(
        purchases in proptest::collection::vec(any_purchase(), 1..20),
        rotation in 0usize..20,
    ) {
        let assessments: Vec<_> = purchases.iter().map(|purchase| SCORER.score(purchase)).collect();
        let mut straight = MonthSums::default();
        for assessment in &assessments {
            straight.add(assessment).unwrap();
        }
        let mut turned = MonthSums::default();
        let middle = rotation % assessments.len();
        for assessment in assessments[middle..].iter().chain(&assessments[..middle]).rev() {
            turned.add(assessment).unwrap();
        }
        prop_assert_eq!(&straight, &turned);
        let stored = straight.areas().map(|(area, sums)| (area, *sums));
        prop_assert_eq!(&MonthSums::from_areas(stored).unwrap(), &straight);
        let total = straight.total().unwrap();
        prop_assert_eq!(usize::try_from(total.scored + total.not_scored).unwrap(), assessments.len());
        for assessment in &assessments {
            straight.subtract(assessment).unwrap();
        }
        prop_assert_eq!(straight, MonthSums::default());
    }

    #[test]
    fn the_explanation_is_of_the_same_score(purchase in any_purchase()) {
        let explained = SCORER.explain(&purchase);
        prop_assert_eq!(explained.assessment, SCORER.score(&purchase));
        if let Verdict::Scored(score) = explained.assessment.verdict {
            let spend = explained.spend.as_ref().map_or(Decimal::ZERO, |step| step.grams.co2e);
            let energy: Decimal = explained.energy.iter().map(|step| step.grams).sum();
            prop_assert_eq!(Grams::round(spend + energy), Some(score.co2e));
            let energy: Decimal = explained.energy.iter().map(|step| step.weight).sum();
            let basket = explained.spend.as_ref();
            let basket: Decimal = basket.map_or(Decimal::ZERO, |step| step.basket.iter().map(|share| share.weight).sum());
            prop_assert_eq!(energy + basket, Decimal::ONE);
            let end = format!(" = {} g CO2e", score.co2e);
            prop_assert!(explained.line.unwrap().ends_with(&end));
        }
    }
}

#[test]
fn sums_keep_what_is_not_scored_apart() {
    let mut sums = MonthSums::default();
    for purchase in [
        purchase("5411", "54.20", "USD", "2026-01-15", "USA"),
        purchase("5542", "60", "USD", "2026-01-15", "USA"),
        purchase("6011", "200", "EUR", "2026-01-15", "USA"),
        purchase("1234", "1", "EUR", "2026-01-15", "USA"),
    ] {
        sums.add(&SCORER.score(&purchase)).unwrap();
    }
    let areas: Vec<_> = sums.areas().map(|(area, _)| area).collect();
    assert_eq!(areas, [0, 101, 301, 901]);
    let total = sums.total().unwrap();
    assert_eq!((total.scored, total.not_scored), (2, 2));
    assert_eq!(total.spend_not_scored, 20_100);
    assert_eq!(total.worst_confidence(), Some(Confidence::Low));
    let [low, medium, high] = total.by_confidence;
    assert_eq!(low.checked_add(medium), Some(total.co2e));
    assert_eq!(
        (medium.to_string(), high),
        ("24213.32".to_owned(), Grams::default())
    );
    assert_eq!(Sums::default().worst_confidence(), None);
    let huge = Sums {
        scored: i64::MAX,
        ..Sums::default()
    };
    assert!(MonthSums::from_areas([(1, huge), (1, huge)]).is_err());
}
