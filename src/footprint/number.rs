//! Numbers and dates as the files write them: strict, so that a slip is found when a file is
//! loaded.

use chrono::NaiveDate;
use rust_decimal::Decimal;

/// Decimal places that any number of a file may have.
const PLACES: u32 = 10;

/// Digits, at most one point between them, no sign, no exponent, at most 10 decimal places.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    let inner = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    if !inner || !ends(text.as_bytes().first()) || !ends(text.as_bytes().last()) {
        return None;
    }
    Decimal::from_str_exact(text)
        .ok()
        .filter(|number| number.scale() <= PLACES)
}

/// A number from `least` to `most`.
pub(super) fn within(text: &str, least: Decimal, most: Decimal) -> Option<Decimal> {
    decimal(text).filter(|number| (least..=most).contains(number))
}

/// `2026-01-31`, in the years 1990 to 2100.
pub(super) fn date(text: &str) -> Option<NaiveDate> {
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let date = shaped.then(|| text.parse::<NaiveDate>().ok())??;
    (1990..=2100).contains(&year_of(date)).then_some(date)
}

/// Four digits, 1990 to 2100.
pub(super) fn year(text: &str) -> Option<i32> {
    (text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())?
        .filter(|year| (1990..=2100).contains(year))
}

fn year_of(date: NaiveDate) -> i32 {
    chrono::Datelike::year(&date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_dates_are_strict() {
        for text in [
            "",
            "-1",
            "+1",
            "1.",
            ".5",
            "1e3",
            "1,5",
            " 1",
            "0x1",
            "1.2.3",
            "1_0",
            "0.12345678901",
        ] {
            assert_eq!(decimal(text), None, "{text:?}");
        }
        assert_eq!(
            decimal("0.1234567890").map(|number| number.to_string()),
            Some("0.1234567890".to_owned())
        );
        for text in [
            "",
            "2026-1-31",
            "2026-02-30",
            "31-01-2026",
            "1989-12-31",
            "2101-01-01",
            "2026-01-31T00",
            "+026-01-01",
        ] {
            assert_eq!(date(text), None, "{text:?}");
        }
        assert!(date("2024-02-29").is_some());
        assert_eq!(
            (year("2024"), year("24"), year("1989")),
            (Some(2024), None, None)
        );
    }
}
