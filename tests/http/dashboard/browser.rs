//! As much of a browser as the tests of the web view need: one cookie, relative links, no script.

use crate::support::document;
use chrono::{Datelike, NaiveDate};
use serde_json::Value;
use std::time::Duration;
use ureq::http::HeaderMap;
use url::Url;

/// An answer.
pub(super) struct Fetched {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
    /// As they came.
    pub(super) bytes: Vec<u8>,
}

impl Fetched {
    /// A header, or nothing.
    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// What stands between this text and the next quotation mark.
    pub(super) fn attribute(&self, before: &str) -> String {
        let start = self.body.find(before).unwrap() + before.len();
        let rest = &self.body[start..];
        let found = rest[..rest.find('"').unwrap()].to_owned();
        if before.ends_with("../") {
            format!("../{found}")
        } else {
            found
        }
    }
}

/// A window on one view.
pub(super) struct Browser {
    /// `name=value`.
    pub(super) cookie: Option<String>,
    /// Of the page that is shown.
    pub(super) address: String,
}

impl Browser {
    pub(super) fn new() -> Self {
        Self {
            cookie: None,
            address: String::new(),
        }
    }

    /// Loads an address and follows where it leads.
    pub(super) fn open(&mut self, url: &str) -> Fetched {
        let first = self.fetch_once(url);
        if first.status != 303 {
            return first;
        }
        let location = Url::parse(url)
            .unwrap()
            .join(first.header("location"))
            .unwrap();
        self.address = location.into();
        self.reload()
    }

    /// Loads an address, without following.
    pub(super) fn fetch_once(&mut self, url: &str) -> Fetched {
        self.send("GET", url, &[])
    }

    /// The header of an address alone.
    pub(super) fn head(&mut self, url: &str) -> Fetched {
        self.send("HEAD", url, &[])
    }

    /// Loads an address with further headers.
    pub(super) fn fetch_with(&mut self, url: &str, headers: &[(&str, &str)]) -> Fetched {
        self.send("GET", url, headers)
    }

    /// The page that is shown, again.
    pub(super) fn reload(&mut self) -> Fetched {
        let address = self.address.clone();
        self.fetch_once(&address)
    }

    /// A link of the first screen.
    pub(super) fn get(&mut self, link: &str) -> Fetched {
        let url = self.link(link);
        self.fetch_once(&url)
    }

    /// The same, as JSON.
    pub(super) fn json(&mut self, link: &str) -> Value {
        let fetched = self.get(link);
        assert_eq!(fetched.status, 200, "{link}: {}", fetched.body);
        assert_eq!(fetched.header("content-type"), "application/json");
        assert_eq!(fetched.header("cache-control"), "no-store");
        serde_json::from_str(&fetched.body).unwrap()
    }

    /// A form of the first screen.
    pub(super) fn post(&mut self, link: &str, headers: &[(&str, &str)]) -> Fetched {
        let url = self.link(link);
        self.send("POST", &url, headers)
    }

    fn link(&self, link: &str) -> String {
        Url::parse(&self.address)
            .unwrap()
            .join(link)
            .unwrap()
            .into()
    }

    fn send(&mut self, method: &str, url: &str, headers: &[(&str, &str)]) -> Fetched {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(Duration::from_secs(30)));
        let agent: ureq::Agent = config.build().into();
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let mut response = agent.run(request.body(&b""[..]).unwrap()).unwrap();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        if let Some(cookie) = headers.get("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            self.cookie = Some(pair.to_owned());
        }
        let bytes = response.body_mut().read_to_vec().unwrap();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        let clear = serde_json::from_str::<Value>(&body).ok();
        let unknown = status == 404 && !body.starts_with('{');
        if !unknown {
            document::assert_status_documented(method, url, status, clear.as_ref());
        }
        Fetched {
            status,
            headers,
            body,
            bytes,
        }
    }
}

/// `2026-10`, of any day in November 2026.
pub(super) fn month_before(day: NaiveDate) -> String {
    let first = day.with_day(1).unwrap().pred_opt().unwrap();
    first.format("%Y-%m").to_string()
}
