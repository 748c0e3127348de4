use super::*;

fn money(text: &str, currency: &str) -> Money {
    Money::parse(text, Currency::from_alpha(currency).unwrap()).unwrap()
}

/// Narrow and wide blanks that do not break, shown as `_`.
fn shown(text: String) -> String {
    text.replace([NBSP, '\u{202f}'], "_")
}

#[test]
fn each_language_writes_in_its_own_way() {
    let day = NaiveDate::from_ymd_opt(2026, 11, 7).unwrap();
    let afternoon = NaiveTime::from_hms_opt(15, 5, 0).unwrap();
    let month = Month::of(day);
    let rows = [
        (
            Language::EnUs,
            "1,234.5",
            "1,234,567.8",
            "34%",
            "-3.2",
            ("USD", "$1,234.50"),
            "Nov 7, 2026",
            "November 2026",
            "3:05_PM",
        ),
        (
            Language::Es419,
            "1,234.5",
            "1,234,567.8",
            "34%",
            "-3.2",
            ("USD", "USD_1,234.50"),
            "7 nov 2026",
            "noviembre de 2026",
            "3:05_p.m.",
        ),
        (
            Language::EsCl,
            "1.234,5",
            "1.234.567,8",
            "34%",
            "-3,2",
            ("CLP", "$1.234"),
            "7 de noviembre de 2026",
            "noviembre de 2026",
            "3:05_p._m.",
        ),
        (
            Language::EsCr,
            "1_234,5",
            "1_234_567,8",
            "34%",
            "-3,2",
            ("CRC", "₡1_234,50"),
            "7 nov 2026",
            "noviembre de 2026",
            "3:05_p._m.",
        ),
        (
            Language::Sv,
            "1_234,5",
            "1_234_567,8",
            "34_%",
            "−3,2",
            ("SEK", "1_234,50_kr"),
            "7 nov. 2026",
            "november 2026",
            "15:05",
        ),
        (
            Language::PlPl,
            "1234,5",
            "1_234_567,8",
            "34%",
            "-3,2",
            ("PLN", "1234,50_zł"),
            "7 lis 2026",
            "listopad 2026",
            "15:05",
        ),
        (
            Language::MsMy,
            "1,234.5",
            "1,234,567.8",
            "34%",
            "-3.2",
            ("MYR", "RM_1,234.50"),
            "7 Nov 2026",
            "November 2026",
            "3:05_PTG",
        ),
    ];
    for (language, small, large, percent, minus, (currency, price), date, name, time) in rows {
        let formats = Formats::of(language);
        let number = |text: &str| shown(formats.number(text.parse().unwrap()));
        assert_eq!(number("1234.5"), small, "{language:?}");
        assert_eq!(number("1234567.8"), large, "{language:?}");
        assert_eq!(number("-3.2"), minus, "{language:?}");
        assert_eq!(shown(formats.percent(34)), percent, "{language:?}");
        let amount = if currency == "CLP" { "1234" } else { "1234.5" };
        assert_eq!(
            shown(formats.money(money(amount, currency))),
            price,
            "{language:?}"
        );
        assert_eq!(shown(formats.date(day)), date, "{language:?}");
        assert_eq!(shown(formats.month(month)), name, "{language:?}");
        assert_eq!(shown(formats.time(afternoon)), time, "{language:?}");
    }
}

#[test]
fn a_foreign_currency_goes_by_its_code() {
    for (language, text) in [
        (Language::EnUs, "-EUR_9.90"),
        (Language::EsCl, "-EUR_9,90"),
        (Language::Sv, "−9,90_EUR"),
        (Language::PlPl, "-9,90_EUR"),
        (Language::MsMy, "-EUR_9.90"),
    ] {
        assert_eq!(
            shown(Formats::of(language).money(money("-9.9", "EUR"))),
            text
        );
    }
    let yen = Formats::of(Language::EnUs).money(money("4990", "JPY"));
    assert_eq!(shown(yen), "JPY_4,990");
}
