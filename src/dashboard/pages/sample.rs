//! A year of one cardholder, made up: what the tests of the pages and their pictures show.

use crate::dashboard::facts::{
    Counted, Facts, IssuerFacts, MonthFacts, Payment, PaymentKind, Scoring, Uncounted,
};
use crate::dashboard::language::Language;
use crate::dashboard::pages::Visit;
use crate::dashboard::texts::Words;
use crate::footprint::set::Mcc;
use crate::footprint::{
    Benchmarks, Country, Currency, Money, Month, MonthSums, Purchase, Scorer, Verdict,
};
use crate::issuers::theme::Dress;
use chrono::{DateTime, Datelike, Days, NaiveDate, TimeZone, Utc};
use std::collections::BTreeMap;
use std::sync::LazyLock;

pub(crate) static SCORER: LazyLock<Scorer> = LazyLock::new(|| Scorer::builtin().unwrap());

/// Merchant, category, amount in kronor, every so many days.
const HABITS: [(&str, &str, i64, u64); 14] = [
    ("ICA Maxi", "5411", 640, 4),
    ("Coop Konsum", "5411", 215, 9),
    ("Circle K", "5542", 720, 13),
    ("SL Access", "4111", 970, 30),
    ("Restaurang Prinsen", "5812", 420, 12),
    ("Max Burgers", "5814", 129, 8),
    ("Systembolaget", "5921", 310, 17),
    ("H&M", "5651", 599, 26),
    ("Apotek Hjärtat", "5912", 189, 21),
    ("Ellevio", "4900", 780, 30),
    ("Elgiganten", "5732", 2490, 95),
    ("Bokus", "5942", 249, 45),
    ("Filmstaden", "7832", 165, 24),
    ("Bankomat", "6011", 500, 33),
];

/// The moment of every sample.
pub(crate) fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 17, 14, 5, 0).unwrap()
}

pub(crate) fn payment(id: &str, date: NaiveDate, mcc: &str, name: &str, kronor: i64) -> Payment {
    let amount = Money::new(kronor.into(), Currency::from_alpha("SEK").unwrap()).unwrap();
    let country = Country::from_alpha3("SWE").unwrap();
    let mcc = Mcc::parse(mcc).unwrap();
    let purchase = Purchase {
        mcc,
        amount,
        date,
        country,
    };
    let assessment = SCORER.score(&purchase);
    Payment {
        id: id.to_owned(),
        date,
        merchant: Some(name.to_owned()),
        mcc,
        area: assessment.area,
        amount,
        country,
        kind: if kronor < 0 {
            PaymentKind::Refund
        } else {
            PaymentKind::Purchase
        },
        counted: match assessment.verdict {
            Verdict::Scored(score) => Counted::Grams {
                co2e: score.co2e,
                co2: score.co2,
                confidence: score.confidence,
            },
            _ => Counted::Not(Uncounted::Category),
        },
    }
}

/// Months of payments.
pub(crate) fn months(payments: Vec<Payment>) -> BTreeMap<Month, MonthFacts> {
    let mut by_month: BTreeMap<Month, (MonthSums, Vec<Payment>)> = BTreeMap::new();
    for payment in payments {
        let (sums, list) = by_month.entry(Month::of(payment.date)).or_default();
        let assessment = SCORER.score(&Purchase {
            mcc: payment.mcc,
            amount: payment.amount,
            date: payment.date,
            country: payment.country,
        });
        sums.add(&assessment).unwrap();
        list.push(payment);
    }
    let facts = by_month.into_iter().map(|(month, (sums, list))| {
        let mut facts = MonthFacts::new(sums, list);
        facts.updated = Some(now());
        (month, facts)
    });
    facts.collect()
}

/// Twelve full months and the running one.
pub(crate) fn year() -> Vec<Payment> {
    let first = NaiveDate::from_ymd_opt(2025, 11, 1).unwrap();
    let today = now().date_naive();
    let days = (today - first).num_days().unsigned_abs();
    let mut payments = Vec::new();
    for day in 0..=days {
        let date = first + Days::new(day);
        for (at, (name, mcc, kronor, every)) in HABITS.into_iter().enumerate() {
            let shift = u64::try_from(at).unwrap() * 5;
            if (day + shift) % every == 0 {
                // Up to 30 % more or less, by the day.
                let factor = 70 + i64::from((date.ordinal() * 7 + date.month() * 11) % 61);
                let id = format!("t-{day}-{at}");
                payments.push(payment(&id, date, mcc, name, kronor * factor / 100));
            }
        }
        if date == NaiveDate::from_ymd_opt(2026, 7, 3).unwrap() {
            payments.push(payment("flight", date, "3000", "SAS", 3890));
        }
        if date == NaiveDate::from_ymd_opt(2026, 11, 14).unwrap() {
            payments.push(payment("refund", date, "5651", "H&M", -399));
        }
    }
    payments
}

/// The facts of a cardholder with these months.
pub(crate) fn facts(months: BTreeMap<Month, MonthFacts>) -> Facts {
    let country = Country::from_alpha3("SWE").unwrap();
    let benchmarks = Benchmarks::builtin().unwrap();
    Facts {
        issuer: IssuerFacts {
            name: "Nordbanken".to_owned(),
            terms: Some("https://bank.example/terms".to_owned()),
            privacy: Some("https://bank.example/privacy".to_owned()),
            opt_out: Some("https://bank.example/stop".to_owned()),
            return_url: Some("bankapp://home".to_owned()),
        },
        last_four: Some("4363".to_owned()),
        country,
        now: now(),
        today: now().date_naive(),
        months,
        zone: chrono_tz::Tz::Europe__Stockholm,
        scoring: Scoring::Done,
        notice: None,
        set: SCORER.set().clone(),
        benchmark: benchmarks.latest(country),
        goal: benchmarks.goal(country),
        introduced: true,
        imperial: false,
        donation: None,
    }
}

/// How a sample is shown.
pub(crate) fn visit(language: Language, dress: &Dress) -> Visit<'_> {
    Visit {
        words: Words::of(language),
        dress,
        nonce: "bm9uY2U",
        root: "./",
        script: "script-0.js",
        fonts: &[],
        ends: now() + chrono::TimeDelta::minutes(15),
        now: now(),
    }
}
