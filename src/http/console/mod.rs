//! The sandbox's console over HTTP: `/` and everything under `/console`.
//!
//! Only `sandbox` on a loopback address registers these paths and the middleware that records calls
//! ([`routes`], [`record`]). A gateway of `serve` has neither: there every path here is unknown.
//!
//! - [`record`]: keeps each call, and makes the faults that were ordered
//! - `doors`: who may look, who may change something; the headers of every answer
//! - `faults`: the answers of faults; `events`: the list, live

mod doors;
mod events;
mod faults;
mod record;

pub use record::record;

use crate::console::actions::{self, Action, Done};
use crate::console::faults::{EVERYBODY, FORMS, Fault, MOST_CALLS, Order};
use crate::console::pages::{
    CallPage, FILES, FaultsPage, Filter, ListPage, Names, NoticePage, SCRIPT, STYLE, TryPage,
    call_json, list_json,
};
use crate::console::{Console, snippets};
use crate::explain::Explanation;
use crate::gateway::Gateway;
use crate::issuers::Issuer;
use crate::recording::RecordedCall;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION};
use actix_web::middleware::from_fn;
use actix_web::web::{Data, Form, Path, Query, ServiceConfig, get, post, resource, scope};
use actix_web::{HttpRequest, HttpResponse};
use anyhow::Context;
use askama::Template;
use doors::{Trouble, answer};
use serde::Deserialize;
use std::sync::Arc;

/// What a handler returns.
type Answer = Result<HttpResponse, Trouble>;

const NO_FILE: Trouble = Trouble::Missing("There is no such file.");

/// Every path of the console. Registered before the gateway's own.
pub fn routes(app: &mut ServiceConfig) {
    let guarded = || from_fn(doors::guard);
    app.service(resource("/").route(get().to(list)).wrap(guarded()));
    app.service(
        scope("/console")
            .wrap(guarded())
            .route("/calls.json", get().to(calls))
            .route("/calls/{number}", get().to(call))
            .route("/events", get().to(events::events))
            .route("/clear", post().to(clear))
            .route("/try", get().to(try_page))
            .route("/actions", post().to(act))
            .route("/files/{issuer}/{file}", get().to(file))
            .route("/snippets/{issuer}/{file}", get().to(snippet))
            .route("/faults", get().to(faults_page))
            .route("/faults", post().to(order))
            .route("/faults/clear", post().to(take_back))
            .route("/console.css", get().to(style))
            .route("/console.js", get().to(script))
            .default_service(get().to(missing)),
    );
}

/// What the list is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    issuer: String,
    refused: String,
    after: u64,
}

impl Asked {
    fn filter(&self) -> Filter {
        Filter {
            issuer: self.issuer.clone(),
            refused: self.refused == "1",
        }
    }
}

async fn list(console: Data<Console>, asked: Query<Asked>) -> Answer {
    let sandbox = console.sandbox()?;
    page(&ListPage::of(&console, &sandbox, &asked.filter()))
}

async fn calls(console: Data<Console>, asked: Query<Asked>) -> Answer {
    let (names, filter) = (Names::of(&console.sandbox()?), asked.filter());
    let calls = console.log.after(asked.after);
    let shown = calls.iter().rev().filter(|call| filter.shows(call, &names));
    json(&list_json(shown, &names))
}

/// The page of a call; with `.json` after its number, the same as JSON.
async fn call(gateway: Data<Gateway>, console: Data<Console>, asked: Path<String>) -> Answer {
    let (number, as_json) = match asked.strip_suffix(".json") {
        Some(number) => (number, true),
        None => (asked.as_str(), false),
    };
    let call = number
        .parse()
        .ok()
        .and_then(|number| console.log.get(number));
    let call = call.ok_or(Trouble::Missing(
        "This call is not kept any more, or never was.",
    ))?;
    let names = Names::of(&console.sandbox()?);
    let explanation = explained(gateway, &console, &call).await?;
    if as_json {
        return json(&call_json(&call, &names, explanation.as_ref()));
    }
    page(&CallPage::of(&console, &call, &names, explanation))
}

