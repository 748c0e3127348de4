//! # issuer-gateway
//!
//! A gateway for card-issuer APIs with end-to-end encrypted payloads: an issuer's server sends an
//! encrypted, signed call, and the gateway verifies, opens, judges, seals, stores and answers it.
//!
//! # Map
//!
//! The modules, from the edge to the core. Each imports only modules that stand below it:
//!
//! - [`cli`]: the commands; [`app`]: builds a gateway from its configuration, runs it and stops it
//! - [`http`]: the only code that knows HTTP; `http::routes` lists every path, `http::error` turns
//!   every refusal into its answer
//! - [`console`]: the sandbox's console: last calls, faults, what to try
//! - [`rotation`]: changes the vault's keys while nodes serve, and seals stored rows anew
//! - [`readiness`]: whether a node can work; [`reload`]: puts a changed configuration in force
//! - [`transactions`]: card transactions taken in, scored and kept by month
//! - [`dashboard`]: the cardholder's web view
//! - [`enrolment`]: the cardholders' use cases; [`programme`]: the issuer's own profile;
//!   [`directory`]: the users API
//! - [`answer`]: the answer to a call, sealed as its issuer can read it
//! - [`attempt`]: one signed call, from its proof to the single commit that uses up its nonce;
//!   [`call`]: the call as it came over the wire
//! - [`housekeeping`]: the background jobs of a node; [`expiry`]: keys and certificates that end
//!   soon
//! - [`gateway`]: the parts of a running gateway; [`reloadable`]: those that a reload swaps in one
//!   step
//! - [`crypto_refusals`]: slows down payloads that do not open
//! - [`audit`]: audit entries of nodes and unproven callers; verification and export of the trail
//! - [`traces`]: spans of calls, sent to an OpenTelemetry collector
//! - [`footprints`]: the factor sets in force on a node, with what operators have loaded
//! - [`issuers`]: the issuers on board, their account ranges and their keys
//! - [`refusal`]: every way to refuse a call; [`keys`]: key files; [`telemetry`]: log and metrics;
//!   [`config`]: the settings
//! - [`pkcs11`]: keys in tokens
//! - [`openings`]: the wrapped keys that this node has seen
//! - [`recording`]: calls as a sandbox keeps them, for its console
//! - [`unwrap`]: the stage of RSA private operations, with its threads and engines
//! - [`vault`]: seals columns and makes blind indexes
//! - [`store`]: SQLite and PostgreSQL; its writer commits many calls in one transaction
//!
//! Shared by all: [`clock`], [`ids`], [`private_file`], [`queue`], [`sealed`] (names of sealed
//! columns), [`text_form`] (lengths and patterns), [`throttle`] (rate limits), [`timeline`] (a
//! call's times), [`toml_error`], [`violation`]. Three modules stand apart:
//! [`client`] is the other side, an issuer's server, and [`footprint`] turns a purchase into grams
//! of CO2e. [`explain`] says why a recorded call was refused, for a sandbox and for files.
//!
//! Two libraries under `crates/` know nothing of the gateway, and any Rust program can use them:
//! `oauth1-rsa` signs and verifies requests ([`oauth1`]), `payload-envelope` encrypts and decrypts
//! payloads ([`payload`], [`json`]). docs/architecture.md has the table of all modules and their
//! imports.
//!
//! # Glossary
//!
//! | word | meaning |
//! | --- | --- |
//! | PAN | primary account number: the number on a card |
//! | BIN, account range | the first 4 to 8 digits of a PAN; they tell which issuer the card belongs to |
//! | cardholder | a person whose card an issuer has enrolled. Wire paths and tables say "user" |
//! | directory | the users API (`/users`): plain user records of apps, apart from cardholders |
//! | CEK | content encryption key: the AES key of one message |
//! | wrapped key | a CEK, encrypted with RSA-OAEP to a gateway key; it travels with the message |
//! | KEK | key encryption key: wraps the data keys; held outside of the database |
//! | data key (DEK) | AES key `seal` for columns, or HMAC key `index` for blind indexes |
//! | blind index | HMAC of a PAN or e-mail address, to find it without storing it |
//! | reseal, rewrap | *reseal*: encrypt a row under a newer data key. *Rewrap*: encrypt a data key under another KEK |
//! | `kid`, fingerprint | how a message names the gateway key it is encrypted to. The fingerprint is the SHA-256 of the public key or certificate |
//! | consumer key | `CLIENT_ID!KEY_ID` of an issuer: names the keys that may sign the call |
//! | base string | the text that an OAuth 1.0a signature signs: method, URL, query and OAuth parameters |
//! | nonce | a random text in a signed call. The gateway accepts it once, so nobody can replay the call |
//! | witness | a node's file with the ends of its audit chains, outside of the database |

pub use oauth1_rsa as oauth1;
pub use payload_envelope as payload;
pub use payload_envelope::json;

pub mod answer;
pub mod app;
pub mod attempt;
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
pub mod console;
pub mod crypto_refusals;
pub mod dashboard;
pub mod directory;
pub mod enrolment;
pub mod expiry;
pub mod explain;
pub mod footprint;
pub mod footprints;
pub mod gateway;
pub mod housekeeping;
pub mod http;
pub mod ids;
pub mod issuers;
pub mod keys;
pub mod openings;
pub mod pkcs11;
pub mod private_file;
pub mod programme;
pub mod queue;
pub mod readiness;
pub mod recording;
pub mod refusal;
pub mod reload;
pub mod reloadable;
pub mod rotation;
pub mod sealed;
pub mod store;
mod sync;
pub mod telemetry;
pub mod text_form;
pub mod throttle;
pub mod timeline;
pub mod toml_error;
pub mod traces;
pub mod transactions;
pub mod unwrap;
pub mod vault;
pub mod violation;
