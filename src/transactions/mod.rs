//! Card transactions: taken in, matched to cardholders, scored, and kept by month.
//!
//! - [`feed`]: files of transactions, read record by record
//! - [`item`]: one transaction as a feed hands it in
//! - [`stored`]: a cardholder's month as it is stored; [`ledger`]: what holds for all of the
//!   cardholder's months; [`codec`]: both as bytes, before they are sealed
//! - [`post`]: items are entered into months; [`read`]: months are read

pub mod codec;
pub mod feed;
pub mod item;
pub mod ledger;
pub mod post;
pub mod read;
pub mod stored;
