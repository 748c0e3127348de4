//! Documents of the endpoints in `http::dashboard`.

use super::cardholders::user_id;
use crate::http::dashboard;
use crate::http::error::HttpError;
use crate::http::openapi::refusals::violation;
use crate::http::openapi::schemas::Dashboard;
use crate::http::openapi::{Operation, Tag};
use crate::ids::CardholderId;
use crate::refusal::Refusal;
use crate::violation::Code;
use actix_web::http::StatusCode;
use serde_json::{Value, json};
use utoipa::openapi::Content;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

/// `GET /issuers/users/{userid}/dashboards`
pub fn issue() -> Operation {
    Operation::new("getAuthToken", Tag::Dashboard, "The address of a user's web view")
        .description(
            "Opens the view for 15 minutes. Always encrypted, as the issuer's setting `answers` says. `lang` is never \
             refused: the nearest of `en-US`, `es-419`, `es-CL`, `es-CR`, `sv`, `pl-PL`, `ms-MY` is taken, else `en-US`.",
        )
        .signed()
        .parameter(user_id())
        .parameter(text(ParameterIn::Query, "lang"))
        .answers_encrypted::<Dashboard>(
            StatusCode::OK,
            "The address.",
            json!({"url": "https://view.bank.example/home/?auth_token=AQAA&lang=sv", "expiryInMillis": "900000"}),
        )
        .refuses(
            [
                Refusal::CardholderNotFound,
                Refusal::CardholderInactive,
                Refusal::CardholderTerminating,
                Refusal::NoEncryptionCertificate,
            ]
            .map(HttpError::from),
        )
        .refuses([violation(
            Code::InvalidRequestParameter,
            "userid",
            CardholderId::RULE,
        )])
}

/// `GET /home/`
pub fn open() -> Operation {
    let operation = page("openDashboard", "Open a view", false)
        .description("With the token of an issuer's address. Leads to the view, with a cookie for its path; in a frame without.")
        .parameter(text(ParameterIn::Query, "auth_token"))
        .parameter(text(ParameterIn::Query, "lang"));
    operation.answers(StatusCode::SEE_OTHER, "To the view.", "text/html", html())
}

/// `GET /home/{file}`
pub fn file() -> Operation {
    let names = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some([dashboard::script_name()]));
    let file = ParameterBuilder::new()
        .name("file")
        .parameter_in(ParameterIn::Path)
        .schema(Some(names));
    page("dashboardFile", "The script of the pages", false)
        .description("Browsers may keep it: its name has its hash. Fonts of the operator's (`dashboard.fonts`) are here, too.")
        .parameter(file)
        .answers(StatusCode::OK, "The script.", "text/javascript", html())
}

/// The overview.
pub fn overview() -> Operation {
    page("dashboardOverview", "The overview of a month", true)
}

/// A category.
pub fn category() -> Operation {
    page("dashboardCategory", "A category", true).parameter(text(ParameterIn::Path, "code"))
}

/// The payments.
pub fn payments() -> Operation {
    page("dashboardPayments", "Payments, newest first", true)
}

/// A payment.
pub fn payment() -> Operation {
    page("dashboardPayment", "How a payment was estimated", true)
        .parameter(text(ParameterIn::Path, "id"))
}

/// How it works.
pub fn method() -> Operation {
    page("dashboardMethod", "How it works", true)
}

/// The introduction.
pub fn intro() -> Operation {
    page("dashboardIntro", "The introduction", true)
}

/// The introduction was read.
pub fn introduce() -> Operation {
    page("dashboardIntroDone", "The introduction was read", true).answers(
        StatusCode::SEE_OTHER,
        "To the overview.",
        "text/html",
        html(),
    )
}

/// `api/profile`
pub fn profile() -> Operation {
    data("viewProfile", "Issuer, card and language of a view")
}

/// `api/status`
pub fn status() -> Operation {
    data("viewStatus", "How far the calculation is")
}

