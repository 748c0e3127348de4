//! The cardholder's web view, without HTTP: what its pages say, in whose colours, in which
//! language.
//!
//! - [`language`]: the tags that are spoken; [`texts`]: the catalogues (`texts/*.ftl`);
//!   [`format`](mod@format): numbers, dates and money; [`figures`]: how a footprint is rounded for
//!   people
//! - [`token`]: the sealed tokens of a URL and of a view
//! - [`link`]: the call that issues a view's address; [`visit`]: who may look now, and at what
//! - [`data`]: the same figures as JSON
//! - [`facts`]: what a page is made from; [`reckon`]: means, medians and differences of it
//! - [`pages`]: one view model for each screen, rendered by the templates (`templates/*.html`)
//!
//! Every page is whole without script, and nothing on it is loaded from elsewhere.

pub mod data;
pub mod facts;
pub mod figures;
pub mod format;
pub mod language;
pub mod link;
pub mod pages;
pub mod reckon;
pub mod texts;
pub mod token;
pub mod visit;
