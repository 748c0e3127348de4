//! Why a call was refused: `explain`, with all that this sandbox knows.

use super::Console;
use crate::explain::{Explanation, Knowledge, OwnKey, Recorded, Spent, explain};
use crate::gateway::Gateway;
use crate::recording::RecordedCall;

impl Console {
    /// Explains a call. It may take a second: not for an event loop.
    ///
    /// # Errors
    /// A key file of the sandbox that cannot be read.
    pub fn explain(&self, gateway: &Gateway, call: &RecordedCall) -> anyhow::Result<Explanation> {
        let reloadable = gateway.reloadable();
        let mut known = Knowledge::of_gateway(
            &self.config,
            reloadable.origins.clone(),
            reloadable.oauth_window_seconds,
            &gateway.registry.issuers(),
            &OwnKey::of_sandbox(&self.sandbox()?, &self.folder())?,
        )?;
        let calls = self.log.after(0);
        let earlier = calls.iter().filter(|other| other.number < call.number);
        known.spent = earlier
            .filter_map(|other| Spent::of(&Recorded::from(other.as_ref())))
            .collect();
        Ok(explain(&Recorded::from(call), &known))
    }
}
