//! Every path that the gateway answers, each with its handler and its document.

use super::endpoint::{Dialect, Endpoint, Group, delete, get, post, put, register};
use super::openapi::documents;
use super::{
    cardholder_deletions, cardholders, dashboard, directory, docs, error, health, issuers, openapi,
    supported, transactions, well_known,
};
use actix_web::web::{ServiceConfig, resource, route, scope, to};

/// The public listener: what is served, and where.
pub const PUBLIC: [Group; 5] = [
    // At the root and under `/cts`, by the same handlers (spec decision 5).
    Group {
        mounts: &["", "/cts"],
        endpoints: issuer_api,
        dialect: Dialect::Catalogue,
    },
    Group {
        mounts: &[""],
        endpoints: users_api,
        dialect: Dialect::Message,
    },
    Group {
        mounts: &[""],
        endpoints: web_view,
        dialect: Dialect::Page,
    },
    Group {
        mounts: &[""],
        endpoints: web_view_data,
        dialect: Dialect::Catalogue,
    },
    Group {
        mounts: &[""],
        endpoints: service,
        dialect: Dialect::Catalogue,
    },
];

/// The issuer API of the Carbon Calculator Experience (cce-api.md 1.1).
fn issuer_api() -> Vec<Endpoint> {
    use documents::cardholders as document;
    use documents::{
        cardholder_deletions as deletion_document, dashboard as dashboard_document,
        issuers as issuer_document, supported as supported_document,
        transactions as transaction_document,
    };
    vec![
        get("/issuers", to(issuers::show), issuer_document::show),
        put("/issuers", to(issuers::change), issuer_document::change),
        post("/issuers/users", to(cardholders::enrol), document::enrol),
        put(
            "/issuers/users/{userid}",
            to(cardholders::update),
            document::update,
        ),
        get(
            "/issuers/users/{userid}/aggregate-carbon-scores",
            to(transactions::aggregate),
            transaction_document::aggregate,
        ),
        post(
            "/issuers/transactions",
            to(transactions::take),
            transaction_document::take,
        ),
        get(
            "/issuers/users/{userid}/dashboards",
            to(dashboard::issue),
            dashboard_document::issue,
        ),
        post(
            "/issuers/user-deletions",
            to(cardholder_deletions::delete),
            deletion_document::delete,
        ),
        get(
            "/supported-merchant-categories",
            to(supported::merchant_categories),
            supported_document::merchant_categories,
        ),
        get(
            "/supported-currencies",
            to(supported::currencies),
            supported_document::currencies,
        ),
    ]
}

/// The users API (spec decision 6), at the root alone.
fn users_api() -> Vec<Endpoint> {
    use documents::directory as document;
    vec![
        get("/users", to(directory::show_number), document::show_number),
        post("/users", to(directory::create), document::create),
        put("/users", to(directory::replace), document::replace),
        delete("/users/{user_id}", to(directory::delete), document::delete),
        get("/users/{user_id}", to(directory::show), document::show),
        put("/users/{user_id}", to(directory::update), document::update),
    ]
}

/// The cardholders' web view: pages. `mode` is `v` (with a cookie) or `f` (in a frame).
fn web_view() -> Vec<Endpoint> {
    use documents::dashboard as document;
    vec![
        get("/home/", to(dashboard::open), document::open),
        get("/home/{file}", to(dashboard::file), document::file),
        get(
            "/home/{mode}/{view}/",
            to(dashboard::overview),
            document::overview,
        ),
        get(
            "/home/{mode}/{view}/category/{code}",
            to(dashboard::category),
            document::category,
        ),
        get(
            "/home/{mode}/{view}/transactions",
            to(dashboard::payments),
            document::payments,
        ),
        get(
            "/home/{mode}/{view}/transactions/{id}",
            to(dashboard::payment),
            document::payment,
        ),
        get(
            "/home/{mode}/{view}/method",
            to(dashboard::method),
            document::method,
        ),
        get(
            "/home/{mode}/{view}/intro",
            to(dashboard::intro),
            document::intro,
        ),
        post(
            "/home/{mode}/{view}/intro",
            to(dashboard::introduce),
            document::introduce,
        ),
    ]
}

/// The figures behind the pages.
fn web_view_data() -> Vec<Endpoint> {
    use dashboard::api;
    use documents::dashboard as document;
    vec![
        get(
            "/home/{mode}/{view}/api/profile",
            to(api::profile),
            document::profile,
        ),
        get(
            "/home/{mode}/{view}/api/status",
            to(api::status),
            document::status,
        ),
        get(
            "/home/{mode}/{view}/api/summary",
            to(api::summary),
            document::summary,
        ),
        get(
            "/home/{mode}/{view}/api/aggregates",
            to(api::aggregates),
            document::aggregates,
        ),
        get(
            "/home/{mode}/{view}/api/categories",
            to(api::categories),
            document::categories,
        ),
        get(
            "/home/{mode}/{view}/api/benchmarks",
            to(api::benchmarks),
            document::benchmarks,
        ),
        get(
            "/home/{mode}/{view}/api/transactions",
            to(api::transactions),
            document::transactions,
        ),
        get(
            "/home/{mode}/{view}/api/transactions/{id}",
            to(api::transaction),
            document::transaction,
        ),
        get(
            "/home/{mode}/{view}/api/what-if",
            to(api::what_if),
            document::what_if,
        ),
        post(
            "/home/{mode}/{view}/api/intro",
            to(api::introduce),
            document::introduce_api,
        ),
    ]
}

/// What the gateway says of itself.
fn service() -> Vec<Endpoint> {
    use documents::service as document;
    vec![
        get("/health/live", to(health::live), document::live),
        get("/health/ready", to(health::ready), document::ready),
        get(
            "/.well-known/jwks.json",
            to(well_known::jwks),
            document::jwks,
        ),
        get("/openapi.json", to(openapi::page), document::openapi),
        get("/docs", to(docs::page), document::docs),
        get("/docs/{file}", to(docs::file), document::docs_file),
    ]
}

/// What a gateway serves of [`PUBLIC`]: all, or all but the users API (`users.enabled`), which
/// alone refuses by messages.
pub fn served(users: bool) -> Vec<Group> {
    let wanted = |group: &Group| users || group.dialect != Dialect::Message;
    PUBLIC.into_iter().filter(wanted).collect()
}

/// Serves `groups`; everything else is 404.
pub fn public(app: &mut ServiceConfig, groups: &[Group]) {
    for group in groups {
        for mount in group.mounts {
            let endpoints = (group.endpoints)();
            match *mount {
                "" => register(app, endpoints, group.dialect),
                prefix => {
                    app.service(
                        scope(prefix).configure(|app| register(app, endpoints, group.dialect)),
                    );
                }
            }
        }
    }
    // So do people who lost their way in the web view: they get a page.
    app.service(resource("/home/{rest:.*}").default_service(route().to(dashboard::missing)));
    // Everything under `/users` answers in that API's own words.
    if groups.iter().any(|group| group.dialect == Dialect::Message) {
        let rest = resource("/users/{rest:.*}");
        app.service(rest.default_service(route().to(directory::unknown_path)));
    }
    app.default_service(route().to(error::unknown_path));
}

/// The web view alone, for a listener of its own.
pub fn web_view_only(app: &mut ServiceConfig) {
    register(app, web_view(), Dialect::Page);
    register(app, web_view_data(), Dialect::Catalogue);
    app.default_service(route().to(dashboard::missing));
}
