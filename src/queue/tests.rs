use super::*;

struct Number(u32);

impl Job for Number {
    fn is_awaited(&self) -> bool {
        true
    }
}

const LONG: Duration = Duration::from_secs(3_600);

/// A queue behind another in which `ahead` jobs wait.
fn behind(ahead: usize, longest: Duration) -> (Queue<Number>, Backlog) {
    let backlog = Backlog::default();
    backlog.0.store(ahead, Ordering::Relaxed);
    let gather = Gather::behind(backlog.clone(), longest);
    (Queue::new(100, Some(gather)), backlog)
}

fn gathers(queue: &Queue<Number>) -> bool {
    queue.gathers_for(&queue.lock()).is_some()
}

fn push(queue: &Queue<Number>, numbers: impl IntoIterator<Item = u32>) {
    for number in numbers {
        queue.push(Number(number)).unwrap();
    }
}

#[test]
fn a_deep_backlog_ahead_makes_the_first_wait_until_there_are_enough() {
    let (queue, _) = behind(DEEP, LONG);
    assert!(!gathers(&queue), "nothing is there");
    push(&queue, 1..32);
    assert!(gathers(&queue));
    push(&queue, [32]);
    assert!(!gathers(&queue));
    let taken = queue.take(100).unwrap();
    assert!(taken.iter().map(|n| n.0).eq(1..=32));
    assert_eq!(queue.backlog().jobs(), 0);
}

#[test]
fn nobody_waits_once_few_wait_ahead() {
    let (queue, ahead) = behind(DEEP, LONG);
    push(&queue, [1]);
    assert!(gathers(&queue));
    ahead.0.store(DEEP - 1, Ordering::Relaxed);
    assert!(!gathers(&queue));
    assert_eq!(queue.take(10).unwrap().len(), 1);
}

#[test]
fn nobody_waits_longer_than_the_longest() {
    for longest in [Duration::ZERO, Duration::from_millis(1)] {
        let (queue, _) = behind(DEEP, longest);
        push(&queue, [1]);
        assert_eq!(queue.take(10).unwrap().len(), 1);
    }
}

#[test]
fn a_gathering_thread_is_woken_by_the_job_that_makes_it_enough() {
    let (queue, _) = behind(DEEP, LONG);
    let queue = Arc::new(queue);
    let taker = Arc::clone(&queue);
    let taken = std::thread::spawn(move || taker.take(100).unwrap().len());
    push(&queue, 1..=32);
    assert_eq!(taken.join().unwrap(), 32);
}

#[test]
fn a_gathering_thread_is_woken_by_the_end_of_the_queue() {
    let (queue, _) = behind(DEEP, LONG);
    let queue = Arc::new(queue);
    push(&queue, [1]);
    let taker = Arc::clone(&queue);
    let taken = std::thread::spawn(move || taker.take(10).unwrap().len());
    queue.close();
    assert_eq!(taken.join().unwrap(), 1);
}

#[test]
fn what_a_batch_leaves_goes_to_another_thread() {
    let (queue, _) = behind(DEEP, Duration::from_millis(1));
    let queue = Arc::new(queue);
    let takers = [(); 2].map(|()| {
        let queue = Arc::clone(&queue);
        std::thread::spawn(move || queue.take(1).unwrap().len())
    });
    push(&queue, [1, 2]);
    for taker in takers {
        assert_eq!(taker.join().unwrap(), 1);
    }
}

#[test]
fn a_panic_ends_neither_the_thread_nor_the_next_batch() {
    let queue = Queue::new(10, None);
    push(&queue, 1..=3);
    queue.close();
    let (workers, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    work_off(&queue, 1, || {
        let worker = workers.fetch_add(1, Ordering::Relaxed);
        let done = &done;
        move |jobs: Vec<Number>| {
            assert_ne!(jobs[0].0, 2, "the one that panics");
            done.lock().unwrap().push((worker, jobs[0].0));
        }
    });
    assert_eq!(*done.lock().unwrap(), [(0, 1), (1, 3)]);
}

#[test]
fn what_waits_is_counted_and_no_more_than_the_capacity_may() {
    let queue = Queue::new(2, None);
    queue.push(Number(1)).unwrap();
    assert!(!queue.is_full());
    queue.push(Number(2)).unwrap();
    assert!(queue.is_full());
    assert_eq!(queue.push(Number(3)), Err(Refused::Full));
    assert_eq!(queue.take(1).unwrap().len(), 1);
    assert_eq!(queue.backlog().jobs(), 1);
}
