//! The figures behind the pages as JSON. Amounts are decimal strings, grams numbers of at most two
//! places, times RFC 3339.

use super::facts::{Counted, Facts, MonthFacts, Payment, PaymentKind, Scoring};
use super::language::Language;
use super::pages::{self, Query};
use super::reckon;
use crate::footprint::benchmarks::Benchmark;
use crate::footprint::set::{Area, Confidence};
use crate::footprint::{Explanation, Grams, Month};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Payments of a page, at most.
pub const MOST: usize = 100;

/// Who offers the view, of which card, in which language.
pub fn profile(facts: &Facts, language: Language, ends: DateTime<Utc>, currency: &str) -> Value {
    let issuer = &facts.issuer;
    json!({
        "language": language.tag(),
        "issuerName": issuer.name,
        "cardNumberLastFourDigits": facts.last_four,
        "country": facts.country.code(),
        "currencyCode": currency,
        "units": if facts.imperial { "imperial" } else { "metric" },
        "timeZone": facts.zone.name(),
        "donation": facts.donation.as_ref().map(|donation| json!({
            "name": donation.name, "url": donation.url, "text": donation.text,
        })),
        "links": {
            "terms": issuer.terms, "privacy": issuer.privacy,
            "optOut": issuer.opt_out, "return": issuer.return_url,
        },
        "introSeen": facts.introduced,
        "viewEndsAt": ends.to_rfc3339(),
    })
}

/// How far the calculation is.
pub fn status(facts: &Facts) -> Value {
    let counted: i64 = facts.months.values().map(MonthFacts::count).sum();
    let (scoring, scored, total) = match facts.scoring {
        Scoring::Waiting => ("waiting", counted, counted),
        Scoring::Running { scored, total } => ("running", scored, total),
        Scoring::Done => ("done", counted, counted),
        Scoring::Failed => ("failed", counted, counted),
    };
    let running = facts.running();
    json!({
        "scoring": scoring,
        "scored": scored,
        "total": total,
        "windowFrom": running.plus(-12).first_day().map(day),
        "windowTo": running.last_day().map(day),
        "lastScoredAt": facts.last_scored().map(|at| at.to_rfc3339()),
        "methodVersion": facts.set.id().as_str(),
        "methodNotice": facts.notice.as_ref().map(|notice| json!({
            "date": day(notice.date),
            "oldGrams": grams(notice.before),
            "newGrams": grams(notice.after),
        })),
    })
}

/// A month's total.
pub fn summary(facts: &Facts, query: &Query) -> Value {
    let shown = query.month.unwrap_or(facts.running());
    let empty = MonthFacts::default();
    let month = facts.month(shown).unwrap_or(&empty);
    let full = reckon::full_months(facts);
    let totals: Vec<Grams> = full.iter().map(|(_, month)| month.total.co2e).collect();
    let before = full.iter().rev().find(|(other, _)| *other < shown);
    let mut value = object(&[("month", json!(shown.to_string()))]);
    weigh(&mut value, month.total.co2e);
    value.insert("complete".into(), json!(shown < facts.running()));
    value.insert("low".into(), Value::Null);
    value.insert("high".into(), Value::Null);
    let shares = Confidence::ALL.into_iter().zip(month.total.by_confidence);
    let shares = shares.map(|(class, part)| {
        let share = share(part.decimal(), month.total.co2e.decimal());
        (class.name().to_owned(), share)
    });
    value.insert("confidence".into(), Value::Object(shares.collect()));
    value.insert(
        "payments".into(),
        json!({"scored": month.total.scored, "notScored": month.total.not_scored}),
    );
    let (scored, not_scored) = (
        Decimal::from(month.total.spend_scored).abs(),
        Decimal::from(month.total.spend_not_scored).abs(),
    );
    value.insert(
        "spendScoredShare".into(),
        share(scored, scored + not_scored),
    );
    value.insert(
        "previousFullMonth".into(),
        json!(before.map(|(month, facts)| json!({
            "month": month.to_string(), "carbonEmissionInGrams": grams(facts.total.co2e),
        }))),
    );
    value.insert("median12".into(), json!(reckon::median(&totals).map(grams)));
    Value::Object(value)
}

/// What sums are made over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// 0
    Day,
    /// 1: from Monday.
    Week,
    /// 2
    Month,
    /// 3
    Year,
}

