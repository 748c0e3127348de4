//! One table per kind of field: every rule, at its boundaries, with donation ON and OFF.

use super::*;

/// Sends each value in `path` and expects `rule`, or acceptance where it is empty.
fn table(path: &str, unicode_names: bool, rows: &[(&str, &str)]) {
    for (value, rule) in rows {
        let payload = with(path, json!(value));
        let expected = match *rule {
            "" => vec![],
            rule => vec![format!("{path} {rule}")],
        };
        for donation in [true, false] {
            assert_eq!(
                lines(enrol(&payload, donation, unicode_names)),
                expected,
                "{path} {value:?} {donation}"
            );
        }
        if ["email", "name", "billingAddress", "locale"].contains(&path.split('.').next().unwrap())
        {
            assert_eq!(
                lines(change(&payload, unicode_names)),
                expected,
                "update {path} {value:?}"
            );
        }
    }
}

/// A free text of `min` to `max` characters.
fn free(path: &str, min: usize, max: usize) {
    let length = &format!("must be {min} to {max} characters long");
    let control = "must not contain control characters";
    let plain = |count| "x".repeat(count);
    let wide = |count| "\u{1F984}".repeat(count);
    table(
        path,
        false,
        &[
            ("", length),
            (&plain(min - 1), length),
            (&plain(min), ""),
            (&plain(max), ""),
            (&plain(max + 1), length),
            (&wide(max), ""),
            (&wide(max + 1), length),
            (
                "żółć <\"&",
                if path == "email.type" || max > 7 {
                    ""
                } else {
                    length
                },
            ),
            ("abc\n", control),
            ("\u{0}abc", control),
            ("ab\u{7f}c", control),
            ("ab\u{85}c", control),
        ],
    );
}

#[test]
fn free_texts() {
    free("email.type", 1, 10);
    free("billingAddress.type", 3, 20);
    free("billingAddress.locality", 3, 30);
    free("locale", 1, 100);
    for part in ["state", "city", "line1", "line2", "line3"] {
        free(&format!("billingAddress.{part}"), 3, 20);
    }
}

#[test]
fn email_value() {
    let length = "must be 5 to 100 characters long";
    let form = "must be an e-mail address of the form local@domain.tld";
    let hundred = format!("{}@mail.com", "a".repeat(91));
    table(
        "email.value",
        false,
        &[
            ("", length),
            ("a@b.", length),
            ("@b.cc", form),
            ("a@b.cc", ""),
            ("a@b.c", form),
            (&hundred, ""),
            (&format!("a{hundred}"), length),
            ("John.Doe+tag@mail.example.com", ""),
            ("o'neill_x@sub-domain.mail.com", ""),
            ("zoë@bücher.example", ""),
            ("john.doe", form),
            ("john@mail", form),
            ("john@@mail.com", form),
            ("john@doe@mail.com", form),
            ("john@.com", form),
            ("john@mail..com", form),
            ("john@mail.com.", form),
            ("john@-mail.com", form),
            ("john@mail-.com", form),
            ("john@ma_il.com", form),
            ("john@[127.0.0.1]", form),
            ("john doe@mail.com", form),
            (" john@mail.com", form),
            ("john@mail.com\n", form),
            ("john\t@mail.com", form),
            ("john@mail\u{a0}x.com", form),
            ("john\u{0}@mail.com", form),
            ("John <john@mail.com>", form),
        ],
    );
}

const LENGTH: &str = "must be 1 to 100 characters long";
const LETTER: &str = "must contain at least one letter";
const UNICODE_SET: &str =
    "must contain only letters, digits, apostrophes, commas, blanks, hyphens and periods";

