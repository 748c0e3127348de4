//! Gateway keys in a token.

use crate::config::{self, Config, Oaep, TokenObject};
use crate::payload::{Keeper, KeeperAway, OaepDigest};
use crate::pkcs11::{KeyQuery, Token, TokenFault, rsa};
use crate::unwrap::unpad_oaep;
use crate::vault::KekFault;
use anyhow::Context;
use openssl::bn::BigNum;
use openssl::encrypt::Encrypter;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Public};
use openssl::rsa::Padding;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// The private half of a gateway key, where it is.
pub struct TokenKey {
    token: Arc<Token>,
    key: KeyQuery,
    oaep: Oaep,
    modulus: BigNum,
}

/// What a configuration's object is called in a token.
///
/// # Errors
/// Its id is not hex.
pub fn query(object: &TokenObject) -> anyhow::Result<KeyQuery> {
    Ok(KeyQuery {
        label: object.label.clone(),
        id: object.id_bytes()?,
    })
}

/// The key and its public half. The token has decrypted something known with it.
///
/// # Errors
/// The key cannot be used. A [`KekFault::Away`] is in the chain if the token may come back.
pub fn open(
    tokens: &[config::Token],
    object: &TokenObject,
    oaep: Oaep,
) -> anyhow::Result<(Arc<TokenKey>, PKey<Public>)> {
    let settings = config::find_token(tokens, &object.token)?;
    let (token, key) = (Token::of(settings), query(object)?);
    let asked = key.clone();
    let public = token
        .run_in_time(move |seat| rsa::check(seat, &asked, oaep))
        .map_err(|fault| told(&token, &fault))?;
    let opened = Arc::new(TokenKey {
        modulus: public.rsa()?.n().to_owned()?,
        token,
        key,
        oaep,
    });
    let kept = Arc::clone(&opened);
    let wrapped = known(&public)?;
    let found = opened
        .token
        .run_in_time(move |seat| kept.unwrap_in(seat, OaepDigest::Sha256, &wrapped));
    let found = found.map_err(|fault| {
        let fault = match fault {
            // What SoftHSM says of OAEP with SHA-256.
            TokenFault::Refused(_) | TokenFault::Mechanism(_) if oaep == Oaep::Token => {
                TokenFault::Mechanism("OAEP with SHA-256 (try oaep = \"raw\")")
            }
            fault => fault,
        };
        told(&opened.token, &fault)
    })?;
    if found.is_none_or(|found| *found != KNOWN) {
        return Err(told(&opened.token, &TokenFault::SelfTest).into());
    }
    Ok((opened, public))
}

const KNOWN: [u8; 32] = [0x5a; 32];

/// [`KNOWN`], encrypted by OpenSSL.
fn known(public: &PKey<Public>) -> Result<Vec<u8>, ErrorStack> {
    let mut encrypter = Encrypter::new(public)?;
    encrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
    encrypter.set_rsa_oaep_md(MessageDigest::sha256())?;
    encrypter.set_rsa_mgf1_md(MessageDigest::sha256())?;
    let mut wrapped = vec![0; encrypter.encrypt_len(&KNOWN)?];
    let length = encrypter.encrypt(&KNOWN, &mut wrapped)?;
    wrapped.truncate(length);
    Ok(wrapped)
}

/// A fault that a reload can tell from a bad configuration.
fn told(token: &Token, fault: &TokenFault) -> KekFault {
    let (reason, text) = (fault.reason(), format!("token {:?}: {fault}", token.name()));
    if fault.is_passing() {
        KekFault::Away { reason, text }
    } else {
        KekFault::Refused { reason, text }
    }
}

impl TokenKey {
    fn unwrap_in(
        &self,
        seat: &mut crate::pkcs11::Seat,
        digest: OaepDigest,
        wrapped: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, TokenFault> {
        let opened = match self.oaep {
            Oaep::Raw => {
                let message = rsa::decrypt_raw(seat, &self.key, wrapped);
                message.map(|message| unpad_oaep(digest.message_digest(), &message))
            }
            Oaep::Token => rsa::decrypt_oaep(seat, &self.key, digest, wrapped).map(Some),
        };
        match opened {
            Err(TokenFault::DoesNotOpen) => Ok(None),
            opened => opened,
        }
    }
}

impl Keeper for TokenKey {
    fn name(&self) -> &str {
        self.token.name()
    }

    fn at_once(&self) -> usize {
        self.token.sessions()
    }

    fn timeout(&self) -> Duration {
        self.token.timeout()
    }

    fn unwrap(
        &self,
        digest: OaepDigest,
        wrapped: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, KeeperAway> {
        // A number beyond the modulus has no answer; what a token says to it is its own affair.
        let number = BigNum::from_slice(wrapped).ok();
        if number.is_none_or(|number| number >= self.modulus) {
            return Ok(None);
        }
        let unwrapped = self.token.run(|seat| self.unwrap_in(seat, digest, wrapped));
        unwrapped.map_err(|_| KeeperAway)
    }
}

/// Makes a key pair in a token of the configuration, and gives its public half.
///
/// # Errors
/// There is such a key, or the token is full, away or refuses.
pub fn generate(config: &Config, object: &TokenObject, bits: u32) -> anyhow::Result<PKey<Public>> {
    let token = Token::of(config::find_token(&config.tokens, &object.token)?);
    let key = query(object)?;
    let made = token.run(|seat| rsa::generate(seat, &key, bits));
    made.with_context(|| format!("token {:?}", token.name()))
}
