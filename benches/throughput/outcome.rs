//! What a run brought: how many answers of which status, how long they took, and a sample of them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How many answers are kept to be opened and checked.
const SAMPLE: usize = 32;
/// One answer in this many is kept.
const SAMPLE_EVERY: u64 = 251;

/// Times in microseconds.
#[derive(Debug, Default)]
pub(crate) struct Times {
    micros: Vec<u32>,
}

impl Times {
    fn add(&mut self, time: Duration) {
        self.micros
            .push(u32::try_from(time.as_micros()).unwrap_or(u32::MAX));
    }

    /// The time, in milliseconds, that this share of all took at most; none if there are none.
    pub(crate) fn percentile_ms(&self, share: f64) -> Option<f64> {
        let mut sorted = self.micros.clone();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        let at = (last as f64 * share).round() as usize;
        sorted.get(at).map(|micros| f64::from(*micros) / 1_000.0)
    }

    pub(crate) fn len(&self) -> usize {
        self.micros.len()
    }
}

/// The part of a run that counts: after the warm-up, before the last answers trickle in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) from: Instant,
    pub(crate) until: Instant,
}

impl Window {
    fn holds(&self, moment: Instant) -> bool {
        (self.from..self.until).contains(&moment)
    }

    /// Nothing if the requests ran out during the warm-up.
    pub(crate) fn length(&self) -> Duration {
        self.until.saturating_duration_since(self.from)
    }
}

/// Everything a run brought.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) window: Window,
    /// Every answer of the whole run, by status.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Answers 200 within the window.
    done: u64,
    /// Requests sent within the window.
    sent: u64,
    /// From when a request was due to its answer 200, for those due within the window.
    pub(crate) latencies: Times,
    /// From when a request was sent to its answer 503.
    pub(crate) refusals: Times,
    /// Answers 503 without `Retry-After`.
    pub(crate) without_retry_after: u64,
    /// Requests whose connection was closed under them.
    pub(crate) lost: u64,
    /// Some answers 200: number of the request, and body.
    pub(crate) samples: Vec<(usize, Vec<u8>)>,
    /// The first answer that is neither 200 nor 503.
    pub(crate) first_failure: Option<String>,
    /// Processor time of the load generator from start to end of the run.
    pub(crate) generator: Duration,
    /// From start to end of the run.
    pub(crate) whole: Duration,
}

impl Outcome {
    pub(crate) fn new(window: Window) -> Self {
        Self {
            window,
            statuses: BTreeMap::new(),
            done: 0,
            sent: 0,
            latencies: Times::default(),
            refusals: Times::default(),
            without_retry_after: 0,
            lost: 0,
            samples: Vec::new(),
            first_failure: None,
            generator: Duration::ZERO,
            whole: Duration::ZERO,
        }
    }

    pub(crate) fn note_sent(&mut self, at: Instant) {
        self.sent += u64::from(self.window.holds(at));
    }

    /// Counts an answer 200.
    pub(crate) fn note_done(&mut self, request: usize, due: Instant, at: Instant, body: &[u8]) {
        self.done += u64::from(self.window.holds(at));
        if self.window.holds(due) {
            self.latencies.add(at.duration_since(due));
        }
        if self.answered(200).is_multiple_of(SAMPLE_EVERY) && self.samples.len() < SAMPLE {
            self.samples.push((request, body.to_vec()));
        }
        *self.statuses.entry(200).or_default() += 1;
    }

    /// Counts an answer 503.
    pub(crate) fn note_refused(&mut self, sent: Instant, at: Instant, retry_after: bool) {
        self.refusals.add(at.duration_since(sent));
        self.without_retry_after += u64::from(!retry_after);
        *self.statuses.entry(503).or_default() += 1;
    }

    /// Counts any other answer.
    pub(crate) fn note_failed(&mut self, status: u16, body: &[u8]) {
        *self.statuses.entry(status).or_default() += 1;
        self.first_failure
            .get_or_insert_with(|| String::from_utf8_lossy(body).into_owned());
    }

    /// How many answers of the whole run had this status.
    pub(crate) fn answered(&self, status: u16) -> u64 {
        self.statuses.get(&status).copied().unwrap_or_default()
    }

    /// Answers 200 per second of the window.
    pub(crate) fn per_second(&self) -> f64 {
        self.done as f64 / self.window.length().as_secs_f64()
    }

    /// Requests sent per second of the window.
    pub(crate) fn sent_per_second(&self) -> f64 {
        self.sent as f64 / self.window.length().as_secs_f64()
    }

    /// The share of one core that the load generator took.
    pub(crate) fn generator_share(&self) -> f64 {
        self.generator.as_secs_f64() / self.whole.as_secs_f64()
    }
}
