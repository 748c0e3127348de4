//! Every path that the gateway answers.

use super::{
    envelope, error, health, issuer_users, issuers, user_deletions, users, users_error, well_known,
};
use actix_web::dev::HttpServiceFactory;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig, resource, route, scope};
use actix_web::{Resource, Route};

/// The public listener. The issuer API is served at the root and under `/cts`, by the same
/// handlers (spec decision 5).
pub fn public(app: &mut ServiceConfig) {
    app.service(path("/health/live", "GET", web::get().to(health::live)))
        .service(path("/health/ready", "GET", web::get().to(health::ready)))
        .service(path(
            "/.well-known/jwks.json",
            "GET",
            web::get().to(well_known::jwks),
        ))
        .service(scope("/cts").configure(issuer_api))
        .configure(issuer_api)
        .configure(users_api)
        .default_service(route().to(error::unknown_path));
}

/// The issuer API of the Carbon Calculator Experience (cce-api.md 1.1).
fn issuer_api(app: &mut ServiceConfig) {
    app.service(paths(
        "/issuers",
        "GET, PUT",
        [web::get().to(issuers::show), web::put().to(issuers::change)],
    ))
    .service(path(
        "/issuers/users",
        "POST",
        web::post().to(issuer_users::enrol),
    ))
    .service(path(
        "/issuers/users/{userid}",
        "PUT",
        web::put().to(issuer_users::update),
    ))
    .service(path(
        "/issuers/user-deletions",
        "POST",
        web::post().to(user_deletions::delete),
    ));
}

/// The users API (spec decision 6), at the root alone. Everything under `/users` answers `{"message"}`.
fn users_api(app: &mut ServiceConfig) {
    let wrong_method =
        |allow| route().to(move || std::future::ready(users_error::wrong_method(allow)));
    app.service(
        resource("/users")
            .route(web::post().to(users::create))
            .route(web::put().to(users::replace))
            .route(web::get().to(users::show_number))
            .default_service(wrong_method("GET, POST, PUT"))
            .wrap(from_fn(envelope::guard_users)),
    )
    .service(
        resource("/users/{user_id}")
            .route(web::get().to(users::show))
            .route(web::put().to(users::update))
            .route(web::delete().to(users::delete))
            .default_service(wrong_method("DELETE, GET, PUT"))
            .wrap(from_fn(envelope::guard_users)),
    )
    .service(resource("/users/{rest:.*}").default_service(route().to(users::unknown_path)));
}

/// A path with its one method; every other method is answered 405 with `Allow`.
fn path(pattern: &str, allow: &'static str, handler: Route) -> impl HttpServiceFactory + 'static {
    paths(pattern, allow, [handler])
}

/// A path with all its methods.
fn paths<const N: usize>(
    pattern: &str,
    allow: &'static str,
    handlers: [Route; N],
) -> impl HttpServiceFactory + use<N> + 'static {
    let wrong_method = route().to(move || std::future::ready(error::wrong_method(allow)));
    handlers
        .into_iter()
        .fold(resource(pattern), Resource::route)
        .default_service(wrong_method)
        .wrap(from_fn(envelope::guard))
}
