//! An issuer at its share of the node, alone and while another issuer sends ten times as much.

use super::{Bench, WARM_UP, addresses};
use crate::linux::check;
use crate::linux::load::{self, Pace, Plan};
use crate::linux::outcome::Outcome;
use crate::linux::report::{Fairness, Other, Run};
use crate::linux::requests::{Kind, Request};
use crate::linux::sandbox::Site;
use anyhow::{anyhow, ensure};
use std::time::Duration;

/// An issuer's share of the node's peak.
const SHARE: f64 = 0.25;
/// The other issuer's calls, in times of its share.
const FLOOD: f64 = 10.0;
/// Connections of the issuer that floods.
const FLOOD_CONNECTIONS: usize = 2_048;
/// `limits.issuer_rate_per_second` in times of the share.
const LIMIT: f64 = 1.05;
/// How much longer the flood goes on, so that it is there to the end.
const LONGER: Duration = Duration::from_secs(1);
/// How many more calls of the flood are prepared than its limit lets through.
const MARGIN: f64 = 1.5;

impl Bench<'_> {
    pub(super) fn fairness(&mut self) -> anyhow::Result<()> {
        let share = self.peak()? * SHARE;
        let (alone, _) = self.beside(share, None)?;
        let (beside, flood) = self.beside(share, Some(share * FLOOD))?;
        let flood = flood.ok_or_else(|| anyhow!("there was no flood"))?;
        ensure!(flood.lost == 0, "{} calls of the flood lost", flood.lost);
        self.results.fairness = Some(Fairness {
            alone: Run::of(&alone),
            beside: Run::of(&beside),
            other: Other::of(&flood),
        });
        Ok(())
    }

    /// An issuer at `share`, beside another at `flood` calls a second if there is one: what came of
    /// both.
    fn beside(
        &mut self,
        share: f64,
        flood: Option<f64>,
    ) -> anyhow::Result<(Outcome, Option<Outcome>)> {
        let site = self
            .sandbox
            .with_issuer_rate((share * LIMIT).ceil() as u64)?;
        let title = match flood {
            None => "an issuer at its share, alone".to_owned(),
            Some(_) => format!("the same, beside another at {FLOOD} times its share"),
        };
        let measured = self.settings.measured();
        let seconds = (WARM_UP + measured + LONGER).as_secs_f64();
        let requests = self.prepare(&site, Kind::Jwe, share * seconds, &title)?;
        let of_flood = if flood.is_some() {
            let count = share * LIMIT * (seconds + 1.0) * MARGIN + FLOOD_CONNECTIONS as f64;
            self.prepare(&site, Kind::JweOfOther, count, &title)?
        } else {
            Vec::new()
        };
        let connections = self.settings.connections;
        let outcomes = std::thread::scope(|scope| {
            let flooding = flood.map(|per_second| {
                let (site, requests) = (&site, of_flood.as_slice());
                let pace = Pace::Flood { per_second };
                let connections = FLOOD_CONNECTIONS;
                scope.spawn(move || drive(site, connections, pace, measured + LONGER, requests))
            });
            let plan = Plan {
                addresses: &addresses(&site),
                connections,
                pace: Pace::Open { per_second: share },
                warm_up: WARM_UP,
                measured,
                requests: &requests,
            };
            let outcome = self.drive(&plan, &title, || Ok(()))?;
            let flooding = flooding.map(|thread| thread.join());
            let flooding =
                flooding.map(|joined| joined.map_err(|_| anyhow!("the flood panicked"))?);
            anyhow::Ok((outcome, flooding.transpose()?))
        })?;
        let (outcome, _) = &outcomes;
        let others = outcome.statuses.keys().any(|status| *status != 200);
        ensure!(!others && outcome.lost == 0, "{:?}", outcome.statuses);
        check::answers(&self.sandbox.client, &requests, outcome)?;
        site.close()?;
        Ok(outcomes)
    }
}

fn drive(
    site: &Site,
    connections: usize,
    pace: Pace,
    measured: Duration,
    requests: &[Request],
) -> anyhow::Result<Outcome> {
    let plan = Plan {
        addresses: &addresses(site),
        connections,
        pace,
        warm_up: WARM_UP,
        measured,
        requests,
    };
    load::drive(&plan, &mut |_| Ok(()))
}
