//! RSA-OAEP: with which key and which padding the content key unwraps.

use super::super::codec;
use super::super::names::NamedKey;
use super::super::report::{Cause, StepId};
use super::super::walk::Walk;
use super::content;
use super::raw::{Raw, Scheme};
use super::unwrap::{Wrapping, unwrap};
use super::{Case, WrappedKey};
use crate::payload::Travel;
use openssl::pkey::{PKeyRef, Private};
use zeroize::Zeroizing;

/// A key and padding with which a content key unwraps.
pub(super) enum Opens {
    Gateway { label: String, found: Found },
    Own { label: String, found: Found },
    OtherIssuer { label: String, found: Found },
}

/// What was unwrapped.
pub(super) struct Found {
    wrapping: Wrapping,
    cek: Zeroizing<Vec<u8>>,
    /// The content opens with it, too.
    whole: bool,
}

impl Opens {
    fn found(&self) -> (&str, &Found) {
        match self {
            Self::Gateway { label, found }
            | Self::Own { label, found }
            | Self::OtherIssuer { label, found } => (label, found),
        }
    }

    pub(super) fn proof(&self) -> String {
        let (label, found) = self.found();
        let content = match found.whole {
            true => "and the content opens with it",
            false => "though the content does not open with it",
        };
        format!(
            "The content key unwraps with {label} by {}, {content}.",
            found.wrapping.name()
        )
    }
}

/// Tries all private keys that are here, the right padding first.
pub(super) fn opens(case: &Case<'_>) -> Option<Opens> {
    let raw = case.raw.as_ref()?;
    for known in &case.known.gateway {
        if let Some(found) = found(&known.key, raw) {
            let label = format!("the gateway's key {}", known.key.label);
            return Some(Opens::Gateway { label, found });
        }
    }
    for issuer in &case.known.issuers {
        let own = case
            .issuer
            .is_some_and(|known| known.client_id == issuer.client_id);
        for key in &issuer.encryption {
            if let Some(found) = found(key, raw) {
                let label = key.label.clone();
                return Some(match own {
                    true => Opens::Own { label, found },
                    false => Opens::OtherIssuer { label, found },
                });
            }
        }
    }
    None
}

fn found(key: &NamedKey, raw: &Raw) -> Option<Found> {
    let key = key.private()?;
    let others = Wrapping::ALL.into_iter();
    let declared = raw.declared();
    let mut all = std::iter::once(declared).chain(others.filter(|other| *other != declared));
    all.find_map(|wrapping| found_by(key, wrapping, raw))
}

fn found_by(key: &PKeyRef<Private>, wrapping: Wrapping, raw: &Raw) -> Option<Found> {
    let cek = unwrap(key, wrapping, &raw.wrapped)?;
    let whole = content::decrypt(raw, &cek).is_ok();
    // Without OAEP's own check only the content shows that this is the key.
    (whole || wrapping != Wrapping::Pkcs1).then_some(Found {
        wrapping,
        cek,
        whole,
    })
}

/// The content key does not unwrap as the message says.
pub(super) fn refused(walk: &mut Walk, case: &Case<'_>, wrapped: &WrappedKey<'_>) {
    let (expected, cause) = match wrapped.travel() {
        Travel::Oaep(digest) => (
            format!("OAEP with {} to the key that is named", digest.name()),
            why(case, wrapped),
        ),
        Travel::Ecdh(_) => (
            "a key that was agreed upon with the one that is named".to_owned(),
            Cause::new(
                "oaep.agreed_key",
                "The content key does not unwrap with the EC key that is named: it was agreed upon \
                 with another key, or with other apu and apv than the header has.",
                "Take the key of /.well-known/jwks.json whose kid the header names, and derive with \
                 the header's own apu and apv (RFC 7518, 4.6.2).",
            ),
        ),
    };
    let found = codec::count(wrapped.bytes().len(), "byte");
    walk.failed(
        StepId::Oaep,
        format!("{found} that do not unwrap"),
        expected,
        cause,
    );
}

fn why(case: &Case<'_>, wrapped: &WrappedKey<'_>) -> Cause {
    let named = wrapped.key().fingerprint().to_string();
    // The key that is named comes first: with it the padding is wrong.
    if let Some(raw) = &case.raw
        && let Some(key) = case
            .known
            .gateway
            .iter()
            .find(|known| known.key.fingerprint() == named)
        && let Some(found) = found(&key.key, raw)
    {
        let label = format!("the gateway's key {}", key.key.label);
        let opened = Opens::Gateway { label, found };
        return wrong_padding(raw, &opened).proven(opened.proof());
    }
    let Some(opened) = opens(case) else {
        return Cause::new(
            "oaep.failed",
            "The content key does not unwrap with the key that is named, nor with any other that \
             is known here, by any usual padding: it is encrypted to another key, or damaged.",
            "Encrypt to the certificate of this gateway, with RSA-OAEP and SHA-256.",
        );
    };
    let (label, _) = opened.found();
    let cause = match &opened {
        Opens::Own { .. } => Cause::new(
            "oaep.own_key",
            format!(
                "The payload is encrypted to {label}: the client's own key, not the gateway's."
            ),
            "Encrypt to the gateway's certificate; the client's own key is for answers.",
        ),
        Opens::OtherIssuer { .. } => Cause::new(
            "oaep.other_issuer_key",
            format!("The payload is encrypted to {label}, another issuer's key."),
            "Encrypt to the gateway's certificate.",
        ),
        Opens::Gateway { .. } => Cause::new(
            "oaep.other_gateway_key",
            format!("The payload names another key than {label}, to which it is encrypted."),
            "Take certificate and fingerprint from one and the same file.",
        ),
    };
    cause.proven(opened.proof())
}

