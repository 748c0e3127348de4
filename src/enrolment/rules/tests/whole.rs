//! Whole requests: required fields, wrong JSON types, the official examples, everything at once.

use super::*;

const ENROLMENT_ALWAYS: [&str; 5] = [
    "email",
    "cardholderName",
    "cardNumber",
    "cardBaseCurrency",
    "expiryInfo",
];
const ENROLMENT_WITH_DONATION: [&str; 3] = ["name", "billingAddress", "locale"];
/// Required wherever the object that holds them is there.
const INNER: [&str; 7] = [
    "email.value",
    "name.firstName",
    "name.lastName",
    "expiryInfo.month",
    "expiryInfo.year",
    "billingAddress.countryCode",
    "billingAddress.type",
];
const NEVER: [&str; 8] = [
    "email.type",
    "billingAddress.locality",
    "billingAddress.postalCode",
    "billingAddress.state",
    "billingAddress.city",
    "billingAddress.line1",
    "billingAddress.line2",
    "billingAddress.line3",
];

/// Leaves `path` out and sends it as `null`: both must be missing, or both be accepted.
fn missing(path: &str, required: bool, outcome: impl Fn(&Value) -> Vec<String>) {
    let expected = if required {
        vec![format!("{path} is required")]
    } else {
        vec![]
    };
    assert_eq!(outcome(&without(path)), expected, "{path} left out");
    assert_eq!(outcome(&with(path, Value::Null)), expected, "{path} null");
}

#[test]
fn required_fields_of_an_enrolment() {
    for donation in [true, false] {
        let outcome = |payload: &Value| lines(enrol(payload, donation, false));
        ENROLMENT_ALWAYS
            .iter()
            .chain(&INNER)
            .for_each(|path| missing(path, true, outcome));
        ENROLMENT_WITH_DONATION
            .iter()
            .for_each(|path| missing(path, donation, outcome));
        NEVER.iter().for_each(|path| missing(path, false, outcome));
    }
}

#[test]
fn required_fields_of_an_update() {
    let outcome = |payload: &Value| lines(change(payload, false));
    for path in ["name", "locale"] {
        missing(path, true, outcome);
    }
    for path in [
        "billingAddress",
        "email",
        "cardNumber",
        "expiryInfo",
        "cardholderName",
        "cardBaseCurrency",
    ] {
        missing(path, false, outcome);
    }
    INNER
        .iter()
        .filter(|path| !path.starts_with("expiryInfo"))
        .for_each(|path| missing(path, true, outcome));
    NEVER.iter().for_each(|path| missing(path, false, outcome));
}

#[test]
fn fields_have_their_json_type() {
    let objects = ["email", "name", "expiryInfo", "billingAddress"];
    let strings = ["cardholderName", "cardNumber", "cardBaseCurrency", "locale"];
    let wrong = |path: &str, value: Value, rule: &str| {
        for donation in [true, false] {
            assert_eq!(
                lines(enrol(&with(path, value.clone()), donation, false)),
                [format!("{path} {rule}")],
                "{path}"
            );
        }
    };
    for path in objects {
        for value in [json!("x"), json!(1), json!([]), json!([{}]), json!(true)] {
            wrong(path, value, "must be an object");
        }
    }
    for path in strings.iter().chain(&INNER).chain(&NEVER) {
        for value in [
            json!(1),
            json!(2223006448842520u64),
            json!(["x"]),
            json!({}),
            json!(false),
        ] {
            wrong(path, value, "must be a string");
        }
    }
    let phone = with("phoneNumber", json!(12025550123u64));
    assert_eq!(
        lines(change(&phone, false)),
        ["phoneNumber must be a string"]
    );
}

#[test]
fn the_official_example_is_accepted() {
    for donation in [true, false] {
        let enrolled = enrol(&official(), donation, false).unwrap();
        assert_eq!(enrolled.card.pan.digits(), "2223006448842520");
        assert_eq!(enrolled.card.pan.last_four(), "2520");
        assert_eq!(
            (enrolled.card.expiry.month(), enrolled.card.expiry.year()),
            (1, 2039)
        );
        assert_eq!(enrolled.card.cardholder_name.as_str(), "Johnn Dooe");
        assert_eq!(enrolled.card.currency.code(), "USD");
        assert_eq!(enrolled.email.kind(), Some("home"));
        assert_eq!(enrolled.email.value(), "johnn.dooe@gmail.com");
        let name = enrolled.name.unwrap();
        assert_eq!((name.first(), name.last()), ("Johnn", "Dooe"));
        assert_eq!(enrolled.locale.unwrap().as_str(), "en-US");
        let address = enrolled.billing_address.unwrap().to_json();
        assert_eq!(
            serde_json::from_slice::<Value>(&address).unwrap(),
            official()["billingAddress"]
        );
    }
}

#[test]
fn the_official_refusals() {
    assert_eq!(
        lines(enrol(
            &with("cardNumber", json!("22230064488425200")),
            true,
            false
        )),
        ["cardNumber must be exactly 16 digits"]
    );
    assert_eq!(
        lines(change(&with("name.lastName", json!("444555454")), false)),
        ["name.lastName must contain at least one letter"]
    );
}

#[test]
fn an_enrolment_with_donation_off_needs_five_fields() {
    let mut payload = official();
    ENROLMENT_WITH_DONATION.iter().for_each(|path| {
        payload.as_object_mut().unwrap().remove(*path);
    });
    let enrolled = enrol(&payload, false, false).unwrap();
    assert!(
        enrolled.name.is_none() && enrolled.billing_address.is_none() && enrolled.locale.is_none()
    );
    assert_eq!(
        lines(enrol(&payload, true, false)),
        [
            "name is required",
            "billingAddress is required",
            "locale is required"
        ]
    );
}

