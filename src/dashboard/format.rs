//! Numbers, dates, months, times and money, as each language writes them (ICU4X).
//!
//! Money is ours: ICU4X has it in an unstable crate only. The symbol stands for the language's own
//! currency alone; every other currency goes by its ISO code, so that a dollar is never mistaken
//! for another.

use super::language::Language;
use crate::footprint::{Currency, Money, Month};
use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use icu_calendar::{Date, Gregorian};
use icu_datetime::fieldsets::{M, T, YM, YMD};
use icu_datetime::input::Time;
use icu_datetime::{FixedCalendarDateTimeFormatter, NoCalendarFormatter};
use icu_decimal::DecimalFormatter;
use icu_locale_core::Locale;
use rust_decimal::{Decimal, RoundingStrategy};
use std::sync::LazyLock;

type DateFormatter<F> = FixedCalendarDateTimeFormatter<Gregorian, F>;

/// A blank where no line may break.
const NBSP: char = '\u{a0}';

static ALL: LazyLock<Vec<Formats>> =
    LazyLock::new(|| Language::ALL.into_iter().map(Formats::new).collect());

/// How one language writes them.
pub struct Formats {
    language: Language,
    decimal: Option<DecimalFormatter>,
    date: Option<DateFormatter<YMD>>,
    month: Option<DateFormatter<YM>>,
    month_short: Option<DateFormatter<M>>,
    time: Option<NoCalendarFormatter<T>>,
}

impl Formats {
    /// Of a language; made once.
    pub fn of(language: Language) -> &'static Self {
        ALL.get(usize::from(language.number())).unwrap_or(&PLAIN)
    }

    fn new(language: Language) -> Self {
        // A later edition of the data gave Chile the 24-hour clock; its apps say 3:05 p. m.
        let tag = match language {
            Language::EsCl => "es-CL-u-hc-h12",
            Language::EnXa => "en-US",
            other => other.tag(),
        };
        let Ok(locale) = tag.parse::<Locale>() else {
            return Self::plain(language);
        };
        // Chile's medium form is all digits: the long one cannot be misread.
        let date = match language {
            Language::EsCl => YMD::long(),
            _ => YMD::medium(),
        };
        Self {
            language,
            decimal: DecimalFormatter::try_new((&locale).into(), Default::default()).ok(),
            date: DateFormatter::try_new((&locale).into(), date).ok(),
            month: DateFormatter::try_new((&locale).into(), YM::long()).ok(),
            month_short: DateFormatter::try_new((&locale).into(), M::medium()).ok(),
            time: NoCalendarFormatter::try_new((&locale).into(), T::hm()).ok(),
        }
    }

    const fn plain(language: Language) -> Self {
        Self {
            language,
            decimal: None,
            date: None,
            month: None,
            month_short: None,
            time: None,
        }
    }

    /// A number with as many decimal places as it has: `1,234.5`.
    pub fn number(&self, number: Decimal) -> String {
        let plain = number.to_string();
        match (&self.decimal, plain.parse()) {
            (Some(formatter), Ok(number)) => formatter.format(&number).to_string(),
            _ => plain,
        }
    }

    /// A number, rounded half to even to so many places, all of them shown.
    pub fn places(&self, number: Decimal, places: u32) -> String {
        let mut rounded =
            number.round_dp_with_strategy(places, RoundingStrategy::MidpointNearestEven);
        rounded.rescale(places);
        self.number(rounded)
    }

    /// A whole number.
    pub fn integer(&self, number: i64) -> String {
        self.number(Decimal::from(number))
    }

    /// A whole percentage: `34%`, in Swedish with a blank.
    pub fn percent(&self, percent: i64) -> String {
        let number = self.integer(percent);
        match self.language {
            Language::Sv => format!("{number}{NBSP}%"),
            _ => format!("{number}%"),
        }
    }

    /// An amount with all places of its currency and its symbol or code.
    pub fn money(&self, money: Money) -> String {
        let currency = money.currency();
        let size = self.places(money.value().abs(), currency.minor_unit());
        let minus = if money.value().is_sign_negative() && !money.value().is_zero() {
            self.minus()
        } else {
            ""
        };
        let own = self.own_symbol(currency);
        match self.language {
            Language::Sv | Language::PlPl => {
                format!("{minus}{size}{NBSP}{}", own.unwrap_or(currency.code()))
            }
            Language::MsMy => {
                format!("{minus}{}{NBSP}{size}", own.unwrap_or(currency.code()))
            }
            _ => match own {
                Some(symbol) => format!("{minus}{symbol}{size}"),
                None => format!("{minus}{}{NBSP}{size}", currency.code()),
            },
        }
    }

    fn own_symbol(&self, currency: Currency) -> Option<&'static str> {
        match (self.language, currency.code()) {
            (Language::EnUs | Language::EnXa, "USD") | (Language::EsCl, "CLP") => Some("$"),
            (Language::EsCr, "CRC") => Some("₡"),
            (Language::Sv, "SEK") => Some("kr"),
            (Language::PlPl, "PLN") => Some("zł"),
            (Language::MsMy, "MYR") => Some("RM"),
            _ => None,
        }
    }

    /// The minus sign of this language.
    pub fn minus(&self) -> &'static str {
        match self.language {
            Language::Sv => "\u{2212}",
            _ => "-",
        }
    }

    /// A day: `Nov 7, 2026`.
    pub fn date(&self, date: NaiveDate) -> String {
        match (&self.date, gregorian(date)) {
            (Some(formatter), Some(date)) => formatter.format(&date).to_string(),
            _ => date.to_string(),
        }
    }

    /// A month with its year: `November 2026`.
    pub fn month(&self, month: Month) -> String {
        match (&self.month, month.first_day().and_then(gregorian)) {
            (Some(formatter), Some(date)) => formatter.format(&date).to_string(),
            _ => month.to_string(),
        }
    }

    /// A month's short name: `Nov`.
    pub fn month_short(&self, month: Month) -> String {
        match (&self.month_short, month.first_day().and_then(gregorian)) {
            (Some(formatter), Some(date)) => formatter.format(&date).to_string(),
            _ => month.to_string(),
        }
    }

    /// Hours and minutes: `3:05 PM`.
    pub fn time(&self, time: NaiveTime) -> String {
        let part = |number: u32| u8::try_from(number).unwrap_or_default();
        let clock = Time::try_new(part(time.hour()), part(time.minute()), 0, 0);
        match (&self.time, clock) {
            (Some(formatter), Ok(clock)) => formatter.format(&clock).to_string(),
            _ => time.format("%H:%M").to_string(),
        }
    }
}

/// What stands in where ICU4X has no data.
static PLAIN: Formats = Formats::plain(Language::EnUs);

fn gregorian(date: NaiveDate) -> Option<Date<Gregorian>> {
    let part = |number: u32| u8::try_from(number).ok();
    Date::try_new_gregorian(date.year(), part(date.month())?, part(date.day())?).ok()
}

#[cfg(test)]
mod tests;
