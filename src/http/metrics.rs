//! `GET /metrics` in Prometheus text format, on a listener of its own.

use super::error;
use crate::gateway::Gateway;
use actix_web::http::header::{self, AUTHORIZATION};
use actix_web::web::{self, Data, ServiceConfig, route};
use actix_web::{HttpRequest, HttpResponse};
use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use std::path::Path;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Fewer characters could be guessed.
const FEWEST: usize = 32;

/// What scrapers send, by its digest. There is no `Debug`.
pub struct Token([u8; 32]);

impl Token {
    /// The file's content, without the white space round it.
    ///
    /// # Errors
    /// A file that cannot be read, or holds no token.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let name = || format!("metrics.token_file {}", file.display());
        let text = Zeroizing::new(std::fs::read_to_string(file).with_context(name)?);
        let token = text.trim();
        ensure!(
            token.len() >= FEWEST && token.bytes().all(|b| b.is_ascii_graphic()),
            "{}: must be at least {FEWEST} printable characters without blanks",
            name()
        );
        Ok(Self(Sha256::digest(token.as_bytes()).into()))
    }

    fn fits(&self, request: &HttpRequest) -> bool {
        let header = request.headers().get(AUTHORIZATION);
        let given = header.and_then(|header| header.to_str().ok());
        let given = given.and_then(|header| header.strip_prefix("Bearer "));
        given.is_some_and(|token| {
            let digest: [u8; 32] = Sha256::digest(token.trim().as_bytes()).into();
            self.0.ct_eq(&digest).into()
        })
    }
}

/// The routes of the metrics listener.
pub fn routes(app: &mut ServiceConfig) {
    app.route("/metrics", web::get().to(page))
        .default_service(route().to(error::unknown_path));
}

async fn page(
    gateway: Data<Gateway>,
    token: Data<Option<Token>>,
    request: HttpRequest,
) -> HttpResponse {
    if let Some(token) = &**token
        && !token.fits(&request)
    {
        return HttpResponse::Unauthorized()
            .insert_header((header::WWW_AUTHENTICATE, "Bearer"))
            .finish();
    }
    look(&gateway);
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/plain; version=0.0.4"))
        .body(gateway.metrics.render())
}

/// Looks up what is not counted when it changes.
fn look(gateway: &Gateway) {
    let moment = &gateway.metrics.moment;
    for (name, fill) in [
        ("unwrap", gateway.unwrapper.fill()),
        ("lookup", gateway.finder.fill()),
        ("calls", gateway.writer.fill()),
        ("feeds", gateway.feeds.fill()),
    ] {
        moment.queue(name, fill);
    }
    let (in_use, idle, waiting, capacity) = gateway.store.pool();
    let count = |connections: u32| usize::try_from(connections).unwrap_or(usize::MAX);
    let states = [
        ("in_use", count(in_use)),
        ("idle", count(idle)),
        ("waiting", waiting),
    ];
    moment.pool(states, capacity);
    let keys = gateway.vault.current();
    moment.in_force(keys.generation(), gateway.registry.version());
    let now = Utc::now();
    moment.data_keys(keys.made().iter().map(|made| {
        let at = DateTime::from_timestamp_micros(made.at).unwrap_or(now);
        let age = (now - at).to_std().unwrap_or_default();
        (made.purpose.as_str(), made.version, age)
    }));
    moment.sealed(keys.seal_version(), keys.sealed());
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_token_is_long_and_fits_itself_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        for bad in ["", "short", &"x y".repeat(20)] {
            std::fs::write(&file, bad).unwrap();
            assert!(Token::read(&file).is_err(), "{bad}");
        }
        let text = "0123456789abcdef0123456789abcdef";
        std::fs::write(&file, format!("{text}\n")).unwrap();
        let token = Token::read(&file).unwrap();
        let fits = |header: &str| {
            let request = TestRequest::get().insert_header((AUTHORIZATION, header));
            token.fits(&request.to_http_request())
        };
        assert!(fits(&format!("Bearer {text}")));
        for wrong in [text, "Bearer ", "Basic eDp4", &format!("Bearer {text}0")] {
            assert!(!fits(wrong), "{wrong}");
        }
        assert!(!token.fits(&TestRequest::get().to_http_request()));
    }
}
