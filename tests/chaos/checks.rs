//! What must hold after every fault.
//!
//! Each call is sent again twice: as it was, and encrypted and signed anew.
//!
//! - As it was: a call that was answered 200 is refused. Any other call is refused if it was
//!   stored, else it is done now.
//! - Anew: refused with `USER_ALREADY_EXISTS`, and the answer names the id that was acknowledged.
//!
//! After that the database holds exactly the ids that callers know, each with one card, one scoring
//! job and one accepted entry of the audit trail; `audit verify` and `vault verify` find nothing.

use crate::calls::{Ending, issuer, send, sign};
use crate::load::{CALLERS, Call, shown};
use crate::node::{Node, Site};
use crate::support::gateway::TestClient;
use crate::support::{Backend, until};
use issuer_gateway::client::Prepared;
use std::collections::BTreeSet;
use std::net::SocketAddr;

/// The cardholders that callers know, over all rounds of a test.
#[derive(Default)]
pub(crate) struct Known {
    ids: BTreeSet<String>,
}

impl Known {
    /// Sends every call of a round again and checks everything. Returns how many stored calls had
    /// not been answered 200: their callers learned the ids only now.
    pub(crate) fn check(&mut self, site: &Site, node: &mut Node, calls: &[Call]) -> usize {
        let address = node.address;
        let part = calls.len().div_ceil(CALLERS).max(1);
        let checked: Vec<Result<(String, bool), String>> = std::thread::scope(|scope| {
            let checking: Vec<_> = calls
                .chunks(part)
                .map(|part| scope.spawn(move || Again::new(address).check_all(part)))
                .collect();
            let checked = checking.into_iter().map(|one| one.join().unwrap());
            checked.flatten().collect()
        });
        let mut learned = 0;
        let mut problems = Vec::new();
        for call in checked {
            match call {
                Ok((id, late)) => {
                    learned += usize::from(late);
                    assert!(self.ids.insert(id), "one id for two cards");
                }
                Err(problem) => problems.push(problem),
            }
        }
        assert!(problems.is_empty(), "{}", shown(&problems));
        assert!(node.runs(), "it ended by itself:\n{}", node.log());
        self.stored(site);
        learned
    }

    /// The database holds these cardholders and no other, and all of it is whole.
    fn stored(&self, site: &Site) {
        let ids = site.database.texts("SELECT user_id AS t FROM users");
        let stored: BTreeSet<String> = ids.into_iter().collect();
        let lost = self.ids.difference(&stored).count();
        let unknown = stored.difference(&self.ids).count();
        assert_eq!(
            (lost, unknown),
            (0, 0),
            "acknowledged and lost, stored and known to nobody; of {}",
            self.ids.len()
        );
        let users = site.database.assert_whole();
        assert_eq!(usize::try_from(users).unwrap(), self.ids.len());
        if site.database.backend == Backend::Sqlite {
            let check = site
                .database
                .texts("SELECT integrity_check AS t FROM pragma_integrity_check");
            assert_eq!(check, ["ok"]);
        }
        site.succeeds(&["audit", "verify"]);
        site.succeeds(&["vault", "verify"]);
        println!("{} cardholders, all there", self.ids.len());
    }
}

struct Again {
    client: TestClient,
    address: SocketAddr,
}

impl Again {
    fn new(address: SocketAddr) -> Self {
        Self {
            client: issuer(),
            address,
        }
    }

    fn check_all(&self, calls: &[Call]) -> Vec<Result<(String, bool), String>> {
        calls.iter().map(|call| self.check(call)).collect()
    }

    /// The cardholder's id, and whether the caller has learned of it only now.
    fn check(&self, call: &Call) -> Result<(String, bool), String> {
        let (known, stored) = match (self.send(&call.request), &call.acknowledged) {
            (Ending::Unauthorized, known) => (known.clone(), true),
            (Ending::Acknowledged(id), None) => (Some(id), false),
            (ending, known) => {
                return Err(format!("sent again as it was: {ending:?} after {known:?}"));
            }
        };
        let late = stored && call.acknowledged.is_none();
        let details = match self.send(&sign(&self.client, &call.clear)) {
            Ending::Taken(details) => details,
            ending => return Err(format!("signed anew: {ending:?} after {known:?}")),
        };
        let named = details.rsplit(|c: char| c != '-' && !c.is_ascii_hexdigit());
        let named = named.map(str::to_owned).next().unwrap_or_default();
        if named.len() != 36 || known.is_some_and(|known| known != named) {
            return Err(format!("signed anew: the id is not named: {details:?}"));
        }
        Ok((named, late))
    }

    /// Sends until the gateway has judged it: it may still be recovering.
    fn send(&self, request: &Prepared) -> Ending {
        let mut ending = Ending::NotSent;
        until("the gateway judges a call", || {
            ending = send(&self.client, self.address, request);
            !matches!(ending, Ending::Unavailable | Ending::NotSent | Ending::Lost)
        });
        ending
    }
}
