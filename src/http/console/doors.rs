//! Who may look at the console, and who may change something with it.
//!
//! The listener is loopback, so only this machine connects. A page from elsewhere that runs in a
//! browser of this machine is kept out too: after DNS rebinding its `Host` is not a name of this
//! machine, and a form that it sends has its own `Origin`.

use super::super::request::is_direct;
use super::notice;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderMap, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, HttpResponseBuilder, ResponseError};
use std::fmt;

/// Nothing but the console's own files; `data:` is the empty icon.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Why there is no page.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Nothing is there.
    Missing(&'static str),
    /// What was asked for makes no sense.
    Refused(&'static str),
    /// A fault of ours, or of the sandbox's files.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(text) | Self::Refused(text) => f.write_str(text),
            Self::Failed(error) => write!(f, "{error:#}"),
        }
    }
}

impl ResponseError for Trouble {
    fn error_response(&self) -> HttpResponse<BoxBody> {
        let (status, heading) = match self {
            Self::Missing(_) => (StatusCode::NOT_FOUND, "Not here"),
            Self::Refused(_) => (StatusCode::BAD_REQUEST, "Not possible"),
            Self::Failed(_) => (StatusCode::INTERNAL_SERVER_ERROR, "It did not work"),
        };
        notice(status, heading, self.to_string())
    }
}

/// Goes round every path of the console.
pub(super) async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let refusal = if !is_direct(request.request()) {
        Some("Call the console by a name of this machine, such as localhost, and without a proxy.")
    } else if !reads && !is_of_this_origin(request.headers()) {
        Some("This form came from another page than the console's.")
    } else {
        None
    };
    match refusal {
        None => next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body),
        Some(text) => {
            let answer = notice(StatusCode::FORBIDDEN, "Not from there", text.to_owned());
            Ok(request.into_response(answer).map_into_boxed_body())
        }
    }
}

/// Browsers say where a form comes from; tools that are no browser say nothing.
fn is_of_this_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = text(HOST.as_str()).unwrap_or_default();
    let origin = text(ORIGIN.as_str()).is_none_or(|origin| {
        let own = origin.split_once("://").map(|(_, own)| own);
        own.is_some_and(|own| own.eq_ignore_ascii_case(host))
    });
    let site = text("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    origin && site
}

/// The headers that every answer of the console has.
pub(super) fn answer(status: StatusCode) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((CACHE_CONTROL, "no-store"))
        // Without it a browser would call the origin of our own forms "null".
        .insert_header((REFERRER_POLICY, "same-origin"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header(("Cross-Origin-Resource-Policy", "same-origin"))
        .insert_header(("Cross-Origin-Opener-Policy", "same-origin"));
    answer
}

pub(super) fn html(status: StatusCode, html: String) -> HttpResponse {
    answer(status)
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .body(html)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_form_of_another_page_is_known_by_its_origin() {
        let from = |headers: &[(&str, &str)]| {
            let request = TestRequest::post().insert_header(("host", "localhost:8080"));
            let request = headers.iter().fold(request, |request, (name, value)| {
                request.insert_header((*name, *value))
            });
            is_of_this_origin(request.to_http_request().headers())
        };
        assert!(from(&[]), "curl");
        assert!(from(&[
            ("origin", "http://localhost:8080"),
            ("sec-fetch-site", "same-origin")
        ]));
        for foreign in [
            "http://elsewhere.example",
            "null",
            "http://localhost:8081",
            "",
        ] {
            assert!(!from(&[("origin", foreign)]), "{foreign}");
        }
        assert!(!from(&[("sec-fetch-site", "cross-site")]));
        assert!(!from(&[("sec-fetch-site", "same-site")]));
    }
}