impl Period {
    /// From `aggregateType`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "0" => Some(Self::Day),
            "1" => Some(Self::Week),
            "2" => Some(Self::Month),
            "3" => Some(Self::Year),
            _ => None,
        }
    }

    fn first_day(self, date: NaiveDate) -> NaiveDate {
        let days = u64::from(date.weekday().num_days_from_monday());
        match self {
            Self::Day => date,
            Self::Week => date
                .checked_sub_days(chrono::Days::new(days))
                .unwrap_or(date),
            Self::Month => date.with_day(1).unwrap_or(date),
            Self::Year => NaiveDate::from_ymd_opt(date.year(), 1, 1).unwrap_or(date),
        }
    }

    /// `aggregateValue` and the ISO form of a period.
    fn names(self, first: NaiveDate) -> (String, String) {
        match self {
            Self::Day => (first.to_string(), first.to_string()),
            Self::Week => {
                let week = first.iso_week();
                let iso = format!("{}-W{:02}", week.year(), week.week());
                (format!("week-{}", week.week()), iso)
            }
            Self::Month => {
                let name = first.format("%B-%Y").to_string().to_lowercase();
                (name, Month::of(first).to_string())
            }
            Self::Year => (first.year().to_string(), first.year().to_string()),
        }
    }
}

/// The newest `count` periods that have payments, oldest first.
pub fn aggregates(facts: &Facts, period: Period, count: usize) -> Value {
    let mut sums: BTreeMap<NaiveDate, (Grams, i64)> = BTreeMap::new();
    for (month, payment) in facts.payments() {
        // A reversal stands in its original's month, whatever its day.
        let day = if Month::of(payment.date) == month {
            payment.date
        } else {
            month.first_day().unwrap_or(payment.date)
        };
        let (sum, payments) = sums.entry(period.first_day(day)).or_default();
        let co2e = payment.grams().map(|(grams, _)| grams).unwrap_or_default();
        *sum = sum.checked_add(co2e).unwrap_or(*sum);
        *payments += 1;
    }
    let now = period.first_day(facts.today);
    let newest = sums.len().saturating_sub(count);
    let items = sums
        .into_iter()
        .skip(newest)
        .map(|(first, (co2e, payments))| {
            let (name, iso) = period.names(first);
            let mut value = object(&[("aggregateValue", json!(name)), ("period", json!(iso))]);
            weigh(&mut value, co2e);
            value.insert("complete".into(), json!(first < now));
            value.insert("payments".into(), json!(payments));
            Value::Object(value)
        });
    json!({"items": items.collect::<Vec<_>>()})
}

/// A month's categories, the largest first.
pub fn categories(facts: &Facts, query: &Query) -> Value {
    let shown = query.month.unwrap_or(facts.running());
    let empty = MonthFacts::default();
    let month = facts.month(shown).unwrap_or(&empty);
    let before = facts.month(shown.plus(-1));
    let mut areas: Vec<_> = month.areas.areas().collect();
    areas.sort_by_key(|(_, sums)| std::cmp::Reverse(sums.co2e));
    let items = areas.into_iter().map(|(code, sums)| {
        let area = facts.area(code);
        let mut value = object(&[
            ("category", category(area, None)),
            ("areaId", json!(area.map(|area| &area.id))),
        ]);
        weigh(&mut value, sums.co2e);
        value.insert(
            "share".into(),
            share(sums.co2e.decimal(), month.total.co2e.decimal()),
        );
        let payments = sums.scored.saturating_add(sums.not_scored);
        value.insert("payments".into(), json!(payments));
        let former = before.map(|month| grams(reckon::area_grams(month, code)));
        value.insert("previousGrams".into(), json!(former));
        Value::Object(value)
    });
    json!({"month": shown.to_string(), "items": items.collect::<Vec<_>>()})
}

/// The cardholder's own mean, the country's and the goal: CO2 alone, all of them.
pub fn benchmarks(facts: &Facts) -> Value {
    let full = reckon::full_months(facts);
    let own: Vec<Grams> = full.iter().map(|(_, month)| month.total.co2).collect();
    let month = |benchmark: &Benchmark| benchmark.grams_a_month().map(grams);
    json!({
        "ownMonthlyMean": reckon::mean(&own).map(|mean| json!({
            "grams": grams(mean), "months": own.len(),
        })),
        "country": facts.benchmark.as_ref().map(|benchmark| json!({
            "code": benchmark.place.code(),
            "gramsPerMonth": month(benchmark),
            "year": benchmark.year,
            "basis": "territorial CO2 per person",
            "source": "Our World in Data, Global Carbon Project",
            "licence": "CC BY 4.0",
        })),
        "unGoal": facts.goal.as_ref().map(|goal| json!({
            "gramsPerMonth": month(goal), "baseYear": goal.year, "share": 0.5,
        })),
    })
}

/// A page of payments, newest first.
pub fn transactions(facts: &Facts, query: &Query, limit: usize) -> Value {
    let found: Vec<&Payment> = pages::chosen(facts, query).collect();
    let items: Vec<Value> = found
        .iter()
        .skip(query.offset)
        .take(limit)
        .map(|payment| Value::Object(item(facts, payment)))
        .collect();
    json!({
        "count": items.len(),
        "offset": query.offset,
        "limit": limit,
        "total": found.len(),
        "items": items,
    })
}

