//! An issuer's call as it came, who it is from, and how it ends.
//!
//! Every call that passes [`Caller::authenticate`] ends in exactly one commit that uses up its
//! nonce, whether the call is done or refused: so a replay is found by the database's unique key,
//! on every node and after a restart. Only calls that may succeed when sent again unchanged
//! (overload, outage) leave the nonce unused.
//!
//! What [`Caller::open`] decrypts may be answered only after a commit too: the commit says whether
//! the wrapped key belongs to this message. If not, the answer is the same whatever the plaintext
//! was.

use crate::audit::refused::RefusedCall;
use crate::gateway::Gateway;
use crate::ids::CardholderId;
use crate::issuers::{Issuer, IssuerStatus};
use crate::oauth1::{self, Authorization, CallPrint, MAX_WINDOW_SECONDS};
use crate::openings::Begun;
use crate::payload::{Envelope, FieldLevelHeaders, Opened};
use crate::refusal::Refusal;
use crate::reloadable::Reloadable;
use crate::store::audit::AuditDraft;
use crate::store::writer::{Act, Commit, Nonce, Outcome};
use crate::unwrap;
use crate::vault::{VaultError, VaultKeys};
use chrono::{DateTime, Utc};
use std::sync::{Arc, OnceLock};

/// What came over the wire, byte for byte; the signature covers it.
pub struct Call<'a> {
    /// `POST`, `PUT`, …
    pub method: &'a str,
    /// The path as sent, not decoded.
    pub path: &'a str,
    /// The query as sent, without `?`.
    pub query: Option<&'a str>,
    /// The `Authorization` header, if there is exactly one.
    pub authorization: Option<&'a str>,
    /// The `Content-Type` header.
    pub content_type: Option<&'a str>,
    /// Field-level encryption parameters that came as headers.
    pub field_level: FieldLevelHeaders<'a>,
    /// The raw body.
    pub body: &'a [u8],
    /// Our id of this request, in the log and in the audit trail.
    pub request_id: &'a str,
    /// The peer's address, for the audit trail.
    pub peer: Option<&'a str>,
    /// Somebody on this machine called it by a name of this machine, and nothing forwarded the
    /// call.
    pub direct: bool,
    /// When it came.
    pub now: DateTime<Utc>,
}

impl Call<'_> {
    /// The body must be declared as JSON; parameters such as `charset` do not matter
    /// (wire-formats.md 4.1).
    pub fn require_json(&self) -> Result<(), Refusal> {
        let media_type = self
            .content_type
            .and_then(|value| value.split(';').next())
            .unwrap_or("")
            .trim();
        if media_type.eq_ignore_ascii_case("application/json") {
            Ok(())
        } else {
            Err(Refusal::MediaType)
        }
    }
}

/// What an audit entry says was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `POST /issuers/users`
    EnrolCardholder,
    /// `POST /issuers/users` of a card whose user must register again
    ReEnrolCardholder,
    /// `PUT /issuers/users/{userid}`
    UpdateCardholder,
    /// `POST /issuers/user-deletions`; an accepted call leaves one entry for each user.
    DeleteCardholders,
    /// `GET /issuers`
    ShowIssuer,
    /// `PUT /issuers`
    ChangeIssuer,
}

impl Action {
    /// The stable name in the audit trail.
    pub fn name(self) -> &'static str {
        match self {
            Self::EnrolCardholder => "user.enrol",
            Self::ReEnrolCardholder => "user.re-enrol",
            Self::UpdateCardholder => "user.update",
            Self::DeleteCardholders => "user.delete",
            Self::ShowIssuer => "issuer.show",
            Self::ChangeIssuer => "issuer.change",
        }
    }
}

