//! The protected header: what it must say, and what it must not contain.

use serde_json::Value;
use std::sync::Arc;

use super::ContentEncryption;
use crate::content::Travel;
use crate::ecdh::{Agreement, Ephemeral};
use crate::json;
use crate::oaep::OaepDigest;
use crate::reason::CryptoReason;

/// Members that change how a token is to be read (compression, critical extensions) or that name
/// work or keys for us to fetch. No client has a reason to send them, so their presence is refused.
const REFUSED: [&str; 5] = ["zip", "crit", "p2c", "jku", "x5u"];

/// What matters of a protected header (RFC 7516, section 4). Other members are ignored.
pub(super) struct Header {
    pub(super) enc: ContentEncryption,
    /// `alg`, with the parameters that belong to it.
    pub(super) travel: Travel,
    /// The `kid` as it came.
    pub(super) kid: Option<String>,
}

impl Header {
    /// Parses the decoded header segment.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, CryptoReason> {
        // A byte order mark is a habit of those who write files. No library writes a header so.
        if json::without_bom(bytes).len() != bytes.len() {
            return Err(CryptoReason::Header);
        }
        let header = json::parse_object(bytes).map_err(|_| CryptoReason::Header)?;
        if REFUSED.iter().any(|name| header.get(name).is_some()) {
            return Err(CryptoReason::HeaderMember);
        }
        let text = |name| header.get(name).and_then(Value::as_str);
        let (Some(alg), Some(enc)) = (text("alg"), text("enc")) else {
            return Err(CryptoReason::Header);
        };
        let enc = ContentEncryption::parse(enc).ok_or(CryptoReason::Algorithm)?;
        let travel = match (alg, Agreement::parse(alg)) {
            ("RSA-OAEP-256", _) => Travel::Oaep(OaepDigest::Sha256),
            (_, Some(agreement)) if enc == ContentEncryption::A256Gcm => {
                Travel::Ecdh(Arc::new(Ephemeral::parse(agreement, header.members())?))
            }
            _ => return Err(CryptoReason::Algorithm),
        };
        let kid = match header.get("kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid.clone()),
            Some(_) => return Err(CryptoReason::KeyHint),
        };
        Ok(Self { enc, travel, kid })
    }
}
