//! `vault make-kek`: makes a KEK in a token.

use crate::config::{self, Config, TokenObject};
use crate::pkcs11::{KeyQuery, Token, aes};
use anyhow::Context;
use clap::Args;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// The name of the token in the configuration (tokens.name).
    #[arg(long, value_name = "NAME")]
    token: String,
    /// The label that the key gets.
    #[arg(long)]
    label: String,
    /// The id that the key gets, in hex.
    #[arg(long, value_name = "HEX", default_value = "01")]
    id: String,
}

pub(super) fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { token, label, id } = arguments;
    let object = TokenObject {
        token: token.clone(),
        label: Some(label.clone()),
        id: Some(id.clone()),
    };
    let key = KeyQuery {
        label: object.label.clone(),
        id: object.id_bytes()?,
    };
    let at = Token::of(config::find_token(&config.tokens, token)?);
    let found = at.run_in_time(move |seat| {
        aes::generate(seat, &key)?;
        aes::check(seat, &key)
    });
    let found = found.with_context(|| format!("token {token:?}"))?;
    println!(
        "KEK:     pkcs11:{}:{}:1",
        found.serial,
        hex::encode(found.id)
    );
    println!(
        "source:  kek = {{ pkcs11 = {{ token = {token:?}, label = {label:?}, id = {id:?} }} }}"
    );
    println!("It never leaves the token. Back the token up: without this key nothing can be read.");
    Ok(())
}