/// `api/summary`
pub fn summary() -> Operation {
    data("viewSummary", "A month's total").parameter(text(ParameterIn::Query, "month"))
}

/// `api/aggregates`
pub fn aggregates() -> Operation {
    data(
        "viewAggregates",
        "Sums by day (0), week (1), month (2) or year (3)",
    )
    .parameter(text(ParameterIn::Query, "aggregateType"))
    .parameter(text(ParameterIn::Query, "count"))
}

/// `api/categories`
pub fn categories() -> Operation {
    data("viewCategories", "A month's categories").parameter(text(ParameterIn::Query, "month"))
}

/// `api/benchmarks`
pub fn benchmarks() -> Operation {
    data(
        "viewBenchmarks",
        "The own mean, the country's and the goal, in CO2 alone",
    )
}

/// `api/transactions`
pub fn transactions() -> Operation {
    ["month", "category", "offset", "limit"].into_iter().fold(
        data("viewTransactions", "A page of payments"),
        |operation, name| operation.parameter(text(ParameterIn::Query, name)),
    )
}

/// `api/transactions/{id}`
pub fn transaction() -> Operation {
    data("viewTransaction", "A payment with its estimate").parameter(text(ParameterIn::Path, "id"))
}

/// `api/what-if`
pub fn what_if() -> Operation {
    data("viewWhatIf", "What a cut of a category comes to")
        .parameter(text(ParameterIn::Query, "category"))
        .parameter(text(ParameterIn::Query, "cut"))
}

/// `api/intro`
pub fn introduce_api() -> Operation {
    data("viewIntroDone", "The introduction was read").answers(
        StatusCode::NO_CONTENT,
        "Noted.",
        "application/json",
        any(),
    )
}

/// A page: refused with pages.
fn page(id: &'static str, summary: &'static str, in_view: bool) -> Operation {
    let mut operation = Operation::of_page(id, summary);
    if in_view {
        operation = in_a_view(operation).answers(StatusCode::OK, "The page.", "text/html", html());
    }
    [
        (
            StatusCode::UNAUTHORIZED,
            "The view has closed, or never was open.",
        ),
        (StatusCode::NOT_FOUND, "No such page."),
        (
            StatusCode::TOO_MANY_REQUESTS,
            "Too many pages; `Retry-After` says when to come again.",
        ),
        (StatusCode::INTERNAL_SERVER_ERROR, "A fault."),
        (StatusCode::SERVICE_UNAVAILABLE, "No database."),
    ]
    .into_iter()
    .fold(operation, |operation, (status, text)| {
        operation.answers(status, text, "text/html", html())
    })
}

/// Figures: refused with the API's error object.
fn data(id: &'static str, summary: &'static str) -> Operation {
    in_a_view(Operation::new(id, Tag::Dashboard, summary))
        .answers(StatusCode::OK, "The figures.", "application/json", any())
        .refuses([
            HttpError::ViewClosed("token-expired"),
            HttpError::ViewBusy,
            HttpError::UnknownPath,
            Refusal::Unavailable.into(),
            Refusal::Internal("").into(),
        ])
}

fn in_a_view(operation: Operation) -> Operation {
    let modes = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(["v", "f"]));
    let mode = ParameterBuilder::new()
        .name("mode")
        .parameter_in(ParameterIn::Path)
        .description(Some(
            "`v`: with a cookie; `f`: in a frame, the token is `view`.",
        ))
        .schema(Some(modes));
    operation
        .parameter(mode)
        .parameter(text(ParameterIn::Path, "view"))
}

fn text(place: ParameterIn, name: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .schema(Some(Object::with_type(Type::String)))
        .build()
}

fn html() -> Content {
    ContentBuilder::new()
        .schema(Some(Object::with_type(Type::String)))
        .build()
}

fn any() -> Content {
    let example: Value = json!({});
    ContentBuilder::new()
        .schema(Some(Object::with_type(Type::Object)))
        .example(Some(example))
        .build()
}
