//! Millions of users by COPY: rows that the product itself could have written.
//!
//! The profiles of some users that were really enrolled are opened and sealed again for each new
//! user id, with a card of its own and its blind index, by the product's own vault. Audit entries
//! are chained, and the newest enrolments still have their nonces.

mod copy;

use super::requests::{Cards, User};
use super::rsa::cores;
use super::sandbox::{Sandbox, Site};
use anyhow::{Context, bail};
use diesel::prelude::*;
use indicatif::ProgressBar;
use issuer_gateway::client::sample;
use issuer_gateway::config::Config;
use issuer_gateway::ids::{CardholderId, IssuerId};
use issuer_gateway::keys;
use issuer_gateway::store::audit::{AuditChain, AuditDraft};
use issuer_gateway::store::cardholders::{SealedCard, SealedCardholder};
use issuer_gateway::store::schema::{cards, users};
use issuer_gateway::store::{DatabaseUrl, Store, now};
use issuer_gateway::vault::{Place, SealedColumn, Vault, VaultKeys};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Enrolled users that serve as patterns.
const PATTERNS: i64 = 64;
/// Users written at once.
const CHUNK: u32 = 10_000;
/// On each of the filling threads an enrolment took place every so many microseconds.
const APART: i64 = 2_000;
/// Nonces are kept for this long, in microseconds.
pub(super) const NONCE_LIFE: i64 = 301_000_000;

/// An enrolled user in clear.
struct Pattern {
    user: SealedCardholder,
    card: SealedCard,
    columns: Vec<(SealedColumn, Zeroizing<Vec<u8>>)>,
    card_clear: Zeroizing<String>,
    card_number: String,
}

/// A user to be written.
struct New {
    user: SealedCardholder,
    card: SealedCard,
}

/// Enrols `count` users into a database that has some already; returns one of the new ones with its
/// card.
pub(crate) fn fill(
    sandbox: &Sandbox,
    site: &Site,
    cards: &Cards,
    count: u32,
    bar: &ProgressBar,
) -> anyhow::Result<(User, String)> {
    let vault = vault_keys(sandbox, site)?;
    let patterns = patterns(sandbox, site, &vault)?;
    let writer = Filler {
        site,
        cards,
        vault: &vault,
        patterns: &patterns,
        actor: sandbox.consumer_key.as_str(),
        bar,
    };
    let threads = u32::try_from(cores())?;
    let until = now();
    let some = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|part| {
                let share = count / threads + u32::from(part < count % threads);
                let writer = &writer;
                scope.spawn(move || writer.write(share, until))
            })
            .collect();
        let mut some = None;
        for thread in running {
            match thread.join() {
                Ok(written) => some = written?.or(some),
                Err(_) => bail!("a filling thread panicked"),
            }
        }
        some.context("nobody was enrolled")
    })?;
    // As a database looks that has been running for long: statistics, no dirty pages, no vacuum
    // due.
    site.database.execute("VACUUM (ANALYZE)")?;
    site.database.execute("CHECKPOINT")?;
    Ok(some)
}

/// The data keys of the gateway that runs.
pub(crate) fn vault_keys(sandbox: &Sandbox, site: &Site) -> anyhow::Result<Arc<VaultKeys>> {
    let config = Config::load(sandbox.config())?;
    let keks = keys::kek::load(&config)?;
    let store = Store::open(&DatabaseUrl::parse(&site.database.url())?, 1);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(Vault::open(&store, keks))?.current())
}

fn patterns(sandbox: &Sandbox, site: &Site, vault: &VaultKeys) -> anyhow::Result<Vec<Pattern>> {
    let mut conn = site.database.connect()?;
    let rows: Vec<(SealedCardholder, SealedCard)> = users::table
        .inner_join(
            cards::table.on(cards::issuer_id
                .eq(users::issuer_id)
                .and(cards::user_id.eq(users::user_id))),
        )
        .limit(PATTERNS)
        .select((SealedCardholder::as_select(), SealedCard::as_select()))
        .load(&mut conn)?;
    rows.into_iter()
        .map(|(user, card)| {
            let open = |column, sealed: &[u8]| {
                let place = Place {
                    owner: IssuerId(user.issuer_id).into(),
                    row_id: &user.user_id,
                    column,
                    month: None,
                };
                vault.open_sealed(place, sealed)
            };
            let sealed = [
                (SealedColumn::CardholderName, &user.profile.name),
                (SealedColumn::CardholderEmail, &user.profile.email),
                (
                    SealedColumn::CardholderBillingAddress,
                    &user.profile.billing_address,
                ),
                (SealedColumn::CardholderLocale, &user.profile.locale),
            ];
            let columns = sealed
                .into_iter()
                .filter_map(|(column, sealed)| Some((column, sealed.as_ref()?)))
                .map(|(column, sealed)| Ok((column, open(column, sealed)?)))
                .collect::<anyhow::Result<_>>()?;
            let card_clear = open(SealedColumn::Card, &card.card)?;
            let card_clear = Zeroizing::new(String::from_utf8(card_clear.to_vec())?);
            let card_number = number_in(&card_clear, &sandbox.account_range)?;
            Ok(Pattern {
                user,
                card,
                columns,
                card_clear,
                card_number,
            })
        })
        .collect()
}

