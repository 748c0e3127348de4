//! `[traces]`: spans of calls, for an OpenTelemetry collector.

use super::{ConfigError, is_loopback};
use serde::Deserialize;
use std::path::PathBuf;
use url::Url;

/// `[traces]`; absent: nothing is traced.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traces {
    /// The collector's OTLP receiver for HTTP: `http://127.0.0.1:4318`. Spans go to `/v1/traces`
    /// below it.
    pub endpoint: String,
    /// The part of the calls that is traced, 0 to 1, where no proven caller has decided.
    #[serde(default = "all")]
    pub sample_ratio: f64,
    /// File with further headers for the collector, one a line: `Authorization: Bearer TOKEN`.
    #[serde(default)]
    pub headers_file: Option<PathBuf>,
    /// PEM file with the authorities of the collector's certificate; absent: those of the public
    /// web.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// How long a request to the collector may take, in milliseconds.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    /// `service.name` of all spans.
    #[serde(default = "service_name")]
    pub service_name: String,
}

fn all() -> f64 {
    1.0
}

fn timeout_ms() -> u64 {
    5_000
}

fn service_name() -> String {
    "issuer-gateway".to_owned()
}

impl Traces {
    /// The defaults for a collector.
    pub fn to(endpoint: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            sample_ratio: all(),
            headers_file: None,
            ca_file: None,
            timeout_ms: timeout_ms(),
            service_name: service_name(),
        }
    }

    /// Where spans go.
    pub fn url(&self) -> String {
        // As `validate` has read it.
        let read = Url::parse(&self.endpoint).map_or(self.endpoint.clone(), String::from);
        format!("{}/v1/traces", read.trim_end_matches('/'))
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let invalid = |setting, rule: &str| {
            Err(ConfigError::Invalid {
                setting,
                rule: rule.to_owned(),
            })
        };
        let plain = |url: &Url| {
            let http = matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
            let credentials = !url.username().is_empty() || url.password().is_some();
            http && !credentials && url.query().is_none() && url.fragment().is_none()
        };
        let Some(url) = Url::parse(&self.endpoint).ok().filter(plain) else {
            return invalid(
                "traces.endpoint",
                "must be http://HOST[:PORT] or https://HOST[:PORT], without credentials or query",
            );
        };
        if self.headers_file.is_some() && url.scheme() == "http" && !is_loopback(&url) {
            return invalid(
                "traces.headers_file",
                "needs traces.endpoint to be https://, or http:// on loopback",
            );
        }
        if !(0.0..=1.0).contains(&self.sample_ratio) {
            return invalid("traces.sample_ratio", "must be 0 to 1");
        }
        if !(100..=60_000).contains(&self.timeout_ms) {
            return invalid("traces.timeout_ms", "must be 100 to 60000");
        }
        if self.service_name.is_empty() || self.service_name.len() > 255 {
            return invalid("traces.service_name", "must be 1 to 255 characters");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut Traces);

    #[test]
    fn what_cannot_be_used_is_refused_by_its_name() {
        let with = |change: Change| {
            let mut traces = Traces::to("http://127.0.0.1:4318");
            change(&mut traces);
            traces.validate().map_err(|error| error.to_string())
        };
        let cases: [(Change, &str); 11] = [
            (|t| t.endpoint = String::new(), "traces.endpoint: "),
            (
                |t| t.endpoint = "127.0.0.1:4318".into(),
                "traces.endpoint: ",
            ),
            (|t| t.endpoint = "grpc://h:4317".into(), "traces.endpoint: "),
            (|t| t.endpoint = "https://u:p@h".into(), "traces.endpoint: "),
            (
                |t| t.endpoint = "https://h/?a=b".into(),
                "traces.endpoint: ",
            ),
            (|t| t.sample_ratio = 1.1, "traces.sample_ratio: "),
            (|t| t.sample_ratio = f64::NAN, "traces.sample_ratio: "),
            (|t| t.timeout_ms = 99, "traces.timeout_ms: "),
            (|t| t.service_name.clear(), "traces.service_name: "),
            (|t| t.sample_ratio = -0.1, "traces.sample_ratio: "),
            (
                |t| {
                    t.endpoint = "http://collector:4318".into();
                    t.headers_file = Some("headers".into());
                },
                "traces.headers_file: ",
            ),
        ];
        for (change, setting) in cases {
            let message = with(change).unwrap_err();
            assert!(message.contains(setting), "{message}");
            assert!(!message.contains("u:p"), "{message}");
        }
        let usable: [Change; 4] = [
            |_| {},
            |t| t.endpoint = "http://collector:4318".into(),
            |t| t.sample_ratio = 0.0,
            |t| {
                t.endpoint = "https://collector.example/otlp".into();
                t.headers_file = Some("headers".into());
            },
        ];
        for change in usable {
            with(change).unwrap();
        }
    }
}
