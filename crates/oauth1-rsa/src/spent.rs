//! Remembers calls whose nonce this process has seen committed. It refuses the same bytes again
//! without an RSA operation, public or private.
//!
//! Only a proven and committed call gets in. So nobody else can fill the memory, or make it refuse
//! a call that was never answered. A call that it has forgotten is still found where the server
//! keeps nonces.

use super::Request;
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::mem;
use std::sync::{Mutex, PoisonError};

/// Calls of one generation; two are kept, 64 bytes each: at most 16 MB.
const GENERATION: usize = 1 << 17;

/// What identifies one call of a client: all that its signature covers, and the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallPrint([u8; 32]);

impl CallPrint {
    /// `caller` is a number for whose the verified consumer key was; `authorization` the whole
    /// header, which holds the body's hash. A body without that hash is refused, so the body itself
    /// need not be read.
    pub fn new(caller: i32, authorization: &str, request: &Request<'_>) -> Self {
        let mut hash = Sha256::new_with_prefix(caller.to_be_bytes());
        let query = request.query.unwrap_or_default();
        let has_query = if request.query.is_some() { "?" } else { "" };
        for part in [
            authorization,
            request.method,
            request.path,
            has_query,
            query,
        ] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

/// The calls that were committed last.
#[derive(Debug, Default)]
pub struct SpentCalls(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    newer: HashSet<CallPrint>,
    older: HashSet<CallPrint>,
}

impl SpentCalls {
    /// The nonce of this call has been committed.
    pub fn remember(&self, call: CallPrint) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.newer.len() >= GENERATION {
            calls.older = mem::take(&mut calls.newer);
        }
        calls.newer.insert(call);
    }

    /// Whether the nonce of this very call is known to be used up.
    pub fn contains(&self, call: &CallPrint) -> bool {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.newer.contains(call) || calls.older.contains(call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(path: &'a str, query: Option<&'a str>) -> Request<'a> {
        Request {
            method: "GET",
            path,
            query,
            body: b"",
        }
    }

    #[test]
    fn every_part_tells_calls_apart() {
        let print = CallPrint::new(1, "OAuth a", &request("/p", Some("q")));
        for other in [
            CallPrint::new(2, "OAuth a", &request("/p", Some("q"))),
            CallPrint::new(1, "OAuth b", &request("/p", Some("q"))),
            CallPrint::new(1, "OAuth a", &request("/pq", Some(""))),
            CallPrint::new(1, "OAuth a", &request("/p?q", None)),
            CallPrint::new(1, "OAuth a", &request("/p", None)),
        ] {
            assert_ne!(print, other);
        }
        assert_eq!(
            print,
            CallPrint::new(1, "OAuth a", &request("/p", Some("q")))
        );
    }

    #[test]
    fn the_last_calls_are_known_and_their_number_is_bounded() {
        let spent = SpentCalls::default();
        let print = |n: usize| CallPrint::new(1, &n.to_string(), &request("/", None));
        for n in 0..=2 * GENERATION {
            spent.remember(print(n));
        }
        assert!(!spent.contains(&print(0)), "forgotten");
        assert!((GENERATION..=2 * GENERATION).all(|n| spent.contains(&print(n))));
        let calls = spent.0.lock().unwrap();
        assert!(calls.newer.len() + calls.older.len() <= 2 * GENERATION);
    }
}
