use super::super::*;
use super::{items, told};
use crate::transactions::item::Brand;

const HEADER: &str = "transactionId,cardNumber,mcc,amountValue,amountCurrencyCode,date,\
    indicator,countryISOCode,originalTransactionId,merchantName,cardBrand";

fn row(line: &str) -> String {
    told(format!("{HEADER}\n{line}\n").as_bytes()).concat()
}

#[test]
fn every_column_in_any_order() {
    let user = "c8b38606-12b2-43c6-a641-be8eb0ab9dec";
    let text = format!(
        "\u{feff}date,MCC,userId,cardNumber,amountCurrencyCode,amountValue,transactionId\r\n\
         2026-01-15,5411,{user},,USD,54.20,a-1\r\n\
         \r\n\
         15-01-2026,763,,5344035555555557,jpy,4990,b_2"
    );
    let expected = [
        format!("2 {user} 5411 54.20 USD 2026-01-15 Purchase - -"),
        "4 5344035555555557 0763 4990 JPY 2026-01-15 Purchase - -".to_owned(),
    ];
    assert_eq!(told(text.as_bytes()), expected);
}

#[test]
fn mastercards_file_with_a_card_and_a_date() {
    let text = "transactionId,mcc,amountValue,amountCurrencyCode,cardBrand,cardNumber,date\n\
        3fc4,3000,-150,EUR,MA,5344035555555557,2025-11-12\n";
    let items = items(text.as_bytes());
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].amount.to_string(), "-150.00 EUR");
    assert_eq!(items[0].brand, Some(Brand::Mastercard));
}

#[test]
fn indicators_decide_the_sign() {
    for (indicator, amount, expected) in [
        ("CL", "5", "5.00 EUR 2026-01-15 Purchase"),
        ("", "5", "5.00 EUR 2026-01-15 Purchase"),
        ("RFT", "5", "-5.00 EUR 2026-01-15 Refund"),
        ("RFT", "-5", "-5.00 EUR 2026-01-15 Refund"),
        ("RV", "5", "-5.00 EUR 2026-01-15 Reversal"),
    ] {
        let line = format!("a,5344035555555557,5411,{amount},EUR,2026-01-15,{indicator},,,,");
        let expected = format!("2 5344035555555557 5411 {expected} - -");
        assert_eq!(row(&line), expected);
    }
    let told = row("a,5344035555555557,5411,5,EUR,2026-01-15,AT,,,,");
    assert_eq!(told, "2 Authorisation");
}

#[test]
fn quotes_commas_and_names() {
    let line = "a,5344035555555557,5411,5,EUR,2026-01-15T23:30:00-05:00,RV,swe,o-1,\"ICA, \"\"Maxi\"\"\",OTH";
    let items = items(format!("{HEADER}\n{line}\n").as_bytes());
    let item = &items[0];
    assert_eq!(item.merchant.as_ref().unwrap().as_str(), "ICA, \"Maxi\"");
    assert_eq!(item.country.unwrap().code(), "SWE");
    assert_eq!(item.original, SourceId::parse("o-1"));
    assert_eq!(item.date.to_string(), "2026-01-16");
    assert!(row(line).contains("2026-01-15T23:30:00-05:00"));
}

