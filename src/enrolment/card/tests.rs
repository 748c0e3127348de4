use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn card() -> Card {
    Card {
        pan: Pan::parse("2223006448842520").unwrap(),
        expiry: Expiry {
            month: 1,
            year: 2039,
        },
        cardholder_name: CardholderName::parse("Johnn Dooe", NameCharacters { unicode: false })
            .unwrap(),
        currency: Currency::parse("usd").unwrap(),
    }
}

/// Another formulation of the same check: from the left, by the sum of the doubled digits' digits.
fn luhn_from_the_left(digits: &str) -> bool {
    let mut sum = 0;
    for (place, c) in digits.chars().enumerate() {
        let weight = if place % 2 == 0 { 2 } else { 1 };
        let product = c.to_digit(10).unwrap() * weight;
        sum += product / 10 + product % 10;
    }
    sum % 10 == 0
}

proptest! {
    #[test]
    fn luhn_agrees_with_another_formulation(digits in "[0-9]{16}") {
        prop_assert_eq!(Pan::parse(&digits).unwrap().passes_luhn(), luhn_from_the_left(&digits));
    }

    #[test]
    fn exactly_one_check_digit_is_right(head in "[0-9]{15}") {
        let right = (0..10).filter(|d| Pan::parse(&format!("{head}{d}")).unwrap().passes_luhn());
        prop_assert_eq!(right.count(), 1);
    }

    #[test]
    fn one_wrong_digit_is_always_found(head in "[0-9]{15}", place in 0usize..16, add in 1u8..10) {
        let good = (0..10).map(|d| format!("{head}{d}")).find(|d| luhn_from_the_left(d)).unwrap();
        let mut bytes = good.into_bytes();
        bytes[place] = b'0' + (bytes[place] - b'0' + add) % 10;
        prop_assert!(!Pan::parse(&String::from_utf8(bytes).unwrap()).unwrap().passes_luhn());
    }
}

#[test]
fn official_example_numbers_pass_luhn() {
    for digits in ["5344035171224363", "2223006448842520", "5555555555554444"] {
        assert!(Pan::parse(digits).unwrap().passes_luhn(), "{digits}");
    }
}

#[test]
fn a_pan_shows_its_last_four_digits_only_when_asked() {
    let pan = Pan::parse("2223006448842520").unwrap();
    assert_eq!(pan.digits(), "2223006448842520");
    assert_eq!(pan.last_four(), "2520");
    assert_eq!(format!("{pan:?}"), "Pan(****)");
}

#[test]
fn a_card_is_valid_through_the_last_day_of_its_month() {
    for (month, year, today, over) in [
        (2, 2028, "2028-02-29", false),
        (2, 2028, "2028-03-01", true),
        (12, 2026, "2026-12-31", false),
        (12, 2026, "2027-01-01", true),
        (1, 2027, "2026-12-31", false),
        (1, 9999, "2026-11-21", false),
        (12, 0, "2026-11-21", true),
    ] {
        let expiry = Expiry { month, year };
        assert_eq!(expiry.is_over(day(today)), over, "{month}/{year} {today}");
    }
}

#[test]
fn only_currencies_in_use_are_money() {
    for code in [
        "USD", "eur", "Jpy", "XAF", "XOF", "XPF", "XCD", "VES", "ZWG", "SEK", "MYR",
    ] {
        assert!(Currency::parse(code).unwrap().is_money(), "{code}");
    }
    for code in [
        "XXX", "XTS", "XAU", "XAG", "XPT", "XPD", "XDR", "XBA", "XSU", "XUA", "CHE", "CHW", "CLF",
        "USN", "UYI", "BOV", "HRK", "AAA", "ZZZ", "QQQ",
    ] {
        assert!(!Currency::parse(code).unwrap().is_money(), "{code}");
    }
}

#[test]
fn a_card_comes_back_from_its_stored_form() {
    let stored = card().to_json(true);
    assert_eq!(
        serde_json::from_slice::<Value>(&stored).unwrap(),
        json!({"cardNumber": "2223006448842520", "expiryMonth": "01", "expiryYear": "2039",
               "cardholderName": "Johnn Dooe", "cardBaseCurrency": "USD"})
    );
    let back = StoredCard::from_json(&stored).unwrap();
    assert_eq!(back.pan.unwrap().digits(), "2223006448842520");
    assert_eq!(back.cardholder_name.as_str(), "Johnn Dooe");
    assert_eq!(back.currency.code(), "USD");
    assert_eq!((back.expiry.month(), back.expiry.year()), (1, 2039));
    let mut other: Value = serde_json::from_slice(&stored).unwrap();
    other["expiryMonth"] = "12".into();
    let other = StoredCard::from_json(other.to_string().as_bytes()).unwrap();
    assert_eq!(other.expiry.month(), 12);
}

#[test]
fn a_number_that_is_not_to_be_stored_is_left_out() {
    let stored = card().to_json(false);
    assert_eq!(
        serde_json::from_slice::<Value>(&stored).unwrap(),
        json!({"expiryMonth": "01", "expiryYear": "2039",
               "cardholderName": "Johnn Dooe", "cardBaseCurrency": "USD"})
    );
    let back = StoredCard::from_json(&stored).unwrap();
    assert!(back.pan.is_none());
    assert_eq!(format!("{back:?}"), "StoredCard(****)");
}

#[test]
fn a_damaged_stored_card_is_refused() {
    let good: Value = serde_json::from_slice(&card().to_json(true)).unwrap();
    for (member, value) in [
        ("cardNumber", json!("222300644884252")),
        ("cardNumber", json!(2223006448842520u64)),
        ("expiryMonth", json!("13")),
        ("expiryYear", json!("39")),
        ("cardholderName", Value::Null),
        ("cardBaseCurrency", json!("US")),
    ] {
        let mut bad = good.clone();
        bad[member] = value;
        let error = StoredCard::from_json(bad.to_string().as_bytes()).unwrap_err();
        assert_eq!(error, StoredError::Malformed, "{member}");
    }
    assert!(StoredCard::from_json(b"").is_err());
    assert_eq!(StoredError::Malformed.reason(), "stored-value-malformed");
}

#[test]
fn debug_shows_nothing() {
    let card = card();
    let shown = format!(
        "{card:?} {:?} {:?} {:?}",
        card.pan, card.expiry, card.cardholder_name
    );
    assert_eq!(
        shown,
        "Card(****) Pan(****) Expiry(****) CardholderName(****)"
    );
}
