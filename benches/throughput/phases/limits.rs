//! Latency below the peak, behaviour beyond it, memory.

use super::{Bench, Ground, Load, WARM_UP, addresses};
use crate::linux::check;
use crate::linux::load::{Pace, Plan};
use crate::linux::report::{Overload, Point, Remembered, Run};
use crate::linux::requests::Kind;
use anyhow::Context;

/// Offered loads of the curve, as percentages of the peak.
const CURVE: [u32; 8] = [10, 25, 50, 75, 90, 100, 110, 120];
/// Connections that a flood far beyond the peak may use.
const OVERLOAD_CONNECTIONS: usize = 2_048;
/// Requests that are prepared for the overload, in times of what the peak would use.
const OVERLOAD_MARGIN: f64 = 1.2;
/// Connections while memory is measured.
const MEMORY_CONNECTIONS: usize = 1_000;

impl Bench<'_> {
    /// Enrolments per second at most: of the rounds, or else measured now.
    pub(super) fn peak(&mut self) -> anyhow::Result<f64> {
        if let Some(run) = Run::median_of(&self.results.jwe) {
            return Ok(run.per_second);
        }
        let site = self.sandbox.on_postgres()?;
        let title = "JWE enrolments, to know the peak";
        let run = self.saturate(&site, Ground::Postgres, Kind::Jwe, title)?;
        site.close()?;
        let peak = run.per_second;
        self.results.jwe.push(run);
        Ok(peak)
    }

    /// Throughput and latency against the offered load.
    pub(super) fn latency(&mut self) -> anyhow::Result<()> {
        let peak = self.peak()?;
        let site = self.sandbox.on_postgres()?;
        for percent in CURVE {
            let per_second = peak * f64::from(percent) / 100.0;
            let title = format!("open loop at {percent} % of the peak");
            let load = Load {
                kind: Kind::Jwe,
                connections: self.settings.connections,
                pace: Pace::Open { per_second },
                per_second,
            };
            let outcome = self.send(&site, &load, &title, || Ok(()))?;
            self.results.curve.push(Point {
                percent,
                offered: per_second,
                run: Run::of(&outcome),
            });
        }
        site.close()
    }

    /// Many times the saturating load: as that many more clients, and as that much higher a rate.
    pub(super) fn overload(&mut self) -> anyhow::Result<()> {
        let peak = self.peak()?;
        let times = self.settings.overload;
        let clients = self.settings.connections * times;
        let per_second = peak * times as f64;
        let offered = [
            (format!("{clients} clients"), clients, Pace::Closed),
            (
                format!("{per_second:.0} per second"),
                OVERLOAD_CONNECTIONS,
                Pace::Flood { per_second },
            ),
        ];
        let measured = self.settings.measured();
        for (what, connections, pace) in offered {
            let site = self.sandbox.on_postgres()?;
            let title = format!("overload, {what}");
            let count = peak * OVERLOAD_MARGIN * (WARM_UP + measured).as_secs_f64();
            let count = count + connections as f64;
            let requests = self.prepare(&site, Kind::Jwe, count, &title)?;
            let plan = Plan {
                addresses: &addresses(&site),
                connections,
                pace,
                warm_up: WARM_UP,
                measured,
                requests: &requests,
            };
            let outcome = self.drive(&plan, &title, || Ok(()))?;
            check::answers(&self.sandbox.client, &requests, &outcome)?;
            self.results
                .overload
                .push(Overload::of(what, peak, &outcome));
            site.close()?;
        }
        Ok(())
    }

    /// What the gateway needs with a thousand connections, each of which always waits for an
    /// answer.
    pub(super) fn memory(&mut self) -> anyhow::Result<()> {
        let site = self.sandbox.on_postgres()?;
        let gateway = site.gateways.first().context("no gateway")?;
        let idle = gateway.memory()?.resident;
        let title = format!("{MEMORY_CONNECTIONS} connections");
        self.measure_rsa()?;
        let load = Load {
            kind: Kind::Jwe,
            connections: MEMORY_CONNECTIONS,
            pace: Pace::Closed,
            per_second: self.expected(Ground::Postgres, Kind::Jwe),
        };
        let mut busy: f64 = 0.0;
        let outcome = self.send(&site, &load, &title, || {
            busy = busy.max(gateway.memory()?.resident);
            Ok(())
        })?;
        let peak = gateway.memory()?.peak.max(busy);
        self.results.memory = Some(Remembered {
            idle,
            busy,
            peak,
            run: Run::of(&outcome),
        });
        site.close()
    }
}
