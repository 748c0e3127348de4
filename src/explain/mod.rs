//! Why a call was refused: the gateway's checks in its own order, each with what came and what was
//! expected, and for the first that fails the mistake, how to mend it, and a proof.
//!
//! Never for a production answer. A sandbox on loopback shows it, and `client explain` prints it
//! about a recorded call. It opens payloads with the keys that it is given, also where the
//! signature is wrong. It decides nothing: the gateway's own parsers and verifiers do, and this
//! module looks for the reason afterwards.
//!
//! A mistake is named only if undoing it proves it: the signature verifies over the altered base
//! string, the hash is that of the altered body, the payload opens with the other key or digest.
//!
//! - [`Recorded`]: a call as it came; [`read`] takes one from a HAR file, curl's output or raw HTTP
//! - [`Knowledge`]: the keys, issuers and earlier calls that it is judged by
//! - [`Explanation`]: the outcome, for JSON and (`Display`) as plain text

mod answer;
mod authorization;
mod body_hash;
mod codec;
mod diff;
mod digest;
mod endpoint;
mod json_text;
mod knowledge;
mod names;
mod payload;
pub mod read;
mod recorded;
mod report;
mod signature;
mod text;
mod walk;

pub use diff::{Diff, Part};
pub use endpoint::{Endpoint, Operation};
pub use knowledge::{GatewayKey, Knowledge, KnownIssuer, OwnKey, SigningKey, Spent};
pub use names::NamedKey;
pub use recorded::{Answer, Recorded};
pub use report::{Cause, Detail, Explanation, Step, StepId, Verdict};

use walk::Walk;

/// Explains one call. It takes some milliseconds, and a second at most where a signature is looked
/// for among all usual mistakes.
pub fn explain(call: &Recorded, known: &Knowledge) -> Explanation {
    let mut walk = Walk::new(call);
    if let Some(operation) = endpoint::examine(&mut walk, call) {
        let caller = authorization::examine(&mut walk, call, known);
        payload::examine(&mut walk, call, known, operation, caller.issuer);
    }
    answer::examine(&mut walk, call);
    walk.finish()
}
