//! One call of a proven issuer, from the proof to the one commit that ends it.
//!
//! A use case begins an [`Attempt`], prepares with `?`, and ends it once: it refuses it
//! ([`Attempt::refuse`]), or it commits an act ([`Attempt::commit`], [`Attempt::commit_sealed`],
//! [`Attempt::commit_profile`]). Each end takes the attempt, so there is no second one.
//!
//! Every end uses up the call's nonce in its commit. So the database's unique key finds a replay,
//! on every node and after a restart. Only a call that may succeed when it is sent again unchanged
//! (overload, outage) leaves its nonce unused.
//!
//! What [`Attempt::open`] decrypts may be answered only after a commit too. The commit says whether
//! the wrapped key belongs to this message. If it does not, the answer is the same whatever the
//! plaintext was.
//!
//! `caller` proves who calls, `acts` gives each act its own results, `sealing` seals again when the
//! data keys change.

mod action;
mod acts;
mod caller;
pub(crate) mod sealing;

pub use action::Action;
pub use acts::{Enrol, Enrolled, Post, ReEnrol, ReEnrolled, Record, TypedAct, Updated};
pub use caller::require_active;

use crate::call::Call;
use crate::gateway::Gateway;
use crate::ids::CardholderId;
use crate::issuers::Issuer;
use crate::openings::Begun;
use crate::payload::{Envelope, EnvelopeKind, Opened};
use crate::refusal::Refusal;
use crate::store::StoreError;
use crate::store::audit::AuditDraft;
use crate::store::issuers::{IssuerRecord, Others, ProfileChange};
use crate::store::writer::{Act, Commit, Outcome};
use crate::throttle::Place;
use crate::timeline::Step;
use crate::unwrap::{self, Asker};
use crate::vault::{VaultError, VaultKeys};
use caller::{Caller, replayed};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// A call under way: who it is from, what it tries, and the nonce that its end uses up.
pub struct Attempt<'a> {
    /// What it works with.
    pub gateway: &'a Gateway,
    /// As it came.
    pub call: &'a Call<'a>,
    caller: Caller,
    /// Of the issuer's share, until the call has ended.
    _place: Option<Place<'a>>,
    action: Action,
    subject: Option<CardholderId>,
    detail: Option<String>,
    /// The payload that was decrypted, if one was.
    begun: OnceLock<Begun>,
}

impl<'a> Attempt<'a> {
    /// Proves who calls: only the verified consumer key says so.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`], before the signature is verified, if a queue that the call needs
    /// is full; [`Refusal::Signature`]; [`Refusal::Unavailable`] if this node's clock is off;
    /// [`Refusal::IssuerLimited`].
    pub fn begin(
        gateway: &'a Gateway,
        call: &'a Call<'a>,
        action: Action,
    ) -> Result<Self, Refusal> {
        if action.is_encrypted() {
            gateway.require_room()?;
        }
        let caller = Caller::authenticate(gateway, call);
        call.reached(Step::Signature);
        let caller = caller?;
        // A call has one attempt, so nobody was here before.
        call.proven.set(caller.issuer.client_id.clone()).ok();
        if let Some(observer) = call.observer {
            observer.proven(caller.found());
        }
        let place = enter(gateway, &caller)?;
        Ok(Self {
            caller,
            _place: place,
            gateway,
            call,
            action,
            subject: None,
            detail: None,
            begun: OnceLock::new(),
        })
    }

    /// Names the cardholder whom the audit entry is about.
    pub fn about(self, subject: Option<&CardholderId>) -> Self {
        Self {
            subject: subject.cloned(),
            ..self
        }
    }

    /// Adds to the audit entry; nothing personal.
    pub fn noting(self, detail: String) -> Self {
        Self {
            detail: Some(detail),
            ..self
        }
    }

    /// The issuer that calls.
    pub fn issuer(&self) -> Arc<Issuer> {
        Arc::clone(&self.caller.issuer)
    }

