//! Opening a payload while the event loop goes on: the envelope's two halves around the stage.

use std::sync::Arc;

use super::{Asker, UnwrapError, Unwrapper};
use crate::payload::{CryptoReason, Envelope, JwePolicy, KeyRing, KeyUse, Opened};

/// Why an envelope did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// `CRYPTO_ERROR`, whatever the reason.
    #[error(transparent)]
    Crypto(#[from] CryptoReason),
    /// Too much to do: 503, come back later.
    #[error("too many payloads are being opened")]
    Overloaded,
    /// The private key lies in a token that does not answer: 503, come back later.
    #[error("the keeper of the private key does not answer")]
    KeeperAway,
    /// A fault of ours: 500, and the payload may be sent again.
    #[error("opening the payload has failed")]
    Failed,
}

impl OpenError {
    /// A stable kebab-case name for log and audit.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Crypto(reason) => reason.as_str(),
            Self::Overloaded => UnwrapError::Overloaded.reason(),
            Self::KeeperAway => UnwrapError::KeeperAway.reason(),
            Self::Failed => UnwrapError::Failed.reason(),
        }
    }
}

impl From<UnwrapError> for OpenError {
    fn from(error: UnwrapError) -> Self {
        match error {
            UnwrapError::Overloaded => Self::Overloaded,
            UnwrapError::KeeperAway => Self::KeeperAway,
            UnwrapError::Failed => Self::Failed,
        }
    }
}

/// Opens an envelope: finds the key, asks `admit`, unwraps, decrypts, parses.
///
/// `admit` says whether this use of the wrapped key is allowed. It is asked before each decryption;
/// if it says no, nothing is decrypted. Callers, known by a number, take turns in the stage.
///
/// From the unwrapping on there is one path and no early end, so that neither the answer nor its
/// time tells a wrong key from wrong content. Must follow the verification of the sender's
/// signature.
pub async fn open_once(
    ring: &KeyRing,
    (unwrapper, asker): (&Unwrapper, Asker),
    envelope: Envelope,
    admit: impl FnOnce(KeyUse) -> bool,
) -> Result<Opened, OpenError> {
    let wrapped = envelope.wrapped_key(ring, &JwePolicy::default())?;
    if !admit(wrapped.key_use()) {
        return Err(CryptoReason::WrappedKeyReused.into());
    }
    let content_key = unwrapper
        .unwrap_for(
            asker,
            Arc::clone(wrapped.key()),
            wrapped.travel().clone(),
            wrapped.bytes().to_vec(),
            wrapped.lengths(),
        )
        .await?;
    Ok(wrapped.decrypt(&content_key)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::{EnvelopeKind, KeyState, seal};
    use crate::unwrap::Engine;
    use crate::unwrap::testing::{gateway_key, recipient};

    const ENVELOPES: [EnvelopeKind; 2] = [EnvelopeKind::Jwe, EnvelopeKind::FieldLevel];

    fn sealed(kind: EnvelopeKind) -> Envelope {
        Envelope::parse_answer(&seal(kind, &recipient(0), br#"{"name":"n"}"#).unwrap()).unwrap()
    }

    async fn open(stage: &Unwrapper, kind: EnvelopeKind, admit: bool) -> Result<Opened, OpenError> {
        let ring = KeyRing::new(vec![gateway_key(0, &[], KeyState::Primary)]).unwrap();
        open_once(&ring, (stage, Asker::default()), sealed(kind), |_| admit).await
    }

    #[tokio::test]
    async fn what_is_admitted_opens_and_the_rest_does_not() {
        let stage = Unwrapper::start(1, 4, Engine::OneByOne).unwrap();
        for kind in ENVELOPES {
            let opened = open(&stage, kind, true).await.unwrap();
            assert_eq!(opened.form.kind(), kind);
            assert_eq!(opened.object.get("name"), Some(&"n".into()));
            let refused = open(&stage, kind, false).await.err();
            assert_eq!(refused, Some(CryptoReason::WrappedKeyReused.into()));
        }
    }

    #[tokio::test]
    async fn a_full_stage_is_no_fault_of_the_payload() {
        for kind in ENVELOPES {
            let opened = open(&Unwrapper::full(), kind, true).await;
            assert_eq!(opened.err(), Some(OpenError::Overloaded));
        }
    }

    #[tokio::test]
    async fn a_panic_in_the_stage_is_no_fault_of_the_payload() {
        let stage = Unwrapper::panicking();
        for kind in ENVELOPES {
            let opened = open(&stage, kind, true).await;
            assert_eq!(opened.err(), Some(OpenError::Failed));
        }
    }

    #[test]
    fn every_refusal_has_its_reason() {
        for (error, reason) in [
            (OpenError::Crypto(CryptoReason::Padding), "padding"),
            (OpenError::Overloaded, "unwrap-overloaded"),
            (OpenError::KeeperAway, "unwrap-keeper-away"),
            (OpenError::Failed, "unwrap-failed"),
        ] {
            assert_eq!(error.reason(), reason);
        }
    }
}
