//! The raw call: body within size and time, headers and path exactly as they came.
//!
//! Nothing here decodes or rewrites; the signature covers these bytes.

use super::envelope::RequestId;
use super::error::HttpError;
use crate::call::Call;
use crate::gateway::Gateway;
use crate::payload::FieldLevelHeaders;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpMessage, HttpRequest};
use chrono::Utc;
use std::time::Duration;

/// What a request body may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest body in bytes.
    pub body_bytes: usize,
    /// How long the body may take to come.
    pub body_timeout: Duration,
}

/// A request that has been read whole.
pub struct RawCall<'a> {
    request: &'a HttpRequest,
    body: Bytes,
    request_id: String,
    peer: Option<String>,
}

impl<'a> RawCall<'a> {
    /// Reads the body; too large is 413, too slow 408, a broken connection 400.
    pub async fn read(
        request: &'a HttpRequest,
        payload: Payload,
        limits: &Limits,
    ) -> Result<Self, HttpError> {
        let reading = payload.to_bytes_limited(limits.body_bytes);
        let body = match tokio::time::timeout(limits.body_timeout, reading).await {
            Err(_) => return Err(HttpError::BodyTimeout),
            Ok(Err(_)) => return Err(HttpError::BodyTooLarge),
            Ok(Ok(Err(_))) => return Err(HttpError::BodyUnreadable),
            Ok(Ok(Ok(body))) => body,
        };
        let request_id = request
            .extensions()
            .get::<RequestId>()
            .map(|id| id.0.clone())
            .unwrap_or_default();
        let peer = request.peer_addr().map(|address| address.ip().to_string());
        Ok(Self {
            request,
            body,
            request_id,
            peer,
        })
    }

    /// The call as use cases take it.
    pub fn call(&self) -> Call<'_> {
        Call {
            method: self.request.method().as_str(),
            path: self.request.uri().path(),
            query: self.request.uri().query(),
            authorization: self.single(&AUTHORIZATION),
            content_type: self.single(&CONTENT_TYPE),
            field_level: FieldLevelHeaders::collect(|name| self.header(name)),
            body: &self.body,
            request_id: &self.request_id,
            peer: self.peer.as_deref(),
            now: self
                .request
                .app_data::<Data<Gateway>>()
                .map_or_else(Utc::now, |gateway| gateway.clock.now()),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.request.headers().get(name)?.to_str().ok()
    }

    /// A header that came exactly once; two of them would be ambiguous.
    fn single(&self, name: &HeaderName) -> Option<&str> {
        let mut values = self.request.headers().get_all(name);
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }
}
