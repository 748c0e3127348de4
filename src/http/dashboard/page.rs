//! A page with all its headers: nothing may keep it, frame it, or load into it.

use super::SCRIPT_NAME;
use super::access::{Access, Mode};
use super::query;
use super::refusal::Denied;
use crate::dashboard::pages::{Query, Visit};
use crate::dashboard::texts::Words;
use crate::dashboard::visit::Sight;
use crate::gateway::Gateway;
use crate::refusal::Refusal;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    Encoding, Header, LOCATION, REFERRER_POLICY, SET_COOKIE, STRICT_TRANSPORT_SECURITY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{self, Write};

/// Everything that a page could ask a device for.
const NOTHING: &str = "accelerometer=(), autoplay=(), camera=(), clipboard-read=(), \
    display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), \
    magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), \
    publickey-credentials-get=(), screen-wake-lock=(), usb=(), xr-spatial-tracking=()";

/// Shows the page that `make` makes; `None` of it is a page that does not exist. `up`: from the
/// page to the view's root.
pub(super) async fn show<P: Template>(
    gateway: &Gateway,
    request: &HttpRequest,
    up: &str,
    make: impl FnOnce(&Visit<'_>, &Sight, &Query) -> Option<P>,
) -> HttpResponse {
    match shown(gateway, request, up, make).await {
        Ok(answer) => answer,
        Err(denied) => denied.page(gateway, request).await,
    }
}

async fn shown<P: Template>(
    gateway: &Gateway,
    request: &HttpRequest,
    up: &str,
    make: impl FnOnce(&Visit<'_>, &Sight, &Query) -> Option<P>,
) -> Result<HttpResponse, Denied> {
    let access = Access::of(gateway, request).await?;
    let now = gateway.clock.now();
    let language = access.renewed.language;
    let sight = access.viewer.facts(gateway, language, now).await?;
    let nonce = nonce()?;
    let root = access.root(up);
    let visit = Visit {
        words: Words::of(language),
        dress: &access.viewer.issuer.dress,
        nonce: &nonce,
        root: &root,
        script: &SCRIPT_NAME,
        fonts: &gateway.web_view.fonts,
        ends: access.renewed.expires,
        now,
    };
    let page = make(&visit, &sight, &query::read(request)).ok_or(Denied::Missing)?;
    let html = page.render();
    let html = html.map_err(|_| Refusal::Internal("rendering a page"))?;
    let ancestors = match access.mode {
        Mode::Cookie => "'none'".to_owned(),
        Mode::Frame => access.viewer.issuer.dashboard.frame_origins.join(" "),
    };
    let mut answer = html_answer(gateway, StatusCode::OK, &nonce, &ancestors);
    answer.insert_header((VARY, "accept-encoding"));
    if let Some(cookie) = access.set_cookie(gateway) {
        answer.insert_header((SET_COOKIE, cookie));
    }
    // A frame's page has its token in every link, and what is secret is not compressed.
    if access.mode == Mode::Cookie && accepts_gzip(request) {
        answer.insert_header((CONTENT_ENCODING, "gzip"));
        let packed = gzip(html.as_bytes());
        return Ok(answer.body(packed.map_err(|_| Refusal::Internal("compressing a page"))?));
    }
    Ok(answer.body(html))
}

/// HTML with every header of a page, without its body.
pub(super) fn html_answer(
    gateway: &Gateway,
    status: StatusCode,
    nonce: &str,
    ancestors: &str,
) -> HttpResponseBuilder {
    let fonts = match gateway.web_view.fonts.is_empty() {
        true => "",
        false => " font-src 'self';",
    };
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'self'; img-src 'self';{fonts} \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
    );
    let mut answer = HttpResponse::build(status);
    answer
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_SECURITY_POLICY, policy));
    harden(&mut answer, gateway);
    answer
}

fn accepts_gzip(request: &HttpRequest) -> bool {
    let ours = [Encoding::gzip(), Encoding::identity()];
    AcceptEncoding::parse(request)
        .ok()
        .and_then(|accepted| accepted.negotiate(ours.iter()))
        == Some(Encoding::gzip())
}

fn gzip(text: &[u8]) -> io::Result<Vec<u8>> {
    let packed = Vec::with_capacity(text.len() / 4);
    let mut encoder = GzEncoder::new(packed, Compression::new(4));
    encoder.write_all(text)?;
    encoder.finish()
}

/// A way to another page, with a cookie for it.
pub(super) fn see_other(
    gateway: &Gateway,
    (location, cookie): (String, Option<String>),
) -> HttpResponse {
    let mut answer = HttpResponse::SeeOther();
    answer.insert_header((LOCATION, location));
    if let Some(cookie) = cookie {
        answer.insert_header((SET_COOKIE, cookie));
    }
    harden(&mut answer, gateway);
    answer.finish()
}

/// The headers that every answer of the view has, whatever it is.
pub(super) fn harden(answer: &mut HttpResponseBuilder, gateway: &Gateway) {
    answer
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header(("X-Robots-Tag", "noindex"))
        .insert_header(("Cross-Origin-Opener-Policy", "same-origin"))
        .insert_header(("Permissions-Policy", NOTHING));
    if gateway.web_view.ends_tls {
        answer.insert_header((STRICT_TRANSPORT_SECURITY, "max-age=31536000"));
    }
}

/// 128 random bits for the style sheet of one page.
pub(super) fn nonce() -> Result<String, Refusal> {
    let mut bytes = [0; 16];
    openssl::rand::rand_bytes(&mut bytes)
        .map_err(|_| Refusal::Internal("random bytes for a page"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