/// One payment, with the steps of its estimate.
pub fn transaction(
    facts: &Facts,
    payment: &Payment,
    explanation: Option<&Explanation<'_>>,
) -> Value {
    let mut value = item(facts, payment);
    value.insert("estimate".into(), json!(explanation.map(estimate)));
    Value::Object(value)
}

/// What a cut of a category comes to; `None` where there is nothing to cut.
pub fn what_if(facts: &Facts, query: &Query) -> Option<Value> {
    let percent = query.cut.filter(|cut| (1..=100).contains(cut))?;
    let cut = pages::cut(facts, query.category?, percent)?;
    Some(json!({
        "monthlyGramsBefore": grams(cut.before),
        "monthlyGramsAfter": grams(cut.after),
        "basisMonths": cut.months,
        "assumption": "mean of the full months; spending and footprint shrink alike",
    }))
}

fn item(facts: &Facts, payment: &Payment) -> Map<String, Value> {
    let area = payment.area.and_then(|code| facts.area(code));
    let sector = facts.set.category(payment.mcc);
    let sector = sector.map(|category| category.description.as_str());
    let category = category(area, sector);
    let (confidence, reason) = match payment.counted {
        Counted::Grams { confidence, .. } => (Some(confidence.name()), None),
        Counted::Not(reason) => (None, Some(reason.name())),
    };
    let mut footprint = object(&[
        ("transactionId", json!(payment.id)),
        ("mcc", json!(payment.mcc.to_string())),
        ("category", category),
        ("confidence", json!(confidence)),
        ("scored", json!(confidence.is_some())),
        ("reason", json!(reason)),
    ]);
    if let Some((co2e, _)) = payment.grams() {
        weigh(&mut footprint, co2e);
    }
    let indicator = match payment.kind {
        PaymentKind::Purchase => "CL",
        PaymentKind::Reversal => "RT",
        PaymentKind::Refund => "RFT",
    };
    object(&[
        (
            "transactionMetadata",
            json!({
                "id": payment.id,
                "dateAndTime": day(payment.date),
                "merchantName": payment.merchant,
                "amount": payment.amount.value().to_string(),
                "currencyCode": payment.amount.currency().code(),
                "indicator": indicator,
            }),
        ),
        ("transactionFootprint", Value::Object(footprint)),
    ])
}

fn estimate(explanation: &Explanation<'_>) -> Value {
    let spend = explanation.spend.as_ref();
    let conversion = spend.and_then(|step| step.conversion);
    let text = |number: Decimal| number.normalize().to_string();
    json!({
        "method": explanation.category.map(|category| category.method.name()),
        "amountInFactorCurrency": spend.map(|step| text(step.converted)),
        "factorCurrency": spend.map(|step| step.currency.code()),
        "rate": conversion.map(|rates| text(rates.from_per_eur)),
        "rateDate": conversion.map(|rates| day(rates.date)),
        "priceYearCorrection": spend.map(|step| text(step.deflator.factor)),
        "factor": spend.map(|step| text(step.factor.co2e)),
        "factorUnit": spend.map(|step| {
            format!("kg CO2e per {} of {}", step.currency, step.basis.price_year())
        }),
        "factorSource": spend.map(|step| step.basis.code()),
        "factorVersion": explanation.set.as_str(),
        "categorySource": "mcc",
        "steps": explanation.line.iter().collect::<Vec<_>>(),
    })
}

fn category(area: Option<&Area>, sector: Option<&str>) -> Value {
    json!({
        "mainCategory": area.map(|area| &area.main_category),
        "subCategory": area.map(|area| &area.sub_category),
        "sector": sector,
        "sectorCode": area.map(|area| area.code.to_string()),
    })
}

fn object(members: &[(&str, Value)]) -> Map<String, Value> {
    let members = members.iter();
    members
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

fn weigh(value: &mut Map<String, Value>, co2e: Grams) {
    value.insert("carbonEmissionInGrams".into(), grams(co2e));
    value.insert("carbonEmissionInOunces".into(), number(co2e.ounces()));
}

fn day(date: NaiveDate) -> String {
    date.to_string()
}

fn grams(grams: Grams) -> Value {
    number(grams.decimal())
}

/// Two decimal places survive the way through a binary float far beyond any footprint.
fn number(number: Decimal) -> Value {
    json!(number.to_f64())
}

/// Between 0 and 1, four places; `null` of nothing.
fn share(part: Decimal, whole: Decimal) -> Value {
    let share = part.checked_div(whole).map(|share| share.round_dp(4));
    share.map_or(Value::Null, number)
}
