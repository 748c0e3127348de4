//! A footprint as people read it: rounded as far as it is true.
//!
//! Two digits for totals and for what is estimated from a mixed basket, three for what was
//! measured; tonnes from 1,000 kg on. Exact grams stand in the details alone.

use super::texts::Words;
use crate::footprint::Grams;
use crate::footprint::set::Confidence;
use rust_decimal::{Decimal, RoundingStrategy};

const KILOGRAM: Decimal = Decimal::ONE_THOUSAND;
/// Pounds in a kilogram: 1 / 0.45359237, to seven places.
const POUNDS: Decimal = Decimal::from_parts(22_046_226, 0, 0, false, 7);

/// `180 kg`, `1.2 t`, `less than 1 kg`: rounded to two digits.
pub fn rounded(words: &Words, grams: Grams) -> String {
    digits(words, grams, 2)
}

/// [`rounded`], or three digits for a high confidence.
pub fn trusted(words: &Words, grams: Grams, confidence: Confidence) -> String {
    let count = if confidence == Confidence::High { 3 } else { 2 };
    digits(words, grams, count)
}

/// `about 180 kg`, or `less than 1 kg`.
pub fn about(words: &Words, grams: Grams) -> String {
    let figure = rounded(words, grams);
    if is_rounded(grams) {
        words.with("figure-about", &[("figure", &figure)])
    } else {
        figure
    }
}

/// Whether its figure is a number that "about" can stand before.
pub fn is_rounded(grams: Grams) -> bool {
    grams.decimal().abs() >= KILOGRAM
}

/// Every gram: `24,213.32 g CO₂e`.
pub fn exact(words: &Words, grams: Grams) -> String {
    let number = words.formats.places(grams.decimal(), 2);
    words.with("exact-grams", &[("number", &number)])
}

/// The same in pounds, to two places.
pub fn pounds(words: &Words, grams: Grams) -> String {
    let pounds = (grams.decimal() / KILOGRAM).checked_mul(POUNDS);
    let number = words.formats.places(pounds.unwrap_or_default(), 2);
    words.with("exact-pounds", &[("number", &number)])
}

/// `part` of `whole` in whole percent; `None` if there is no whole.
pub fn share(part: Decimal, whole: Decimal) -> Option<i64> {
    let percent = part.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(whole)?;
    let whole = percent.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
    i64::try_from(whole).ok()
}

fn digits(words: &Words, grams: Grams, count: u32) -> String {
    let kilograms = grams.decimal() / KILOGRAM;
    if kilograms.is_zero() {
        return words.with("figure-kg", &[("number", &words.formats.integer(0))]);
    }
    if kilograms.abs() < Decimal::ONE {
        return words.t(match kilograms.is_sign_negative() {
            true => "figure-under-minus-one",
            false => "figure-under-one",
        });
    }
    let rounded = significant(kilograms, count);
    if rounded.abs() >= KILOGRAM {
        let tonnes = (kilograms / KILOGRAM)
            .round_dp_with_strategy(1, RoundingStrategy::MidpointNearestEven)
            .normalize();
        return words.with(
            "figure-tonnes",
            &[("number", &words.formats.number(tonnes))],
        );
    }
    words.with("figure-kg", &[("number", &words.formats.number(rounded))])
}

fn significant(number: Decimal, count: u32) -> Decimal {
    number
        .round_sf_with_strategy(count, RoundingStrategy::MidpointNearestEven)
        .unwrap_or(number)
        .normalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::language::Language;

    #[test]
    fn no_more_digits_than_are_true() {
        let words = Words::of(Language::EnUs);
        for (centigrams, two, three) in [
            (0, "0 kg", "0 kg"),
            (99_999, "less than 1 kg", "less than 1 kg"),
            (-99_999, "between 0 and −1 kg", "between 0 and −1 kg"),
            (100_000, "1 kg", "1 kg"),
            (937_000, "9.4 kg", "9.37 kg"),
            (18_412_345, "180 kg", "184 kg"),
            (-5_149_000, "-51 kg", "-51.5 kg"),
            (99_400_000, "990 kg", "994 kg"),
            (99_600_000, "1 t", "996 kg"),
            (123_456_789, "1.2 t", "1.2 t"),
            (1_234_567_890, "12.3 t", "12.3 t"),
        ] {
            let grams = Grams::from_centigrams(centigrams);
            assert_eq!(rounded(&words, grams), two, "{centigrams}");
            assert_eq!(
                trusted(&words, grams, Confidence::High),
                three,
                "{centigrams}"
            );
        }
    }

    #[test]
    fn details_are_exact() {
        let words = Words::of(Language::Sv);
        let grams = Grams::from_centigrams(2_421_332);
        assert_eq!(exact(&words, grams), "24\u{a0}213,32 g CO₂e");
        assert_eq!(pounds(&Words::of(Language::EnUs), grams), "53.38 lb CO₂e");
    }
}
