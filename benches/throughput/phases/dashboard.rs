//! The cardholder's web view: overviews of cardholders with a year of transactions.

use super::{Bench, WARM_UP, addresses};
use crate::linux::load::{Pace, Plan};
use crate::linux::outcome::Outcome;
use crate::linux::report::Dashboard;
use crate::linux::requests::Request;
use crate::linux::sandbox::{PUBLIC_URL, Site};
use anyhow::{Context, ensure};
use issuer_gateway::client::{Operation, Prepared, sample_year};
use issuer_gateway::ids::CardholderId;
use issuer_gateway::oauth1::SignatureMethod;
use issuer_gateway::payload::EnvelopeKind;
use std::net::SocketAddr;

/// Cardholders with an open view.
const VIEWS: usize = 200;
/// Pages a second for which the budget holds.
const BUDGET: f64 = 50.0;
/// Pages a second at most, to prepare enough requests.
const MOST: f64 = 4_000.0;

impl Bench<'_> {
    pub(super) fn dashboard(&mut self) -> anyhow::Result<()> {
        let site = self.sandbox.on_postgres()?;
        let users = self.enrol_some(&site)?;
        let address = site.gateways.first().context("no gateway")?.address;
        self.progress.step(1, "opening views");
        let views = users
            .iter()
            .take(VIEWS)
            .map(|user| self.open_view(address, user))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let pace = Pace::Open { per_second: BUDGET };
        let calm = self.pages(&site, &views, pace, BUDGET * 1.2, "pages, 50 a second")?;
        let saturated = self.pages(&site, &views, Pace::Closed, MOST, "pages")?;
        self.results.dashboard = Some(Dashboard {
            p95_ms: calm.latencies.percentile_ms(0.95).unwrap_or(f64::NAN),
            per_second: saturated.per_second(),
        });
        site.close()
    }

    /// Hands in a year of transactions, and opens a view: path and cookie of its overview.
    fn open_view(&self, address: SocketAddr, user: &str) -> anyhow::Result<(String, String)> {
        let client = &self.sandbox.client;
        let signature = SignatureMethod::RsaSha256;
        let id = CardholderId::parse(user).context("not a user id")?;
        let items = sample_year::transactions(user, chrono::Utc::now().date_naive());
        let clear = serde_json::json!({ "transactions": items }).to_string();
        let operation = Operation::PostTransactions;
        let batch = client.prepare(&operation, EnvelopeKind::Jwe, signature, clear.as_bytes())?;
        send(address, &batch)?;
        let asked = client.sign(&Operation::Dashboard(id, None), signature, Vec::new())?;
        let answer = client.open(&send(address, &asked)?)?.context("no JSON")?;
        let url = answer
            .get("url")
            .and_then(|url| url.as_str())
            .context("no URL")?;
        let target = url.strip_prefix(PUBLIC_URL).context("not our URL")?;
        let config = ureq::Agent::config_builder()
            .max_redirects(0)
            .max_redirects_will_error(false);
        let agent: ureq::Agent = config.build().into();
        let opened = agent.get(format!("http://{address}{target}")).call()?;
        let header = |name: &str| {
            let value = opened.headers().get(name);
            value
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        let cookie = header("set-cookie").split(';').next().unwrap_or_default();
        ensure!(
            opened.status() == 303 && !cookie.is_empty(),
            "no view was opened"
        );
        Ok((format!("/home/{}", header("location")), cookie.to_owned()))
    }

    fn pages(
        &mut self,
        site: &Site,
        views: &[(String, String)],
        pace: Pace,
        per_second: f64,
        title: &str,
    ) -> anyhow::Result<Outcome> {
        let host = PUBLIC_URL.trim_start_matches("https://");
        let count = (per_second * (WARM_UP + self.settings.measured()).as_secs_f64()) as usize;
        let requests: Vec<Request> = views
            .iter()
            .cycle()
            .take(count)
            .map(|(path, cookie)| Request {
                bytes: format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n")
                    .into_bytes()
                    .into_boxed_slice(),
                last_four: String::new(),
            })
            .collect();
        let plan = Plan {
            addresses: &addresses(site),
            connections: 32,
            pace,
            warm_up: WARM_UP,
            measured: self.settings.measured(),
            requests: &requests,
        };
        let outcome = self.drive(&plan, title, || Ok(()))?;
        let others = outcome.statuses.keys().any(|status| *status != 200);
        ensure!(!others, "{:?}", outcome.statuses);
        for (_, body) in &outcome.samples {
            let page = String::from_utf8_lossy(body);
            ensure!(page.contains("<h2 id=\"categories-h\">"), "not an overview");
        }
        Ok(outcome)
    }
}

fn send(address: SocketAddr, prepared: &Prepared) -> anyhow::Result<Vec<u8>> {
    let target = prepared.url.strip_prefix(PUBLIC_URL);
    let target = target.context("not our URL")?;
    let request = ureq::http::Request::builder()
        .method(prepared.method)
        .uri(format!("http://{address}{target}"))
        .header("Authorization", &prepared.authorization)
        .header("Content-Type", "application/json")
        .body(prepared.body.as_slice())?;
    let agent: ureq::Agent = ureq::Agent::config_builder().build().into();
    Ok(agent.run(request)?.body_mut().read_to_vec()?)
}
