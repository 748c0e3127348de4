//! A made-up year of card transactions: an ordinary household, the same for the same days.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde_json::{Value, json};

/// What a household buys again and again.
struct Habit {
    /// For the transaction's id.
    name: &'static str,
    mcc: &'static str,
    merchant: &'static str,
    /// Cents at least, and how many more at most.
    cents: (u64, u64),
    falls_on: fn(NaiveDate) -> bool,
}

const HABITS: [Habit; 8] = [
    Habit {
        name: "groceries",
        mcc: "5411",
        merchant: "Corner Market",
        cents: (3_200, 6_800),
        falls_on: |day| matches!(day.weekday(), Weekday::Tue | Weekday::Sat),
    },
    Habit {
        name: "bakery",
        mcc: "5462",
        merchant: "Daily Bread",
        cents: (420, 900),
        falls_on: |day| day.weekday() == Weekday::Sun,
    },
    Habit {
        name: "fuel",
        mcc: "5541",
        merchant: "Hilltop Fuel",
        cents: (3_800, 2_900),
        falls_on: |day| day.num_days_from_ce() % 11 == 0,
    },
    Habit {
        name: "restaurant",
        mcc: "5812",
        merchant: "Trattoria Due",
        cents: (2_600, 5_200),
        falls_on: |day| day.weekday() == Weekday::Fri,
    },
    Habit {
        name: "transit",
        mcc: "4111",
        merchant: "City Transit",
        cents: (2_200, 0),
        falls_on: |day| day.weekday() == Weekday::Mon,
    },
    Habit {
        name: "energy",
        mcc: "4900",
        merchant: "Valley Power and Gas",
        cents: (9_500, 8_000),
        falls_on: |day| day.day() == 3,
    },
    Habit {
        name: "phone",
        mcc: "4814",
        merchant: "Wide Mobile",
        cents: (3_900, 0),
        falls_on: |day| day.day() == 9,
    },
    Habit {
        name: "pharmacy",
        mcc: "5912",
        merchant: "Green Cross",
        cents: (900, 3_000),
        falls_on: |day| day.num_days_from_ce() % 17 == 5,
    },
];

/// What happens once: days before the last day, id, MCC, merchant, amount in cents, currency,
/// country, `indicator`.
type Event = (
    u64,
    &'static str,
    &'static str,
    &'static str,
    i64,
    &'static str,
    &'static str,
    &'static str,
);

const EVENTS: [Event; 12] = [
    (
        331,
        "coat",
        "5651",
        "North Clothing",
        18_900,
        "USD",
        "USA",
        "CL",
    ),
    (
        318,
        "coat-back",
        "5651",
        "North Clothing",
        18_900,
        "USD",
        "USA",
        "RFT",
    ),
    (
        283,
        "laptop",
        "5732",
        "Circuit House",
        129_900,
        "USD",
        "USA",
        "CL",
    ),
    (
        227,
        "flight-out",
        "3000",
        "United Airlines",
        64_200,
        "USD",
        "USA",
        "CL",
    ),
    (
        214,
        "hotel",
        "7011",
        "Hotel Miramar",
        46_800,
        "EUR",
        "ESP",
        "CL",
    ),
    (
        213,
        "tapas",
        "5812",
        "Bar El Puerto",
        7_350,
        "EUR",
        "ESP",
        "CL",
    ),
    (
        212,
        "market",
        "5411",
        "Mercado Central",
        4_120,
        "EUR",
        "ESP",
        "CL",
    ),
    (
        211,
        "cash",
        "6011",
        "Banco Costa",
        10_000,
        "EUR",
        "ESP",
        "CL",
    ),
    (
        206,
        "flight-back",
        "3000",
        "United Airlines",
        64_200,
        "USD",
        "USA",
        "CL",
    ),
    (
        121,
        "sofa",
        "5712",
        "Home and Hearth",
        89_900,
        "USD",
        "USA",
        "CL",
    ),
    (62, "gift", "5945", "Toy Corner", 5_490, "USD", "USA", "CL"),
    (
        11,
        "shoes",
        "5661",
        "Step by Step",
        11_900,
        "USD",
        "USA",
        "CL",
    ),
];

/// The transactions of the cardholder `user_id` in the year up to `last`, in order of time: items
/// of `POST /issuers/transactions`.
pub fn transactions(user_id: &str, last: NaiveDate) -> Vec<Value> {
    let item = |day: NaiveDate, name: &str, mcc: &str, merchant: &str| {
        json!({
            "transactionId": format!("{}-{name}", day.format("%Y%m%d")),
            "userid": user_id, "mcc": mcc, "date": day.to_string(), "merchantName": merchant,
            "cardBrand": "MA"
        })
    };
    let mut all = Vec::new();
    for before in (0..365).rev() {
        let Some(day) = last.checked_sub_days(Days::new(before)) else {
            continue;
        };
        for habit in HABITS.iter().filter(|habit| (habit.falls_on)(day)) {
            let (least, more) = habit.cents;
            let cents = least + spread(day, habit.mcc) % (more + 1);
            let mut item = item(day, habit.name, habit.mcc, habit.merchant);
            pay(
                &mut item,
                "CL",
                i64::try_from(cents).unwrap_or(0),
                "USD",
                "USA",
            );
            all.push(item);
        }
        for (days, name, mcc, merchant, cents, currency, country, indicator) in EVENTS {
            if days == before {
                let mut item = item(day, name, mcc, merchant);
                pay(&mut item, indicator, cents, currency, country);
                all.push(item);
            }
        }
    }
    all
}

fn pay(item: &mut Value, indicator: &str, cents: i64, currency: &str, country: &str) {
    let whole = format!("{}.{:02}", cents / 100, cents % 100);
    if let Some(members) = item.as_object_mut() {
        let value = whole.parse::<serde_json::Number>();
        let amount = json!({"value": value.ok(), "currencyCode": currency});
        members.insert("indicator".to_owned(), indicator.into());
        members.insert("amount".to_owned(), amount);
        members.insert("countryISOCode".to_owned(), country.into());
    }
}

/// A number that looks like chance, and is the same for the same day and code.
fn spread(day: NaiveDate, code: &str) -> u64 {
    let seed = u64::try_from(day.num_days_from_ce()).unwrap_or_default();
    let mixed = code.bytes().fold(seed, |mixed, byte| {
        (mixed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_year_has_all_kinds_and_each_id_once() {
        let last = NaiveDate::from_ymd_opt(2026, 11, 27).unwrap();
        let all = transactions("u", last);
        assert_eq!(all, transactions("u", last));
        let texts = |name: &str| -> BTreeSet<String> {
            all.iter().map(|item| item[name].to_string()).collect()
        };
        assert_eq!(texts("transactionId").len(), all.len());
        assert!((250..400).contains(&all.len()), "{}", all.len());
        assert_eq!(texts("indicator").len(), 2);
        assert!(texts("mcc").contains("\"6011\"") && texts("mcc").contains("\"3000\""));
        assert!(all.iter().all(|item| item["amount"]["value"].is_f64()));
        assert!(texts("date").len() > 200);
    }
}
