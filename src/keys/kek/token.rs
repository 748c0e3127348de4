//! A KEK that is an AES key in a PKCS#11 token: the token encrypts and decrypts data keys.

use super::fault;
use crate::config;
use crate::pkcs11::{KeyQuery, Token, TokenFault, aes};
use crate::vault::key_wrap::{IN_TOKEN, key_of, of_format};
use crate::vault::{KekFault, KeyBytes, KeyName, KeyWrap};
use std::sync::Arc;

/// The KEK. Its id: `pkcs11`, the token's serial number, CKA_ID in hex, and the version of the
/// configuration, with colons between them.
#[derive(Debug)]
pub(super) struct TokenKek {
    token: Arc<Token>,
    key: KeyQuery,
    id: String,
}

impl TokenKek {
    /// Looks at the key, and lets the token encrypt and decrypt with it.
    pub(super) fn open(
        settings: &config::Token,
        object: &config::KekObject,
    ) -> anyhow::Result<Self> {
        let token = Token::of(settings);
        let key = KeyQuery {
            label: object.label.clone(),
            id: object.object().id_bytes()?,
        };
        let query = key.clone();
        let found = token
            .run_in_time(move |seat| aes::check(seat, &query))
            .map_err(|fault| of_token(&token, &fault))?;
        let id = hex::encode(&found.id);
        Ok(Self {
            id: format!("pkcs11:{}:{id}:{}", found.serial, object.version),
            token,
            key,
        })
    }
}

impl KeyWrap for TokenKek {
    fn id(&self) -> &str {
        &self.id
    }

    fn wrap(&self, name: &KeyName<'_>, key: &KeyBytes) -> Result<Vec<u8>, KekFault> {
        let (query, aad, key) = (self.key.clone(), name.aad(&self.id), key.clone());
        let encrypted = self
            .token
            .run_in_time(move |seat| aes::encrypt(seat, &query, &aad, key.as_slice()));
        let encrypted = encrypted.map_err(|fault| of_token(&self.token, &fault))?;
        Ok([&[IN_TOKEN], encrypted.as_slice()].concat())
    }

    fn unwrap(&self, name: &KeyName<'_>, wrapped: &[u8]) -> Result<KeyBytes, KekFault> {
        let encrypted = of_format(IN_TOKEN, wrapped)?.to_vec();
        let (query, aad) = (self.key.clone(), name.aad(&self.id));
        let opened = self
            .token
            .run_in_time(move |seat| aes::decrypt(seat, &query, &aad, &encrypted));
        match opened {
            Ok(key) => key_of(&key).ok_or(KekFault::Altered),
            Err(TokenFault::DoesNotOpen) => Err(KekFault::Altered),
            Err(fault) => Err(of_token(&self.token, &fault)),
        }
    }
}

fn of_token(token: &Token, cause: &TokenFault) -> KekFault {
    let text = format!("token {:?}: {cause}", token.name());
    fault(cause.is_passing(), cause.reason(), text)
}
