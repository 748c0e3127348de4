use super::super::*;
use super::encoder::{Message, file, purchase, refund, text};
use super::{items, told};

fn one(message: &Message) -> String {
    told(&file(&[message.encode(true)], false)).join("; ")
}

#[test]
fn both_texts_blocked_and_not() {
    let records = |ebcdic| {
        let header = Message::new("1644", &[(24, "697"), (71, "00000001")]);
        let many = (0..40).map(|n| purchase().with(31, &format!("{n:023}")));
        let messages = std::iter::once(header).chain(many);
        messages
            .map(|message| message.encode(ebcdic))
            .collect::<Vec<_>>()
    };
    let expected = "5344035555555557 5411 54.20 SEK 2026-01-15 Purchase SWE ICA MAXI or 50.00 EUR";
    for (ebcdic, blocked) in [(true, true), (true, false), (false, true), (false, false)] {
        let told = told(&file(&records(ebcdic), blocked));
        assert_eq!(told.len(), 41);
        assert_eq!(told[0], "1 Administration");
        assert_eq!(told[40], format!("41 {expected}"));
    }
    assert_eq!(told(&file(&[], false)), Vec::<String>::new());
    assert_eq!(told(&file(&[], true)), Vec::<String>::new());
    assert_eq!(
        told(&file(&[purchase().encode(true)], true)),
        [format!("1 {expected}")]
    );
}

#[test]
fn spaces_where_a_block_would_end_are_text() {
    let mut seen = 0;
    for letters in 1..23 {
        let name = "A".repeat(letters);
        let place = format!("{name}\\STREET 1\\CITY\\22100        SWE");
        let records = vec![purchase().with(43, &place).encode(true); 8];
        // One after the other is the last one.
        for count in 1..=records.len() {
            let bytes = file(&records[..count], false);
            let looks_marked = bytes.get(1_012..1_014) == Some(&[0x40; 2]);
            seen += usize::from(looks_marked);
            let lines = told(&bytes);
            assert_eq!(lines.len(), count, "{letters} {lines:?}");
            assert!(
                lines.iter().all(|line| line.contains("54.20 SEK")),
                "{lines:?}"
            );
        }
    }
    assert!(seen >= 3, "{seen}");
}

#[test]
fn signs_and_kinds() {
    let purchase = purchase().without(6);
    for (message, expected) in [
        (purchase.clone(), "54.20 SEK 2026-01-15 Purchase"),
        (
            purchase.clone().with(3, "093000").with(24, "205"),
            "54.20 SEK 2026-01-15 Purchase",
        ),
        (
            purchase.clone().with(24, "282"),
            "54.20 SEK 2026-01-15 Purchase",
        ),
        (refund().without(6), "-54.20 SEK 2026-01-15 Refund"),
        (
            purchase.clone().with(48, "0025001R"),
            "-54.20 SEK 2026-01-15 Reversal",
        ),
        (
            refund().without(6).with(48, "0023003CT60025007R260116"),
            "54.20 SEK 2026-01-15 Reversal",
        ),
        (
            purchase.clone().with(48, "0025001 "),
            "54.20 SEK 2026-01-15 Purchase",
        ),
        (
            Message {
                mti: "1442".into(),
                ..purchase.clone().with(24, "450")
            },
            "-54.20 SEK 2026-01-15 Refund",
        ),
        (
            Message {
                mti: "1442".into(),
                ..purchase.clone().with(48, "0025001R")
            },
            "54.20 SEK 2026-01-15 Reversal",
        ),
        (
            Message {
                mti: "1442".into(),
                ..refund().without(6)
            },
            "54.20 SEK 2026-01-15 Purchase",
        ),
    ] {
        let expected = format!("1 5344035555555557 5411 {expected} SWE ICA MAXI");
        assert_eq!(one(&message), expected, "{message:?}");
    }
    for (code, reason) in [
        ("010000", "Cash"),
        ("120000", "Cash"),
        ("280000", "Transfer"),
    ] {
        let told = one(&purchase.clone().with(3, code));
        assert!(told.ends_with(&format!("ICA MAXI {reason}")), "{told}");
    }
    for message in [
        Message {
            mti: "1740".into(),
            ..purchase.clone()
        },
        Message {
            mti: "1644".into(),
            ..purchase.clone()
        },
    ] {
        assert_eq!(one(&message), "1 Administration");
    }
    for message in [
        Message {
            mti: "1100".into(),
            ..purchase.clone()
        },
        purchase.clone().with(24, "600"),
        purchase.clone().with(3, "990000"),
    ] {
        assert_eq!(one(&message), "1 Unknown");
    }
    assert_eq!(one(&purchase.with(2, "6759649826438453001")), "1 OtherCard");
}