/// A proven issuer, and the nonce that this call has to use up.
pub struct Caller {
    /// The issuer that the verified consumer key belongs to.
    pub issuer: Arc<Issuer>,
    /// The keys and rules that this call began with, and keeps to its end.
    pub live: Arc<Reloadable>,
    consumer_key: String,
    nonce: Nonce,
    /// The payload that was decrypted, if one was.
    begun: OnceLock<Begun>,
    print: CallPrint,
    /// This node has seen the nonce of this very call committed.
    replayed: bool,
}

impl Caller {
    /// Verifies the signature over the raw call. The verified consumer key alone says who calls.
    ///
    /// A refusal is noted for the audit trail here; from then on [`Caller::settle`] does it.
    pub fn authenticate(gateway: &Gateway, call: &Call<'_>) -> Result<Self, Refusal> {
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

    fn verify(gateway: &Gateway, call: &Call<'_>) -> Result<Self, Refusal> {
        let live = gateway.live();
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
        authorization.check(&request, live.oauth_window_seconds, call.now.timestamp())?;
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
            authorization.prove(&request, &live.origins, &keys, &decoys, allow_pss)?;
        }
        let (Some(credential), Some(print)) = (credential, print) else {
            return Err(oauth1::SignatureError::SignatureInvalid.into());
        };
        Ok(Self {
            nonce: Nonce {
                issuer_id: credential.issuer.id,
                value: authorization.nonce().to_owned(),
                expires_at: nonce_expires_at(authorization.timestamp()),
            },
            consumer_key: authorization.consumer_key().to_owned(),
            issuer: credential.issuer,
            live,
            begun: OnceLock::new(),
            print,
            replayed,
        })
    }

    /// The issuer must be on board and active (cce-api.md, sections 4 and 6), and this call not one
    /// that this node has answered before: then nothing is decrypted or looked up for it.
    pub fn require_active(&self) -> Result<(), Refusal> {
        require_active(self.issuer.status)?;
        if self.replayed {
            return Err(replayed());
        }
        Ok(())
    }

    /// Opens this call's payload, once. From then on the call's commit claims the wrapped key for
    /// it.
    ///
    /// # Errors
    /// [`Refusal::WrappedKeyReused`], with nothing decrypted, if this node knows that the key
    /// belongs to another message or issuer; [`Refusal::Crypto`]; [`Refusal::Overloaded`], also
    /// where too many payloads of this issuer did not open lately.
    pub async fn open(&self, gateway: &Gateway, envelope: Envelope) -> Result<Opened, Refusal> {
        gateway.throttle.require_turn(&self.issuer)?;
        let opened = unwrap::open_once(
            &self.live.keys,
            &gateway.unwrapper,
            &self.live.jwe_policy,
            envelope,
            |key_use| {
                let begun = gateway.openings.begin(self.issuer.id, &key_use);
                begun.is_some_and(|begun| self.begun.set(begun).is_ok())
            },
        );
        Ok(opened.await?)
    }

    /// The nonce that this call has to use up, for a change that does not go through
    /// [`Caller::settle`]: who commits it says so with [`Caller::spent`].
    pub fn nonce(&self) -> Nonce {
        self.nonce.clone()
    }

    /// The nonce of this call has been committed.
    pub fn spent(&self, gateway: &Gateway) {
        gateway.spent.remember(self.print);
    }

    /// The audit entry of this call, as an accepted one.
    pub fn audit(
        &self,
        call: &Call<'_>,
        action: Action,
        subject: Option<&CardholderId>,
    ) -> AuditDraft {
        AuditDraft {
            issuer_id: Some(self.issuer.id),
            subject: subject.map(|id| id.as_str().to_owned()),
            request_id: Some(call.request_id.to_owned()),
            origin: call.peer.map(str::to_owned),
            ..AuditDraft::accepted(
                call.now.timestamp_micros(),
                self.consumer_key.as_str(),
                action.name(),
            )
        }
    }

