//! What an address asks for. Nothing here is refused: what makes no sense is as if it were absent.

use crate::dashboard::pages::Query;
use crate::footprint::Month;
use actix_web::HttpRequest;
use url::form_urlencoded;

/// The first value of this name.
pub(super) fn value(request: &HttpRequest, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(request.query_string().as_bytes());
    let found = pairs.find(|(found, _)| found == name);
    found.map(|(_, value)| value.into_owned())
}

/// Month, category, cut and offset.
pub(super) fn read(request: &HttpRequest) -> Query {
    let number = |name| value(request, name).and_then(|text| text.parse::<usize>().ok());
    Query {
        month: value(request, "month").and_then(|text| Month::parse(&text)),
        category: number("category").and_then(|code| u16::try_from(code).ok()),
        cut: number("cut").and_then(|cut| i64::try_from(cut).ok()),
        offset: number("offset").unwrap_or_default(),
    }
}
