//! # issuer-gateway
//!
//! A gateway for card-issuer APIs with end-to-end encrypted payloads. The modules, in the order in
//! which a request passes through them; each imports only what stands below it:
//!
//! - [`cli`]: the commands; [`config`], [`app`]: a gateway built from its configuration
//! - [`rotation`]: changes of the vault's keys while nodes serve, and the rows that follow them
//! - [`http`]: limits, raw bytes, and the answer to every refusal; `http::routes` lists every path
//! - [`enrolment`], [`programme`]: the use cases, and the rules that they apply; [`directory`]:
//!   those of the users API
//! - [`housekeeping`]: what a node does in the background; [`readiness`]: whether it can do its
//!   work
//! - [`call`]: the raw call, who it is from, and how it ends: in one commit that uses up its nonce
//! - [`gateway`]: the parts of a running gateway; [`reloadable`]: those that [`reload`] swaps in
//!   one step; [`expiry`]: what of them runs out soon; [`clock`]: what time it is, and by whom
//! - [`openings`]: which wrapped keys this node knows to be used; [`crypto_refusals`]:
//!   payloads that do not open, slowed down
//! - [`audit`]: nodes and unproven callers in the audit trail; its verification and export
//! - [`oauth1`]: is the signature over these very bytes right
//! - [`issuers`]: who is on board, which cards are theirs, which keys they use
//! - [`payload`]: both encrypted envelopes, in and out, and the key ring
//! - [`footprint`]: factor sets, and the method that turns a purchase into grams of CO2e; pure
//! - [`vault`]: sealed columns and blind indexes for data at rest
//! - [`store`]: SQLite and PostgreSQL, one transaction for many calls
//!
//! and what several of them share: [`refusal`], [`violation`], [`ids`], [`json`], [`keys`],
//! [`private_file`], [`sealed`], [`telemetry`], [`throttle`], [`queue`], [`toml_error`].
//! [`client`] is the other side, an issuer server's. docs/architecture.md tells the same story at
//! length.

pub mod app;
pub mod audit;
pub mod call;
#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "commands talk to people"
)]
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod crypto_refusals;
pub mod directory;
pub mod enrolment;
pub mod expiry;
pub mod footprint;
pub mod gateway;
pub mod housekeeping;
pub mod http;
pub mod ids;
pub mod issuers;
pub mod json;
pub mod keys;
pub mod oauth1;
pub mod openings;
pub mod payload;
pub mod private_file;
pub mod programme;
pub mod queue;
pub mod readiness;
pub mod refusal;
pub mod reload;
pub mod reloadable;
pub mod rotation;
pub mod sealed;
pub mod store;
pub mod telemetry;
pub mod throttle;
pub mod toml_error;
pub mod vault;
pub mod violation;
