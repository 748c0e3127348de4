//! The setting `answers` as it is stored: `jwe`, or `field-level` with encoding and digest.

use crate::payload::{Encoding, EnvelopeForm, FieldLevelForm, OaepDigest};

const JWE: &str = "jwe";
const FIELD_LEVEL: &str = "field-level";

/// As it is stored and shown: `jwe` or `field-level,hex,SHA256`.
pub fn answers_text(form: EnvelopeForm) -> String {
    match form {
        EnvelopeForm::Jwe => JWE.to_owned(),
        EnvelopeForm::FieldLevel(form) => format!(
            "{FIELD_LEVEL},{},{}",
            form.encoding.as_str(),
            form.digest.name()
        ),
    }
}

/// From the stored text.
pub(super) fn parse(text: &str) -> Option<EnvelopeForm> {
    if text == JWE {
        return Some(EnvelopeForm::Jwe);
    }
    let mut parts = text.split(',');
    let form = (parts.next()?, parts.next()?, parts.next()?, parts.next());
    let (FIELD_LEVEL, encoding, digest, None) = form else {
        return None;
    };
    Some(EnvelopeForm::FieldLevel(FieldLevelForm {
        encoding: Encoding::parse(encoding)?,
        digest: OaepDigest::parse(digest)?,
        headers: None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut forms = vec![EnvelopeForm::Jwe];
        for encoding in [Encoding::Hex, Encoding::Base64, Encoding::Base64Url] {
            for digest in [OaepDigest::Sha256, OaepDigest::Sha512] {
                forms.push(EnvelopeForm::FieldLevel(FieldLevelForm {
                    encoding,
                    digest,
                    headers: None,
                }));
            }
        }
        for form in forms {
            assert_eq!(parse(&answers_text(form)), Some(form));
        }
        for text in [
            "",
            "field-level",
            "field-level,hex,SHA1",
            "jwe,hex,SHA256",
            "field-level,hex,SHA256,",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