#[test]
fn user_names() {
    let set = "must contain only letters A to Z, digits, apostrophes and commas";
    let long = "x".repeat(100);
    for path in ["name.firstName", "name.lastName"] {
        table(
            path,
            false,
            &[
                ("", LENGTH),
                ("J", ""),
                (&long, ""),
                (&format!("{long}x"), LENGTH),
                ("O'Neill", ""),
                ("O\u{2018}Neill", ""),
                ("O\u{2019}Neill", ""),
                ("Doe,3", ""),
                ("444555454", LETTER),
                ("',\u{2019}", LETTER),
                ("John Paul", set),
                ("Zoë", set),
                ("Anne-Marie", set),
                ("J.", set),
                ("Doe\n", set),
                ("Doe\u{660}", set),
                ("Doe`", set),
                ("<b>", set),
            ],
        );
        table(
            path,
            true,
            &[
                ("", LENGTH),
                (&"Ł".repeat(100), ""),
                (&"Ł".repeat(101), LENGTH),
                ("Zoë", ""),
                ("Zoe\u{308}", ""),
                ("Żółć-Gęś", ""),
                ("José Ma. d'Ávila", ""),
                ("李", ""),
                ("नीति", ""),
                ("444555454", LETTER),
                ("\u{308}", LETTER),
                (" - .", LETTER),
                ("Zoë\t", UNICODE_SET),
                ("Zoë\u{a0}", UNICODE_SET),
                ("Zoë\u{660}", UNICODE_SET),
                ("Zoë\u{1F984}", UNICODE_SET),
                ("Zoë_", UNICODE_SET),
                ("Zoë\u{202e}", UNICODE_SET),
            ],
        );
    }
}

#[test]
fn cardholder_name() {
    let set = "must contain only letters A to Z, digits, apostrophes, commas and blanks";
    let form = "must be a first name, a blank and a last name";
    let long = format!("J {}", "x".repeat(98));
    table(
        "cardholderName",
        false,
        &[
            ("", LENGTH),
            ("J", form),
            ("J D", ""),
            (&long, ""),
            (&format!("{long}x"), LENGTH),
            ("John", form),
            (" John", form),
            ("John ", form),
            ("John  Doe", ""),
            ("John Paul Doe", ""),
            ("O\u{2018}Neill D\u{2019}Arcy, 3 'x'", ""),
            ("   ", LETTER),
            ("44 55", LETTER),
            ("John\tDoe", set),
            ("John\nDoe", set),
            ("John\u{a0}Doe", set),
            ("John Doe\r", set),
            ("Zoë Doe", set),
            ("Anne-Marie Doe", set),
            ("J. Doe", set),
        ],
    );
    table(
        "cardholderName",
        true,
        &[
            ("Zoë Żółć", ""),
            ("J. Anne-Marie", ""),
            ("Zoë", form),
            ("Anne-Marie", form),
            ("Zoë\tŻółć", UNICODE_SET),
            ("Zoë Żółć\u{1F984}", UNICODE_SET),
        ],
    );
}

#[test]
fn card_number_format() {
    let rule = "must be exactly 16 digits";
    table(
        "cardNumber",
        false,
        &[
            ("", rule),
            ("222300644884252", rule),
            ("2223006448842520", ""),
            ("22230064488425200", rule),
            ("2223 0064 4884 2520", rule),
            ("222300644884252x", rule),
            ("2223006448842520\n", rule),
            ("+223006448842520", rule),
            ("٢٢٢٣٠٠٦٤٤٨٨٤٢٥٢٠", rule),
            ("٢٢٢٣٠٠٦٤", rule),
        ],
    );
}

#[test]
fn card_number_business_rules() {
    let luhn = "InvalidFpan cardNumber must have a correct check digit";
    let range = "InvalidFpan cardNumber must lie in one of the issuer's account ranges";
    for (value, expected) in [
        ("2223006448842520", vec![]),
        ("2223006448842521", vec![luhn]),
        ("5344035171224363", vec![range]),
        ("5344035171224364", vec![luhn]),
    ] {
        for donation in [true, false] {
            assert_eq!(
                lines(enrol(&with("cardNumber", json!(value)), donation, false)),
                expected,
                "{value}"
            );
        }
    }
}

