//! Why a call was refused: `explain`, with all that this sandbox knows.

use super::Console;
use crate::explain::{Explanation, Knowledge, OwnKey, Recorded, Spent, explain};
use crate::gateway::Gateway;
use crate::keys::source::{read_certificate, read_private_key};
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
            &self.own_keys()?,
        )?;
        let calls = self.log.after(0);
        let earlier = calls.iter().filter(|other| other.number < call.number);
        known.spent = earlier
            .filter_map(|other| Spent::of(&Recorded::from(other.as_ref())))
            .collect();
        Ok(explain(&Recorded::from(call), &known))
    }

    /// The keys that this sandbox has made for its issuers.
    fn own_keys(&self) -> anyhow::Result<Vec<OwnKey>> {
        let folder = self.folder();
        let issuers = self.sandbox()?.issuers.into_values();
        let keys = issuers.map(|issuer| {
            let file = folder.join(&issuer.decryption_key);
            let certificate = file.with_file_name("decryption-cert.pem");
            Ok(OwnKey {
                client_id: issuer.client_id,
                private: read_private_key(&file)?,
                certificate: read_certificate(&certificate).ok(),
            })
        });
        keys.collect()
    }
}
