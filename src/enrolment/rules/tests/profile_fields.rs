//! The profile: one table per kind of field, every rule at its boundaries, donation ON and OFF.

use super::*;

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
            ("żółć <\"&", ""),
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
                ("Gal·la", set),
                ("a\u{200C}b", set),
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
                ("Gal·la", ""),
                ("ジャン・リュック", ""),
                ("Jean\u{2010}Luc", ""),
                ("رضا\u{200C}زاده", ""),
                ("ක්\u{200D}රිශා", ""),
                ("Zoe\u{308}·Zoe", ""),
                ("·Gal", UNICODE_SET),
                ("Gal·", UNICODE_SET),
                ("Gal· la", UNICODE_SET),
                ("Gal··la", UNICODE_SET),
                ("7·la", UNICODE_SET),
                ("a\u{200C}", UNICODE_SET),
                ("a\u{200D}\u{200D}b", UNICODE_SET),
                ("Jean\u{2013}Luc", UNICODE_SET),
                ("Jean\u{AD}Luc", UNICODE_SET),
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
            ("XKX", ""),
            ("xkx", ""),
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
    let length = "must be at most 12 characters long";
    let set = "must contain only letters A to Z, digits and blanks";
    table(
        "billingAddress.postalCode",
        false,
        &[
            ("", ""),
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
