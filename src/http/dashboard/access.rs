//! From a request to who may look: the token's seal and time first, then the rate, then the
//! database.

use super::query;
use super::refusal::Denied;
use crate::dashboard::language::Language;
use crate::dashboard::token::{Claims, Kind, Token, TokenError};
use crate::dashboard::visit::Viewer;
use crate::gateway::Gateway;
use crate::http::around::RequestId;
use crate::vault::VaultKeys;
use actix_web::http::Method;
use actix_web::http::header::{COOKIE, ORIGIN};
use actix_web::{HttpMessage, HttpRequest};
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::time::Instant;

/// How a view's token travels; the issuer's setting `frame_origins` decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// In a cookie of the view's own path.
    Cookie,
    /// In the address: third-party frames get no cookies.
    Frame,
}

/// A request of somebody who may look, and the token that the answer carries.
pub(super) struct Access {
    pub(super) viewer: Viewer,
    pub(super) mode: Mode,
    /// The view with the time that this page gives it.
    pub(super) renewed: Claims,
    token: Token,
}

impl Access {
    /// Opens a view: the address to go to, and the cookie to set. `HEAD` gets an answer of the same
    /// form that opens nothing: messengers and mail scanners ask so, and nobody has looked then.
    pub(super) async fn open(
        gateway: &Gateway,
        request: &HttpRequest,
    ) -> Result<(String, Option<String>), Denied> {
        let now = gateway.clock.now();
        let text = query::value(request, "auth_token").unwrap_or_default();
        let claims = opened(gateway, &text, Kind::Start, now)?;
        let wish = query::value(request, "lang");
        let language = wish.as_deref().and_then(Language::parse);
        let language = language.unwrap_or(claims.language);
        let viewer = admitted(gateway, claims.clone(), language).await?;
        let mode = Mode::of(&viewer);
        let view = claims.view(language, now);
        if request.method() == Method::HEAD {
            return Ok((format!("{}/{}/", mode.segment(), view.view_name()), None));
        }
        let request_id = request_id(request);
        if !viewer.note_opened(gateway, &request_id, now).await? {
            return Err(Denied::Closed(Some(claims), "token-used"));
        }
        let token = view.seal(Kind::View, &gateway.vault.current())?;
        let access = Self {
            viewer,
            mode,
            renewed: view,
            token,
        };
        Ok(match mode {
            Mode::Cookie => {
                let location = format!("v/{}/", access.renewed.view_name());
                (location, Some(access.cookie(gateway)))
            }
            Mode::Frame => (format!("f/{}/", access.token.reveal()), None),
        })
    }

    /// Of a request inside a view.
    pub(super) async fn of(gateway: &Gateway, request: &HttpRequest) -> Result<Self, Denied> {
        let now = gateway.clock.now();
        let (mode, claims) = match place(request) {
            Some(("v", view)) => (Mode::Cookie, by_cookie(gateway, request, view, now)?),
            Some(("f", view)) => (Mode::Frame, opened(gateway, view, Kind::View, now)?),
            _ => return Err(Denied::Missing),
        };
        let language = query::value(request, "lang");
        let language = language.as_deref().and_then(Language::parse);
        let language = language.unwrap_or(claims.language);
        let viewer = admitted(gateway, claims, language).await?;
        if Mode::of(&viewer) != mode {
            return Err(Denied::Closed(Some(viewer.claims), "mode-changed"));
        }
        let renewed = viewer.claims.renewed(language, now);
        let token = renewed.seal(Kind::View, &gateway.vault.current())?;
        Ok(Self {
            viewer,
            mode,
            renewed,
            token,
        })
    }

    /// From a page `up` from the view's root to the root.
    pub(super) fn root(&self, up: &str) -> String {
        match self.mode {
            Mode::Cookie if up.is_empty() => "./".to_owned(),
            Mode::Cookie => up.to_owned(),
            Mode::Frame => format!("{up}../{}/", self.token.reveal()),
        }
    }

    /// Where the answer of a form beside the root leads, and the cookie that it sets.
    pub(super) fn overview(&self, gateway: &Gateway) -> (String, Option<String>) {
        (self.root(""), self.set_cookie(gateway))
    }

    /// The overview's address, from any other.
    pub(super) fn address(&self, gateway: &Gateway) -> String {
        let prefix = &gateway.web_view.prefix;
        match self.mode {
            Mode::Cookie => format!("{prefix}/home/v/{}/", self.renewed.view_name()),
            Mode::Frame => format!("{prefix}/home/f/{}/", self.token.reveal()),
        }
    }

    /// The cookie with the renewed token; `None` in a frame.
    pub(super) fn set_cookie(&self, gateway: &Gateway) -> Option<String> {
        (self.mode == Mode::Cookie).then(|| self.cookie(gateway))
    }

