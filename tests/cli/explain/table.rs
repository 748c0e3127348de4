//! Broken requests, one for each usual mistake, with the cause that has to be told.

mod callers;
mod payloads;

use super::world::{Issuer, Jwe, Request, Signing, World, random};
use issuer_gateway::client::sample;
use serde_json::{Value, json};

/// A mistake.
pub(crate) struct Broken {
    /// What it is, for people.
    pub(crate) name: &'static str,
    /// The code that has to be told.
    pub(crate) code: &'static str,
    /// The request.
    pub(crate) request: Request,
    /// A request that goes before it.
    pub(crate) before: Option<Request>,
}

fn broken(name: &'static str, code: &'static str, request: Request) -> Broken {
    Broken {
        name,
        code,
        request,
        before: None,
    }
}

/// An enrolment's payload.
pub(crate) fn enrolment(issuer: &Issuer) -> Value {
    sample::enrolment(&issuer.ranges[0])
}

fn clear(world: &World) -> String {
    enrolment(&world.demo).to_string()
}

fn sealed(world: &World) -> Vec<u8> {
    Jwe::new(world, clear(world)).body()
}

/// A good enrolment, to be broken.
pub(crate) fn good(world: &World) -> Signing<'_> {
    Signing::enrolment(world, sealed(world))
}

/// An enrolment of this payload.
fn of_clear(world: &World, clear: impl Into<Vec<u8>>) -> Request {
    Signing::enrolment(world, Jwe::new(world, clear).body()).request()
}

/// An enrolment with this body.
fn of_body(world: &World, body: impl Into<Vec<u8>>) -> Request {
    Signing::enrolment(world, body.into()).request()
}

/// With one member of the payload changed.
fn with(world: &World, path: &str, value: Value) -> Request {
    let mut payload = enrolment(&world.demo);
    *payload.pointer_mut(path).unwrap() = value;
    of_clear(world, payload.to_string())
}

/// All of them.
pub(crate) fn all(world: &World) -> Vec<Broken> {
    let mut all = http(world);
    all.extend(callers::headers(world));
    all.extend(callers::times_and_methods(world));
    all.extend(callers::body_hashes(world));
    all.extend(callers::base_strings(world));
    all.extend(callers::signatures(world));
    all.extend(payloads::envelopes(world));
    all.extend(payloads::keys(world));
    all.extend(payloads::contents(world));
    all.extend(rules(world));
    all.extend(second_calls(world));
    all
}

fn http(world: &World) -> Vec<Broken> {
    let to = |path: &str| Signing::new(world, &world.demo, path, sealed(world)).request();
    let patched = Signing {
        method: "PATCH",
        sent_method: "PATCH",
        ..good(world)
    };
    vec![
        broken("an unknown path", "http.path", to("/issuer/user")),
        broken("a slash at the end", "http.path", to("/issuers/users/")),
        broken("an unknown method", "http.method", patched.request()),
        broken(
            "a form's content type",
            "content_type.not_json",
            good(world)
                .request()
                .without("Content-Type")
                .with("Content-Type", "application/x-www-form-urlencoded"),
        ),
        broken(
            "a compressed body",
            "content_type.encoded",
            good(world).request().with("Content-Encoding", "gzip"),
        ),
    ]
}

fn rules(world: &World) -> Vec<Broken> {
    let mut renamed = enrolment(&world.demo);
    let members = renamed.as_object_mut().unwrap();
    let name = members.remove("cardholderName").unwrap();
    members.insert("cardHolderName".to_owned(), name);
    let mut typo = enrolment(&world.demo);
    let number = typo["cardNumber"].as_str().unwrap().to_owned();
    let last = number.bytes().last().unwrap();
    let other = (last - b'0' + 1) % 10;
    typo["cardNumber"] = format!("{}{other}", &number[..15]).into();
    let foreign = enrolment(&world.compat);
    let basic = &world.basic;
    let update = Jwe::new(world, sample::update().to_string()).body();
    let id = issuer_gateway::ids::CardholderId::random();
    let path = format!("/issuers/users/{id}");
    let put = |issuer| Signing {
        method: "PUT",
        sent_method: "PUT",
        ..Signing::new(world, issuer, &path, update.clone())
    };
    vec![
        broken(
            "a name in another case",
            "rules.required",
            of_clear(world, renamed.to_string()),
        ),
        broken(
            "a number for a text",
            "rules.type",
            with(world, "/cardholderName", 7.into()),
        ),
        broken(
            "a short month",
            "rules.format",
            with(world, "/expiryInfo/month", "1".into()),
        ),
        broken(
            "a card that has expired",
            "rules.expired",
            with(world, "/expiryInfo/year", "2001".into()),
        ),
        broken(
            "no such currency",
            "rules.currency",
            with(world, "/cardBaseCurrency", "XXX".into()),
        ),
        broken(
            "a wrong check digit",
            "rules.check_digit",
            of_clear(world, typo.to_string()),
        ),
        broken(
            "another issuer's card",
            "rules.account_range",
            of_clear(world, foreign.to_string()),
        ),
        broken(
            "fields in another object",
            "rules.wrapped",
            of_clear(world, json!({"user": enrolment(&world.demo)}).to_string()),
        ),
        broken(
            "an update with donation off",
            "rules.donation_off",
            put(basic).request(),
        ),
        broken(
            "an unknown user",
            "user.not_found",
            put(&world.demo).request(),
        ),
    ]
}

/// What only a call before it makes wrong.
fn second_calls(world: &World) -> Vec<Broken> {
    let payload = clear(world);
    let first = of_clear(world, payload.clone());
    let jwe = Jwe::new(world, clear(world));
    let other = Jwe {
        header: jwe.header.clone(),
        wrapped: jwe.wrapped.clone(),
        cek: jwe.cek.clone(),
        iv: random(12),
        clear: clear(world).into(),
        aad: jwe.aad,
    };
    let replayed = good(world).request();
    vec![
        Broken {
            before: Some(replayed.clone()),
            ..broken("the same call again", "nonce.used", replayed)
        },
        Broken {
            before: Some(first),
            ..broken(
                "a card that is enrolled already",
                "card.enrolled_already",
                of_clear(world, payload),
            )
        },
        Broken {
            before: Some(of_body(world, jwe.body())),
            ..broken(
                "a content key for two messages",
                "wrapped_key.reused",
                of_body(world, other.body()),
            )
        },
    ]
}