#[test]
fn without_account_ranges_no_card_is_accepted() {
    let rules = IssuerRules {
        donation: true,
        unicode_names: false,
        account_ranges: &[],
    };
    let outcome = enrolment(&object(&official()), &rules, today());
    assert_eq!(
        lines(outcome),
        ["InvalidFpan cardNumber must lie in one of the issuer's account ranges"]
    );
}

#[test]
fn currency() {
    let form = "must be three letters";
    table(
        "cardBaseCurrency",
        false,
        &[
            ("EUR", ""),
            ("eUr", ""),
            ("", form),
            ("EU", form),
            ("EURO", form),
            ("E1R", form),
            ("EU ", form),
            ("ŁUR", form),
            ("é1", form),
        ],
    );
    for code in ["XXX", "xts", "XAU", "CHW", "HRK", "ABC"] {
        assert_eq!(
            lines(enrol(&with("cardBaseCurrency", json!(code)), false, false)),
            ["UnsupportedCurrency cardBaseCurrency must be an ISO 4217 currency in use"],
            "{code}"
        );
    }
}

#[test]
fn expiry() {
    let month = "must be two digits, 01 to 12";
    table(
        "expiryInfo.month",
        false,
        &[
            ("01", ""),
            ("12", ""),
            ("", month),
            ("00", month),
            ("13", month),
            ("1", month),
            ("001", month),
            ("+1", month),
            (" 1", month),
            ("1x", month),
            ("٠١", month),
        ],
    );
    let year = "must be four digits";
    table(
        "expiryInfo.year",
        false,
        &[
            ("2027", ""),
            ("9999", ""),
            ("", year),
            ("39", year),
            ("20390", year),
            ("+203", year),
            ("20x9", year),
            ("٢٠", year),
        ],
    );
    for (month, year, expected) in [
        ("11", "2026", vec![]),
        ("12", "2026", vec![]),
        ("10", "2026", vec!["expiryInfo must not be in the past"]),
        ("12", "2025", vec!["expiryInfo must not be in the past"]),
        ("12", "0000", vec!["expiryInfo must not be in the past"]),
    ] {
        let payload = with("expiryInfo", json!({"month": month, "year": year}));
        assert_eq!(
            lines(enrol(&payload, false, false)),
            expected,
            "{month}/{year}"
        );
    }
}

#[test]
fn country() {
    let form = "must be three letters";
    let known = "must be an ISO 3166-1 alpha-3 country code";
    table(
        "billingAddress.countryCode",
        false,
        &[
            ("USA", ""),
            ("pol", ""),
            ("Swe", ""),
            ("", form),
            ("US", form),
            ("USAA", form),
            ("840", form),
            ("US ", form),
            ("ŁA", form),
            ("XYZ", known),
            ("ANT", known),
        ],
    );
}

#[test]
fn postal_code() {
    let length = "must be 1 to 12 characters long";
    let set = "must contain only letters A to Z, digits and blanks";
    table(
        "billingAddress.postalCode",
        false,
        &[
            ("", length),
            ("1", ""),
            ("123456789012", ""),
            ("1234567890123", length),
            ("PE7 8FT", ""),
            (" 1 ", ""),
            (" ", "must not be blank"),
            ("            ", "must not be blank"),
            ("00-950", set),
            ("1174\t6", set),
            ("11746\n", set),
            ("١١٧٤٦", set),
            ("é", set),
        ],
    );
}

#[test]
fn phone_number() {
    let rule =
        "phoneNumber must be an E.164 number: a plus sign and 7 to 15 digits, the first not 0";
    for (value, accepted) in [
        ("+1234567", true),
        ("+123456789012345", true),
        ("+123456", false),
        ("+1234567890123456", false),
        ("+0234567", false),
        ("1234567", false),
        ("++1234567", false),
        ("+1 234 567", false),
        ("+1234567\n", false),
        ("+١٢٣٤٥٦٧", false),
        ("+١٢٣٤", false),
        ("", false),
    ] {
        let expected: &[&str] = if accepted { &[] } else { &[rule] };
        assert_eq!(
            lines(change(&with("phoneNumber", json!(value)), false)),
            expected,
            "{value:?}"
        );
    }
}