    fn cookie(&self, gateway: &Gateway) -> String {
        let web = &gateway.web_view;
        let secure = if web.secure { " Secure;" } else { "" };
        format!(
            "{}={}; Path={}/home/v/{}/;{secure} HttpOnly; SameSite=Lax",
            cookie_name(gateway),
            self.token.reveal(),
            web.prefix,
            self.renewed.view_name()
        )
    }
}

impl Mode {
    fn of(viewer: &Viewer) -> Self {
        if viewer.issuer.dashboard.frame_origins.is_empty() {
            Self::Cookie
        } else {
            Self::Frame
        }
    }

    /// Its part of an address.
    fn segment(self) -> &'static str {
        match self {
            Self::Cookie => "v",
            Self::Frame => "f",
        }
    }
}

/// A form must come from a page of ours: another site's could not read the answer, but it could
/// send.
pub(super) fn require_own_form(gateway: &Gateway, request: &HttpRequest) -> Result<(), Denied> {
    let header = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok());
    let own = match header("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => header(ORIGIN.as_str()).is_some_and(|origin| origin == gateway.web_view.origin),
    };
    if own {
        Ok(())
    } else {
        Err(Denied::Closed(None, "foreign-form"))
    }
}

/// Whose seal a refused request bears, for the page's theme and language: its time does not count.
pub(super) fn sealed_claims(gateway: &Gateway, request: &HttpRequest) -> Option<Claims> {
    let keys = gateway.vault.current();
    match place(request) {
        Some(("v", view)) => cookies(gateway, request)
            .filter_map(|text| Claims::open_seal(text, Kind::View, &keys).ok())
            .find(|claims| claims.view_name() == view),
        Some(("f", text)) => Claims::open_seal(text, Kind::View, &keys).ok(),
        _ => {
            let text = query::value(request, "auth_token")?;
            Claims::open_seal(&text, Kind::Start, &keys).ok()
        }
    }
}

/// Mode and view of an address, also of one that leads nowhere.
fn place(request: &HttpRequest) -> Option<(&str, &str)> {
    let mut parts = request.path().strip_prefix("/home/")?.split('/');
    Some((parts.next()?, parts.next()?))
}

/// Our id of the request.
pub(super) fn request_id(request: &HttpRequest) -> String {
    let extensions = request.extensions();
    let id = extensions.get::<RequestId>();
    id.map(|id| id.0.clone()).unwrap_or_default()
}

fn by_cookie(
    gateway: &Gateway,
    request: &HttpRequest,
    view: &str,
    now: DateTime<Utc>,
) -> Result<Claims, Denied> {
    let keys = gateway.vault.current();
    let mut refused = None;
    for text in cookies(gateway, request) {
        match Claims::open(text, Kind::View, &keys, now) {
            // Another view's cookie opens nothing here.
            Ok(claims) if claims.view_name() == view => return Ok(claims),
            Ok(_) => refused = refused.or(Some(TokenError::Seal)),
            Err(error) => refused = Some(error),
        }
    }
    match refused {
        Some(error) => Err(stranger(gateway, error, || sealed_claims(gateway, request))),
        None => Err(Denied::NoCookie),
    }
}

fn opened(gateway: &Gateway, text: &str, kind: Kind, now: DateTime<Utc>) -> Result<Claims, Denied> {
    let keys: Arc<VaultKeys> = gateway.vault.current();
    Claims::open(text, kind, &keys, now)
        .map_err(|error| stranger(gateway, error, || Claims::open_seal(text, kind, &keys).ok()))
}

/// A token that does not open: counted, and refused.
fn stranger(
    gateway: &Gateway,
    error: TokenError,
    sealed: impl FnOnce() -> Option<Claims>,
) -> Denied {
    if !gateway.web_view.allows_stranger(Instant::now()) {
        return Denied::TooMany;
    }
    Denied::Closed(sealed(), error.reason())
}

async fn admitted(gateway: &Gateway, claims: Claims, language: Language) -> Result<Viewer, Denied> {
    let key = format!("{} {}", claims.issuer_id.0, claims.user_id);
    if !gateway.web_view.allows_page(&key, Instant::now()) {
        return Err(Denied::TooMany);
    }
    let gone = Claims {
        language,
        ..claims.clone()
    };
    let viewer = Viewer::admit(gateway, claims).await?;
    viewer.ok_or(Denied::Closed(Some(gone), "cardholder-gone"))
}

fn cookie_name(gateway: &Gateway) -> &'static str {
    if gateway.web_view.secure {
        "__Secure-view"
    } else {
        "view"
    }
}

fn cookies<'r>(gateway: &Gateway, request: &'r HttpRequest) -> impl Iterator<Item = &'r str> {
    let name = cookie_name(gateway);
    let headers = request.headers().get_all(COOKIE);
    let all = headers.filter_map(|header| header.to_str().ok());
    all.flat_map(|header| header.split(';'))
        .filter_map(move |pair| {
            let (found, value) = pair.trim().split_once('=')?;
            (found == name).then_some(value)
        })
        // A browser has one for each path; more of them are somebody's try.
        .take(8)
}
