//! An amount of money: positive for a payment, negative for a refund.

use super::Currency;
use rust_decimal::Decimal;

/// Magnitude of the largest amount, in the currency's main unit.
const LARGEST: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// Longest text of an amount, in characters.
const MAX_CHARACTERS: usize = 40;

/// At most 10^9 either way, with no more decimal places than its currency has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money {
    value: Decimal,
    currency: Currency,
}

/// Why something is not [`Money`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Anything but digits with a minus sign, a point or an exponent.
    #[error("must be a decimal number")]
    NotANumber,
    /// Beyond 10^9 of the main unit.
    #[error("must be at most 1000000000 either way")]
    TooLarge,
    /// Holds how many places the currency has.
    #[error("must have at most {0} decimal places in this currency")]
    TooPrecise(u32),
}

impl Money {
    /// In the currency's main unit. Zeros at the end of the decimal places are dropped.
    ///
    /// # Errors
    ///
    /// Above 10^9 either way, or more decimal places than the currency has.
    pub fn new(value: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let value = value.normalize();
        if value.abs() > LARGEST {
            return Err(MoneyError::TooLarge);
        }
        if value.scale() > currency.minor_unit() {
            return Err(MoneyError::TooPrecise(currency.minor_unit()));
        }
        Ok(Self { value, currency })
    }

    /// From text as in JSON or CSV: `-54.20`, `1e3`.
    ///
    /// # Errors
    ///
    /// No number, or one that [`Money::new`] refuses.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if text.len() > MAX_CHARACTERS || !digits.starts_with(|first: char| first.is_ascii_digit())
        {
            return Err(MoneyError::NotANumber);
        }
        let value = if digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
        {
            Decimal::from_str_exact(text)
        } else {
            Decimal::from_scientific(text)
        };
        Self::new(value.map_err(|_| MoneyError::NotANumber)?, currency)
    }

    /// From whole minor units, as in clearing files: 5420 of USD is 54.20, of JPY 5420, of KWD
    /// 5.420.
    ///
    /// # Errors
    ///
    /// Above 10^9 main units either way.
    pub fn from_minor_units(units: i64, currency: Currency) -> Result<Self, MoneyError> {
        Self::new(Decimal::new(units, currency.minor_unit()), currency)
    }

    /// In the currency's main unit.
    pub fn value(self) -> Decimal {
        self.value
    }

    /// The currency it is in.
    pub fn currency(self) -> Currency {
        self.currency
    }
}

impl std::fmt::Display for Money {
    /// With all decimal places of the currency: `54.20 USD`, `4990 JPY`.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut value = self.value;
        value.rescale(self.currency.minor_unit());
        write!(out, "{value} {}", self.currency)
    }
}

impl std::ops::Neg for Money {
    type Output = Self;

    /// A refund of it. Of nothing it is nothing, without a sign.
    fn neg(self) -> Self {
        Self {
            value: (-self.value).normalize(),
            currency: self.currency,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, currency: &str) -> Result<String, MoneyError> {
        let currency = Currency::from_alpha(currency).unwrap();
        Money::parse(text, currency).map(|money| money.to_string())
    }

    #[test]
    fn texts_that_are_amounts() {
        for (text, currency, shown) in [
            ("54.20", "USD", "54.20 USD"),
            ("54.2", "USD", "54.20 USD"),
            ("-54.2000", "USD", "-54.20 USD"),
            ("4990", "JPY", "4990 JPY"),
            ("4990.00", "JPY", "4990 JPY"),
            ("1.234", "KWD", "1.234 KWD"),
            ("1e3", "USD", "1000.00 USD"),
            ("1.5E-1", "USD", "0.15 USD"),
            ("0", "USD", "0.00 USD"),
            ("1000000000", "USD", "1000000000.00 USD"),
            ("-1000000000", "USD", "-1000000000.00 USD"),
        ] {
            assert_eq!(parse(text, currency).as_deref(), Ok(shown), "{text}");
        }
    }

    #[test]
    fn a_refund_of_nothing_has_no_sign() {
        let euro = |value| Money::new(value, Currency::from_alpha("EUR").unwrap()).unwrap();
        assert_eq!((-euro(Decimal::ZERO)).to_string(), "0.00 EUR");
        assert_eq!((-euro(Decimal::TEN)).to_string(), "-10.00 EUR");
    }

    #[test]
    fn texts_that_are_not() {
        use MoneyError::{NotANumber, TooLarge, TooPrecise};
        for (text, currency, error) in [
            ("", "USD", NotANumber),
            ("-", "USD", NotANumber),
            ("+1", "USD", NotANumber),
            (".5", "USD", NotANumber),
            ("1,5", "USD", NotANumber),
            ("NaN", "USD", NotANumber),
            ("1_000", "USD", NotANumber),
            ("1 000", "USD", NotANumber),
            ("1.2.3", "USD", NotANumber),
            ("1e99", "USD", NotANumber),
            ("1000000000.01", "USD", TooLarge),
            ("-1000000001", "JPY", TooLarge),
            ("1.001", "USD", TooPrecise(2)),
            ("1.1", "JPY", TooPrecise(0)),
            ("1.2345", "KWD", TooPrecise(3)),
        ] {
            assert_eq!(parse(text, currency), Err(error), "{text} {currency}");
        }
    }

    #[test]
    fn minor_units_follow_the_currency() {
        let money = |code| Money::from_minor_units(5420, Currency::from_alpha(code).unwrap());
        let shown = ["USD", "JPY", "KWD"].map(|code| money(code).unwrap().to_string());
        assert_eq!(shown, ["54.20 USD", "5420 JPY", "5.420 KWD"]);
        let usd = Currency::from_alpha("USD").unwrap();
        assert_eq!(
            Money::from_minor_units(i64::MAX, usd),
            Err(MoneyError::TooLarge)
        );
    }
}
