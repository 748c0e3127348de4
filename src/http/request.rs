//! The raw call: body within size and time, headers and path exactly as they came.
//!
//! Nothing here decodes or rewrites; the signature covers these bytes.

use super::around::{Proven, RequestId};
use super::error::HttpError;
use crate::call::Call;
use crate::gateway::Gateway;
use crate::payload::FieldLevelHeaders;
use crate::recording::Observer;
use crate::timeline::{Step, Timeline};
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName};
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpMessage, HttpRequest};
use chrono::Utc;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// What a request body may cost.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Largest body in bytes.
    pub body_bytes: usize,
    /// How long the body may take to come.
    pub body_timeout: Duration,
    /// Largest body of transactions in bytes.
    pub feed_body_bytes: usize,
    /// As many bodies of transactions may be in memory at once.
    pub feeds: Arc<Semaphore>,
}

/// A request that has been read whole.
pub struct RawCall<'a> {
    request: &'a HttpRequest,
    body: Bytes,
    request_id: String,
    peer: Option<String>,
    observer: Option<Arc<Observer>>,
    timeline: Option<Arc<Timeline>>,
    proven: Proven,
}

impl<'a> RawCall<'a> {
    /// Reads the body; too large is 413, too slow 408, a broken connection 400.
    pub async fn read(
        request: &'a HttpRequest,
        payload: Payload,
        limits: &Limits,
    ) -> Result<Self, HttpError> {
        Self::read_up_to(limits.body_bytes, request, payload, limits).await
    }

    /// The same with another limit in bytes.
    pub async fn read_up_to(
        most: usize,
        request: &'a HttpRequest,
        payload: Payload,
        limits: &Limits,
    ) -> Result<Self, HttpError> {
        let reading = payload.to_bytes_limited(most);
        let body = match tokio::time::timeout(limits.body_timeout, reading).await {
            Err(_) => return Err(HttpError::BodyTimeout),
            Ok(Err(_)) => return Err(HttpError::BodyTooLarge),
            Ok(Ok(Err(_))) => return Err(HttpError::BodyUnreadable),
            Ok(Ok(Ok(body))) => body,
        };
        let request_id = request
            .extensions()
            .get::<RequestId>()
            .map(|id| id.0.clone())
            .unwrap_or_default();
        let peer = request.peer_addr().map(|address| address.ip().to_string());
        let observer = request.extensions().get::<Arc<Observer>>().cloned();
        let proven = request.extensions().get::<Proven>().cloned();
        if let Some(observer) = &observer {
            observer.received(&body);
        }
        let timeline = request.extensions().get::<Arc<Timeline>>().cloned();
        if let Some(timeline) = &timeline {
            timeline.reached(Step::Body);
        }
        Ok(Self {
            request,
            body,
            request_id,
            peer,
            observer,
            timeline,
            proven: proven.unwrap_or_default(),
        })
    }

    /// The call as use cases take it.
    pub fn call(&self) -> Call<'_> {
        Call {
            method: self.request.method().as_str(),
            path: self.request.uri().path(),
            query: self.request.uri().query(),
            authorization: self.single(&AUTHORIZATION),
            content_type: self.single(&CONTENT_TYPE),
            content_encoding: self.header("content-encoding"),
            field_level: FieldLevelHeaders::collect(|name| self.header(name)),
            body: &self.body,
            request_id: &self.request_id,
            peer: self.peer.as_deref(),
            direct: is_direct(self.request),
            now: self
                .request
                .app_data::<Data<Gateway>>()
                .map_or_else(Utc::now, |gateway| gateway.clock.now()),
            observer: self.observer.as_deref(),
            timeline: self.timeline.as_ref(),
            proven: &self.proven.0,
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.request.headers().get(name)?.to_str().ok()
    }

    /// A header that came exactly once; two of them would be ambiguous.
    fn single(&self, name: &HeaderName) -> Option<&str> {
        let mut values = self.request.headers().get_all(name);
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }
}

/// Headers in which a proxy names its client, beside all that begin with `x-forwarded`.
const FORWARDING: [&str; 6] = [
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
];

/// Whether the caller named this machine as loopback, and no proxy forwarded the request. After DNS
/// rebinding a browser still sends the attacker's name, so it does not pass.
pub(super) fn is_direct(request: &HttpRequest) -> bool {
    let headers = request.headers();
    let forwarded = headers.keys().any(|name| {
        let name = name.as_str();
        name.starts_with("x-forwarded") || FORWARDING.contains(&name)
    });
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let target = request.uri().authority().map(|target| target.as_str());
    !forwarded && host.is_some_and(is_loopback_name) && target.is_none_or(is_loopback_name)
}

/// Whether `host[:port]` is `localhost` or a loopback address.
fn is_loopback_name(host: &str) -> bool {
    let port = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let name = match host.rsplit_once(':') {
        Some((name, digits)) if port(digits) => name,
        _ => host,
    };
    let address = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name);
    address.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for host in [
            "localhost",
            "LocalHost:8080",
            "127.0.0.1",
            "127.8.9.1:80",
            "[::1]",
            "[::1]:8080",
        ] {
            assert!(is_loopback_name(host), "{host}");
        }
        for host in [
            "",
            "localhost.example.com",
            "127.0.0.1.example.com:80",
            "example.com",
            "10.0.0.1",
            "0.0.0.0",
            "[::]:80",
            "[::1",
            "localhost:",
            "localhost:x",
            "user@localhost",
            "2130706433",
        ] {
            assert!(!is_loopback_name(host), "{host}");
        }
    }

    #[test]
    fn a_forwarded_call_is_not_direct() {
        let local = || TestRequest::get().insert_header(("host", "localhost:8080"));
        assert!(is_direct(&local().to_http_request()));
        assert!(!is_direct(&TestRequest::get().to_http_request()), "no Host");
        for name in [
            "X-Forwarded-For",
            "x-forwarded-host",
            "Forwarded",
            "Via",
            "X-Real-IP",
        ] {
            let request = local().insert_header((name, "127.0.0.1"));
            assert!(!is_direct(&request.to_http_request()), "{name}");
        }
        let absolute = local().uri("http://rebound.example/users?id=1");
        assert!(!is_direct(&absolute.to_http_request()));
    }
}