/// The card number in a card's JSON.
fn number_in(json: &str, range: &str) -> anyhow::Result<String> {
    let at = json
        .find(range)
        .context("a card outside of the account range")?;
    let digits = json.get(at..).unwrap_or_default();
    Ok(digits.chars().take_while(char::is_ascii_digit).collect())
}

struct Filler<'a> {
    site: &'a Site,
    cards: &'a Cards,
    vault: &'a VaultKeys,
    patterns: &'a [Pattern],
    actor: &'a str,
    bar: &'a ProgressBar,
}

impl Filler<'_> {
    /// Writes `count` users in chunks, the last of whom enrolled at `until`; returns one of them.
    fn write(&self, count: u32, until: i64) -> anyhow::Result<Option<(User, String)>> {
        let mut conn = self.site.database.connect()?;
        let mut chain = AuditChain::start();
        let mut left = count;
        let mut some = None;
        while left > 0 {
            let length = left.min(CHUNK);
            let mut chunk = Vec::with_capacity(usize::try_from(length)?);
            for (number, pattern) in (0..length).zip(self.patterns.iter().cycle()) {
                let at = until - i64::from(left - number) * APART;
                let (new, card) = self.seal(pattern, at)?;
                some.get_or_insert_with(|| {
                    (new.user.user_id.clone(), new.card.last_four.clone(), card)
                });
                chunk.push(new);
            }
            chain = self.copy(&mut conn, &chunk, &chain, until)?;
            left -= length;
            self.bar.inc(u64::from(length));
        }
        copy::audit_head(&mut conn, &chain)?;
        let Some((id, last_four, card)) = some else {
            return Ok(None);
        };
        let id = CardholderId::parse(&id).context("not a user id")?;
        Ok(Some((User { id, last_four }, card)))
    }

    /// A user like the pattern, with a card of its own; and that card's number without check digit.
    fn seal(&self, pattern: &Pattern, at: i64) -> anyhow::Result<(New, String)> {
        let user_id = CardholderId::random();
        let issuer_id = IssuerId(pattern.user.issuer_id);
        let seal = |column, clear: &[u8]| {
            let place = Place {
                owner: issuer_id.into(),
                row_id: user_id.as_str(),
                column,
                month: None,
            };
            self.vault.seal(place, clear)
        };
        let mut user = SealedCardholder {
            user_id: user_id.as_str().to_owned(),
            created_at: at,
            updated_at: at,
            ..pattern.user.clone()
        };
        for (column, clear) in &pattern.columns {
            let sealed = Some(seal(*column, clear)?.bytes);
            match column {
                SealedColumn::CardholderName => user.profile.name = sealed,
                SealedColumn::CardholderEmail => user.profile.email = sealed,
                SealedColumn::CardholderBillingAddress => user.profile.billing_address = sealed,
                _ => user.profile.locale = sealed,
            }
        }
        let unchecked = self.cards.next();
        let number = sample::card_number(&unchecked);
        let clear = Zeroizing::new(pattern.card_clear.replace(&pattern.card_number, &number));
        let index = self.vault.pan_index(issuer_id, &number);
        let card = SealedCard {
            user_id: user.user_id.clone(),
            last_four: number.get(12..).context("a short card number")?.to_owned(),
            pan_index: index.bytes.to_vec(),
            pan_index_key: index.key_version,
            card: seal(SealedColumn::Card, clear.as_bytes())?.bytes,
            created_at: at,
            ..pattern.card.clone()
        };
        Ok((New { user, card }, unchecked))
    }

    /// Copies a chunk into every table that an enrolment writes to.
    fn copy(
        &self,
        conn: &mut PgConnection,
        chunk: &[New],
        chain: &AuditChain,
        until: i64,
    ) -> anyhow::Result<AuditChain> {
        let (users, cards): (Vec<_>, Vec<_>) =
            chunk.iter().map(|new| (&new.user, &new.card)).unzip();
        copy::users(conn, &users)?;
        copy::cards(conn, &cards)?;
        copy::scoring_jobs(conn, &users)?;
        let recent = users.iter().copied();
        let recent: Vec<_> = recent
            .filter(|user| user.created_at + NONCE_LIFE > until)
            .collect();
        copy::nonces(conn, &recent)?;
        let drafts: Vec<AuditDraft> = chunk.iter().map(|new| self.entry(new)).collect();
        let (entries, chain) = chain.extend(&drafts);
        copy::audit_entries(conn, &entries)?;
        Ok(chain)
    }

    fn entry(&self, new: &New) -> AuditDraft {
        AuditDraft {
            issuer_id: Some(IssuerId(new.user.issuer_id)),
            subject: Some(new.user.user_id.clone()),
            request_id: Some(uuid::Uuid::new_v4().simple().to_string()),
            origin: Some("127.0.0.1".to_owned()),
            ..AuditDraft::accepted(new.user.created_at, self.actor, "user.enrol")
        }
    }
}