#[test]
fn a_bad_line_is_told_without_what_it_holds_and_its_neighbours_are_read() {
    let good = "a,5344035555555557,5411,5,EUR,2026-01-15,CL,,,,";
    for (line, fault) in [
        (
            ",5344035555555557,5411,5,EUR,2026-01-15,CL,,,,",
            "transactionId must be 1 to 100 of A-Z, a-z, 0-9, _ and -",
        ),
        (
            "a b,5344035555555557,5411,5,EUR,2026-01-15,CL,,,,",
            "transactionId must be 1 to 100 of A-Z, a-z, 0-9, _ and -",
        ),
        (
            "a,5344035555555557,54111,5,EUR,2026-01-15,CL,,,,",
            "mcc must be 1 to 4 digits",
        ),
        (
            "a,5344035555555557,5411,5.001,EUR,2026-01-15,CL,,,,",
            "amountValue must have at most 2 decimal places in this currency",
        ),
        (
            "a,5344035555555557,5411,1e10,EUR,2026-01-15,CL,,,,",
            "amountValue must be at most 1000000000 either way",
        ),
        (
            "a,5344035555555557,5411,x,EUR,2026-01-15,CL,,,,",
            "amountValue must be a decimal number",
        ),
        (
            "a,5344035555555557,5411,5,EURO,2026-01-15,CL,,,,",
            "amountCurrencyCode must be an ISO 4217 currency code of three letters",
        ),
        (
            "a,5344035555555557,5411,5,EUR,2026-02-30,CL,,,,",
            "date must be a day (YYYY-MM-DD or DD-MM-YYYY) or an instant with offset (RFC 3339)",
        ),
        (
            "a,5344035555555557,5411,5,EUR,2026-01-15T10:00:00,CL,,,,",
            "date must be a day (YYYY-MM-DD or DD-MM-YYYY) or an instant with offset (RFC 3339)",
        ),
        (
            "a,5344035555555557,5411,5,EUR,2026-01-15,XX,,,,",
            "indicator must be CL, RFT, RV or AT",
        ),
        (
            "a,5344035555555557,5411,5,EUR,2026-01-15,CL,SE,,,",
            "countryISOCode must be an ISO 3166-1 alpha-3 country code",
        ),
        (
            "a,5344035555555557,5411,5,EUR,2026-01-15,CL,,?,,",
            "originalTransactionId must be 1 to 100 of A-Z, a-z, 0-9, _ and -",
        ),
        (
            "a,5344035555555557,5411,5,EUR,2026-01-15,CL,,,a name of twenty-six letter,",
            "merchantName must be 1 to 25 characters long, without control characters",
        ),
        (
            "a,5344035555555557,5411,5,EUR,2026-01-15,CL,,,,VI",
            "cardBrand must be MA, OTH or NC",
        ),
        (
            "a,5344035555555557,5411,5,EUR,2026-01-15,CL,,,",
            "it must have 11 fields, has 10",
        ),
        (
            "a,5344035555555557,5411,5,EUR,2026-01-15,CL,,,\",",
            "it has a quote that is not closed",
        ),
    ] {
        let text = format!("{HEADER}\n{good}\n{line}\n{good}\n");
        let told = told(text.as_bytes());
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(
            told[1].starts_with("3 ") && told[1].ends_with(fault),
            "{}",
            told[1]
        );
        assert!(!told[1].contains("5344035555555557"));
        assert!(told[2].starts_with("4 5344035555555557 5411 5.00 EUR"));
    }
    for card in [
        "534403555555555",
        "53440355555555570",
        "",
        "5344 0355 5555 5557",
    ] {
        let told = row(&format!("a,{card},5411,5,EUR,2026-01-15,CL,,,,"));
        assert!(told.starts_with("2 ") && !told.contains("53440"), "{told}");
    }
    let not_text = [
        HEADER.as_bytes(),
        b"\na,\xff,5411,5,EUR,2026-01-15,CL,,,,\n",
    ]
    .concat();
    assert_eq!(told(&not_text), ["2 None it is not UTF-8"]);
}

#[test]
fn a_line_that_is_too_long_is_one_reject() {
    let good = "a,5344035555555557,5411,5,EUR,2026-01-15,CL,,,,";
    let long = "x".repeat(LONGEST_LINE + 1);
    let text = format!("{HEADER}\n{long}\n{good}\n{}\n{good}", long.repeat(10));
    let told = told(text.as_bytes());
    assert_eq!(told[0], "2 None it is longer than 65536 bytes");
    assert!(told[1].starts_with("3 5344035555555557"));
    assert_eq!(told[2], "4 None it is longer than 65536 bytes");
    assert!(told[3].starts_with("5 5344035555555557"));
    let many = format!("{HEADER}\n{}\n", ",".repeat(1_000));
    assert_eq!(
        super::told(many.as_bytes()),
        ["2 None it must have at most 64 fields"]
    );
}

#[test]
fn a_header_names_what_is_wrong_with_it() {
    let opened = |header: &str| {
        let text = format!("{header}\n5344035555555557\n");
        match Reader::open(text.as_bytes(), Some(Format::Csv)) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        }
    };
    for (header, fault) in [
        (
            "transactionId,mcc,amountValue,amountCurrencyCode,date",
            "userid or cardNumber is missing",
        ),
        (
            "transactionId,mcc,amountValue,amountCurrencyCode,userid",
            "date is missing",
        ),
        ("transactionId,mcc,mcc", "mcc is there twice"),
    ] {
        let expected = format!("the first line must name the columns: {fault}");
        assert_eq!(opened(header), expected);
    }
    let none = opened("a,5344035555555557,5411");
    assert!(
        none.contains("column 1 is none of transactionId, userid"),
        "{none}"
    );
    assert!(!none.contains("5344035555555557"));
}
