//! The same work when millions are enrolled already.

use super::{Bench, Ground};
use crate::linux::fill::fill;
use crate::linux::report::Growth;
use crate::linux::requests::{Kind, User, enrolment_of};
use crate::linux::sandbox::Site;
use anyhow::{Context, ensure};
use issuer_gateway::payload::EnvelopeKind;
use std::io::{Read, Write};
use std::net::TcpStream;

/// Runs of enrolments at each size; updates have one.
const RUNS: usize = 2;

impl Bench<'_> {
    /// Runs on one database: empty, then filled to each of the wanted sizes.
    pub(super) fn growth(&mut self) -> anyhow::Result<()> {
        let site = self.sandbox.on_postgres()?;
        for size in std::iter::once(0).chain(self.settings.users.iter().copied()) {
            if size > 0 {
                self.fill_to(&site, size)?;
            }
            let mut growth = Growth {
                users: size,
                jwe: Vec::new(),
                update: Vec::new(),
            };
            let beside = growth.beside();
            for run in 1..=RUNS {
                let title = format!("JWE enrolments, {beside} {run}");
                let run = self.saturate(&site, Ground::Postgres, Kind::Jwe, &title)?;
                growth.jwe.push(run);
            }
            let title = format!("updates, {beside}");
            let update = self.saturate(&site, Ground::Postgres, Kind::Update, &title)?;
            growth.update.push(update);
            self.results.growth.push(growth);
        }
        site.close()
    }

    fn fill_to(&mut self, site: &Site, size: u32) -> anyhow::Result<()> {
        let there = site.database.number("SELECT count(*) AS n FROM users")?;
        let missing = size.saturating_sub(u32::try_from(there)?);
        if missing == 0 {
            return Ok(());
        }
        let text = format!("filling up to {size} users");
        self.progress.step(u64::from(missing), &text);
        let bar = self.progress.bar();
        let (user, card) = fill(&self.sandbox, site, &self.cards, missing, bar)?;
        self.is_really_enrolled(site, &user, &card)?;
        self.progress.step(1, "verifying the audit trail");
        self.sandbox.verify_trail(site)
    }

    /// A user who was filled in can be updated, and the card cannot be enrolled a second time.
    fn is_really_enrolled(&self, site: &Site, user: &User, card: &str) -> anyhow::Result<()> {
        let update = crate::linux::requests::update(&self.sandbox, user)?;
        let (again, last_four) = enrolment_of(&self.sandbox, card, EnvelopeKind::Jwe)?;
        let again = crate::linux::requests::on_the_wire(&again, last_four)?;
        let answer = exchange(site, &update.bytes)?;
        ensure!(
            answer.starts_with("HTTP/1.1 200 "),
            "a user who was filled in cannot be updated: {answer}"
        );
        let answer = exchange(site, &again.bytes)?;
        ensure!(
            answer.contains("USER_ALREADY_EXISTS"),
            "a card that was filled in is not known: {answer}"
        );
        Ok(())
    }
}

/// One request on a connection of its own, and the start of its answer.
fn exchange(site: &Site, request: &[u8]) -> anyhow::Result<String> {
    let gateway = site.gateways.first().context("no gateway")?;
    let mut stream = TcpStream::connect(gateway.address)?;
    stream.write_all(request)?;
    let mut answer = vec![0; 4_096];
    let length = stream.read(&mut answer)?;
    answer.truncate(length);
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