#[test]
fn an_update_takes_email_and_phone_number() {
    let small = json!({"name": {"firstName": "Johnn", "lastName": "Dooe"}, "locale": "en-US"});
    let changed = change(&small, false).unwrap();
    assert!(
        changed.billing_address.is_none()
            && changed.email.is_none()
            && changed.phone_number.is_none()
    );

    let changed = change(&with("phoneNumber", json!("+12025550123")), false).unwrap();
    assert_eq!(changed.phone_number.unwrap().as_str(), "+12025550123");
    assert_eq!(changed.email.unwrap().value(), "johnn.dooe@gmail.com");
    assert_eq!(changed.billing_address.unwrap().country_code(), "USA");
    assert_eq!(
        (changed.name.last(), changed.locale.as_str()),
        ("Dooe", "en-US")
    );
}

#[test]
fn what_is_unknown_or_of_old_contracts_is_ignored() {
    let mut payload = official();
    payload["cvc"] = json!("123");
    payload["phoneNumber"] = json!(1);
    payload["billingAddress"]["streetAddress"] = json!("x");
    payload["email"]["Value"] = json!(null);
    assert!(enrol(&payload, true, false).is_ok());

    let old = json!({"country": "USA", "region": "NY", "streetAddress": "x", "type": "home"});
    assert_eq!(
        lines(enrol(&with("billingAddress", old), true, false)),
        ["billingAddress.countryCode is required"]
    );
}

#[test]
fn an_empty_request_misses_every_required_field() {
    let required = |paths: &[&str]| {
        paths
            .iter()
            .map(|p| format!("{p} is required"))
            .collect::<Vec<_>>()
    };
    let all = [
        "email",
        "name",
        "cardholderName",
        "cardNumber",
        "cardBaseCurrency",
        "expiryInfo",
        "billingAddress",
        "locale",
    ];
    assert_eq!(lines(enrol(&json!({}), true, false)), required(&all));
    assert_eq!(
        lines(enrol(&json!({}), false, false)),
        required(&ENROLMENT_ALWAYS)
    );
    assert_eq!(
        lines(change(&json!({}), false)),
        required(&["name", "locale"])
    );
}

#[test]
fn all_problems_come_at_once_and_in_order() {
    let payload = json!({"phoneNumber": "0",
        "email": {"type": "", "value": "nobody"}, "name": {"firstName": "", "lastName": 4},
        "cardholderName": "John", "cardNumber": "2223006448842521", "cardBaseCurrency": "XXX",
        "expiryInfo": {"month": "13", "year": "26"},
        "billingAddress": {"countryCode": "ZZZ", "type": "x", "locality": "x", "postalCode": "-", "state": "x",
            "city": "x", "line1": "x", "line2": "x", "line3": "x"},
        "locale": ""});
    let email = [
        "email.type must be 1 to 10 characters long",
        "email.value must be an e-mail address of the form local@domain.tld",
    ];
    let name = [
        "name.firstName must be 1 to 100 characters long",
        "name.lastName must be a string",
    ];
    let card = [
        "cardholderName must be a first name, a blank and a last name",
        "expiryInfo.month must be two digits, 01 to 12",
        "expiryInfo.year must be four digits",
    ];
    let address = [
        "billingAddress.countryCode must be an ISO 3166-1 alpha-3 country code",
        "billingAddress.type must be 3 to 20 characters long",
        "billingAddress.locality must be 3 to 30 characters long",
        "billingAddress.postalCode must contain only letters A to Z, digits and blanks",
        "billingAddress.state must be 3 to 20 characters long",
        "billingAddress.city must be 3 to 20 characters long",
        "billingAddress.line1 must be 3 to 20 characters long",
        "billingAddress.line2 must be 3 to 20 characters long",
        "billingAddress.line3 must be 3 to 20 characters long",
    ];
    let locale = ["locale must be 1 to 100 characters long"];
    let business = [
        "InvalidFpan cardNumber must have a correct check digit",
        "UnsupportedCurrency cardBaseCurrency must be an ISO 4217 currency in use",
    ];
    let phone =
        ["phoneNumber must be an E.164 number: a plus sign and 7 to 15 digits, the first not 0"];
    for donation in [true, false] {
        assert_eq!(
            lines(enrol(&payload, donation, false)),
            [&email[..], &name, &card, &address, &locale, &business].concat()
        );
    }
    assert_eq!(
        lines(change(&payload, false)),
        [&name[..], &locale, &address, &email, &phone].concat()
    );
}

#[test]
fn an_unsupported_currency_is_found_beside_a_malformed_card_number() {
    let mut payload = with("cardNumber", json!("1"));
    payload["cardBaseCurrency"] = json!("XXX");
    assert_eq!(
        lines(enrol(&payload, true, false)),
        [
            "cardNumber must be exactly 16 digits",
            "UnsupportedCurrency cardBaseCurrency must be an ISO 4217 currency in use",
        ]
    );
}

#[test]
fn debug_of_what_was_accepted_shows_nothing() {
    let payload = with("phoneNumber", json!("+12025550123"));
    let shown = format!(
        "{:?} {:?}",
        enrol(&payload, true, false).unwrap(),
        change(&payload, false).unwrap()
    );
    let sent = [
        "ohnn", "ooe", "2520", "gmail", "2039", "USA", "USD", "11746", "Brooklyn", "en-US", "2025",
        "work",
    ];
    for part in sent {
        assert!(!shown.contains(part), "{part}");
    }
    assert!(shown.starts_with(
        "Enrolment { card: Card(****), email: Email(****), name: Some(UserName(****))"
    ));
}
