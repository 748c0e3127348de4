//! API keys of the users API, and the caller that a key proves.
//!
//! A key is a prefix that names its kind (`iga_` an app key, `igu_` a user token) and 256 random
//! bits in base64url. The database stores its SHA-256 alone. With that much randomness nobody can
//! guess a key, so no slow hash is needed.

use super::DirectoryRefusal;
use crate::call::Call;
use crate::gateway::Gateway;
use crate::ids::AppId;
use crate::store::directory::apps::NewKey;
use crate::timeline::Step;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::Instant;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Random bytes of a key.
const KEY_BYTES: usize = 32;
/// Length of a key's random part in base64url.
const KEY_CHARACTERS: usize = 43;

/// What a key reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Every user of an app.
    App,
    /// One user.
    User,
}

impl KeyKind {
    fn prefix(self) -> &'static str {
        match self {
            Self::App => "iga_",
            Self::User => "igu_",
        }
    }
}

/// A key in clear: shown once, when it is made. `Debug` shows nothing.
pub struct ApiKey(Zeroizing<String>);

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

impl ApiKey {
    /// A new random key.
    ///
    /// # Errors
    /// The operating system gives no random bytes.
    pub fn generate(kind: KeyKind) -> Result<Self, openssl::error::ErrorStack> {
        let mut random = Zeroizing::new([0; KEY_BYTES]);
        openssl::rand::rand_bytes(random.as_mut_slice())?;
        Ok(Self::of_bytes(kind, &random))
    }

    /// The key with these bytes, for a sandbox whose keys are the same each time.
    pub fn of_bytes(kind: KeyKind, bytes: &[u8; KEY_BYTES]) -> Self {
        let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes));
        Self(Zeroizing::new(format!("{}{}", kind.prefix(), *text)))
    }

    /// A key that was made before; `None` if it does not look like one.
    pub fn parse(text: &str) -> Option<Self> {
        let random = [KeyKind::App, KeyKind::User]
            .into_iter()
            .find_map(|kind| text.strip_prefix(kind.prefix()))?;
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let fits = random.len() == KEY_CHARACTERS && random.bytes().all(legal);
        fits.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The key, for its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub fn stored(&self, created_at: i64) -> NewKey {
        let hash = self.hash();
        NewKey {
            key_hash: hash.to_vec(),
            key_id: hex::encode(hash.first_chunk::<8>().unwrap_or(&[0; 8])),
            created_at,
        }
    }

    fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

/// Which of the published addresses the call uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressedBy {
    /// `/users` and `/users/{user_id}`: a key, always.
    UserId,
    /// `/users?id=`: its document knows no authentication (cce-api.md B3).
    Number,
}

/// Which records a caller reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reach {
    App,
    /// The record with this klaim id.
    Record(String),
}

/// Who calls, proven.
#[derive(Debug, Clone)]
pub struct KeyHolder {
    /// The app.
    pub app_id: AppId,
    /// As the audit trail names it.
    pub(super) actor: String,
    pub(super) reach: Reach,
}

impl KeyHolder {
    /// Finds the owner of the call's key, and takes one token of its bucket.
    pub async fn authenticate(
        gateway: &Gateway,
        call: &Call<'_>,
        addressed_by: AddressedBy,
    ) -> Result<Self, DirectoryRefusal> {
        let (caller, bucket) = match call.authorization {
            Some(header) => {
                let owner = owner(gateway, header).await?;
                call.reached(Step::Key);
                owner
            }
            None if addressed_by == AddressedBy::Number => anonymous(gateway, call).await?,
            None => return Err(DirectoryRefusal::Unauthorized),
        };
        if gateway.directory.limiter.allow(&bucket, Instant::now()) {
            Ok(caller)
        } else {
            Err(DirectoryRefusal::Limited)
        }
    }

    /// The whole app, or nothing.
    pub(super) fn require_app(&self) -> Result<(), DirectoryRefusal> {
        match self.reach {
            Reach::App => Ok(()),
            Reach::Record(_) => Err(DirectoryRefusal::Unauthorized),
        }
    }

    /// Whether this caller reaches the record with this klaim id.
    pub(super) fn reaches(&self, klaim_id: &str) -> bool {
        match &self.reach {
            Reach::App => true,
            Reach::Record(own) => own == klaim_id,
        }
    }

    /// The refusal of a call for a record that does not exist. A user token gets the same one as
    /// for another user's record, so it does not learn whether that exists.
    pub(super) fn missing(&self) -> DirectoryRefusal {
        match self.reach {
            Reach::App => DirectoryRefusal::NotFound,
            Reach::Record(_) => DirectoryRefusal::Unauthorized,
        }
    }
}

async fn owner(gateway: &Gateway, header: &str) -> Result<(KeyHolder, String), DirectoryRefusal> {
    let key = bearer(header).and_then(ApiKey::parse);
    let hash = key.ok_or(DirectoryRefusal::Unauthorized)?.hash();
    let owner = gateway.store.find_directory_key(hash).await?;
    let owner = owner
        .filter(|owner| bool::from(owner.key_hash.as_slice().ct_eq(&hash)))
        .ok_or(DirectoryRefusal::Unauthorized)?;
    let caller = KeyHolder {
        app_id: AppId(owner.app_id),
        actor: format!("users app {}, key {}", owner.app_name, owner.key_id),
        reach: owner.klaim_id.map_or(Reach::App, Reach::Record),
    };
    Ok((caller, owner.key_id))
}

/// The caller without a key. Only a direct call to a loopback name gets through: a web page under a
/// rebound name, or a proxy on this machine, would open the app to everybody.
async fn anonymous(
    gateway: &Gateway,
    call: &Call<'_>,
) -> Result<(KeyHolder, String), DirectoryRefusal> {
    if !gateway.directory.anonymous_allowed || !call.direct {
        return Err(DirectoryRefusal::Unauthorized);
    }
    let app = gateway.store.anonymous_directory_app().await?;
    let app = app.ok_or(DirectoryRefusal::Unauthorized)?;
    let caller = KeyHolder {
        app_id: AppId(app.app_id),
        actor: format!("users app {}, anonymous", app.name),
        reach: Reach::App,
    };
    // No key id looks like this.
    Ok((caller, "anonymous".to_owned()))
}

/// The token of `Authorization: Bearer` (RFC 6750, 2.1); the scheme's case does not matter (RFC
/// 9110, 11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_matches(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_random_recognisable_and_never_shown() {
        let key = ApiKey::generate(KeyKind::App).unwrap();
        let other = ApiKey::generate(KeyKind::App).unwrap();
        assert_ne!(key.expose(), other.expose());
        assert!(key.expose().starts_with("iga_"));
        assert!(
            ApiKey::generate(KeyKind::User)
                .unwrap()
                .expose()
                .starts_with("igu_")
        );
        assert_eq!(format!("{key:?}"), "ApiKey(…)");
        let stored = key.stored(1);
        assert_eq!(
            stored.key_hash,
            openssl::sha::sha256(key.expose().as_bytes())
        );
        assert!(hex::encode(&stored.key_hash).starts_with(&stored.key_id));
    }

    #[test]
    fn only_whole_keys_parse() {
        let key = ApiKey::generate(KeyKind::User).unwrap();
        assert!(ApiKey::parse(key.expose()).is_some());
        let cut = &key.expose()[..46];
        for text in ["", "iga_", "your-access-token", cut, &format!("{cut}+")] {
            assert!(ApiKey::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn the_bearer_scheme_is_read_in_any_case() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        for header in ["Basic abc", "Bearer", "abc", ""] {
            assert_eq!(bearer(header), None, "{header}");
        }
    }
}