    /// The issuer must be on board and active (cce-api.md, sections 4 and 6). If this node has
    /// answered this very call before, nothing is decrypted or looked up for it.
    ///
    /// # Errors
    /// Those of [`require_active`]; [`Refusal::Signature`] for the replay.
    pub fn require_active(&self) -> Result<(), Refusal> {
        require_active(self.caller.issuer.status)?;
        if self.caller.replayed {
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
    pub async fn open(&self, envelope: Envelope) -> Result<Opened, Refusal> {
        let (gateway, caller) = (self.gateway, &self.caller);
        self.call.reached(Step::Checks);
        gateway.throttle.require_turn(&caller.issuer)?;
        let opened = unwrap::open_once(
            &caller.reloadable.keys,
            (
                &gateway.unwrapper,
                Asker {
                    number: caller.issuer.id.0,
                    timeline: self.call.timeline.cloned(),
                },
            ),
            envelope,
            |key_use| {
                let begun = gateway.openings.begin(caller.issuer.id, &key_use);
                begun.is_some_and(|begun| self.begun.set(begun).is_ok())
            },
        );
        let opened = opened.await;
        self.call.reached(Step::Decryption);
        let opened = opened?;
        if let Some(observer) = self.call.observer {
            let envelope = match opened.form.kind() {
                EnvelopeKind::Jwe => "JWE",
                EnvelopeKind::FieldLevel => "field-level",
            };
            observer.opened(envelope, opened.key.to_string(), opened.object.members());
        }
        Ok(opened)
    }

    /// Ends the call with a refusal. Returns the one to answer: another one if the call turns out
    /// to be a replay, its wrapped key belongs to another message, or the commit fails.
    ///
    /// A recoverable refusal is not committed: the nonce stays unused.
    pub async fn refuse(self, refusal: Refusal) -> Refusal {
        if refusal.is_recoverable() {
            return refusal;
        }
        let audit = self.audit().refused(refusal.reason());
        self.worked();
        match self.write(self.entry(Act::Record, audit)).await {
            Ok(outcome) => match self.concluded(outcome).await {
                Ok(_) if refusal.is_crypto() => self.slowed_down(refusal).await,
                Ok(_) => refusal,
                Err(other) => other,
            },
            Err(error) => error.into(),
        }
    }

    /// Ends the call with an act that holds nothing sealed.
    ///
    /// # Errors
    /// A replay, whatever the act; [`Refusal::WrappedKeyReused`]; what the writer says.
    pub async fn commit<A: TypedAct<'a>>(self, act: A) -> Result<A::Result, Refusal> {
        let commit = self.entry(act.into_act(), self.audit());
        self.worked();
        let outcome = self.write(commit).await?;
        self.ended::<A>(outcome).await
    }

    /// Ends the call with the act that `seal` makes. It makes it again if the data keys change
    /// before the act is written.
    ///
    /// # Errors
    /// Those of [`Attempt::commit`], of `seal` and of the vault.
    pub async fn commit_sealed<A: TypedAct<'a>>(
        self,
        seal: impl Fn(&Arc<VaultKeys>) -> Result<A, VaultError>,
    ) -> Result<A::Result, Refusal> {
        let (audit, gateway) = (self.audit(), self.gateway);
        self.worked();
        let writer = match self.action {
            Action::PostTransactions => &gateway.feeds,
            _ => &gateway.writer,
        };
        let parts = (&gateway.vault, &gateway.store, writer);
        let commit = sealing::commit(parts, self.call.timeline, |keys| {
            Ok(self.entry(seal(keys)?.into_act(), audit.clone()))
        });
        let committed = commit.await;
        self.call.reached(Step::Commit);
        self.ended::<A>(committed?).await
    }

