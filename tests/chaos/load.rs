//! Callers that enrol without a pause, and what became of each call.

use crate::calls::{Ending, issuer, send, sign};
use crate::support::{Over, until};
use issuer_gateway::client::{Prepared, sample};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// Threads that call.
pub(crate) const CALLERS: usize = 4;
/// Calls of one round; a fault that is not over by then fails.
const MOST: usize = 20_000;
/// A caller's pause after a refusal, so that an outage is not a flood.
const PAUSE: Duration = Duration::from_millis(50);

/// A call, and how it ended.
pub(crate) struct Call {
    pub(crate) clear: Value,
    pub(crate) request: Prepared,
    /// The cardholder's id, if the call was answered 200. Otherwise nobody knows whether it was
    /// stored.
    pub(crate) acknowledged: Option<String>,
}

/// Where callers send to.
#[derive(Default)]
pub(crate) struct Target {
    addresses: Mutex<Vec<SocketAddr>>,
    changed: Condvar,
}

impl Target {
    pub(crate) fn set(&self, addresses: impl Into<Vec<SocketAddr>>) {
        *self.addresses.lock().unwrap() = addresses.into();
        self.changed.notify_all();
    }

    /// The address whose turn it is; waits while there is none.
    fn get(&self, turn: usize, over: &AtomicBool) -> Option<SocketAddr> {
        let mut addresses = self.addresses.lock().unwrap();
        while addresses.is_empty() && !over.load(Ordering::Relaxed) {
            let waited = self.changed.wait_timeout(addresses, PAUSE).unwrap();
            addresses = waited.0;
        }
        addresses.get(turn % addresses.len().max(1)).copied()
    }
}

/// What callers do, seen from the fault.
pub(crate) struct Load<'a> {
    target: &'a Target,
    over: &'a AtomicBool,
    begun: AtomicUsize,
    calls: Mutex<Vec<Call>>,
    acknowledged: AtomicUsize,
    unavailable: AtomicUsize,
    lost: AtomicUsize,
    wrong: Mutex<Vec<String>>,
}

impl Load<'_> {
    /// Waits until so many more calls were answered 200.
    #[track_caller]
    pub(crate) fn acknowledges(&self, more: usize) {
        self.counts("calls are answered 200", &self.acknowledged, more);
    }

    /// Waits until so many more calls were answered 503.
    #[track_caller]
    pub(crate) fn refuses(&self, more: usize) {
        self.counts("calls are answered 503", &self.unavailable, more);
    }

    /// Waits until so many more answers never came.
    #[track_caller]
    pub(crate) fn loses(&self, more: usize) {
        self.counts("answers are lost", &self.lost, more);
    }

    #[track_caller]
    fn counts(&self, what: &str, counter: &AtomicUsize, more: usize) {
        let wanted = counter.load(Ordering::Relaxed) + more;
        until(what, || {
            let wrong = self.wrong.lock().unwrap().clone();
            assert!(wrong.len() < 100, "{}", shown(&wrong));
            counter.load(Ordering::Relaxed) >= wanted
        });
    }

    /// The ids that were acknowledged so far.
    pub(crate) fn ids(&self) -> Vec<String> {
        let calls = self.calls.lock().unwrap();
        calls
            .iter()
            .filter_map(|call| call.acknowledged.clone())
            .collect()
    }

    fn run(&self) {
        let client = issuer();
        while !self.over.load(Ordering::Relaxed) {
            let turn = self.begun.fetch_add(1, Ordering::Relaxed);
            if turn >= MOST {
                return;
            }
            let clear = sample::enrolment("5424");
            let request = sign(&client, &clear);
            let ending = loop {
                let Some(address) = self.target.get(turn, self.over) else {
                    return;
                };
                match send(&client, address, &request) {
                    Ending::NotSent if self.over.load(Ordering::Relaxed) => return,
                    Ending::NotSent => std::thread::sleep(PAUSE),
                    ending => break ending,
                }
            };
            self.note(clear, request, ending);
        }
    }

    fn note(&self, clear: Value, request: Prepared, ending: Ending) {
        let counter = match &ending {
            Ending::Acknowledged(_) => Some(&self.acknowledged),
            Ending::Unavailable => Some(&self.unavailable),
            Ending::Lost => Some(&self.lost),
            other => {
                self.wrong.lock().unwrap().push(format!("{other:?}"));
                None
            }
        };
        let pause = ending == Ending::Unavailable;
        let acknowledged = match ending {
            Ending::Acknowledged(id) => Some(id),
            _ => None,
        };
        self.calls.lock().unwrap().push(Call {
            clear,
            request,
            acknowledged,
        });
        if let Some(counter) = counter {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        if pause {
            std::thread::sleep(PAUSE);
        }
    }
}

/// The first few of a long list.
pub(crate) fn shown(problems: &[String]) -> String {
    let first = &problems[..problems.len().min(10)];
    format!("{} problems:\n{}", problems.len(), first.join("\n"))
}

/// Does something while callers call; returns every call with what became of it.
pub(crate) fn under_load(target: &Target, fault: impl FnOnce(&Load<'_>)) -> Vec<Call> {
    let over = AtomicBool::new(false);
    let load = Load {
        target,
        over: &over,
        begun: AtomicUsize::new(0),
        calls: Mutex::default(),
        acknowledged: AtomicUsize::new(0),
        unavailable: AtomicUsize::new(0),
        lost: AtomicUsize::new(0),
        wrong: Mutex::default(),
    };
    std::thread::scope(|scope| {
        let _over = Over(&over);
        for _ in 0..CALLERS {
            scope.spawn(|| load.run());
        }
        fault(&load);
    });
    let wrong = load.wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", shown(&wrong));
    println!(
        "{} answered 200, {} answered 503, {} lost",
        load.acknowledged.into_inner(),
        load.unavailable.into_inner(),
        load.lost.into_inner()
    );
    load.calls.into_inner().unwrap()
}
