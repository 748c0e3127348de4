//! The alert rules and the dashboard under `deploy/` name metrics and labels that the gateway has.

use crate::support::gateway::TestGateway;
use crate::support::{Backend, until};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Metrics with the names of their labels, as the page of a gateway shows them.
fn exposed(page: &str) -> BTreeMap<String, BTreeSet<String>> {
    let line = Regex::new(r"(?m)^(issuer_gateway_[a-z_]+)(?:\{(.*)\})? [^ ]+$").unwrap();
    let label = Regex::new("([a-z_]+)=\"").unwrap();
    let mut metrics: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for found in line.captures_iter(page) {
        let labels = found.get(2).map_or("", |labels| labels.as_str());
        let labels = label.captures_iter(labels).map(|l| l[1].to_owned());
        metrics
            .entry(found[1].to_owned())
            .or_default()
            .extend(labels);
    }
    metrics
}

/// What Prometheus adds to every line, and what it makes of a label `job`.
const ADDED: [&str; 3] = ["instance", "job", "exported_job"];

#[test]
fn alerts_and_dashboard_name_what_there_is() {
    let gateway = TestGateway::start(Backend::Sqlite);
    let metrics = &gateway.gateway.metrics;
    // A line that is made by what it counts needs one to count.
    metrics.refusal("signature-invalid");
    metrics.crypto_refusal("issuer", "wrapped-key-reused");
    metrics.issuer_limited("issuer", "concurrency");
    metrics.set_scoring_jobs("pending", 1);
    metrics.request("POST", "/issuers/users", 200, std::time::Duration::ZERO);
    until("the jobs that set metrics have run", || {
        let page = gateway.metrics();
        let set = ["issuer_gateway_ready{", "issuer_gateway_expires_seconds{"];
        set.iter().all(|line| page.contains(line))
    });
    let exposed = exposed(&gateway.metrics());
    let metric = Regex::new(r"(issuer_gateway_[a-z_]+)(?:\{([^}]*)\})?").unwrap();
    let label = Regex::new(r"([a-z_]+)(?:=~|!=|!~|=)").unwrap();
    let mut named = 0;
    for file in ["prometheus/alerts.yaml", "grafana/issuer-gateway.json"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("deploy")
            .join(file);
        for found in metric.captures_iter(&std::fs::read_to_string(path).unwrap()) {
            let labels = exposed.get(&found[1]);
            let labels = labels.unwrap_or_else(|| panic!("{file}: no metric {}", &found[1]));
            let wanted = found.get(2).map_or("", |labels| labels.as_str());
            for wanted in label.captures_iter(wanted) {
                let known = labels.contains(&wanted[1]) || ADDED.contains(&&wanted[1]);
                assert!(known, "{file}: {} has no label {}", &found[1], &wanted[1]);
            }
            named += 1;
        }
    }
    assert!(named > 60, "{named}");
}
