//! The queue's own source, with threads that shuttle runs one at a time in orders that it chooses:
//! nobody sleeps on while there is something for him, nothing is lost and nothing is done twice.
//!
//! A thread that nobody wakes is a deadlock here, and a deadlock is reported with the order that
//! leads to it. `make orders` tries each scenario in as many orders as ORDERS says, by chance, and
//! in as many again.

#[path = "../../../src/queue.rs"]
#[expect(
    dead_code,
    reason = "its own tests are not built here, and use what nothing else does"
)]
mod queue;
mod sync;

use queue::{Backlog, Gather, Job, Queue, Refused, Stage};
use shuttle::thread::{self, JoinHandle};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use sync::Clock;

/// Orders by chance, and as many again with few changes of thread, which find what chance misses.
const ORDERS: usize = 1_000;
const CHANGES: usize = 3;

type Scenario = (&'static str, Clock, fn());

const SCENARIOS: [Scenario; 8] = [
    (
        "each_taker_is_woken_for_one",
        Clock::Stands,
        each_taker_is_woken_for_one,
    ),
    (
        "what_was_queued_is_done_once",
        Clock::Stands,
        what_was_queued_is_done_once,
    ),
    (
        "a_full_queue_counts_right",
        Clock::Stands,
        a_full_queue_counts_right,
    ),
    (
        "enough_wakes_who_gathers",
        Clock::Stands,
        enough_wakes_who_gathers,
    ),
    (
        "the_end_wakes_who_gathers",
        Clock::Stands,
        the_end_wakes_who_gathers,
    ),
    ("time_ends_gathering", Clock::Goes, time_ends_gathering),
    (
        "time_or_company_ends_gathering",
        Clock::MayGo,
        what_gathers_is_done_once,
    ),
    (
        "a_stage_finishes_what_waits",
        Clock::Stands,
        a_stage_finishes_what_waits,
    ),
];

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    for (name, clock, scenario) in SCENARIOS {
        if !wanted.is_empty() && !wanted.iter().any(|part| name.contains(part.as_str())) {
            continue;
        }
        let run = move || {
            sync::start(clock);
            scenario();
        };
        shuttle::check_random(run, ORDERS);
        shuttle::check_pct(run, ORDERS, CHANGES);
        println!("{name}: {} orders", 2 * ORDERS);
    }
}

struct Number(usize);

impl Job for Number {
    fn is_awaited(&self) -> bool {
        true
    }
}

/// As many as the queue calls a deep backlog.
const DEEP: usize = 8;
/// As many as it calls enough in any case.
const ENOUGH: usize = 32;
const LONGEST: Duration = Duration::from_millis(10);

/// A queue behind a stage that is busy for long.
fn gathering() -> Arc<Queue<Number>> {
    // Another queue's backlog is what it looks at.
    let ahead = Queue::new(DEEP, None);
    for number in 0..DEEP {
        ahead.push(Number(number)).unwrap();
    }
    let backlog: Backlog = ahead.backlog().clone();
    Arc::new(Queue::new(100, Some(Gather::behind(backlog, LONGEST))))
}

fn taker(queue: &Arc<Queue<Number>>, limit: usize) -> JoinHandle<Vec<usize>> {
    let queue = Arc::clone(queue);
    thread::spawn(move || numbers(queue.take(limit)))
}

/// Takes until the end.
fn worker(queue: &Arc<Queue<Number>>, limit: usize) -> JoinHandle<Vec<usize>> {
    let queue = Arc::clone(queue);
    thread::spawn(move || {
        let mut all = Vec::new();
        while let Some(batch) = queue.take(limit) {
            assert!(!batch.is_empty() && batch.len() <= limit);
            all.extend(numbers(Some(batch)));
        }
        all
    })
}

/// Queues numbers; returns those that were taken in.
fn pusher(queue: &Arc<Queue<Number>>, all: std::ops::Range<usize>) -> JoinHandle<Vec<usize>> {
    let queue = Arc::clone(queue);
    thread::spawn(move || {
        all.filter(|number| queue.push(Number(*number)).is_ok())
            .collect()
    })
}

fn numbers(batch: Option<Vec<Number>>) -> Vec<usize> {
    batch
        .unwrap_or_default()
        .iter()
        .map(|number| number.0)
        .collect()
}

