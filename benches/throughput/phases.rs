//! What is measured, in which order.

mod dashboard;
mod fairness;
mod growth;
mod limits;
mod transactions;

use super::check;
use super::database::Database;
use super::load::{self, Pace, Plan};
use super::outcome::Outcome;
use super::progress::{Progress, millis};
use super::report::{Results, Run};
use super::requests::{Cards, Kind, Request, User, prepare};
use super::rsa::Yardstick;
use super::sandbox::{Sandbox, Site};
use super::settings::{Phase, Settings, output_folder};
use super::{plot, report};
use anyhow::{Context, bail};
use clap::ValueEnum;
use issuer_gateway::ids::CardholderId;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::collections::HashMap;
use std::time::Duration;

/// Load without a clock, before each measured stretch.
const WARM_UP: Duration = Duration::from_secs(1);
/// Enrolments to be expected at most before anything is known, as a share of the RSA operations.
const FIRST_GUESS: f64 = 0.8;
/// An EC operation costs a fraction of an RSA one.
const FIRST_GUESS_EC: f64 = 2.0;
/// Intel's library does more than OpenSSL.
const FIRST_GUESS_MULTI_BUFFER: f64 = 1.6;
/// How many more requests are prepared than the run before has used.
const MARGIN: f64 = 1.25;
/// The requests may run out, but not before this share of the measured time.
const LEAST: f64 = 0.5;
/// How often more requests are prepared when they ran out.
const ATTEMPTS: usize = 4;

/// Where enrolments go: each has a speed of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Ground {
    Postgres,
    MultiBuffer,
    Sqlite,
}

/// Requests that must all be answered 200.
struct Load {
    kind: Kind,
    connections: usize,
    pace: Pace,
    /// So many are prepared for each second.
    per_second: f64,
}

/// The benchmark under way.
struct Bench<'a> {
    settings: &'a Settings,
    sandbox: Sandbox,
    cards: Cards,
    other_cards: Cards,
    yardstick: Yardstick,
    progress: Progress,
    /// Answers per second of the last run of this kind.
    known: HashMap<(Ground, Kind), f64>,
    results: Results,
}

/// Measures all phases that are wanted, and reports.
pub(crate) fn run(settings: &Settings) -> anyhow::Result<()> {
    raise_file_limit()?;
    let mut progress = Progress::new();
    progress.step(1, "making a sandbox");
    let sandbox = Sandbox::make()?;
    let mut bench = Bench {
        cards: Cards::new(&sandbox.account_range),
        other_cards: Cards::new(&sandbox.other.1),
        sandbox,
        settings,
        yardstick: Yardstick::new()?,
        progress,
        known: HashMap::new(),
        results: Results::default(),
    };
    for phase in Phase::value_variants() {
        if settings.wants(*phase) {
            let measured = bench.measure(*phase);
            measured.with_context(|| format!("phase {phase:?}"))?;
        }
    }
    bench.measure_rsa()?;
    bench.progress.finish();
    let folder = output_folder()?;
    if !bench.results.curve.is_empty() {
        plot::draw(&folder.join("load.svg"), &bench.results.curve)?;
    }
    report::print(&bench.results, &bench.yardstick, &folder)
}

/// Two thousand connections need more files than many systems allow at first; the gateway inherits
/// the limit.
fn raise_file_limit() -> anyhow::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, raised).context("raising the limit of open files")
}

