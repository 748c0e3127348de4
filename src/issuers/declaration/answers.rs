//! The setting `answers`: how answers are sealed that have no request to mirror.

use crate::payload::{Encoding, EnvelopeForm, FieldLevelForm, OaepDigest};
use serde::Deserialize;

/// As an operator writes it. What is left out is what the public API's clients read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answers {
    envelope: Option<String>,
    encoding: Option<String>,
    digest: Option<String>,
}

/// `None` if a value is none of those that there are.
pub(super) fn form(
    answers: Option<&Answers>,
    report: &mut dyn FnMut(String),
) -> Option<EnvelopeForm> {
    let mut form = FieldLevelForm::default();
    let Some(answers) = answers else {
        return Some(EnvelopeForm::FieldLevel(form));
    };
    let jwe = match answers.envelope.as_deref() {
        None | Some("field-level") => false,
        Some("jwe") => true,
        Some(_) => {
            report("answers.envelope: must be \"jwe\" or \"field-level\"".to_owned());
            return None;
        }
    };
    if jwe {
        if answers.encoding.is_some() || answers.digest.is_some() {
            report("answers: encoding and digest need envelope = \"field-level\"".to_owned());
        }
        return Some(EnvelopeForm::Jwe);
    }
    if let Some(encoding) = &answers.encoding {
        form.encoding = Encoding::parse(encoding).or_else(|| {
            report("answers.encoding: must be \"hex\", \"base64\" or \"base64url\"".to_owned());
            None
        })?;
    }
    if let Some(digest) = &answers.digest {
        form.digest = OaepDigest::parse(digest).or_else(|| {
            report("answers.digest: must be \"SHA-256\" or \"SHA-512\"".to_owned());
            None
        })?;
    }
    Some(EnvelopeForm::FieldLevel(form))
}