/// The key is right, and the padding, its digest or the content key's length are not.
fn wrong_padding(raw: &Raw, opened: &Opens) -> Cause {
    let (_, found) = opened.found();
    if found.wrapping == raw.declared() {
        return wrong_content_key(raw, &found.cek);
    }
    let declared = raw.declared().name();
    let used = found.wrapping.name();
    match (found.wrapping, raw.declared()) {
        (Wrapping::Pkcs1, _) => Cause::new(
            "oaep.pkcs1",
            format!("The content key is wrapped with {used}, not with {declared}."),
            "Set the padding to OAEP (RSA/ECB/OAEPWithSHA-256AndMGF1Padding in Java, \
             RSA_PKCS1_OAEP_PADDING with oaepHash sha256 in Node).",
        ),
        (Wrapping::Oaep(hash, _), Wrapping::Oaep(right, _)) if hash == right => Cause::new(
            "oaep.mgf1",
            format!("The content key is wrapped with {used}."),
            "Set MGF1's hash as well: Java's default is SHA-1 there (new OAEPParameterSpec(\
             \"SHA-256\", \"MGF1\", MGF1ParameterSpec.SHA256, PSource.PSpecified.DEFAULT)).",
        ),
        _ => {
            let advice = match raw.scheme {
                Scheme::Jwe { .. } => {
                    "Wrap with OAEP and SHA-256: this is what alg RSA-OAEP-256 means. Without a \
                     setting, OpenSSL and many libraries take SHA-1."
                }
                Scheme::FieldLevel { .. } => {
                    "Wrap with SHA-256 (or SHA-512), and say so in oaepHashingAlgorithm; without \
                     it SHA-256 is meant. OpenSSL and many libraries take SHA-1 by default."
                }
            };
            Cause::new(
                "oaep.digest",
                format!("The content key is wrapped with {used}; the message says {declared}."),
                advice,
            )
        }
    }
}

/// It unwraps, and is not a key.
fn wrong_content_key(raw: &Raw, cek: &[u8]) -> Cause {
    let text = std::str::from_utf8(cek).ok();
    let what = match text {
        Some(text) if codec::is_hex(text) => {
            " of hex digits: the key's text was wrapped, not its bytes"
        }
        Some(text) if codec::is_base64_text(text) => {
            " of base64: the key's text was wrapped, not its bytes"
        }
        _ => "",
    };
    let expected = match &raw.scheme {
        Scheme::Jwe { enc, .. } => format!("{enc} takes another length"),
        Scheme::FieldLevel { .. } => "AES takes 16 or 32 bytes here".to_owned(),
    };
    Cause::new(
        "oaep.content_key_length",
        format!(
            "The content key unwraps, but has {}{what}; {expected}.",
            codec::count(cek.len(), "byte")
        ),
        "Wrap the raw bytes of the AES key: 32 for A256GCM and A128CBC-HS256, 16 for A128GCM and \
         field-level encryption.",
    )
}

/// The wrapped key is not as long as the modulus.
pub(super) fn wrong_length(walk: &mut Walk, case: &Case<'_>) {
    let length = case.raw.as_ref().map_or(0, |raw| raw.wrapped.len());
    let sizes = case.known.gateway.iter().map(|known| known.key.size());
    let expected: Vec<String> = sizes.map(|size| codec::count(size, "byte")).collect();
    let other_key = matches!(length, 128 | 256 | 384 | 512);
    let cause = match opens(case) {
        Some(opened @ Opens::Own { .. }) => Cause::new(
            "oaep.own_key",
            "The payload is encrypted to the client's own key, not to the gateway's.",
            "Encrypt to the gateway's certificate; the client's own key is for answers.",
        )
        .proven(opened.proof()),
        _ if other_key => Cause::new(
            "oaep.wrapped_key_length",
            format!(
                "The wrapped key has {}: it is encrypted to a key of {} bits, which is not the \
                 one that is named.",
                codec::count(length, "byte"),
                8 * length
            ),
            "Encrypt to the gateway's certificate.",
        ),
        _ => Cause::new(
            "oaep.wrapped_key_cut",
            format!(
                "The wrapped key has {}, which no RSA key makes: it was cut or is in another \
                 encoding.",
                codec::count(length, "byte")
            ),
            "Send all bytes of the wrapped key, in one encoding.",
        ),
    };
    let found = codec::count(length, "byte");
    walk.failed(StepId::Oaep, found, expected.join(" or "), cause);
}

/// The gateway's private key is not here; the client's own may be.
pub(super) fn without_key(walk: &mut Walk, case: &Case<'_>) {
    match opens(case) {
        Some(opened @ Opens::Own { .. }) => {
            let cause = Cause::new(
                "oaep.own_key",
                "The payload is encrypted to the client's own key, not to the gateway's.",
                "Encrypt to the gateway's certificate; the client's own key is for answers.",
            )
            .proven(opened.proof());
            walk.failed(
                StepId::Oaep,
                "the client's own key",
                "the gateway's key",
                cause,
            );
        }
        _ => {
            let why = "only the gateway's private key can tell";
            walk.not_checked(StepId::Oaep, why);
            walk.not_checked(StepId::Tag, why);
        }
    }
}