fn all_of(threads: impl IntoIterator<Item = JoinHandle<Vec<usize>>>) -> Vec<usize> {
    let mut all: Vec<usize> = threads
        .into_iter()
        .flat_map(|thread| thread.join().unwrap())
        .collect();
    all.sort_unstable();
    all
}

/// The queue does not end: whoever is not woken waits for ever.
fn each_taker_is_woken_for_one() {
    let queue = Arc::new(Queue::new(100, None));
    let takers = [(); 3].map(|()| taker(&queue, 1));
    let pushers = [pusher(&queue, 0..2), pusher(&queue, 2..3)];
    assert_eq!(all_of(takers), [0, 1, 2]);
    assert_eq!(all_of(pushers), [0, 1, 2]);
    assert_eq!(queue.backlog().jobs(), 0);
}

/// Also where the end comes in between.
fn what_was_queued_is_done_once() {
    let queue = Arc::new(Queue::new(100, None));
    let workers = [worker(&queue, 2), worker(&queue, 1)];
    let pushers = [pusher(&queue, 0..3), pusher(&queue, 3..5)];
    queue.close();
    assert_eq!(queue.push(Number(9)), Err(Refused::Closed));
    assert_eq!(all_of(pushers), all_of(workers));
    assert_eq!(queue.backlog().jobs(), 0);
}

fn a_full_queue_counts_right() {
    let queue = Arc::new(Queue::new(2, None));
    let pushers = [pusher(&queue, 0..3), pusher(&queue, 3..5)];
    let takers = [(); 2].map(|()| taker(&queue, 1));
    let taken = all_of(takers);
    let queued = all_of(pushers);
    assert!(queued.len() >= 2 && taken.iter().all(|number| queued.contains(number)));
    assert_eq!(queue.backlog().jobs(), queued.len() - taken.len());
    assert!(queue.backlog().jobs() <= 2);
    assert_eq!(queue.is_full(), queue.backlog().jobs() == 2);
}

/// Neither time nor the end wakes anybody: the last of them has to.
fn enough_wakes_who_gathers() {
    let queue = gathering();
    let taker = taker(&queue, 2 * ENOUGH);
    let half = ENOUGH / 2;
    let pushers = [pusher(&queue, 0..half), pusher(&queue, half..ENOUGH)];
    assert_eq!(all_of([taker]), all_of(pushers));
}

fn the_end_wakes_who_gathers() {
    let queue = gathering();
    let workers = [worker(&queue, 10), worker(&queue, 10)];
    let pushers = [pusher(&queue, 0..2)];
    queue.close();
    assert_eq!(all_of(pushers), all_of(workers));
}

/// Neither company nor the end comes.
fn time_ends_gathering() {
    let queue = gathering();
    let takers = [taker(&queue, 1), taker(&queue, 1)];
    let pushers = [pusher(&queue, 0..2)];
    assert_eq!(all_of(takers), all_of(pushers));
}

fn what_gathers_is_done_once() {
    let queue = gathering();
    let workers = [worker(&queue, 3), worker(&queue, 3)];
    let pushers = [pusher(&queue, 0..3), pusher(&queue, 3..6)];
    let queued = all_of(pushers);
    queue.close();
    assert_eq!(queued, all_of(workers));
    assert_eq!(queue.backlog().jobs(), 0);
}

/// Whoever has stopped it finds everything done.
fn a_stage_finishes_what_waits() {
    let done = Arc::new(Mutex::new(Vec::new()));
    let work = Arc::clone(&done);
    let start = move || {
        let done = Arc::clone(&work);
        move |batch: Vec<Number>| done.lock().unwrap().extend(numbers(Some(batch)))
    };
    let stage = Arc::new(Stage::start(Queue::new(10, None), 2, "worker", 2, start).unwrap());
    let pushing = Arc::clone(&stage);
    let pusher: JoinHandle<Vec<usize>> = thread::spawn(move || {
        (0..4)
            .filter(|number| pushing.queue().push(Number(*number)).is_ok())
            .collect()
    });
    stage.stop();
    let mut done = std::mem::take(&mut *done.lock().unwrap());
    done.sort_unstable();
    assert_eq!(done, all_of([pusher]));
}
