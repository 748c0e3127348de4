//! Thirteen months as columns: an SVG without text, and the same as a table.

use super::super::facts::Facts;
use super::super::figures;
use super::super::texts::Words;
use super::total::MONTHS;
use crate::footprint::benchmarks::Benchmark;
use crate::footprint::dated::Place;
use crate::footprint::{Grams, Month};
use rust_decimal::Decimal;

/// Units of the drawing from one column to the next.
const STEP: i32 = 30;
/// Width of a column.
const COLUMN: i32 = 20;
/// Height of the drawing.
const HEIGHT: i32 = 180;
const KILOGRAM: Decimal = Decimal::ONE_THOUSAND;
/// Above the highest mark.
const MARGIN: i32 = 8;

/// A month of the chart.
#[derive(Debug, Clone)]
pub struct Column {
    /// `2026-11`, for a link.
    pub value: String,
    /// Its short name.
    pub short: String,
    /// Its name with the year.
    pub name: String,
    /// Rounded; `None` without payments.
    pub figure: Option<String>,
    /// The number alone, in the chart's unit, for the label at the column.
    pub number: String,
    /// First letter of its name, where there is no room for more.
    pub initial: String,
    /// Place and size in the drawing.
    pub x: i32,
    /// Its upper edge.
    pub y: String,
    /// Its height.
    pub height: String,
    /// Whether it is still running.
    pub running: bool,
}

/// A reference line.
#[derive(Debug, Clone)]
pub struct Mark {
    /// What it is, with its figure.
    pub label: String,
    /// Where.
    pub y: String,
    /// `country` or `goal`: their dashes differ.
    pub class: &'static str,
}

/// The chart.
#[derive(Debug, Clone)]
pub struct Chart {
    /// What the numbers at the columns are: kilograms, or tonnes if one month has as much.
    pub unit: String,
    /// The message, as the drawing's name.
    pub summary: String,
    /// Oldest first.
    pub columns: Vec<Column>,
    /// Country and goal.
    pub marks: Vec<Mark>,
    /// The zero line.
    pub zero: String,
    /// Width of the drawing.
    pub width: i32,
    /// Height of the drawing.
    pub height: i32,
}

impl Chart {
    /// `None` if no month has a footprint. `area`: of one category alone, without reference lines.
    pub(super) fn of(words: &Words, facts: &Facts, area: Option<u16>) -> Option<Self> {
        let running = facts.running();
        let months: Vec<(Month, Option<Grams>)> = (1 - MONTHS..=0)
            .map(|back| running.plus(back))
            .map(|month| (month, grams(facts, month, area)))
            .collect();
        let known = || {
            months
                .iter()
                .filter_map(|(month, grams)| Some((*month, (*grams)?)))
        };
        let (highest_month, highest) = known().max_by_key(|(_, grams)| *grams)?;
        let lowest = known().map(|(_, grams)| grams).min()?.min(Grams::default());
        let marks = if area.is_none() {
            marks(words, facts)
        } else {
            Vec::new()
        };
        let top = marks.iter().map(|(_, grams, _)| *grams).max();
        let scale = Scale::new(lowest, highest.max(top.unwrap_or_default()));
        let summary = words.with(
            "months-highest",
            &[
                ("month", &words.formats.month(highest_month)),
                ("figure", &figures::rounded(words, highest)),
            ],
        );
        let unit = Unit::of(lowest, highest);
        let columns = months.iter().zip(0..).map(|((month, grams), at)| {
            let short = words.formats.month_short(*month);
            let value = grams.unwrap_or_default();
            let (y, height) = scale.column(value);
            Column {
                value: month.to_string(),
                initial: initial(&short),
                short,
                name: words.formats.month(*month),
                figure: grams.map(|grams| figures::rounded(words, grams)),
                number: grams
                    .map(|grams| unit.number(words, grams))
                    .unwrap_or_default(),
                x: at * STEP + (STEP - COLUMN) / 2,
                y,
                height,
                running: *month == running,
            }
        });
        Some(Self {
            unit: unit.name(words),
            summary,
            columns: columns.collect(),
            marks: marks
                .into_iter()
                .map(|(label, grams, class)| Mark {
                    label,
                    y: scale.y(grams),
                    class,
                })
                .collect(),
            zero: scale.y(Grams::default()),
            width: MONTHS * STEP,
            height: HEIGHT,
        })
    }
}

fn grams(facts: &Facts, month: Month, area: Option<u16>) -> Option<Grams> {
    let facts = facts.month(month).filter(|facts| facts.count() > 0)?;
    match area {
        None => Some(facts.total.co2e),
        Some(area) => Some(super::super::reckon::area_grams(facts, area)),
    }
}

/// What the numbers at the columns are, so that each has three digits at most.
#[derive(Clone, Copy)]
enum Unit {
    Kilograms,
    Tonnes,
}

impl Unit {
    fn of(lowest: Grams, highest: Grams) -> Self {
        let most = highest.decimal().max(lowest.decimal().abs());
        if most / KILOGRAM < Decimal::from(995) {
            Self::Kilograms
        } else {
            Self::Tonnes
        }
    }

    /// `kg CO₂e`.
    fn name(self, words: &Words) -> String {
        let id = match self {
            Self::Kilograms => "figure-kg",
            Self::Tonnes => "figure-tonnes",
        };
        format!("{} CO₂e", words.with(id, &[("number", "")]).trim())
    }

    fn number(self, words: &Words, grams: Grams) -> String {
        let kilograms = grams.decimal() / KILOGRAM;
        match self {
            Self::Kilograms => {
                let whole = kilograms.round();
                let two = whole.round_sf(2).unwrap_or(whole).normalize();
                words.formats.number(two)
            }
            Self::Tonnes => words.formats.places(kilograms / KILOGRAM, 1),
        }
    }
}

fn initial(name: &str) -> String {
    let first = name.chars().next();
    first.into_iter().flat_map(char::to_uppercase).collect()
}

fn marks(words: &Words, facts: &Facts) -> Vec<(String, Grams, &'static str)> {
    let country = |benchmark: &Benchmark| match benchmark.place {
        Place::World => "months-line-world",
        _ => "months-line-country",
    };
    let lines = [
        facts.benchmark.map(|b| (b, country(&b), "country")),
        facts.goal.map(|b| (b, "months-line-goal", "goal")),
    ];
    lines
        .into_iter()
        .flatten()
        .filter_map(|(benchmark, id, class)| {
            let grams = benchmark.grams_a_month()?;
            let label = format!("{}: {}", words.t(id), figures::rounded(words, grams));
            Some((label, grams, class))
        })
        .collect()
}

/// From grams to places in the drawing.
struct Scale {
    top: Decimal,
    range: Decimal,
}

impl Scale {
    fn new(lowest: Grams, highest: Grams) -> Self {
        let top = highest.max(Grams::default()).decimal();
        let range = (top - lowest.decimal()).max(Decimal::ONE);
        Self { top, range }
    }

    fn place(&self, grams: Grams) -> Decimal {
        let room = Decimal::from(HEIGHT - 2 * MARGIN);
        let down = (self.top - grams.decimal()) * room / self.range;
        (down + Decimal::from(MARGIN)).round_dp(1)
    }

    fn y(&self, grams: Grams) -> String {
        self.place(grams).normalize().to_string()
    }

    fn column(&self, grams: Grams) -> (String, String) {
        let (zero, edge) = (self.place(Grams::default()), self.place(grams));
        let text = |number: Decimal| number.normalize().to_string();
        (text(zero.min(edge)), text((zero - edge).abs()))
    }
}