    /// Ends the call with a change of the issuer's own profile, in a transaction of its own that
    /// uses up the nonce: `decide` gets the issuer as stored, under the lock. A refusal of its is
    /// committed as one, with nothing changed. Returns the issuer as it is afterwards.
    ///
    /// # Errors
    /// The refusal of `decide`; a replay; what the store says.
    pub async fn commit_profile<F>(self, decide: F) -> Result<IssuerRecord, Refusal>
    where
        F: FnOnce(
                &IssuerRecord,
                &mut Others<'_>,
            ) -> Result<Result<ProfileChange, Refusal>, StoreError>
            + Send
            + 'static,
    {
        let nonce = self.caller.nonce.clone();
        self.worked();
        let store = &self.gateway.store;
        let changed = store
            .change_profile(nonce, self.audit(), move |stored, others, audit| {
                let decided = decide(stored, others)?;
                Ok(decided.inspect_err(|refusal| audit.refuse(refusal.reason())))
            })
            .await;
        self.call.reached(Step::Commit);
        let changed = changed?;
        self.spent();
        changed.ok_or_else(replayed)?
    }

    /// The audit entry of this call, as an accepted one.
    fn audit(&self) -> AuditDraft {
        let (caller, call) = (&self.caller, self.call);
        AuditDraft {
            issuer_id: Some(caller.issuer.id),
            subject: self.subject.as_ref().map(|id| id.as_str().to_owned()),
            detail: self.detail.clone(),
            request_id: Some(call.request_id.to_owned()),
            origin: call.peer.map(str::to_owned),
            ..AuditDraft::accepted(
                call.now.timestamp_micros(),
                caller.consumer_key.as_str(),
                self.action.name(),
            )
        }
    }

    fn entry(&self, act: Act, audit: AuditDraft) -> Commit {
        Commit {
            nonce: Some(self.caller.nonce.clone()),
            act,
            audit,
            opening: self.begun.get().map(|begun| begun.opening().clone()),
            sealed_under: None,
        }
    }

    async fn write(&self, commit: Commit) -> Result<Outcome, StoreError> {
        let writer = &self.gateway.writer;
        let committed = writer.commit_timed(commit, self.call.timeline).await;
        self.call.reached(Step::Commit);
        committed
    }

    async fn ended<A: TypedAct<'a>>(self, outcome: Outcome) -> Result<A::Result, Refusal> {
        let outcome = self.concluded(outcome).await?;
        A::result(outcome, self).ok_or(Refusal::Internal("an act ended as another one does"))
    }

    /// Judges the outcome for nonce and wrapped key first, then for the act.
    async fn concluded(&self, outcome: Outcome) -> Result<Outcome, Refusal> {
        if !matches!(outcome, Outcome::MustReEnrol(_)) {
            self.spent();
        }
        let begun = self.begun.get();
        match outcome {
            Outcome::Replayed => Err(replayed()),
            Outcome::KeyReused(holder) => {
                if let (Some(begun), Some(holder)) = (begun, holder) {
                    begun.lost(holder);
                }
                Err(self.slowed_down(Refusal::WrappedKeyReused).await)
            }
            outcome => {
                if let Some(begun) = begun {
                    begun.won();
                }
                Ok(outcome)
            }
        }
    }

    /// What goes before the commit is done.
    fn worked(&self) {
        let opened = self.begun.get().is_some();
        self.call
            .reached(if opened { Step::Rules } else { Step::Checks });
    }

    /// The nonce of this call has been committed: this node refuses the very same call at once.
    fn spent(&self) {
        self.gateway.spent.remember(self.caller.print);
    }

    async fn slowed_down(&self, refusal: Refusal) -> Refusal {
        let (gateway, issuer) = (self.gateway, &self.caller.issuer);
        let throttle = &gateway.throttle;
        throttle.refused(issuer, &refusal, &gateway.metrics).await;
        refusal
    }
}

/// A place of the issuer's share. A replay takes none: its signature was not verified again, and
/// whoever has recorded a call could use up the share with it.
fn enter<'a>(gateway: &'a Gateway, caller: &Caller) -> Result<Option<Place<'a>>, Refusal> {
    if caller.replayed {
        return Ok(None);
    }
    let place = gateway.shares.enter(caller.issuer.id.0, Instant::now());
    place.map(Some).map_err(|limit| {
        let client_id = caller.issuer.client_id.as_str();
        gateway.metrics.issuer_limited(client_id, limit.name());
        Refusal::IssuerLimited(limit)
    })
}
