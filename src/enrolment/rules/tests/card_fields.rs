//! The card: one table per kind of field, every rule at its boundaries, donation ON and OFF.

use super::*;

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
