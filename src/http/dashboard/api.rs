//! `api/…` below a view: the figures of its pages as JSON, by the same token. Refusals are the
//! API's error object.

use super::access::Access;
use super::refusal::{self, Denied};
use super::{page, query};
use crate::dashboard::data::{self, Period};
use crate::dashboard::pages::Query;
use crate::dashboard::visit::Sight;
use crate::gateway::Gateway;
use crate::http::error::HttpError;
use actix_web::http::header::{CONTENT_TYPE, SET_COOKIE};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use serde_json::Value;

/// Periods of `aggregates` if none are asked for.
const PERIODS: usize = 13;

/// Who offers the view, of which card, in which language.
pub async fn profile(gateway: Data<Gateway>, request: HttpRequest) -> HttpResponse {
    answer(&gateway, &request, |access, sight, _| {
        let renewed = &access.renewed;
        let currency = &access.viewer.issuer.profile.columns.currency_code;
        Ok(data::profile(
            &sight.facts,
            renewed.language,
            renewed.expires,
            currency,
        ))
    })
    .await
}

/// How far the calculation is.
pub async fn status(gateway: Data<Gateway>, request: HttpRequest) -> HttpResponse {
    answer(&gateway, &request, |_, sight, _| {
        Ok(data::status(&sight.facts))
    })
    .await
}

/// A month's total.
pub async fn summary(gateway: Data<Gateway>, request: HttpRequest) -> HttpResponse {
    answer(&gateway, &request, |_, sight, query| {
        Ok(data::summary(&sight.facts, query))
    })
    .await
}

/// Sums by day, week, month or year.
pub async fn aggregates(gateway: Data<Gateway>, request: HttpRequest) -> HttpResponse {
    let kind = query::value(&request, "aggregateType");
    let period = kind.as_deref().and_then(Period::parse);
    let count = query::value(&request, "count").and_then(|text| text.parse().ok());
    let count = count.unwrap_or(PERIODS).clamp(1, 400);
    answer(&gateway, &request, |_, sight, _| {
        let period = period.unwrap_or(Period::Month);
        Ok(data::aggregates(&sight.facts, period, count))
    })
    .await
}

/// A month's categories.
pub async fn categories(gateway: Data<Gateway>, request: HttpRequest) -> HttpResponse {
    answer(&gateway, &request, |_, sight, query| {
        Ok(data::categories(&sight.facts, query))
    })
    .await
}

/// Own mean, country, goal.
pub async fn benchmarks(gateway: Data<Gateway>, request: HttpRequest) -> HttpResponse {
    answer(&gateway, &request, |_, sight, _| {
        Ok(data::benchmarks(&sight.facts))
    })
    .await
}

/// A page of payments.
pub async fn transactions(gateway: Data<Gateway>, request: HttpRequest) -> HttpResponse {
    let limit = query::value(&request, "limit").and_then(|text| text.parse::<usize>().ok());
    let limit = limit.unwrap_or(20).clamp(1, data::MOST);
    answer(&gateway, &request, |_, sight, query| {
        Ok(data::transactions(&sight.facts, query, limit))
    })
    .await
}

/// One payment, with its estimate.
pub async fn transaction(
    gateway: Data<Gateway>,
    request: HttpRequest,
    parts: Path<(String, String, String)>,
) -> HttpResponse {
    answer(&gateway, &request, |_, sight, _| {
        let found = sight.facts.payment(&parts.2);
        let (_, payment) = found.ok_or(Denied::Missing)?;
        let explanation = sight.explain(&payment.id);
        Ok(data::transaction(
            &sight.facts,
            payment,
            explanation.as_ref(),
        ))
    })
    .await
}

/// What a cut of a category comes to.
pub async fn what_if(gateway: Data<Gateway>, request: HttpRequest) -> HttpResponse {
    answer(&gateway, &request, |_, sight, query| {
        data::what_if(&sight.facts, query).ok_or(Denied::Missing)
    })
    .await
}

/// The introduction was read.
pub async fn introduce(gateway: Data<Gateway>, request: HttpRequest) -> HttpResponse {
    match super::introduced(&gateway, &request).await {
        Ok(access) => {
            let mut answer = HttpResponse::NoContent();
            if let Some(cookie) = access.set_cookie(&gateway) {
                answer.insert_header((SET_COOKIE, cookie));
            }
            page::harden(&mut answer, &gateway);
            answer.finish()
        }
        Err(denied) => refused(&gateway, denied),
    }
}

async fn answer(
    gateway: &Gateway,
    request: &HttpRequest,
    make: impl FnOnce(&Access, &Sight, &Query) -> Result<Value, Denied>,
) -> HttpResponse {
    let made = async {
        let access = Access::of(gateway, request).await?;
        let now = gateway.clock.now();
        let language = access.renewed.language;
        let sight = access.viewer.facts(gateway, language, now).await?;
        let value = make(&access, &sight, &query::read(request))?;
        Ok((value, access.set_cookie(gateway)))
    };
    match made.await {
        Ok((value, cookie)) => {
            let mut answer = HttpResponse::Ok();
            answer.insert_header((CONTENT_TYPE, "application/json"));
            if let Some(cookie) = cookie {
                answer.insert_header((SET_COOKIE, cookie));
            }
            page::harden(&mut answer, gateway);
            answer.body(value.to_string())
        }
        Err(denied) => refused(gateway, denied),
    }
}

fn refused(gateway: &Gateway, denied: Denied) -> HttpResponse {
    let error = match denied {
        Denied::Closed(_, reason) => HttpError::ViewClosed(reason),
        Denied::NoCookie => HttpError::ViewClosed("no-cookie"),
        Denied::Missing => HttpError::UnknownPath,
        Denied::TooMany => HttpError::ViewBusy,
        Denied::Refused(refusal) => HttpError::Refused(refusal),
    };
    let mut answer = error.error_response();
    let status = answer.status();
    let mut hardened = HttpResponse::Ok();
    page::harden(&mut hardened, gateway);
    for (name, value) in hardened.finish().headers() {
        answer.headers_mut().insert(name.clone(), value.clone());
    }
    refusal::again(&mut answer, status);
    answer
}