impl Bench<'_> {
    fn measure(&mut self, phase: Phase) -> anyhow::Result<()> {
        match phase {
            Phase::Rounds => self.rounds(),
            Phase::Elliptic => self.elliptic(),
            Phase::MultiBuffer => self.multi_buffer(),
            Phase::Sqlite => self.sqlite(),
            Phase::Nodes => self.nodes(),
            Phase::Latency => self.latency(),
            Phase::Overload => self.overload(),
            Phase::Fairness => self.fairness(),
            Phase::Memory => self.memory(),
            Phase::Transactions => self.transactions(),
            Phase::Dashboard => self.dashboard(),
            Phase::Growth => self.growth(),
        }
    }

    /// Enrolments in both envelopes and updates, on an empty PostgreSQL each time.
    fn rounds(&mut self) -> anyhow::Result<()> {
        for round in 1..=self.settings.rounds {
            let site = self.sandbox.on_postgres()?;
            let on = Ground::Postgres;
            let jwe = self.saturate(&site, on, Kind::Jwe, &format!("JWE enrolments {round}"))?;
            self.results.jwe.push(jwe);
            let title = format!("field-level enrolments {round}");
            let field_level = self.saturate(&site, on, Kind::FieldLevel, &title)?;
            self.results.field_level.push(field_level);
            let update = self.saturate(&site, on, Kind::Update, &format!("updates {round}"))?;
            self.results.update.push(update);
            site.close()?;
        }
        Ok(())
    }

    /// Enrolments that are encrypted to an EC key.
    fn elliptic(&mut self) -> anyhow::Result<()> {
        for round in 1..=self.settings.rounds {
            let site = self.sandbox.on_postgres()?;
            let title = format!("JWE enrolments, ECDH-ES on P-256, {round}");
            let run = self.saturate(&site, Ground::Postgres, Kind::JweEc, &title)?;
            self.results.jwe_ec.push(run);
            site.close()?;
        }
        Ok(())
    }

    /// The same with Intel's crypto_mb, if there is one.
    fn multi_buffer(&mut self) -> anyhow::Result<()> {
        let value = self.settings.multi_buffer.as_str();
        for round in 1..=self.settings.rounds {
            let database = Database::postgres()?;
            // With a path that cannot be used the gateway does not start, and says why.
            let site = match self.sandbox.open_with(database, 1, value) {
                Ok(site) => site,
                Err(error) => {
                    self.results.no_multi_buffer = Some(error.to_string());
                    return Ok(());
                }
            };
            let gateway = site.gateways.first().context("no gateway")?;
            if !gateway.uses_crypto_mb()? {
                self.results.no_multi_buffer = Some(gateway.why_no_crypto_mb()?);
                return site.close();
            }
            let on = Ground::MultiBuffer;
            let title = format!("JWE enrolments with crypto_mb {round}");
            let jwe = self.saturate(&site, on, Kind::Jwe, &title)?;
            self.results.jwe_multi_buffer.push(jwe);
            let title = format!("field-level enrolments with crypto_mb {round}");
            let field_level = self.saturate(&site, on, Kind::FieldLevel, &title)?;
            self.results.field_level_multi_buffer.push(field_level);
            site.close()?;
        }
        Ok(())
    }

    fn sqlite(&mut self) -> anyhow::Result<()> {
        for round in 1..=self.settings.rounds {
            let database = Database::sqlite(self.sandbox.folder());
            let site = self.sandbox.open(database, 1)?;
            let title = format!("JWE enrolments on SQLite {round}");
            let run = self.saturate(&site, Ground::Sqlite, Kind::Jwe, &title)?;
            self.results.sqlite.push(run);
            site.close()?;
        }
        Ok(())
    }

    /// Several gateways on one PostgreSQL.
    fn nodes(&mut self) -> anyhow::Result<()> {
        for nodes in self.settings.nodes.iter().copied() {
            let site = self.sandbox.open(Database::postgres()?, nodes)?;
            let title = format!("JWE enrolments, gateways: {nodes}");
            let run = self.saturate(&site, Ground::Postgres, Kind::Jwe, &title)?;
            self.results.nodes.push((nodes, run));
            site.close()?;
        }
        Ok(())
    }

    /// A run in which the gateway always has something to do. Every answer must be 200 and must
    /// have left its traces.
    fn saturate(
        &mut self,
        site: &Site,
        on: Ground,
        kind: Kind,
        title: &str,
    ) -> anyhow::Result<Run> {
        self.measure_rsa()?;
        for _ in 0..ATTEMPTS {
            let outcome = self.attempt(site, on, kind, title)?;
            if outcome.window.length() >= self.settings.measured().mul_f64(LEAST) {
                let run = Run::of(&outcome);
                self.known.insert((on, kind), run.per_second);
                let rate = format!("{title}: {:.0} per second", run.per_second);
                self.progress.note(&rate);
                return Ok(run);
            }
            let more = self.expected(on, kind) * 2.0;
            self.known.insert((on, kind), more);
        }
        bail!("the requests ran out every time: is the machine busy with something else?")
    }

    fn attempt(
        &mut self,
        site: &Site,
        on: Ground,
        kind: Kind,
        title: &str,
    ) -> anyhow::Result<Outcome> {
        let load = Load {
            kind,
            connections: self.settings.connections,
            pace: Pace::Closed,
            per_second: self.expected(on, kind),
        };
        self.send(site, &load, title, || Ok(()))
    }

    /// Prepares requests, sends them, and checks that every answer is 200 and has left its traces.
    /// `watch` is called while they are under way.
    fn send(
        &mut self,
        site: &Site,
        load: &Load,
        title: &str,
        watch: impl FnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<Outcome> {
        let before = check::before(site)?;
        let measured = self.settings.measured();
        let count = load.per_second * (WARM_UP + measured).as_secs_f64();
        let requests = self.prepare(site, load.kind, count, title)?;
        let plan = Plan {
            addresses: &addresses(site),
            connections: load.connections,
            pace: load.pace,
            warm_up: WARM_UP,
            measured,
            requests: &requests,
        };
        let outcome = self.drive(&plan, title, watch)?;
        check::all_done(&self.sandbox, site, load.kind, &before, &requests, &outcome)?;
        Ok(outcome)
    }

    /// How many requests per second are enough.
    fn expected(&self, on: Ground, kind: Kind) -> f64 {
        let guess = match (on, kind) {
            (_, Kind::JweEc) => FIRST_GUESS_EC,
            (Ground::MultiBuffer, _) => FIRST_GUESS_MULTI_BUFFER,
            _ => FIRST_GUESS,
        };
        let known = self.known.get(&(on, kind));
        known.map_or(self.yardstick.per_second() * guess, |known| known * MARGIN)
    }

    fn measure_rsa(&mut self) -> anyhow::Result<()> {
        self.progress.step(1, "bare RSA-2048 private operations");
        self.yardstick.measure()
    }

    /// Prepares about `count` requests. Those who are updated are drawn from all who are enrolled.
    fn prepare(
        &mut self,
        site: &Site,
        kind: Kind,
        count: f64,
        title: &str,
    ) -> anyhow::Result<Vec<Request>> {
        let count = count.ceil() as usize;
        let text = format!("{title}: preparing requests");
        self.progress.step(u64::try_from(count)?, &text);
        let users = match kind {
            Kind::Update => some_users(site, count)?,
            Kind::Jwe | Kind::JweEc | Kind::JweOfOther | Kind::FieldLevel => Vec::new(),
        };
        let cards = match kind {
            Kind::JweOfOther => &self.other_cards,
            _ => &self.cards,
        };
        prepare(
            &self.sandbox,
            cards,
            kind,
            &users,
            count,
            self.progress.bar(),
        )
    }

    fn drive(
        &mut self,
        plan: &Plan<'_>,
        title: &str,
        mut look: impl FnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<Outcome> {
        self.progress
            .timed_step(plan.warm_up + plan.measured, title);
        let bar = self.progress.bar();
        load::drive(plan, &mut |elapsed| {
            bar.set_position(millis(elapsed));
            look()
        })
    }
}

/// Where the gateways listen.
fn addresses(site: &Site) -> Vec<std::net::SocketAddr> {
    site.gateways
        .iter()
        .map(|gateway| gateway.address)
        .collect()
}

/// Enrolled users in random order, at most `count`.
fn some_users(site: &Site, count: usize) -> anyhow::Result<Vec<User>> {
    let sql = format!(
        "SELECT user_id || ' ' || last_four AS t FROM cards ORDER BY random() LIMIT {count}"
    );
    let lines = site.database.texts(&sql)?;
    let users = lines.iter().map(|line| {
        let (id, last_four) = line.split_once(' ').context("no last four digits")?;
        Ok(User {
            id: CardholderId::parse(id).context("not a user id")?,
            last_four: last_four.to_owned(),
        })
    });
    users.collect()
}
