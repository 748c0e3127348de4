//! Who an issuer's call is from: the proof that every [`Attempt`](super::Attempt) begins with.

use crate::audit::refused::RefusedCall;
use crate::call::Call;
use crate::gateway::Gateway;
use crate::issuers::{Issuer, IssuerStatus};
use crate::oauth1::{self, Authorization, CallPrint, MAX_WINDOW_SECONDS};
use crate::recording::FoundCaller;
use crate::refusal::Refusal;
use crate::reloadable::Reloadable;
use crate::store::writer::Nonce;
use std::sync::Arc;

/// A proven issuer, and the nonce that this call has to use up.
pub(super) struct Caller {
    /// The issuer that the verified consumer key belongs to.
    pub(super) issuer: Arc<Issuer>,
    /// The keys and rules that this call began with, and keeps to its end.
    pub(super) reloadable: Arc<Reloadable>,
    /// Verified.
    pub(super) consumer_key: String,
    /// What this call's commit uses up.
    pub(super) nonce: Nonce,
    /// By which this node knows the call again.
    pub(super) print: CallPrint,
    /// This node has seen the nonce of this very call committed.
    pub(super) replayed: bool,
}

impl Caller {
    /// Verifies the signature over the raw call. The verified consumer key alone says who calls.
    ///
    /// It notes a refusal for the audit trail. Later ones are the attempt's to commit.
    ///
    /// # Errors
    /// [`Refusal::Signature`]; [`Refusal::Unavailable`] if this node's clock is off.
    pub(super) fn authenticate(gateway: &Gateway, call: &Call<'_>) -> Result<Self, Refusal> {
        gateway.require_clock()?;
        Self::verify(gateway, call).inspect_err(|refusal| {
            let refused = RefusedCall {
                reason: refusal.reason(),
                authorization: call.authorization,
                request_id: call.request_id,
                peer: call.peer,
                at: call.now.timestamp_micros(),
            };
            gateway
                .refused
                .note(&refused, &gateway.registry, &gateway.metrics);
        })
    }

    /// Who it is, for a sandbox that watches the call.
    pub(super) fn found(&self) -> FoundCaller {
        FoundCaller {
            client_id: self.issuer.client_id.to_string(),
            name: self.issuer.name.clone(),
            consumer_key: self.consumer_key.clone(),
        }
    }

    fn verify(gateway: &Gateway, call: &Call<'_>) -> Result<Self, Refusal> {
        let reloadable = gateway.reloadable();
        let header = call
            .authorization
            .ok_or(oauth1::SignatureError::MissingAuthorization)?;
        let authorization = Authorization::parse(header)?;
        let request = oauth1::Request {
            method: call.method,
            path: call.path,
            query: call.query,
            body: call.body,
        };
        authorization.check(
            &request,
            reloadable.oauth_window_seconds,
            call.now.timestamp(),
        )?;
        let (credential, decoys) = gateway.registry.credential(authorization.consumer_key());
        let print = credential
            .as_ref()
            .map(|credential| CallPrint::new(credential.issuer.id.0, header, &request));
        let replayed = print.is_some_and(|print| gateway.spent.contains(&print));
        if !replayed {
            let allow_pss = credential.as_ref().is_none_or(|found| found.issuer.rsa_pss);
            let keys: Vec<_> = credential
                .iter()
                .flat_map(|found| found.keys_at(call.now))
                .collect();
            authorization.prove(&request, &reloadable.origins, &keys, &decoys, allow_pss)?;
        }
        let (Some(credential), Some(print)) = (credential, print) else {
            return Err(oauth1::SignatureError::SignatureInvalid.into());
        };
        let ahead = authorization.timestamp() - call.now.timestamp();
        gateway.metrics.call_clock(ahead);
        Ok(Self {
            nonce: Nonce {
                issuer_id: credential.issuer.id,
                value: authorization.nonce().to_owned(),
                expires_at: nonce_expires_at(authorization.timestamp()),
            },
            consumer_key: authorization.consumer_key().to_owned(),
            issuer: credential.issuer,
            reloadable,
            print,
            replayed,
        })
    }
}

/// An issuer's calls are open to it while it is ACTIVE alone.
pub fn require_active(status: IssuerStatus) -> Result<(), Refusal> {
    match status {
        IssuerStatus::Active => Ok(()),
        IssuerStatus::Inactive => Err(Refusal::IssuerInactive),
        IssuerStatus::Suspended => Err(Refusal::IssuerSuspended),
        IssuerStatus::Terminated => Err(Refusal::IssuerTerminated),
        IssuerStatus::Removed => Err(Refusal::IssuerNotFound),
    }
}

/// Until when a used-up nonce is kept, microseconds since 1970 UTC: longer than any window that can
/// be configured accepts its timestamp, so that a wider window never makes a purged nonce new
/// again.
fn nonce_expires_at(timestamp: i64) -> i64 {
    (timestamp + MAX_WINDOW_SECONDS + 1).saturating_mul(1_000_000)
}

/// The nonce was used before.
pub(super) fn replayed() -> Refusal {
    oauth1::SignatureError::NonceUsed.into()
}
