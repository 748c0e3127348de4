//! Made-up purchases: for the API, for a file, and for the method alone.

use anyhow::{Context, bail, ensure};
use chrono::{Days, NaiveDate, Utc};
use issuer_gateway::client::Prepared;
use issuer_gateway::footprint::set::Mcc;
use issuer_gateway::footprint::{Country, Currency, Money, Purchase};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Merchant categories with how many of a hundred purchases are of them.
const MIX: [(&str, u64); 8] = [
    ("5411", 40),
    ("5812", 20),
    ("5541", 8),
    ("5651", 10),
    ("4111", 10),
    ("5912", 6),
    ("3000", 3),
    ("6011", 3),
];
/// Amounts with country and currency.
const PLACES: [(&str, &str); 4] = [
    ("USA", "USD"),
    ("DEU", "EUR"),
    ("SWE", "SEK"),
    ("USA", "USD"),
];

/// Purchases one after the other, each with an id of its own.
pub(super) struct Purchases<'a> {
    users: &'a [String],
    made: usize,
    today: NaiveDate,
}

struct One<'a> {
    id: String,
    user: &'a str,
    mcc: &'static str,
    cents: u64,
    place: (&'static str, &'static str),
    date: NaiveDate,
}

fn scattered(number: u64) -> u64 {
    let mixed = (number ^ 0x5bd1_e995).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 17
}

fn mcc(number: u64) -> &'static str {
    let mut left = scattered(number) % 100;
    for (mcc, share) in MIX {
        if left < share {
            return mcc;
        }
        left -= share;
    }
    "5411"
}

impl<'a> Purchases<'a> {
    pub(super) fn new(users: &'a [String]) -> Self {
        Self {
            users,
            made: 0,
            today: Utc::now().date_naive(),
        }
    }

    /// How many so far.
    pub(super) fn made(&self) -> usize {
        self.made
    }

    /// The next purchase: the cardholders take turns, the days go back over thirty.
    fn next(&mut self) -> anyhow::Result<One<'a>> {
        let number = u64::try_from(self.made)?;
        let user = self.users.get(self.made % self.users.len().max(1));
        self.made += 1;
        let place = PLACES.get(usize::try_from(number % 4)?).copied();
        let days = scattered(number + 7) % 30;
        Ok(One {
            id: uuid::Uuid::new_v4().to_string(),
            user: user.context("nobody to buy")?,
            mcc: mcc(number),
            cents: 300 + scattered(number + 3) % 12_000,
            place: place.context("no place")?,
            date: self
                .today
                .checked_sub_days(Days::new(days))
                .context("no day")?,
        })
    }

    /// The clear body of a call.
    pub(super) fn batch(&mut self, count: usize) -> Value {
        let items = (0..count).filter_map(|_| self.next().ok()).map(|one| {
            json!({
                "transactionId": one.id, "userid": one.user, "mcc": one.mcc,
                "amount": {"value": one.cents as f64 / 100.0, "currencyCode": one.place.1},
                "date": one.date.to_string(), "indicator": "CL", "countryISOCode": one.place.0,
                "merchantName": "Corner Market"
            })
        });
        json!({ "transactions": items.collect::<Vec<_>>() })
    }

    /// A file of so many lines, in the order of days, as a feed of days has them.
    pub(super) fn write_csv(&mut self, file: &Path, lines: usize) -> anyhow::Result<()> {
        let mut all = (0..lines)
            .map(|_| self.next())
            .collect::<anyhow::Result<Vec<_>>>()?;
        all.sort_by_key(|one| one.date);
        let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
        writeln!(
            out,
            "transactionId,userid,mcc,amountValue,amountCurrencyCode,date,indicator,countryISOCode,merchantName"
        )?;
        for one in all {
            let (country, currency) = one.place;
            let (whole, cents) = (one.cents / 100, one.cents % 100);
            writeln!(
                out,
                "{},{},{},{whole}.{cents:02},{currency},{},CL,{country},Corner Market",
                one.id, one.user, one.mcc, one.date
            )?;
        }
        Ok(out.flush()?)
    }
}

/// Purchases for the method alone.
pub(super) fn mix(count: u64) -> Vec<Purchase> {
    let today = Utc::now().date_naive();
    let purchase = |number: u64| {
        let (country, currency) = *PLACES.get(usize::try_from(number % 4).ok()?)?;
        let currency = Currency::from_alpha(currency)?;
        let cents = i64::try_from(300 + scattered(number + 3) % 12_000).ok()?;
        Some(Purchase {
            mcc: Mcc::parse(mcc(number))?,
            amount: Money::from_minor_units(cents, currency).ok()?,
            date: today.checked_sub_days(Days::new(scattered(number + 7) % 365))?,
            country: Country::from_alpha3(country)?,
        })
    };
    (0..count).filter_map(purchase).collect()
}

/// Sends the requests, so many at once; returns the bodies of the answers, all of them 200.
pub(super) fn call(
    url: &str,
    requests: &[Prepared],
    at_once: usize,
) -> anyhow::Result<Vec<Vec<u8>>> {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..at_once)
            .map(|_| {
                scope.spawn(|| {
                    let agent = ureq::Agent::new_with_defaults();
                    let mut bodies = Vec::new();
                    while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let mut answer = agent
                            .post(url)
                            .header("Authorization", &request.authorization)
                            .header("Content-Type", "application/json; charset=utf-8")
                            .send(request.body.as_slice())?;
                        ensure!(answer.status() == 200, "answered {}", answer.status());
                        bodies.push(answer.body_mut().read_to_vec()?);
                    }
                    Ok(bodies)
                })
            })
            .collect();
        let mut all = Vec::with_capacity(requests.len());
        for caller in callers {
            match caller.join() {
                Ok(bodies) => all.append(&mut bodies?),
                Err(_) => bail!("a caller panicked"),
            }
        }
        Ok(all)
    })
}

/// How many items of an answer were stored.
pub(super) fn successes(answer: &Value) -> anyhow::Result<usize> {
    let items = answer.get("transactions").and_then(Value::as_array);
    let items = items.context("an answer without outcomes")?;
    let good = |item: &&Value| item.get("scoreStatus").and_then(Value::as_str) == Some("SUCCESS");
    Ok(items.iter().filter(good).count())
}
