//! Keys in PKCS#11 tokens (OASIS PKCS#11 2.40 and 3.x), by the crate `cryptoki`.
//!
//! - [`Token`]: a token of the configuration. It gives each caller a session of its own, logs in,
//!   and finds its way back after the token was away;
//! - [`aes`]: KEKs, [`rsa`]: gateway keys, both by the object that [`KeyQuery`] names;
//! - `module`: the shared library, loaded and initialized once for the whole process;
//! - [`TokenFault`]: everything that can go wrong, by name.

pub mod aes;
mod fault;
mod module;
pub mod rsa;
mod token;

pub use fault::TokenFault;
pub use token::{KeyQuery, Seat, Token};
