//! The amounts of a message, without the cash that was handed out with a purchase.
//!
//! An amount has 12 digits of the currency's smallest unit. How many decimal places that is, the
//! file says itself (PDS 0148); where it does not, ISO 4217 does.

use super::super::fault::{Fault, Place};
use super::message::{Message, number};
use crate::footprint::{Currency, Money, MoneyError};
use rust_decimal::Decimal;

/// The amount of the transaction, of the cardholder's bill, of the banks' reconciliation: elements
/// of amount and currency, in the order in which a score tries them.
const PAIRS: [(usize, usize); 3] = [(4, 49), (6, 51), (5, 50)];

/// Of the additional amounts (DE 54), the one that is cash back.
const CASH_BACK: &[u8] = b"40";

/// Amount and currency as they are in the message.
#[derive(Clone, Copy)]
struct Amount {
    element: usize,
    units: i64,
    currency: [u8; 3],
}

/// The share of an amount that paid for the purchase: the rest is cash back.
#[derive(Clone, Copy)]
struct Share {
    of: Amount,
    cash: i64,
}

/// The amounts to score, best first: at least one, all positive.
pub(super) fn read(message: &Message<'_>, exponents: Option<&[u8]>) -> Result<Vec<Money>, Fault> {
    let mut amounts = Vec::with_capacity(PAIRS.len());
    for (element, currency) in PAIRS {
        if element == 4 || message.element(element).is_some() {
            amounts.extend(amount(message, element, currency)?);
        }
    }
    let share = cash_back(message, &amounts)?;
    let mut money = Vec::with_capacity(amounts.len());
    for amount in amounts {
        let units = share.map_or(Some(amount.units), |share| purchased(amount, share));
        let Some(currency) = currency(amount) else {
            continue;
        };
        let fault = |rule: String| Fault::new(Place::Element(amount.element), rule);
        let units = units.ok_or_else(|| fault("is too large".to_owned()))?;
        let places = places(exponents, amount.currency)?;
        let value = Decimal::try_new(units, places.unwrap_or(currency.minor_unit()));
        let value = value.map_err(|_| fault(MoneyError::TooLarge.to_string()))?;
        money.push(Money::new(value, currency).map_err(|error| fault(error.to_string()))?);
    }
    if money.is_empty() {
        return Err(Fault::new(Place::Element(49), "is no currency"));
    }
    Ok(money)
}

fn currency(amount: Amount) -> Option<Currency> {
    Currency::from_numeric(std::str::from_utf8(&amount.currency).ok()?)
}

/// `None` if the fallback's currency is missing; the transaction's own must be there.
fn amount(message: &Message<'_>, element: usize, code: usize) -> Result<Option<Amount>, Fault> {
    let units = number(message.required(element)?)
        .ok_or_else(|| Fault::new(Place::Element(element), "must be 12 digits"))?;
    if element != 4 && message.element(code).is_none() {
        return Ok(None);
    }
    let currency = numeric(message.required(code)?)
        .ok_or_else(|| Fault::new(Place::Element(code), "must be 3 digits"))?;
    Ok(Some(Amount {
        element,
        units,
        currency,
    }))
}

fn numeric(code: &[u8]) -> Option<[u8; 3]> {
    let code: [u8; 3] = code.try_into().ok()?;
    code.iter().all(u8::is_ascii_digit).then_some(code)
}

/// The cash in the first amount whose currency the additional amounts name.
fn cash_back(message: &Message<'_>, amounts: &[Amount]) -> Result<Option<Share>, Fault> {
    let additional = message.element(54).unwrap_or_default();
    let fault = |rule: &'static str| Fault::new(Place::Element(54), rule);
    let (parts, rest) = additional.as_chunks::<20>();
    if !rest.is_empty() {
        return Err(fault("must have 20 characters for each amount"));
    }
    let mut share: Option<Share> = None;
    let mut any = false;
    for part in parts
        .iter()
        .filter(|part| part.get(2..4) == Some(CASH_BACK))
    {
        any = true;
        let code = part.get(4..7).and_then(numeric);
        let code = code.ok_or_else(|| fault("must have a currency of 3 digits"))?;
        let cash = part.get(8..).and_then(number);
        let cash = cash.ok_or_else(|| fault("must have amounts of 12 digits"))?;
        match &mut share {
            Some(share) if share.of.currency == code => {
                share.cash = share.cash.saturating_add(cash)
            }
            Some(_) => {}
            None => {
                let of = amounts.iter().find(|amount| amount.currency == code);
                share = of.map(|of| Share { of: *of, cash });
            }
        }
    }
    match share {
        Some(share) if share.cash > share.of.units => Err(fault("has more cash than the amount")),
        None if any => Err(fault("has cash back in a currency that no amount has")),
        share => Ok(share),
    }
}

/// An amount without its cash: exactly where the cash is in its currency, else in proportion.
fn purchased(amount: Amount, share: Share) -> Option<i64> {
    let bought = share.of.units.saturating_sub(share.cash);
    if amount.currency == share.of.currency && amount.units == share.of.units {
        return Some(bought);
    }
    let scaled = Decimal::from(amount.units)
        .checked_mul(Decimal::from(bought))?
        .checked_div(Decimal::from(share.of.units))
        .unwrap_or_default();
    i64::try_from(scaled.round()).ok()
}

/// Decimal places that the file gives a currency.
fn places(exponents: Option<&[u8]>, currency: [u8; 3]) -> Result<Option<u32>, Fault> {
    let (groups, rest) = exponents.unwrap_or_default().as_chunks::<4>();
    let digits = groups.as_flattened().iter().all(u8::is_ascii_digit);
    if !rest.is_empty() || !digits {
        let rule = "must have 4 digits for each currency";
        return Err(Fault::new(Place::Private(super::private::EXPONENTS), rule));
    }
    let named = groups.iter().find(|group| group.starts_with(&currency));
    let digit = named.and_then(|group| group.last());
    Ok(digit.map(|digit| u32::from(digit.saturating_sub(b'0'))))
}
