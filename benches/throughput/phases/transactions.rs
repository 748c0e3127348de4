//! Card transactions: pure scoring, the API, the import of a file, and the score of a month.

mod feed;
mod stored;

use super::{Bench, WARM_UP, addresses};
use crate::linux::database::Database;
use crate::linux::fill::fill;
use crate::linux::gateway::run;
use crate::linux::load::{Pace, Plan};
use crate::linux::report::{Run, Transactions};
use crate::linux::requests::{Request, on_the_wire};
use crate::linux::sandbox::{DATABASE, Site, text};
use anyhow::{Context, ensure};
use feed::Purchases;
use issuer_gateway::client::Operation;
use issuer_gateway::footprint::{Purchase, Scorer, Verdict};
use issuer_gateway::ids::CardholderId;
use issuer_gateway::oauth1::SignatureMethod;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Cardholders whose transactions come in.
const CARDHOLDERS: u32 = 20_000;
/// Transactions in an API call.
const BATCH: usize = 1_000;
/// Calls of the API at once.
const CALLERS: usize = 4;
/// Lines of an imported file.
const LINES: usize = 300_000;
/// Transactions that a cardholder who is filled in has in each of twelve months.
const A_MONTH: u32 = 30;

impl Bench<'_> {
    pub(super) fn transactions(&mut self) -> anyhow::Result<()> {
        let mut figures = Transactions {
            score_per_second: self.scoring()?,
            ..Transactions::default()
        };
        let site = self.sandbox.on_postgres()?;
        let users = self.cardholders(&site, CARDHOLDERS)?;
        let mut purchases = Purchases::new(&users);
        figures.api_per_second = self.api(&site, &mut purchases)?;
        figures.import_per_second = self.import(&site, &mut purchases, "import")?;
        let (stored, bytes) = stored::size(&self.sandbox, &site)?;
        ensure!(
            stored == purchases.made(),
            "{stored} transactions are stored, {} were sent",
            purchases.made()
        );
        figures.bytes_each = bytes as f64 / stored as f64;
        self.aggregates(&site, &users, &mut figures)?;
        let filled = self.settings.transactions;
        if filled > 0 {
            let more = filled.div_ceil(12 * A_MONTH);
            let strangers = self.cardholders(&site, more)?;
            self.progress
                .step(u64::from(more), "filling in transactions");
            stored::fill(
                &self.sandbox,
                &site,
                &strangers,
                A_MONTH,
                self.progress.bar(),
            )?;
            // Of others, whose months are as empty as those of the first import were.
            let others = self.cardholders(&site, CARDHOLDERS)?;
            let mut purchases = Purchases::new(&others);
            let title = format!("import beside {filled} more transactions");
            figures.import_beside_many = Some(self.import(&site, &mut purchases, &title)?);
            figures.beside = filled;
        }
        site.close()?;

        let database = Database::sqlite(self.sandbox.folder());
        let site = self.sandbox.open(database, 1)?;
        let users = self.enrol_some(&site)?;
        let mut purchases = Purchases::new(&users);
        figures.sqlite_import_per_second =
            self.import(&site, &mut purchases, "import into SQLite")?;
        site.close()?;
        self.results.transactions = Some(figures);
        Ok(())
    }

    /// One thread, purchases of all kinds.
    fn scoring(&mut self) -> anyhow::Result<f64> {
        self.progress.step(1, "scoring");
        let scorer = Scorer::builtin()?;
        let purchases: Vec<Purchase> = feed::mix(4_096);
        let scored =
            |purchase: &Purchase| matches!(scorer.score(purchase).verdict, Verdict::Scored(_));
        ensure!(
            purchases.iter().filter(|purchase| scored(purchase)).count() > 3_000,
            "most purchases have grams"
        );
        let begun = Instant::now();
        let mut count = 0_u64;
        while begun.elapsed() < self.settings.measured() {
            for purchase in &purchases {
                black_box(scorer.score(black_box(purchase)));
            }
            count += u64::try_from(purchases.len())?;
        }
        Ok(count as f64 / begun.elapsed().as_secs_f64())
    }

    /// Fills in cardholders; returns their ids.
    fn cardholders(&mut self, site: &Site, count: u32) -> anyhow::Result<Vec<String>> {
        if site.database.number("SELECT count(*) AS n FROM users")? == 0 {
            self.enrol_some(site)?;
        }
        self.progress
            .step(u64::from(count), "filling in cardholders");
        fill(&self.sandbox, site, &self.cards, count, self.progress.bar())?;
        site.database
            .texts("SELECT user_id AS t FROM users WHERE user_id NOT IN (SELECT user_id FROM transaction_ledgers)")
    }

    /// Enrols a few hundred cardholders through the API; returns their ids.
    pub(super) fn enrol_some(&mut self, site: &Site) -> anyhow::Result<Vec<String>> {
        let calls = 512;
        let requests = self.prepare(site, super::Kind::Jwe, f64::from(calls), "enrolling")?;
        let plan = Plan {
            addresses: &addresses(site),
            connections: 16,
            pace: Pace::Closed,
            warm_up: Duration::ZERO,
            measured: Duration::from_secs(30),
            requests: &requests,
        };
        let outcome = self.drive(&plan, "enrolling", || Ok(()))?;
        ensure!(
            outcome.answered(200) == u64::try_from(requests.len())?,
            "not everybody was enrolled: {:?}",
            outcome.statuses
        );
        site.database.texts("SELECT user_id AS t FROM users")
    }

    /// Calls with a thousand transactions each; transactions answered and stored per second.
    fn api(&mut self, site: &Site, purchases: &mut Purchases) -> anyhow::Result<f64> {
        let measured = self.settings.measured();
        let gateway = site.gateways.first().context("no gateway")?;
        let url = format!("http://{}/issuers/transactions", gateway.address);
        let begun = Instant::now();
        let mut done = 0_usize;
        let mut taken = Duration::ZERO;
        // Prepared in rounds, whose calls are timed alone.
        while begun.elapsed() < measured * 3 && taken < measured {
            self.progress.step(1, "transactions through the API");
            let requests = (0..CALLERS * 4)
                .map(|_| {
                    let clear = purchases.batch(BATCH);
                    self.sandbox.client.prepare(
                        &Operation::PostTransactions,
                        issuer_gateway::payload::EnvelopeKind::Jwe,
                        SignatureMethod::RsaSha256,
                        clear.to_string().as_bytes(),
                    )
                })
                .collect::<anyhow::Result<Vec<_>>>()?;
            let round = Instant::now();
            let bodies = feed::call(&url, &requests, CALLERS)?;
            taken += round.elapsed();
            for body in bodies {
                let clear = self.sandbox.client.open(&body)?.context("no JSON")?;
                done += feed::successes(&clear)?;
            }
        }
        ensure!(
            done == purchases.made(),
            "{done} transactions were answered SUCCESS, {} were sent",
            purchases.made()
        );
        Ok(done as f64 / taken.as_secs_f64())
    }

    /// The command on a file, from its start to its end.
    fn import(
        &mut self,
        site: &Site,
        purchases: &mut Purchases,
        title: &str,
    ) -> anyhow::Result<f64> {
        self.progress.step(1, title);
        let file = self.sandbox.folder().join("transactions.csv");
        purchases.write_csv(&file, LINES)?;
        let url = site.database.url();
        let issuers = site.database.texts(
            "SELECT client_id AS t FROM issuers WHERE issuer_id IN (SELECT issuer_id FROM users)",
        )?;
        let issuer = issuers.first().context("no issuer has cardholders")?;
        let arguments = [
            "--config",
            text(self.sandbox.config())?,
            "transactions",
            "import",
            text(&file)?,
            "--issuer",
            issuer,
        ];
        let begun = Instant::now();
        run(&arguments, &[(DATABASE, url.as_str())])?;
        Ok(LINES as f64 / begun.elapsed().as_secs_f64())
    }

    /// The score of a month: as fast as it goes, then at half of that.
    fn aggregates(
        &mut self,
        site: &Site,
        users: &[String],
        figures: &mut Transactions,
    ) -> anyhow::Result<()> {
        let saturated = self.ask(site, users, Pace::Closed, 6_000.0, "scores of a month")?;
        let per_second = saturated.per_second / 2.0;
        let pace = Pace::Open { per_second };
        let title = "scores of a month at half load";
        let half = self.ask(site, users, pace, per_second * 1.2, title)?;
        figures.aggregate = Some(saturated);
        figures.aggregate_half = Some(half);
        Ok(())
    }

    fn ask(
        &mut self,
        site: &Site,
        users: &[String],
        pace: Pace,
        per_second: f64,
        title: &str,
    ) -> anyhow::Result<Run> {
        let count = (per_second * (WARM_UP + self.settings.measured()).as_secs_f64()) as usize;
        self.progress.step(u64::try_from(count)?, title);
        let requests = users
            .iter()
            .cycle()
            .take(count)
            .map(|user| {
                let id = CardholderId::parse(user).context("not a user id")?;
                let operation = Operation::AggregateScore(id);
                let signature = SignatureMethod::RsaSha256;
                let prepared = self
                    .sandbox
                    .client
                    .sign(&operation, signature, Vec::new())?;
                on_the_wire(&prepared, String::new())
            })
            .collect::<anyhow::Result<Vec<Request>>>()?;
        let plan = Plan {
            addresses: &addresses(site),
            connections: self.settings.connections,
            pace,
            warm_up: WARM_UP,
            measured: self.settings.measured(),
            requests: &requests,
        };
        let outcome = self.drive(&plan, title, || Ok(()))?;
        let others = outcome.statuses.keys().any(|status| *status != 200);
        ensure!(!others, "{:?}", outcome.statuses);
        for (_, body) in &outcome.samples {
            let clear = String::from_utf8_lossy(body);
            ensure!(clear.contains("carbonEmissionInGrams"), "{clear}");
        }
        Ok(Run::of(&outcome))
    }
}