#[test]
fn a_reversal_names_what_it_reverses() {
    let of = |message: Message| items(&file(&[message.encode(true)], false)).remove(0);
    let bought = of(purchase());
    assert_eq!(bought.original, None);
    let reversed = of(purchase().with(48, "0025001R"));
    assert_eq!(reversed.original.as_ref(), Some(&bought.source));
    assert_ne!(reversed.source, bought.source);
    // In the other text, blocked, in another place: the same id.
    let records = [refund().encode(false), purchase().encode(false)];
    assert_eq!(items(&file(&records, true))[1].source, bought.source);
    for other in [
        purchase().with(31, "12345678901234567890124"),
        purchase().with(24, "205"),
        purchase().with(3, "090000"),
        purchase().with(4, "000000005421"),
        purchase().with(49, "978"),
        purchase().with(2, "5344035555555565"),
        Message {
            mti: "1442".into(),
            ..purchase()
        },
    ] {
        assert_ne!(of(other.clone()).source, bought.source, "{other:?}");
    }
    let text = bought.source.to_string();
    assert!(text.starts_with("ipm:") && text.len() == 68, "{text}");
}

#[test]
fn a_message_without_an_acquirers_reference_is_known_otherwise() {
    let bare = purchase().without(31);
    assert_eq!(
        one(&bare),
        "1 Some(\"5557\") it has no reference: none of DE 31, DE 37 and DE 63"
    );
    let of = |message: Message| {
        items(&file(&[message.encode(true)], false))
            .remove(0)
            .source
    };
    let known = of(bare.clone().with(37, "123456789012"));
    assert_eq!(of(bare.clone().with(37, "123456789012")), known);
    assert_ne!(of(bare.clone().with(37, "123456789013")), known);
    assert_ne!(of(bare.with(63, "MDS1234567890123")), known);
}

#[test]
fn amounts_currencies_and_cash_back() {
    let plain = purchase().without(6).without(51).without(43);
    let amounts = |message: Message| {
        let told = one(&message);
        match told.split_once(" 5411 ") {
            Some((_, rest)) => rest.replace(" 2026-01-15 Purchase - -", ""),
            None => told,
        }
    };
    let cash = "0040752D000000002000";
    for (message, expected) in [
        (plain.clone().with(49, "392"), "5420 JPY"),
        (plain.clone().with(49, "414"), "5.420 KWD"),
        // The file says how many decimal places its amounts have.
        (
            plain.clone().with(49, "392").with(48, "0148008392275x2"),
            "1 Some(\"5557\") PDS 0148 must have 4 digits for each currency",
        ),
        (
            plain
                .clone()
                .with(49, "392")
                .with(48, "014800875223922")
                .with(4, "000000542000"),
            "5420 JPY",
        ),
        (plain.clone().with(48, "01480047523"), "5.42 SEK"),
        (
            plain
                .clone()
                .with(6, "000000001000")
                .with(51, "978")
                .with(5, "000000001100")
                .with(50, "840"),
            "54.20 SEK or 10.00 EUR or 11.00 USD",
        ),
        (
            plain
                .clone()
                .with(49, "999")
                .with(6, "000000001000")
                .with(51, "978"),
            "10.00 EUR",
        ),
        (
            plain.clone().with(49, "999"),
            "1 Some(\"5557\") DE 49 is no currency",
        ),
        (plain.clone().with(54, cash), "34.20 SEK"),
        (plain.clone().with(54, &cash.repeat(2)), "14.20 SEK"),
        (
            plain
                .clone()
                .with(54, &format!("0042752D000000000100{cash}")),
            "34.20 SEK",
        ),
        (
            plain.clone().with(54, &cash.repeat(3)),
            "1 Some(\"5557\") DE 54 has more cash than the amount",
        ),
        (
            plain.clone().with(54, "0040978D000000002000"),
            "1 Some(\"5557\") DE 54 has cash back in a currency that no amount has",
        ),
        (
            plain.clone().with(54, "0040752D00000000200"),
            "1 Some(\"5557\") DE 54 must have 20 characters for each amount",
        ),
        // Cash in the currency of the bill: the same share of every amount.
        (
            plain
                .clone()
                .with(6, "000000001000")
                .with(51, "978")
                .with(54, "0040978D000000000250"),
            "40.65 SEK or 7.50 EUR",
        ),
        (
            plain
                .clone()
                .with(6, "000000001000")
                .with(51, "978")
                .with(54, "0040752D000000002710"),
            "27.10 SEK or 5.00 EUR",
        ),
        (
            plain.clone().with(4, "999999999999"),
            "1 Some(\"5557\") DE 4 must be at most 1000000000 either way",
        ),
        (
            plain.clone().with(4, "00000000542x"),
            "1 Some(\"5557\") DE 4 must be 12 digits",
        ),
    ] {
        assert_eq!(amounts(message.clone()), expected, "{message:?}");
    }
}

