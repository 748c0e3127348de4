//! The cardholder's web view over HTTP: `/home/` opens a view with the token of an issuer's URL,
//! `/home/v/…` shows it with a cookie, `/home/f/…` in a frame with the token in the address.
//!
//! - `access`: from a request to who may look; `page`: the headers of every page
//! - `query`: what an address asks for; `api`: the same figures as JSON
//! - `refusal`: the pages that end a visit

mod access;
pub mod api;
mod page;
mod query;
mod refusal;

pub use refusal::{guard, missing, wrong_method};

use super::error::Answer;
use super::request::{Limits, RawCall};
use crate::dashboard::link;
use crate::dashboard::pages::{
    CategoryPage, IntroPage, MethodPage, OverviewPage, PaymentPage, PaymentsPage, SCRIPT,
};
use crate::gateway::Gateway;
use access::Access;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use refusal::Denied;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// The script's name: its hash is in it, so browsers may keep it for good.
pub(super) static SCRIPT_NAME: LazyLock<String> = LazyLock::new(|| {
    let hash = hex::encode(Sha256::digest(SCRIPT.as_bytes()));
    format!("view-{}.js", hash.get(..16).unwrap_or_default())
});

/// The script's name, for the document.
pub fn script_name() -> String {
    SCRIPT_NAME.clone()
}

/// `GET /issuers/users/{userid}/dashboards`: the address that opens the view.
pub async fn issue(
    gateway: Data<Gateway>,
    limits: Data<Limits>,
    user_id: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Answer {
    let raw = RawCall::read(&request, payload, &limits).await?;
    let reply = link::link(&gateway, &raw.call(), &user_id).await?;
    Ok(super::reply(StatusCode::OK, reply))
}

/// `GET /home/`: opens a view with the token of an issuer's URL.
pub async fn open(gateway: Data<Gateway>, request: HttpRequest) -> HttpResponse {
    match Access::open(&gateway, &request).await {
        Ok(way) => page::see_other(&gateway, way),
        Err(denied) => denied.page(&gateway, &request).await,
    }
}

/// The script, or one of the operator's fonts.
pub async fn file(
    gateway: Data<Gateway>,
    request: HttpRequest,
    name: Path<String>,
) -> HttpResponse {
    let fonts = &gateway.web_view.fonts;
    if *name == *SCRIPT_NAME {
        kept("text/javascript; charset=utf-8").body(SCRIPT)
    } else if let Some(font) = fonts.iter().find(|font| font.name == *name) {
        kept("font/woff2").body(font.bytes.clone())
    } else {
        missing(gateway, request).await
    }
}

/// An answer that browsers may keep for good: its name changes with its content.
fn kept(media_type: &'static str) -> HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((CONTENT_TYPE, media_type))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"));
    answer
}

/// The overview of a month.
pub async fn overview(gateway: Data<Gateway>, request: HttpRequest) -> HttpResponse {
    page::show(&gateway, &request, "", |visit, sight, query| {
        Some(OverviewPage::of(visit, &sight.facts, query))
    })
    .await
}

/// One category.
pub async fn category(
    gateway: Data<Gateway>,
    request: HttpRequest,
    parts: Path<(String, String, String)>,
) -> HttpResponse {
    let code = parts.2.parse::<u16>().ok();
    page::show(&gateway, &request, "../", |visit, sight, query| {
        CategoryPage::of(visit, &sight.facts, code?, query)
    })
    .await
}

/// The list of payments.
pub async fn payments(gateway: Data<Gateway>, request: HttpRequest) -> HttpResponse {
    page::show(&gateway, &request, "", |visit, sight, query| {
        Some(PaymentsPage::of(visit, &sight.facts, query))
    })
    .await
}

/// How one payment was estimated.
pub async fn payment(
    gateway: Data<Gateway>,
    request: HttpRequest,
    parts: Path<(String, String, String)>,
) -> HttpResponse {
    page::show(&gateway, &request, "../", |visit, sight, _| {
        let (_, payment) = sight.facts.payment(&parts.2)?;
        let explanation = sight.explain(&payment.id);
        Some(PaymentPage::of(
            visit,
            &sight.facts,
            payment,
            explanation.as_ref(),
        ))
    })
    .await
}

/// How it works.
pub async fn method(gateway: Data<Gateway>, request: HttpRequest) -> HttpResponse {
    page::show(&gateway, &request, "", |visit, sight, _| {
        Some(MethodPage::of(visit, &sight.facts))
    })
    .await
}

/// The introduction, to read it again.
pub async fn intro(gateway: Data<Gateway>, request: HttpRequest) -> HttpResponse {
    page::show(&gateway, &request, "", |visit, sight, _| {
        Some(IntroPage::of(visit, &sight.facts))
    })
    .await
}

/// "Got it": the introduction does not come again. The answer leads to a page that can be loaded
/// again without sending anything.
pub async fn introduce(gateway: Data<Gateway>, request: HttpRequest) -> HttpResponse {
    match introduced(&gateway, &request).await {
        Ok(access) => page::see_other(&gateway, access.overview(&gateway)),
        Err(denied) => denied.page(&gateway, &request).await,
    }
}

async fn introduced(gateway: &Gateway, request: &HttpRequest) -> Result<Access, Denied> {
    let access = Access::of(gateway, request).await?;
    access::require_own_form(gateway, request)?;
    let now = gateway.clock.now();
    access.viewer.introduce(gateway, now).await?;
    Ok(access)
}