    /// Ends the call: commits what was prepared, or only the refusal, and uses up the nonce.
    ///
    /// Returns the outcome of an act that was committed. A replay is refused whatever was prepared.
    pub async fn settle<T>(
        &self,
        gateway: &Gateway,
        call: &Call<'_>,
        action: Action,
        subject: Option<&CardholderId>,
        prepared: Result<(Act, T), Refusal>,
    ) -> Result<(Outcome, T), Refusal> {
        let (act, rest) = match prepared {
            Ok(prepared) => prepared,
            Err(refusal) => return Err(self.refuse(gateway, call, action, subject, refusal).await),
        };
        let commit = self.commit(act, self.audit(call, action, subject));
        let outcome = gateway.writer.commit(commit).await?;
        Ok((self.concluded(gateway, outcome).await?, rest))
    }

    /// The same for an act that holds sealed values: `seal` makes it of what was prepared, again if
    /// the data keys change before it is written.
    pub async fn settle_sealed<T>(
        &self,
        gateway: &Gateway,
        call: &Call<'_>,
        action: Action,
        subject: Option<&CardholderId>,
        prepared: Result<T, Refusal>,
        seal: impl Fn(&VaultKeys, &T) -> Result<Act, VaultError>,
    ) -> Result<(Outcome, T), Refusal> {
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(refusal) => return Err(self.refuse(gateway, call, action, subject, refusal).await),
        };
        let audit = self.audit(call, action, subject);
        let outcome = gateway
            .commit_sealed(|keys| {
                let act = seal(keys, &prepared)?;
                Ok::<_, Refusal>(self.commit(act, audit.clone()))
            })
            .await?;
        Ok((self.concluded(gateway, outcome).await?, prepared))
    }

    fn commit(&self, act: Act, audit: AuditDraft) -> Commit {
        Commit {
            nonce: Some(self.nonce.clone()),
            act,
            audit,
            opening: self.begun.get().map(|begun| begun.opening().clone()),
            sealed_under: None,
        }
    }

    /// Commits a refusal; the one to answer, which is another one if the call is a replay or the
    /// commit fails.
    async fn refuse(
        &self,
        gateway: &Gateway,
        call: &Call<'_>,
        action: Action,
        subject: Option<&CardholderId>,
        refusal: Refusal,
    ) -> Refusal {
        if refusal.is_recoverable() {
            return refusal;
        }
        // A refused enrolment has made no user, and the id it would have had means nothing to
        // anybody.
        let subject = subject.filter(|_| action != Action::EnrolCardholder);
        let audit = self.audit(call, action, subject).refused(refusal.reason());
        match gateway.writer.commit(self.commit(Act::Record, audit)).await {
            Ok(outcome) => match self.concluded(gateway, outcome).await {
                Ok(_) if refusal.is_crypto() => self.slowed_down(gateway, refusal).await,
                Ok(_) => refusal,
                Err(other) => other,
            },
            Err(error) => error.into(),
        }
    }

    /// What the commit says of nonce and wrapped key, ahead of what it says of the act.
    async fn concluded(&self, gateway: &Gateway, outcome: Outcome) -> Result<Outcome, Refusal> {
        if !matches!(outcome, Outcome::MustReEnrol(_)) {
            self.spent(gateway);
        }
        let begun = self.begun.get();
        match outcome {
            Outcome::Replayed => Err(replayed()),
            Outcome::KeyReused(holder) => {
                if let (Some(begun), Some(holder)) = (begun, holder) {
                    begun.lost(holder);
                }
                Err(self.slowed_down(gateway, Refusal::WrappedKeyReused).await)
            }
            outcome => {
                if let Some(begun) = begun {
                    begun.won();
                }
                Ok(outcome)
            }
        }
    }

    async fn slowed_down(&self, gateway: &Gateway, refusal: Refusal) -> Refusal {
        let throttle = &gateway.throttle;
        throttle
            .refused(&self.issuer, &refusal, &gateway.metrics)
            .await;
        refusal
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
pub fn replayed() -> Refusal {
    oauth1::SignatureError::NonceUsed.into()
}
