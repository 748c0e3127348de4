//! One method of one path: its handler and its document.
//!
//! The server serves [`Endpoint`]s only, and an endpoint without its document does not compile. So
//! `/openapi.json` lists everything that the public listener answers.

use super::openapi::operation::Operation;
use super::{around, dashboard, directory_error, error};
use actix_web::Route;
use actix_web::guard;
use actix_web::http::Method;
use actix_web::http::header::HeaderValue;
use actix_web::middleware::from_fn;
use actix_web::web::{ServiceConfig, resource, route};

/// A method of a path.
pub struct Endpoint {
    /// `GET`, `POST`, …
    pub method: Method,
    /// The path below its mounts, with parameters in braces: `/issuers/users/{userid}`.
    pub path: &'static str,
    /// What answers.
    pub route: Route,
    /// What `/openapi.json` says of it.
    pub document: fn() -> Operation,
}

impl Endpoint {
    /// The methods that it answers: `HEAD` as `GET`, without the body (RFC 9110, 9.3.2).
    pub fn methods(&self) -> impl Iterator<Item = &str> {
        let head = (self.method == Method::GET).then_some("HEAD");
        std::iter::once(self.method.as_str()).chain(head)
    }
}

/// A `GET` endpoint.
pub fn get(path: &'static str, route: Route, document: fn() -> Operation) -> Endpoint {
    endpoint(Method::GET, path, route, document)
}

/// A `POST` endpoint.
pub fn post(path: &'static str, route: Route, document: fn() -> Operation) -> Endpoint {
    endpoint(Method::POST, path, route, document)
}

/// A `PUT` endpoint.
pub fn put(path: &'static str, route: Route, document: fn() -> Operation) -> Endpoint {
    endpoint(Method::PUT, path, route, document)
}

/// A `DELETE` endpoint.
pub fn delete(path: &'static str, route: Route, document: fn() -> Operation) -> Endpoint {
    endpoint(Method::DELETE, path, route, document)
}

fn endpoint(
    method: Method,
    path: &'static str,
    route: Route,
    document: fn() -> Operation,
) -> Endpoint {
    Endpoint {
        method,
        path,
        route,
        document,
    }
}

/// The form of a group's answers to wrong methods and panics, which its endpoints do not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// The error object of the CCE catalogue (`http::error`).
    Catalogue,
    /// `{"message": …}` (`http::directory_error`).
    Message,
    /// Pages for people (`http::dashboard`).
    Page,
}

/// Endpoints, and where they are mounted.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// Path prefixes; the root is the empty one.
    pub mounts: &'static [&'static str],
    /// A fresh table: routes are built once for each worker and mount.
    pub endpoints: fn() -> Vec<Endpoint>,
    /// How it refuses.
    pub dialect: Dialect,
}

/// Serves `endpoints`. Each path answers its own methods, every other with 405 and `Allow`; a
/// panic in a handler becomes a 500.
pub fn register(app: &mut ServiceConfig, endpoints: Vec<Endpoint>, dialect: Dialect) {
    let mut paths: Vec<(&'static str, Vec<Endpoint>)> = Vec::new();
    for endpoint in endpoints {
        match paths.iter_mut().find(|(path, _)| *path == endpoint.path) {
            Some((_, same_path)) => same_path.push(endpoint),
            None => paths.push((endpoint.path, vec![endpoint])),
        }
    }
    for (path, endpoints) in paths {
        let methods: Vec<&str> = endpoints.iter().flat_map(Endpoint::methods).collect();
        let allow = HeaderValue::from_str(&methods.join(", ")).ok();
        let wrong_method = move || {
            std::future::ready(match dialect {
                Dialect::Catalogue => error::wrong_method(allow.clone()),
                Dialect::Message => directory_error::wrong_method(allow.clone()),
                Dialect::Page => dashboard::wrong_method(allow.clone()),
            })
        };
        let resource = endpoints
            .into_iter()
            .fold(resource(path), |resource, endpoint| {
                let route = match endpoint.method {
                    Method::GET => endpoint
                        .route
                        .guard(guard::Any(guard::Get()).or(guard::Head())),
                    method => endpoint.route.method(method),
                };
                resource.route(route)
            });
        let resource = resource.default_service(route().to(wrong_method));
        match dialect {
            Dialect::Catalogue => app.service(resource.wrap(from_fn(around::guard))),
            Dialect::Message => app.service(resource.wrap(from_fn(around::guard_users))),
            Dialect::Page => app.service(resource.wrap(from_fn(dashboard::guard))),
        };
    }
}
