//! `GET /docs`: `/openapi.json` as a page for people, rendered by Swagger UI.
//!
//! Swagger UI comes out of its crate; page, start script and colours are ours. The browser is told
//! to load nothing from any other origin and to send nothing anywhere: calls cannot be tried from
//! the page, because they need the issuer's signing key.

use super::error::{Answer, HttpError};
use actix_web::HttpResponse;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::web::Path;
use std::borrow::Cow;
use std::sync::Arc;
use utoipa_swagger_ui::Config;

/// Swagger UI draws its icons from `data:` URLs; everything else is one of [`FILES`].
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE: &str = include_str!("docs/page.html");

/// A file that the page loads.
pub struct File {
    /// Its name below `/docs/`.
    pub name: &'static str,
    media_type: &'static str,
    /// Our own text; `None`: the file of this name out of Swagger UI.
    text: Option<&'static str>,
}

/// All that the page loads, in the order in which it does.
pub const FILES: [File; 4] = [
    File {
        name: "swagger-ui.css",
        media_type: "text/css; charset=utf-8",
        text: None,
    },
    File {
        name: "page.css",
        media_type: "text/css; charset=utf-8",
        text: Some(include_str!("docs/page.css")),
    },
    File {
        name: "swagger-ui-bundle.js",
        media_type: "text/javascript; charset=utf-8",
        text: None,
    },
    File {
        name: "page.js",
        media_type: "text/javascript; charset=utf-8",
        text: Some(include_str!("docs/page.js")),
    },
];

/// Answers the page.
pub async fn page() -> HttpResponse {
    answer("text/html; charset=utf-8", Cow::Borrowed(PAGE.as_bytes()))
}

/// Answers one of [`FILES`].
pub async fn file(name: Path<String>) -> Answer {
    let file = FILES
        .iter()
        .find(|file| file.name == name.as_str())
        .ok_or(HttpError::UnknownPath)?;
    let bytes = match file.text {
        Some(text) => Cow::Borrowed(text.as_bytes()),
        None => swagger_ui(file.name).ok_or(HttpError::UnknownPath)?,
    };
    Ok(answer(file.media_type, bytes))
}

fn swagger_ui(name: &str) -> Option<Cow<'static, [u8]>> {
    let file = utoipa_swagger_ui::serve(name, Arc::new(Config::from("/openapi.json"))).ok()??;
    Some(file.bytes)
}

fn answer(media_type: &'static str, bytes: Cow<'static, [u8]>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, media_type))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        // The files change with the gateway's version only; asking again costs little.
        .insert_header((CACHE_CONTROL, "public, max-age=300"));
    match bytes {
        Cow::Borrowed(bytes) => response.body(bytes),
        Cow::Owned(bytes) => response.body(bytes),
    }
}
