use super::*;
use serde_json::{Value, json};

fn parsed(json: &[u8]) -> Value {
    serde_json::from_slice(json).unwrap()
}

/// Reads a valid object through `read` without a violation.
fn read<T>(value: &Value, read: impl FnOnce(&mut Report, &Members) -> Option<T>) -> T {
    let mut report = Report::default();
    let result = read(&mut report, value.as_object().unwrap());
    assert_eq!(report.into_violations(), []);
    result.unwrap()
}

#[test]
fn emails_come_back_from_their_stored_form() {
    for value in [
        json!({"type": "home", "value": "John.Doe@mail.com"}),
        json!({"value": "a@b.cc"}),
    ] {
        let email = read(&value, Email::read);
        assert_eq!(parsed(&email.to_json()), value);
        let back = Email::from_json(&email.to_json()).unwrap();
        assert_eq!(back.value(), email.value());
        assert_eq!(back.kind(), email.kind());
    }
}

#[test]
fn names_come_back_from_their_stored_form() {
    let value = json!({"firstName": "Zoë \u{1F984}\"\\", "lastName": "O\u{2019}Neill"});
    let name = UserName::from_json(value.to_string().as_bytes()).unwrap();
    assert_eq!(parsed(&name.to_json()), value);
    assert_eq!(name.first(), "Zoë \u{1F984}\"\\");
    assert_eq!(name.last(), "O\u{2019}Neill");
}

#[test]
fn addresses_come_back_from_their_stored_form() {
    for value in [
        json!({"countryCode": "USA", "type": "work"}),
        json!({"countryCode": "USA", "type": "work", "locality": "Rly Station", "postalCode": "11746",
               "state": "Huntington", "city": "Brooklyn", "line1": "83 Mayfair Street",
               "line2": "Main Road", "line3": "Snake Hill Ave"}),
    ] {
        let address = read(&value, Address::read);
        assert_eq!(parsed(&address.to_json()), value);
        let back = Address::from_json(&address.to_json()).unwrap();
        assert_eq!(back.to_json(), address.to_json());
        assert_eq!(back.country_code(), "USA");
    }
}

#[test]
fn the_country_is_kept_in_upper_case() {
    let address = read(
        &json!({"countryCode": "pOl", "type": "home"}),
        Address::read,
    );
    assert_eq!(address.country_code(), "POL");
}

#[test]
fn locale_and_phone_come_back_from_their_stored_form() {
    let locale = Locale::parse("en-US").unwrap();
    assert_eq!(parsed(&locale.to_json()), json!({"locale": "en-US"}));
    assert_eq!(
        Locale::from_json(&locale.to_json()).unwrap().as_str(),
        "en-US"
    );
    let phone = PhoneNumber::parse("+12025550123").unwrap();
    assert_eq!(
        parsed(&phone.to_json()),
        json!({"phoneNumber": "+12025550123"})
    );
    assert_eq!(
        PhoneNumber::from_json(&phone.to_json()).unwrap().as_str(),
        "+12025550123"
    );
}

#[test]
fn damaged_stored_forms_are_refused() {
    for text in [
        "",
        "[]",
        "{}",
        r#"{"value":1,"type":"home"}"#,
        r#"{"value":"a","value":"b"}"#,
    ] {
        let text = text.as_bytes();
        assert!(Email::from_json(text).is_err());
        assert!(UserName::from_json(text).is_err());
        assert!(Address::from_json(text).is_err());
        assert!(Locale::from_json(text).is_err());
        assert!(PhoneNumber::from_json(text).is_err());
    }
    assert!(Email::from_json(br#"{"value":"a@b.cc","type":null}"#).is_err());
}

#[test]
fn the_longest_values_fit_the_set_aside_buffer() {
    let widest = |count| "\u{1F984}".repeat(count);
    let name = json!({"firstName": widest(100), "lastName": widest(100)}).to_string();
    let email = json!({"type": widest(10), "value": widest(100)}).to_string();
    let mut address =
        json!({"countryCode": "USA", "postalCode": "0".repeat(12), "locality": widest(30)});
    for member in ["type", "state", "city", "line1", "line2", "line3"] {
        address[member] = widest(20).into();
    }
    for (stored, sent) in [
        (
            UserName::from_json(name.as_bytes()).unwrap().to_json(),
            name,
        ),
        (Email::from_json(email.as_bytes()).unwrap().to_json(), email),
        (
            Address::from_json(address.to_string().as_bytes())
                .unwrap()
                .to_json(),
            address.to_string(),
        ),
    ] {
        assert_eq!(stored.capacity(), 2048);
        assert_eq!(stored.len(), sent.len());
    }
}

#[test]
fn debug_shows_nothing() {
    let email = read(
        &json!({"type": "home", "value": "canary@mail.com"}),
        Email::read,
    );
    let name = UserName::from_json(br#"{"firstName":"canary","lastName":"canary"}"#).unwrap();
    let address = read(
        &json!({"countryCode": "USA", "type": "canary"}),
        Address::read,
    );
    let locale = Locale::parse("canary").unwrap();
    let phone = PhoneNumber::parse("+12025550123").unwrap();
    assert_eq!(
        format!("{email:?} {name:?} {address:?} {locale:?} {phone:?}"),
        "Email(****) UserName(****) Address(****) Locale(****) PhoneNumber(****)"
    );
}
