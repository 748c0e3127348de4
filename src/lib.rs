//! # issuer-gateway
//!
//! A gateway for card-issuer APIs with end-to-end encrypted payloads: an issuer's server sends an
//! encrypted, signed call, and the gateway verifies, opens, judges, seals, stores and answers it.
//!
//! # Map
//!
//! The modules, in the order in which a request passes through them. Each imports only modules that
//! stand below it:
//!
//! - [`cli`]: the commands; [`config`]: the settings; [`app`]: builds a gateway from its
//!   configuration, runs it and stops it
//! - [`rotation`]: changes the vault's keys while nodes serve, and seals stored rows anew
//! - [`http`]: the only code that knows HTTP; `http::routes` lists every path, `http::error` turns
//!   every refusal into its answer
//! - [`enrolment`]: the cardholders' use cases, [`programme`]: the issuer's own profile,
//!   [`directory`]: the users API
//! - [`housekeeping`]: the background jobs of a node; [`readiness`]: whether the node can work
//! - `attempt`: one signed call, from the raw bytes to the single commit that uses up its nonce
//! - [`gateway`]: the parts of a running gateway; [`reloadable`]: the parts that [`reload`] swaps
//!   in one step; [`expiry`]: keys and certificates that end soon; [`clock`]: the database's time
//! - [`openings`]: wrapped keys that this node has seen; `crypto_refusals`: slows down payloads
//!   that do not open
//! - [`audit`]: audit entries of nodes and unproven callers; verification and export of the trail
//! - [`issuers`]: the issuers on board, their account ranges and their keys
//! - `unwrap`: the stage of RSA private operations, with its threads and engines
//! - [`vault`]: seals columns and makes blind indexes
//! - [`store`]: SQLite and PostgreSQL; its writer commits many calls in one transaction
//! - [`footprint`]: turns a purchase into grams of CO2e; pure, apart from everything above
//!
//! Any module may use [`refusal`], [`violation`], [`ids`], [`json`], [`keys`], [`private_file`],
//! [`telemetry`], [`queue`], [`toml_error`], `sealed` (names of sealed columns) and [`throttle`]
//! (rate limits). [`client`] is the other side: an issuer's server.
//!
//! Two libraries know nothing of the gateway, and any Rust program can use them: `oauth1-rsa` signs
//! and verifies requests, `payload-envelope` encrypts and decrypts payloads. docs/architecture.md
//! tells the same story at length.
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
pub mod store;
pub mod telemetry;
pub mod throttle;
pub mod toml_error;
pub mod vault;
pub mod violation;
