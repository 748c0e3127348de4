//! The list, live: server-sent events, one for each call.

use super::{Asked, doors::answer};
use crate::console::Console;
use crate::console::pages::{Filter, Names, row};
use crate::recording::RecordedCall;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, Data, Query};
use futures_util::stream;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Something is written so often at least, so that a browser that has gone is noticed.
const BEAT: Duration = Duration::from_secs(15);

/// One browser that watches.
struct Watcher {
    console: Arc<Console>,
    newest: watch::Receiver<u64>,
    names: Names,
    filter: Filter,
    last: u64,
    begun: bool,
}

/// `GET /console/events?after=NUMBER`: the calls after that number, and each further one.
pub(super) async fn events(
    console: Data<Console>,
    asked: Query<Asked>,
) -> Result<HttpResponse, super::Trouble> {
    let watcher = Watcher {
        newest: console.log.watch(),
        names: Names::of(&console.sandbox()?),
        filter: asked.filter(),
        last: asked.after,
        begun: false,
        console: console.into_inner(),
    };
    let events = stream::unfold(watcher, |watcher| async move {
        let (text, watcher) = watcher.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(text)), watcher))
    });
    Ok(answer(StatusCode::OK)
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .streaming(events))
}

impl Watcher {
    /// Waits for calls; `None` at the end of the sandbox.
    async fn next(mut self) -> Option<(String, Self)> {
        loop {
            if self.console.log.is_closed() {
                return None;
            }
            self.newest.mark_unchanged();
            let calls = self.console.log.after(self.last);
            if let Some(newest) = calls.last() {
                self.last = newest.number;
            }
            let shown = calls
                .iter()
                .filter(|call| self.filter.shows(call, &self.names));
            let text: String = shown.map(|call| event(call, &self.names)).collect();
            if !text.is_empty() {
                self.begun = true;
                return Some((text, self));
            }
            if !self.begun {
                // The browser learns at once that it is connected.
                self.begun = true;
                return Some((": here\n\n".to_owned(), self));
            }
            match tokio::time::timeout(BEAT, self.newest.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) => return Some((": still here\n\n".to_owned(), self)),
            }
        }
    }
}

fn event(call: &RecordedCall, names: &Names) -> String {
    let mut event = format!("event: call\nid: {}\n", call.number);
    for line in row(call, names).lines() {
        let _infallible = writeln!(event, "data: {line}");
    }
    event.push('\n');
    event
}
