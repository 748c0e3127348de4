//! The pages that end a visit or interrupt it. Deleted, inactive, suspended, expired: all of them
//! get one page and one status, so that nobody learns which. The log has the reason.

use super::access::{self, Access};
use super::page;
use crate::dashboard::language::Language;
use crate::dashboard::pages::{NoticeKind, NoticePage};
use crate::dashboard::texts::Words;
use crate::dashboard::token::Claims;
use crate::gateway::Gateway;
use crate::http::error::{AnswerReason, HttpError};
use crate::issuers::theme::Dress;
use crate::issuers::theme::Theme;
use crate::refusal::Refusal;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderValue, RETRY_AFTER};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpRequest, HttpResponse, ResponseError};
use askama::Template;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;

/// Seconds after which to come again.
const AGAIN: i64 = 5;

/// What pages wear that are nobody's.
static PLAIN: LazyLock<Dress> = LazyLock::new(|| Dress::of(&Theme::default(), true));

/// Why there is no screen.
#[derive(Debug)]
pub(super) enum Denied {
    /// The view is over, or never was; the token's claims if its seal held, and the reason for the
    /// log.
    Closed(Option<Claims>, &'static str),
    /// No cookie came to an address that needs one.
    NoCookie,
    /// Nothing is at this address.
    Missing,
    /// Too many pages, or too many tokens that do not open.
    TooMany,
    /// Something else.
    Refused(Refusal),
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<crate::vault::VaultError> for Denied {
    fn from(error: crate::vault::VaultError) -> Self {
        Self::Refused(error.into())
    }
}

impl Denied {
    /// The stable name in log and metrics.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Closed(_, reason) => reason,
            Self::NoCookie => "no-cookie",
            Self::Missing => HttpError::UnknownPath.reason(),
            Self::TooMany => "rate-limited",
            Self::Refused(refusal) => refusal.reason(),
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Closed(..) | Self::NoCookie => StatusCode::UNAUTHORIZED,
            Self::Missing => StatusCode::NOT_FOUND,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Refused(refusal) if refusal.is_recoverable() => match refusal {
                Refusal::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            },
            Self::Refused(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn kind(&self) -> NoticeKind {
        match self.status() {
            StatusCode::UNAUTHORIZED if matches!(self, Self::NoCookie) => NoticeKind::NoCookie,
            StatusCode::UNAUTHORIZED => NoticeKind::Closed,
            StatusCode::NOT_FOUND => NoticeKind::Missing,
            StatusCode::INTERNAL_SERVER_ERROR => NoticeKind::Failed,
            _ => NoticeKind::Busy(AGAIN),
        }
    }

    /// The page: in the issuer's theme and with its link only if a valid seal names the issuer.
    pub(super) async fn page(self, gateway: &Gateway, request: &HttpRequest) -> HttpResponse {
        let (status, kind, reason) = (self.status(), self.kind(), self.reason());
        let claims = match self {
            Self::Closed(claims, _) => claims,
            _ => access::sealed_claims(gateway, request),
        };
        let accepted = request.headers().get(ACCEPT_LANGUAGE);
        let accepted = accepted.and_then(|list| list.to_str().ok());
        let language = claims
            .as_ref()
            .map_or_else(|| Language::accepted(accepted), |claims| claims.language);
        let issuer = claims.and_then(|claims| gateway.registry.issuer(claims.issuer_id));
        let dress = issuer.as_ref().map_or(&*PLAIN, |issuer| &issuer.dress);
        let overview = match kind {
            NoticeKind::Missing => overview(gateway, request).await,
            _ => None,
        };
        let nonce = page::nonce().unwrap_or_default();
        let html = NoticePage::of(
            Words::of(language),
            dress,
            &nonce,
            kind,
            issuer
                .as_ref()
                .and_then(|issuer| issuer.dashboard.return_url.clone()),
            overview,
            &access::request_id(request),
        );
        let ancestors = issuer
            .map(|issuer| issuer.dashboard.frame_origins.join(" "))
            .filter(|origins| !origins.is_empty());
        let ancestors = ancestors.unwrap_or_else(|| "'none'".to_owned());
        let html = html.render().unwrap_or_default();
        let mut answer = page::html_answer(gateway, status, &nonce, &ancestors).body(html);
        again(&mut answer, status);
        answer.extensions_mut().insert(AnswerReason(reason, None));
        answer
    }
}

/// 429 and 503 say when to come again.
pub(super) fn again(answer: &mut HttpResponse, status: StatusCode) {
    if matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    ) {
        let seconds = HeaderValue::from(AGAIN);
        answer.headers_mut().insert(RETRY_AFTER, seconds);
    }
}

/// Where the overview of a living view is, from any address.
async fn overview(gateway: &Gateway, request: &HttpRequest) -> Option<String> {
    let access = Access::of(gateway, request).await.ok()?;
    Some(access.address(gateway))
}

/// What is not an address of the view.
pub async fn missing(gateway: Data<Gateway>, request: HttpRequest) -> HttpResponse {
    Denied::Missing.page(&gateway, &request).await
}

/// 405, naming the methods that the path has, in the words of the API: no person meets it.
pub fn wrong_method(allow: Option<HeaderValue>) -> HttpResponse {
    crate::http::error::wrong_method(allow)
}

/// Goes round the pages: a panic becomes the page of a fault.
pub async fn guard(
    request: ServiceRequest,
    next: Next<impl actix_web::body::MessageBody + 'static>,
) -> Result<ServiceResponse<impl actix_web::body::MessageBody>, Error> {
    let handle = request.request().clone();
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(result) => result.map(ServiceResponse::map_into_boxed_body),
        Err(_) => {
            let answer = match handle.app_data::<Data<Gateway>>() {
                Some(gateway) => {
                    let fault = Denied::Refused(Refusal::Internal("panic"));
                    fault.page(gateway, &handle).await
                }
                None => HttpError::Panicked.error_response(),
            };
            Ok(ServiceResponse::new(handle, answer))
        }
    }
}
