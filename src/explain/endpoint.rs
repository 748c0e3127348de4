//! The first check: is there such an operation?

use super::recorded::Recorded;
use super::report::{Cause, StepId};
use super::walk::Walk;

/// What a signed call does, as far as its payload is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Encrypted: a card and its holder.
    Enrol,
    /// Encrypted: changes of a cardholder.
    Update,
    /// Encrypted: a list of transactions.
    PostTransactions,
    /// JSON in clear.
    Clear,
    /// No body.
    Read,
}

impl Operation {
    /// Whether the body is an encrypted payload.
    pub(super) fn is_encrypted(self) -> bool {
        matches!(self, Self::Enrol | Self::Update | Self::PostTransactions)
    }
}

/// A signed operation of the issuer API.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    /// `POST`
    pub method: &'static str,
    /// Below the mounts, with parameters in braces.
    pub path: &'static str,
    /// What it does.
    pub operation: Operation,
}

impl Endpoint {
    /// Every operation of the issuer API.
    pub const ALL: [Self; 10] = [
        of("GET", "/issuers", Operation::Read),
        of("PUT", "/issuers", Operation::Clear),
        of("POST", "/issuers/users", Operation::Enrol),
        of("PUT", "/issuers/users/{userid}", Operation::Update),
        of(
            "GET",
            "/issuers/users/{userid}/aggregate-carbon-scores",
            Operation::Read,
        ),
        of("GET", "/issuers/users/{userid}/dashboards", Operation::Read),
        of("POST", "/issuers/transactions", Operation::PostTransactions),
        of("POST", "/issuers/user-deletions", Operation::Clear),
        of("GET", "/supported-merchant-categories", Operation::Read),
        of("GET", "/supported-currencies", Operation::Read),
    ];

    fn is_at(&self, path: &str) -> bool {
        let (mut own, mut given) = (self.path.split('/'), path.split('/'));
        loop {
            match (own.next(), given.next()) {
                (None, None) => return true,
                (Some(own), Some(given)) if own == given => {}
                (Some(own), Some(given)) if own.starts_with('{') && !given.is_empty() => {}
                _ => return false,
            }
        }
    }
}

const fn of(method: &'static str, path: &'static str, operation: Operation) -> Endpoint {
    Endpoint {
        method,
        path,
        operation,
    }
}

/// Where the issuer API is mounted beside the root.
pub(super) const MOUNT: &str = "/cts";

/// The path below its mount.
fn below(path: &str) -> &str {
    match path.strip_prefix(MOUNT) {
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

/// Finds the operation; `None` if there is nothing more to check.
pub(super) fn examine(walk: &mut Walk, call: &Recorded) -> Option<Operation> {
    let path = below(call.path());
    let method = if call.method == "HEAD" {
        "GET"
    } else {
        &call.method
    };
    let at: Vec<&Endpoint> = Endpoint::ALL.iter().filter(|e| e.is_at(path)).collect();
    if let Some(endpoint) = at.iter().find(|endpoint| endpoint.method == method) {
        walk.passed(StepId::Http, format!("{} {}", call.method, call.path()));
        return Some(endpoint.operation);
    }
    let found = format!("{} {}", call.method, call.path());
    if let Some(first) = at.first() {
        let methods: Vec<&str> = at.iter().map(|endpoint| endpoint.method).collect();
        let cause = Cause::new(
            "http.method",
            format!("The path {} does not take {}.", first.path, call.method),
            format!("Send {}, in upper case.", methods.join(" or ")),
        );
        walk.failed(StepId::Http, found, methods.join(" or "), cause);
        return None;
    }
    let (what, advice, expected) = match meant(path) {
        Some(endpoint) => (
            format!("There is no path {}.", call.path()),
            format!(
                "{} {} is probably meant: paths are case sensitive, without doubled slashes and \
                 without a slash at the end.",
                endpoint.method, endpoint.path
            ),
            endpoint.path.to_owned(),
        ),
        None => (
            format!("{} is no path of the issuer API.", call.path()),
            format!("The operations are below / and {MOUNT}; /docs lists them."),
            "a path of the issuer API".to_owned(),
        ),
    };
    walk.failed(
        StepId::Http,
        found,
        expected,
        Cause::new("http.path", what, advice),
    );
    None
}

/// The operation whose path is nearly this one.
fn meant(path: &str) -> Option<&'static Endpoint> {
    let lower = path.to_ascii_lowercase();
    let segments: Vec<&str> = lower.split('/').filter(|part| !part.is_empty()).collect();
    // A proxy may have left something in front, and `issuers` may have been forgotten.
    for skipped in 0..segments.len() {
        let rest = segments.get(skipped..).unwrap_or_default().join("/");
        for prefix in ["/", "/issuers/"] {
            let path = format!("{prefix}{rest}");
            if let Some(endpoint) = Endpoint::ALL.iter().find(|e| e.is_at(&path)) {
                return Some(endpoint);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_paths_are_told() {
        for (path, near) in [
            ("/Issuers/Users", Some("/issuers/users")),
            ("/issuers/users/", Some("/issuers/users")),
            ("//issuers//users", Some("/issuers/users")),
            ("/v1/issuers/users", Some("/issuers/users")),
            ("/transactions", Some("/issuers/transactions")),
            ("/issuers/users/u1/x", None),
            ("/", None),
        ] {
            assert_eq!(meant(path).map(|endpoint| endpoint.path), near, "{path}");
        }
    }
}
