//! The footprint of a purchase: factors, and the method that turns an amount into grams of CO2e.
//!
//! Pure: no HTTP, no database, no clock, no file but those compiled in from `data/`. From the
//! ground up:
//!
//! - [`table`]: CSV with faults that name file, line, column and rule; [`builtin`]: the compiled-in
//!   files
//! - [`codes`]: countries and currencies; [`Money`]; [`Month`]; [`Grams`]
//! - [`set`]: one [`FactorSet`]: emission factors, merchant categories, spending areas, energy
//!   carriers
//! - [`dated`]: [`DatedData`], which operators append to: exchange rates, consumer prices, energy
//!   prices, grids
//! - [`score`]: a [`Scorer`] is a set with dated data; [`Scorer::score`] gives the grams,
//!   [`Scorer::explain`] every step of the same sum
//! - [`MonthSums`], [`Window`], [`Benchmarks`]: sums of scores, the days that count, and
//!   comparisons
//!
//! docs/footprint.md tells the method to people who are not engineers. Only decimal arithmetic is
//! used: no binary floats ([`score`] says how precise that is).

pub mod benchmarks;
pub mod builtin;
mod carrier;
pub mod codes;
pub mod dated;
mod grams;
mod money;
mod month;
mod number;
pub mod score;
pub mod set;
pub mod sources;
pub mod sums;
pub mod table;
mod window;

pub use benchmarks::Benchmarks;
pub use carrier::Carrier;
pub use codes::{Country, Currency};
pub use dated::{DatedData, Kind, Rows};
pub use grams::Grams;
pub use money::{Money, MoneyError};
pub use month::Month;
pub use score::{Assessment, Explanation, Purchase, Score, Scorer, Verdict};
pub use set::{FactorSet, SetFiles, SetId};
pub use sums::{MonthSums, Sums};
pub use table::{Fault, Faults};
pub use window::Window;