/// Why a refused call was refused.
async fn explained(
    gateway: Data<Gateway>,
    console: &Data<Console>,
    call: &Arc<RecordedCall>,
) -> Result<Option<Explanation>, Trouble> {
    if !call.is_refused() {
        return Ok(None);
    }
    let (console, call) = (console.clone(), Arc::clone(call));
    let explaining = tokio::task::spawn_blocking(move || console.explain(&gateway, &call));
    let explained = explaining.await.context("explaining the call")?;
    Ok(Some(explained?))
}

async fn clear(console: Data<Console>) -> Answer {
    console.log.clear();
    see_other("/".to_owned())
}

async fn try_page(gateway: Data<Gateway>, console: Data<Console>, asked: Query<Asked>) -> Answer {
    let sandbox = console.sandbox()?;
    let first = sandbox.issuers.keys().find(|name| *name == "demo");
    let first = first.or_else(|| sandbox.issuers.keys().next());
    let name = match asked.issuer.as_str() {
        "" => first.context("the sandbox has no issuer")?.clone(),
        name => name.to_owned(),
    };
    let issuer = on_board(&gateway, &console, &name)?;
    page(&TryPage::of(&console, &sandbox, &name, issuer.as_deref())?)
}

fn on_board(
    gateway: &Gateway,
    console: &Console,
    name: &str,
) -> Result<Option<Arc<Issuer>>, Trouble> {
    let unknown = |_| Trouble::Missing("The sandbox has no issuer of this name.");
    let client_id = console.client_id(name).map_err(unknown)?;
    let mut issuers = gateway.registry.issuers().into_iter();
    Ok(issuers.find(|issuer| issuer.client_id.as_str() == client_id))
}

/// A button of an issuer.
#[derive(Debug, Deserialize)]
struct Pressed {
    issuer: String,
    action: String,
}

async fn act(gateway: Data<Gateway>, console: Data<Console>, pressed: Form<Pressed>) -> Answer {
    let Pressed { issuer, action } = pressed.into_inner();
    let action = Action::parse(&action).ok_or(Trouble::Refused("No such action."))?;
    on_board(&gateway, &console, &issuer)?;
    let done = match action {
        Action::Donation(_) | Action::Open(_) => {
            let client_id = console.client_id(&issuer)?;
            let switched = actions::switch(&gateway, &client_id, action).await;
            switched.map(Done::Said)
        }
        action => {
            let (console, issuer) = (console.clone().into_inner(), issuer.clone());
            let called = tokio::task::spawn_blocking(move || console.call(&issuer, action)).await;
            called.unwrap_or_else(|error| Err(error.into()))
        }
    };
    match done {
        Ok(Done::Address(address)) => return see_other(address),
        Ok(Done::Said(text)) => console.say(text),
        Err(error) => console.say(format!("It did not work: {error:#}.")),
    }
    let query: String = url::form_urlencoded::byte_serialize(issuer.as_bytes()).collect();
    see_other(format!("/console/try?issuer={query}"))
}

async fn file(console: Data<Console>, asked: Path<(String, String)>) -> Answer {
    let (issuer, name) = asked.into_inner();
    console.client_id(&issuer).map_err(|_| NO_FILE)?;
    let listed = FILES.iter().find(|(listed, _)| *listed == name);
    let (name, _) = listed.ok_or(NO_FILE)?;
    let folder = console.folder();
    let path = match *name {
        "gateway-cert.pem" | "sandbox.json" => folder.join(name),
        name => folder.join(issuer).join(name),
    };
    let content = std::fs::read(path).context("the file cannot be read")?;
    Ok(download(name, "application/octet-stream", content))
}

async fn snippet(console: Data<Console>, asked: Path<(String, String)>) -> Answer {
    let (issuer, name) = asked.into_inner();
    let snippets = snippets::all(&console.folder(), &console.sandbox()?, &issuer);
    let mut snippets = snippets.map_err(|_| NO_FILE)?.into_iter();
    let snippet = snippets.find(|snippet| snippet.file == name);
    let snippet = snippet.ok_or(NO_FILE)?;
    let code = snippet.code.into_bytes();
    Ok(download(snippet.file, "text/plain; charset=utf-8", code))
}

