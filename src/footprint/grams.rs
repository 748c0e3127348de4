//! Grams of a gas, exact to a hundredth.

use rust_decimal::{Decimal, RoundingStrategy};
use std::fmt;

/// Grams in one avoirdupois ounce: exact, by definition.
const GRAMS_PER_OUNCE: Decimal = Decimal::from_parts(2_579_719_349, 6, 0, false, 9);

/// Centigrams, signed: refunds are negative. Sums of them are exact and free of order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grams(i64);

impl Grams {
    /// From hundredths of a gram: what is stored.
    pub const fn from_centigrams(centigrams: i64) -> Self {
        Self(centigrams)
    }

    /// Hundredths of a gram.
    pub const fn centigrams(self) -> i64 {
        self.0
    }

    /// Rounded once, half to even, to a hundredth of a gram; `None` beyond 9 * 10^16 g.
    pub(super) fn round(grams: Decimal) -> Option<Self> {
        let centigrams = grams.checked_mul(Decimal::ONE_HUNDRED)?;
        let whole = centigrams.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
        i64::try_from(whole).ok().map(Self)
    }

    /// Two decimal places.
    pub fn decimal(self) -> Decimal {
        Decimal::new(self.0, 2)
    }

    /// Avoirdupois ounces, rounded half to even to two places.
    pub fn ounces(self) -> Decimal {
        let ounces = self.decimal().checked_div(GRAMS_PER_OUNCE);
        let mut rounded = ounces
            .unwrap_or_default()
            .round_dp_with_strategy(2, RoundingStrategy::MidpointNearestEven);
        rounded.rescale(2);
        rounded
    }

    /// The same, taken back.
    #[must_use]
    pub fn negated(self) -> Self {
        Self(self.0.saturating_neg())
    }

    /// The sum; `None` if it does not fit in 64 bits of centigrams.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference; `None` if it does not fit in 64 bits of centigrams.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

impl fmt::Display for Grams {
    /// Two decimal places, no unit: `24213.32`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.decimal(), out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_half_to_even_on_both_sides_of_zero() {
        for (grams, shown) in [
            ("0.005", "0.00"),
            ("0.015", "0.02"),
            ("0.0150000000000000000001", "0.02"),
            ("0.0249999999999999999999", "0.02"),
            ("0.025", "0.02"),
            ("0.0250000000000000000001", "0.03"),
            ("-0.025", "-0.02"),
            ("-0.035", "-0.04"),
            ("24213.3229", "24213.32"),
        ] {
            let rounded = Grams::round(grams.parse().unwrap()).unwrap();
            assert_eq!(rounded.to_string(), shown, "{grams}");
        }
        assert_eq!(Grams::round(Decimal::MAX), None);
        assert_eq!(Grams::round("92233720368547758.08".parse().unwrap()), None);
        assert!(Grams::round("92233720368547758.07".parse().unwrap()).is_some());
    }

    #[test]
    fn ounces_are_avoirdupois() {
        assert_eq!(GRAMS_PER_OUNCE.to_string(), "28.349523125");
        for (centigrams, ounces) in [
            (4852, "1.71"),
            (0, "0.00"),
            (-4852, "-1.71"),
            (2835, "1.00"),
        ] {
            assert_eq!(
                Grams::from_centigrams(centigrams).ounces().to_string(),
                ounces
            );
        }
    }
}
