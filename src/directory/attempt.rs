//! How a call that changes a record ends: in one commit with an audit entry, whether it is done or
//! refused. Its caller proves a key, not a signature: there is no nonce to use up.

use super::{DirectoryRefusal, KeyHolder};
use crate::attempt::sealing;
use crate::call::Call;
use crate::gateway::Gateway;
use crate::store::audit::AuditDraft;
use crate::store::directory::changes::{Applied, DirectoryChange};
use crate::store::writer::{Act, Commit, Outcome};
use crate::timeline::Step;
use crate::vault::{VaultError, VaultKeys};

/// A call under way. Each end takes it, so there is no second one.
pub(super) struct DirectoryAttempt<'a> {
    gateway: &'a Gateway,
    call: &'a Call<'a>,
    audit: AuditDraft,
}

impl<'a> DirectoryAttempt<'a> {
    /// `action`: its stable name in the audit trail.
    pub(super) fn new(
        gateway: &'a Gateway,
        call: &'a Call<'a>,
        caller: &KeyHolder,
        action: &'static str,
    ) -> Self {
        let at = call.now.timestamp_micros();
        let audit = AuditDraft {
            request_id: Some(call.request_id.to_owned()),
            origin: call.peer.map(str::to_owned),
            ..AuditDraft::accepted(at, caller.actor.as_str(), action)
        };
        Self {
            gateway,
            call,
            audit,
        }
    }

    /// Ends the call with a refusal. Returns the one to answer: another one if the commit fails. A
    /// recoverable refusal is not committed.
    pub(super) async fn refuse(self, refusal: DirectoryRefusal) -> DirectoryRefusal {
        if refusal.is_recoverable() {
            return refusal;
        }
        let audit = self.audit.refused(refusal.reason());
        self.call.reached(Step::Checks);
        let (writer, entry) = (&self.gateway.writer, entry(Act::Record, audit));
        let committed = writer.commit_timed(entry, self.call.timeline).await;
        self.call.reached(Step::Commit);
        committed.map_or_else(Into::into, |_| refusal)
    }

    /// Ends the call with the change that `seal` makes. It makes it again if the data keys change
    /// before the change is written. Returns what the database made of it.
    ///
    /// # Errors
    /// Those of `seal`, of the writer and of the vault.
    pub(super) async fn commit_sealed(
        self,
        seal: impl Fn(&VaultKeys) -> Result<DirectoryChange, VaultError>,
    ) -> Result<Applied, DirectoryRefusal> {
        let (gateway, call) = (self.gateway, self.call);
        call.reached(Step::Checks);
        let parts = (&gateway.vault, &gateway.store, &gateway.writer);
        let outcome = sealing::commit(parts, call.timeline, |keys| {
            let change = seal(keys)?;
            let audit = AuditDraft {
                subject: Some(change.klaim_id().to_owned()),
                ..self.audit.clone()
            };
            Ok(entry(Act::Directory(Box::new(change)), audit))
        });
        let outcome = outcome.await;
        call.reached(Step::Commit);
        match outcome? {
            Outcome::Done => Ok(Applied::Done),
            Outcome::CardholderGone => Ok(Applied::Gone),
            Outcome::Taken(taken) => Ok(Applied::Taken(taken)),
            _ => Err(DirectoryRefusal::Internal(
                "a change ended as an issuer's act does",
            )),
        }
    }
}

fn entry(act: Act, audit: AuditDraft) -> Commit {
    Commit {
        nonce: None,
        act,
        audit,
        opening: None,
        sealed_under: None,
    }
}