async fn faults_page(request: HttpRequest, console: Data<Console>) -> Answer {
    let codes = faults::codes(&request);
    page(&FaultsPage::of(&console, &console.sandbox()?, codes))
}

/// An order of a fault.
#[derive(Debug, Deserialize)]
#[serde(default)]
struct Ordered {
    issuer: String,
    fault: String,
    value: String,
    calls: u32,
}

impl Default for Ordered {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            fault: String::new(),
            value: String::new(),
            calls: 1,
        }
    }
}

async fn order(request: HttpRequest, console: Data<Console>, ordered: Form<Ordered>) -> Answer {
    let Ordered {
        issuer,
        fault,
        value,
        calls,
    } = ordered.into_inner();
    let takes_value = matches!(fault.as_str(), "unavailable" | "delay");
    let text = match value.as_str() {
        value if takes_value && !value.is_empty() => format!("{fault}={value}"),
        _ => fault,
    };
    let fault = Fault::parse(&text).ok_or(Trouble::Refused(FORMS))?;
    if let Fault::Reason(code) = &fault
        && !faults::codes(&request)
            .iter()
            .any(|(known, _)| known == code)
    {
        return Err(Trouble::Refused("The API has no such ReasonCode."));
    }
    if calls > MOST_CALLS {
        return Err(Trouble::Refused("That is too many calls."));
    }
    let unknown = |_| Trouble::Missing("The sandbox has no issuer of this name.");
    let client_id = match issuer.as_str() {
        "" => EVERYBODY.to_owned(),
        name => console.client_id(name).map_err(unknown)?,
    };
    let who = if issuer.is_empty() {
        "everybody"
    } else {
        &issuer
    };
    console.say(format!(
        "Calls of {who} that get {fault}: the next {calls}."
    ));
    console.faults.order(&client_id, Order { fault, calls });
    see_other("/console/faults".to_owned())
}

async fn take_back(console: Data<Console>) -> Answer {
    console.faults.clear();
    console.say("Calls are handled as always.".to_owned());
    see_other("/console/faults".to_owned())
}

async fn style() -> HttpResponse {
    answer(StatusCode::OK)
        .insert_header((CONTENT_TYPE, "text/css; charset=utf-8"))
        .body(STYLE)
}

async fn script() -> HttpResponse {
    answer(StatusCode::OK)
        .insert_header((CONTENT_TYPE, "text/javascript; charset=utf-8"))
        .body(SCRIPT)
}

async fn missing() -> Answer {
    Err(Trouble::Missing("The console has no page at this address."))
}

fn page(page: &impl Template) -> Answer {
    let html = page.render().context("rendering a page")?;
    Ok(doors::html(StatusCode::OK, html))
}

fn notice(status: StatusCode, heading: &'static str, text: String) -> HttpResponse {
    let page = NoticePage::new(heading, text).render();
    doors::html(status, page.unwrap_or_default())
}

fn json(value: &serde_json::Value) -> Answer {
    Ok(answer(StatusCode::OK)
        .insert_header((CONTENT_TYPE, "application/json"))
        .body(format!("{value:#}")))
}

fn see_other(location: String) -> Answer {
    Ok(answer(StatusCode::SEE_OTHER)
        .insert_header((LOCATION, location))
        .finish())
}

fn download(name: &str, media_type: &str, content: Vec<u8>) -> HttpResponse {
    answer(StatusCode::OK)
        .insert_header((CONTENT_TYPE, media_type))
        .insert_header((
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ))
        .body(content)
}

/// Paths that are not recorded: the console's own, the pages for people, and health checks.
fn is_of_the_console(path: &str) -> bool {
    let under = |root: &str| {
        path.strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    ["/console", "/docs", "/home", "/health"]
        .into_iter()
        .any(under)
        || matches!(path, "/" | "/openapi.json" | "/favicon.ico")
}
