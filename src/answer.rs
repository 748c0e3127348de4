//! The answer to a call, sealed as its issuer can read it.

use crate::call::Call;
use crate::issuers::{Issuer, Responses};
use crate::json;
use crate::payload::{self, EnvelopeForm, Sealed};
use crate::refusal::Refusal;
use crate::timeline::Step;
use serde_json::Value;
use std::borrow::Cow;

/// What goes out with a status of 200: a JSON body, and the headers that belong to it.
#[derive(Debug)]
pub struct Reply {
    /// JSON of ASCII characters.
    pub body: Vec<u8>,
    /// Parameters of field-level encryption, where the request brought its own as headers; lower
    /// case names.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
}

impl Reply {
    /// In clear.
    pub fn plain(clear: &Value) -> Self {
        Self {
            body: json::to_ascii(clear).to_vec(),
            headers: Vec::new(),
        }
    }

    /// The answer to an encrypted request that was written as `form`: written the same way, or in
    /// clear where only dashboards are encrypted (the issuer's setting `responses`).
    ///
    /// # Errors
    /// [`Refusal::NoEncryptionCertificate`]: ask [`Issuer::require_recipient`] before anything is
    /// stored.
    pub fn mirroring(
        form: EnvelopeForm,
        issuer: &Issuer,
        call: &Call<'_>,
        clear: &Value,
    ) -> Result<Self, Refusal> {
        match issuer.responses {
            Responses::DashboardsOnly => Ok(Self::plain(clear)),
            Responses::Mirror => sealed(form, issuer, call, clear),
        }
    }

    /// The sealed answer to a request without a payload, such as a `GET`: written as the issuer's
    /// setting `answers` says, whatever its `responses` are.
    ///
    /// # Errors
    /// [`Refusal::NoEncryptionCertificate`] if no certificate of the issuer is valid now.
    pub fn unasked(issuer: &Issuer, call: &Call<'_>, clear: &Value) -> Result<Self, Refusal> {
        sealed(issuer.answers, issuer, call, clear)
    }
}

fn sealed(
    form: EnvelopeForm,
    issuer: &Issuer,
    call: &Call<'_>,
    clear: &Value,
) -> Result<Reply, Refusal> {
    let recipient = issuer
        .recipient(call.now, form.kind())
        .ok_or(Refusal::NoEncryptionCertificate)?;
    let clear = json::to_ascii(clear);
    if let Some(observer) = call.observer {
        observer.answers(&clear);
    }
    let Sealed { body, headers } = payload::seal_as(form, recipient, &clear)
        .map_err(|_| Refusal::Internal("sealing the answer"))?;
    call.reached(Step::Answer);
    Ok(Reply { body, headers })
}
