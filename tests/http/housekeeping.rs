//! Background jobs that panic: they are started again, counted, seen, and in nobody's way.

use crate::on_both;
use crate::support::gateway::{TestGateway, user_id};
use crate::support::wire::exchange;
use crate::support::{Backend, until};
use issuer_gateway::client::sample;
use issuer_gateway::gateway::Gateway;
use issuer_gateway::housekeeping::{Job, Stop};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Panics as long as it is told to, in its runs and at its end.
struct Panics(Arc<AtomicBool>);

impl Panics {
    fn panic(&self) {
        assert!(!self.0.load(Ordering::Relaxed), "told to panic");
    }
}

impl Job for Panics {
    const NAME: &'static str = "panics";
    const EVERY: Duration = Duration::from_millis(10);

    async fn run(&mut self, _: &Gateway, _: &Stop) -> anyhow::Result<()> {
        self.panic();
        Ok(())
    }

    async fn finish(&mut self, _: &Gateway) -> anyhow::Result<()> {
        self.panic();
        Ok(())
    }
}

/// Panics while it waits.
struct PanicsWhileWaiting;

impl Job for PanicsWhileWaiting {
    const NAME: &'static str = "panics-while-waiting";
    const EVERY: Duration = Duration::from_secs(3_600);

    async fn run(&mut self, _: &Gateway, _: &Stop) -> anyhow::Result<()> {
        Ok(())
    }

    async fn woken(&mut self, _: &Gateway) {
        Panics(Arc::new(AtomicBool::new(true))).panic();
    }
}

const PANICS: &str = r#"issuer_gateway_job_panics_total{job="panics"}"#;
const SUCCESS: &str = r#"issuer_gateway_job_last_success_timestamp_seconds{job="panics"}"#;

fn ready(gateway: &TestGateway) -> (u16, String) {
    let answer = exchange(&gateway.base_url, "GET", "/health/ready", &[], b"");
    let jobs = answer.json()["jobs"].as_str().unwrap().to_owned();
    (answer.status, jobs)
}

on_both!(
    a_job_that_panics_is_started_again_and_while_it_cannot_be_the_node_is_not_ready,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let panics = Arc::new(AtomicBool::new(true));
        let told = Arc::clone(&panics);
        gateway.start_job(move || Panics(Arc::clone(&told)));
        until("it is given up on", || {
            ready(&gateway) == (503, "failing".to_owned())
        });
        assert!(gateway.metric(PANICS) >= 3.0);
        assert!(gateway.metric(SUCCESS) == 0.0);
        // Everything else goes on.
        user_id(&gateway.client("demo").enrol(&sample::enrolment("534403")));

        panics.store(false, Ordering::Relaxed);
        until("it is at work again", || {
            ready(&gateway) == (200, "ok".to_owned())
        });
        until("a success", || gateway.metric(SUCCESS) > 0.0);
    }
);

on_both!(
    a_shutdown_runs_to_its_end_whatever_panics,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let panics = Arc::new(AtomicBool::new(true));
        let told = Arc::clone(&panics);
        gateway.start_job(move || Panics(Arc::clone(&told)));
        gateway.start_job(|| PanicsWhileWaiting);
        let waiting = r#"issuer_gateway_job_panics_total{job="panics-while-waiting"}"#;
        until("both have panicked", || {
            gateway.metric(PANICS) > 0.0 && gateway.metric(waiting) > 0.0
        });
        user_id(&gateway.client("demo").enrol(&sample::enrolment("534403")));
        let database = gateway.stop().unwrap();
        let stops = database.number(
            "SELECT count(*) AS n FROM audit_entries WHERE action = 'node.stop' AND outcome = 'accepted'",
        );
        assert_eq!(stops, 1);
        database.assert_whole();
    }
);

#[test]
fn every_job_of_a_node_has_its_metrics() {
    let gateway = TestGateway::start(Backend::Sqlite);
    for job in [
        "audit",
        "audit-anchor",
        "clock",
        "erasure",
        "expiry",
        "heartbeat",
        "key-usage",
        "nonce-purge",
        "readiness",
        "registry",
        "reload",
        "vault",
    ] {
        let last = format!(r#"issuer_gateway_job_last_success_timestamp_seconds{{job="{job}"}}"#);
        until(job, || gateway.metric(&last) > 0.0);
    }
}
