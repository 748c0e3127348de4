//! Card transactions: taken in, matched to cardholders, scored, and kept by month.
//!
//! - [`feed`]: files of transactions, read record by record; [`import`]: a file is imported
//! - [`item`]: one transaction as a feed hands it in
//! - [`stored`]: a cardholder's month as it is stored; [`ledger`]: what holds for all of the
//!   cardholder's months; [`codec`]: both as bytes, before they are sealed
//! - [`take`]: the call that hands transactions in; [`rules`] and [`fields`] read it, [`outcome`]
//!   says what became of each item; [`aggregate`]: the call that asks for the month's score
//! - [`rescore`]: all months of a cardholder under another factor set
//! - [`post`]: items are entered into months; [`read`]: months are read; `sealing` opens and seals
//!   them
//! - [`history`]: the months before an enrolment, in the background; `retained`: what came for
//!   cards that were not enrolled

pub mod aggregate;
pub mod codec;
pub mod feed;
pub mod fields;
pub mod history;
pub mod import;
pub mod item;
pub mod ledger;
pub mod outcome;
pub mod post;
pub mod read;
pub mod rescore;
mod retained;
pub mod rules;
mod sealing;
pub mod stored;
pub mod take;