#[test]
fn places_that_are_not_in_the_usual_form() {
    let at = |place: &str| {
        let told = one(&purchase().without(6).with(43, place));
        told.rsplit_once("Purchase ").unwrap().1.to_owned()
    };
    assert_eq!(
        at("CAFÉ\\A\\B\\          XXXFRA".replace('É', "é").as_str()),
        "FRA CAFé"
    );
    assert_eq!(at("SHOP"), "- SHOP");
    assert_eq!(at("\\\\\\             ROU"), "ROU -");
    assert_eq!(at("SHOP\\A\\B\\             ROM"), "- SHOP");
    assert_eq!(at("SHOP\\A\\B\\SWE"), "- SHOP");
    let long = "A NAME OF MORE THAN TWENTYFIVE\\A\\B\\             SWE";
    assert_eq!(at(long), "SWE A NAME OF MORE THAN TWENT");
}

#[test]
fn a_wrong_record_is_told_and_its_neighbours_are_read() {
    let good = purchase().encode(true);
    let unknown = {
        let mut record = good.clone();
        record[4 + 10 / 8] |= 0x80 >> (10 % 8); // DE 11
        record
    };
    let no_bitmap = {
        let mut record = good.clone();
        record[4] &= 0x7f;
        record
    };
    let bad_length = {
        let mut record = good.clone();
        record[20] = 0xc1;
        record
    };
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (
            unknown,
            "DE 11 is not known: what follows it cannot be found",
        ),
        (no_bitmap, "it has no second bitmap"),
        (bad_length, "DE 2 has a length that is no number"),
        (
            good[..good.len() - 1].to_vec(),
            "DE 51 is longer than the rest of the record",
        ),
        (
            [good.as_slice(), b"\xf0"].concat(),
            "it goes on after its last data element",
        ),
        (good[..19].to_vec(), "it is shorter than its two bitmaps"),
        (text("12", true), "it is shorter than a message type"),
        (text("12x0", true), "it does not begin with a message type"),
        (purchase().without(2).encode(true), "DE 2 is missing"),
        (
            purchase().with(2, "53440355555555x7").encode(true),
            "DE 2 must be 8 to 19 digits",
        ),
        (purchase().without(12).encode(true), "DE 12 is missing"),
        (
            purchase().with(12, "260230000000").encode(true),
            "DE 12 must be a date and time, yyMMddHHmmss",
        ),
        (
            purchase().with(26, "54 1").encode(true),
            "DE 26 must be 4 digits",
        ),
        (purchase().without(24).encode(true), "DE 24 is missing"),
        (
            purchase().with(48, "0025").encode(true),
            "DE 48 ends within the tag or length of a PDS",
        ),
        (
            purchase().with(48, "0025009R").encode(true),
            "DE 48 has a PDS that is longer than the element",
        ),
        (
            purchase().with(62, "00x5001R").encode(true),
            "DE 62 has a PDS tag that is no number",
        ),
        (
            purchase().with(124, "0025x01R").encode(true),
            "DE 124 has a PDS length that is no number",
        ),
    ];
    for (record, fault) in cases {
        let told = told(&file(&[good.clone(), record, good.clone()], false));
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(
            told[1].starts_with("2 ") && told[1].ends_with(fault),
            "{} not {fault}",
            told[1]
        );
        assert!(!told[1].contains("53440"), "{}", told[1]);
        assert!(told[2].starts_with("3 5344035555555557"));
    }
}

#[test]
fn a_cut_file_says_so_after_what_was_whole() {
    let records = [purchase().encode(true), refund().encode(true)];
    for blocked in [false, true] {
        let whole = file(&records, blocked);
        let first = 4 + records[0].len();
        for cut in first..first + records[1].len() {
            let told = told(&whole[..cut]);
            assert_eq!(told.len(), 2, "{cut}: {told:?}");
            assert!(told[0].starts_with("1 5344035555555557"));
            assert!(
                told[1].starts_with("message 2: the file ends "),
                "{cut}: {told:?}"
            );
        }
    }
    let mut more = file(&records, false);
    more.extend(b"more");
    assert_eq!(
        told(&more)[2],
        "message 3: the file goes on after its closing record"
    );
    let mut odd = file(&records, false);
    odd.truncate(odd.len() - 4);
    odd.extend([0x00, 0x01, 0x00, 0x00, 1, 2, 3]);
    let mut reader = Reader::open(odd.as_slice(), Some(Format::Ipm)).err();
    assert_eq!(
        reader.take().unwrap().to_string(),
        "message 1: is no message of a clearing file"
    );
}
