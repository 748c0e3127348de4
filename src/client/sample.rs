//! Made-up cardholders, for demonstrations and tests.

use serde_json::{Value, json};

/// A card number of 16 digits that starts with `prefix`, has random digits after it, and passes
/// Luhn.
///
/// `prefix` must be at most 15 digits.
pub fn card_number(prefix: &str) -> String {
    let random = uuid::Uuid::new_v4().as_u128().to_string();
    card_number_of(prefix, random.chars().rev())
}

/// The same with digits of the caller's after the prefix: as many as it takes.
pub fn card_number_of(prefix: &str, digits: impl Iterator<Item = char>) -> String {
    let mut digits: String = prefix.chars().chain(digits).take(15).collect();
    let check = luhn_check_digit(&digits);
    digits.push(check);
    digits
}

/// The digit that makes `digits` pass Luhn when it is put behind them (ISO/IEC 7812-1, annex B).
fn luhn_check_digit(digits: &str) -> char {
    let doubled = |digit: u32| if digit < 5 { digit * 2 } else { digit * 2 - 9 };
    let values = digits.chars().rev().filter_map(|c| c.to_digit(10));
    let sum: u32 = values
        .enumerate()
        .map(|(index, digit)| {
            if index % 2 == 0 {
                doubled(digit)
            } else {
                digit
            }
        })
        .sum();
    char::from_digit((10 - sum % 10) % 10, 10).unwrap_or('0')
}

/// A complete enrolment (cce-api.md 3.1) of a card in the account range `prefix`.
pub fn enrolment(prefix: &str) -> Value {
    json!({
        "email": {"type": "home", "value": "jane.sample@example.com"},
        "name": {"firstName": "Jane", "lastName": "Sample"},
        "cardholderName": "Jane Sample",
        "cardNumber": card_number(prefix),
        "cardBaseCurrency": "USD",
        "expiryInfo": {"month": "10", "year": "2039"},
        "billingAddress": {
            "countryCode": "USA", "type": "home", "locality": "Rly Station", "postalCode": "11746",
            "state": "New York", "city": "Brooklyn", "line1": "83 Mayfair Street", "line2": "Main Road"
        },
        "locale": "en-US"
    })
}

/// An update (cce-api.md 3.2) that changes the postal code.
pub fn update() -> Value {
    json!({
        "name": {"firstName": "Jane", "lastName": "Sample"},
        "billingAddress": {
            "countryCode": "USA", "type": "home", "locality": "Rly Station", "postalCode": "10001",
            "state": "New York", "city": "Brooklyn", "line1": "83 Mayfair Street", "line2": "Main Road"
        },
        "locale": "en-US"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_cards_have_the_official_check_digit() {
        // Official example numbers (cce-api.md, sections 3.1 and 9).
        assert_eq!(luhn_check_digit("534403517122436"), '3');
        assert_eq!(luhn_check_digit("222300644884252"), '0');
        assert_eq!(card_number("534403").len(), 16);
        assert!(card_number("534403").starts_with("534403"));
    }
}
