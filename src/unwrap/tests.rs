//! The stage itself: its queue, its threads, and what becomes of keys that do not unwrap.

use super::*;
use crate::payload::{KeyState, OaepDigest};
use crate::unwrap::testing::{gateway_key, peer, wrap};
use futures_util::future::{FutureExt, join_all};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use zeroize::Zeroizing;

const LENGTHS: &[usize] = &[32, 16];

fn key() -> Arc<DecryptionKey> {
    Arc::new(gateway_key(0, &[], KeyState::Active))
}

/// A stage that does `work` for one job after the other.
fn one_by_one(
    threads: usize,
    queue: usize,
    work: impl Fn(&Job) -> Unwrapped + Clone + Send + 'static,
) -> Unwrapper {
    several(threads, queue, 1, move |jobs| {
        jobs.iter().map(&work).collect()
    })
}

/// A stage that does `work` for up to `at_once` jobs.
fn several(
    threads: usize,
    queue: usize,
    at_once: usize,
    work: impl Fn(&[Job]) -> Vec<Unwrapped> + Clone + Send + 'static,
) -> Unwrapper {
    let counters = Arc::new(Counters::new(&Engine::OneByOne).unwrap());
    Unwrapper::start_with(threads, queue, at_once, counters, work).unwrap()
}

#[tokio::test]
async fn keys_of_the_asked_lengths_come_through() {
    let stage = Unwrapper::start(2, 64, Engine::OneByOne).unwrap();
    for digest in [OaepDigest::Sha256, OaepDigest::Sha512] {
        let keys: Vec<Vec<u8>> = (0..20)
            .map(|n| vec![n; [16, 32][usize::from(n % 2)]])
            .collect();
        let ceks = keys.iter().map(|cek| {
            stage.unwrap(
                key(),
                Travel::Oaep(digest),
                wrap(&peer(0), digest, cek),
                LENGTHS,
            )
        });
        for (cek, expected) in join_all(ceks).await.into_iter().zip(&keys) {
            let cek = cek.unwrap();
            assert!(cek.genuine);
            assert_eq!(&*cek.bytes, expected);
        }
    }
}

#[tokio::test]
async fn anything_else_becomes_a_random_key_of_the_first_length() {
    let stage = Unwrapper::start(1, 4, Engine::OneByOne).unwrap();
    let sha256 = |cek: &[u8]| wrap(&peer(0), OaepDigest::Sha256, cek);
    let mut altered = sha256(&[1; 32]);
    altered[100] ^= 1;
    for wrapped in [
        altered,
        sha256(&[1; 24]),
        sha256(&[]),
        wrap(&peer(0), OaepDigest::Sha512, &[1; 32]),
        wrap(&peer(1), OaepDigest::Sha256, &[1; 32]),
        vec![0; 256],
        vec![0xff; 256],
        vec![1; 3],
        Vec::new(),
    ] {
        let [one, two] = [wrapped.clone(), wrapped]
            .map(|wrapped| stage.unwrap(key(), Travel::Oaep(OaepDigest::Sha256), wrapped, LENGTHS));
        let (one, two) = (one.await.unwrap(), two.await.unwrap());
        assert!(!one.genuine && !two.genuine);
        assert_eq!((one.bytes.len(), two.bytes.len()), (32, 32));
        assert_ne!(one.bytes, two.bytes, "random each time");
    }
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let (started, has_started) = std::sync::mpsc::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let stage = one_by_one(1, 1, move |_| {
        started.send(()).unwrap();
        released.lock().unwrap().recv().unwrap();
        Some(Zeroizing::new(vec![5; 16]))
    });
    let stage = Arc::new(stage);
    let submit = |stage: Arc<Unwrapper>| async move {
        stage
            .unwrap(key(), Travel::Oaep(OaepDigest::Sha256), Vec::new(), &[16])
            .await
    };
    let under_way = tokio::spawn(submit(Arc::clone(&stage)));
    tokio::task::yield_now().await;
    has_started.recv().unwrap();
    let waiting = tokio::spawn(submit(Arc::clone(&stage)));
    tokio::task::yield_now().await;
    let refused = submit(Arc::clone(&stage)).await;
    assert_eq!(refused.err(), Some(UnwrapError::Overloaded));

    release.send(()).unwrap();
    release.send(()).unwrap();
    for task in [under_way, waiting] {
        assert!(task.await.unwrap().unwrap().genuine);
    }
}

#[tokio::test]
async fn a_panic_is_a_fault_of_ours_and_the_stage_lives_on() {
    let calls = Arc::new(AtomicUsize::new(0));
    let stage = one_by_one(1, 4, move |_| {
        assert!(
            calls.fetch_add(1, Ordering::SeqCst) > 0,
            "first call panics"
        );
        Some(Zeroizing::new(vec![5; 16]))
    });
    let unwrap = || stage.unwrap(key(), Travel::Oaep(OaepDigest::Sha256), Vec::new(), &[16]);
    assert_eq!(unwrap().await.err(), Some(UnwrapError::Failed));
    assert!(unwrap().await.unwrap().genuine);
}

#[tokio::test]
async fn abandoned_requests_cost_nothing() {
    let calls = Arc::new(AtomicUsize::new(0));
    let (counter, gate) = (Arc::clone(&calls), Arc::new(Mutex::new(())));
    let closed = Arc::clone(&gate);
    let stage = one_by_one(1, 4, move |_| {
        drop(closed.lock().unwrap());
        counter.fetch_add(1, Ordering::SeqCst);
        None
    });
    let guard = gate.lock().unwrap();
    for _ in 0..3 {
        let abandoned = stage.unwrap(key(), Travel::Oaep(OaepDigest::Sha256), vec![], &[16]);
        assert!(abandoned.now_or_never().is_none());
    }
    drop(guard);
    drop(stage); // waits for the thread
    assert!(
        calls.load(Ordering::SeqCst) <= 1,
        "at most the one under way"
    );
}

#[test]
fn dropping_the_stage_ends_its_threads() {
    let alive = Arc::new(());
    let token = Arc::clone(&alive);
    let stage = one_by_one(3, 4, move |_| {
        let _ = &token;
        None
    });
    assert!(Arc::strong_count(&alive) > 1);
    drop(stage);
    assert_eq!(Arc::strong_count(&alive), 1);
}

/// Has a stage of one thread and eight at once unwrap `[0]` to `[9]`, all but the first of which
/// wait together; its work is `work`. Dropped before they are looked at are those that `abandoned`
/// names.
async fn ten(
    abandoned: &[u8],
    work: impl Fn(&[Job]) -> Vec<Unwrapped> + Clone + Send + 'static,
) -> Vec<(u8, Result<ContentKey, UnwrapError>)> {
    let gate = Arc::new(Mutex::new(()));
    let closed = Arc::clone(&gate);
    let (started, has_started) = std::sync::mpsc::channel();
    let stage = several(1, 16, 8, move |jobs| {
        started.send(()).unwrap();
        drop(closed.lock());
        work(jobs)
    });
    let mut waiting = Vec::new();
    {
        let _guard = gate.lock().unwrap();
        for number in 0..10 {
            let key = stage.unwrap(key(), Travel::Oaep(OaepDigest::Sha256), vec![number], &[16]);
            let mut key = Box::pin(key);
            assert!(key.as_mut().now_or_never().is_none());
            if number == 0 {
                has_started.recv().unwrap();
            }
            if !abandoned.contains(&number) {
                waiting.push((number, key));
            }
        }
    }
    let mut found = Vec::new();
    for (number, key) in waiting {
        found.push((number, key.await));
    }
    found
}

/// What the tests' work makes of a job: its number, sixteen times.
fn sixteen(job: &Job) -> Unwrapped {
    Some(Zeroizing::new(vec![job.wrapped[0]; 16]))
}

#[tokio::test]
async fn a_thread_takes_what_waits_up_to_its_number_and_answers_each_its_own() {
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&sizes);
    let found = ten(&[3, 9], move |jobs| {
        noted.lock().unwrap().push(jobs.len());
        jobs.iter().map(sixteen).collect()
    });
    for (number, cek) in found.await {
        let cek = cek.unwrap();
        assert!(cek.genuine);
        assert_eq!(*cek.bytes, [number; 16]);
    }
    // One, then eight of which one was abandoned, then the last, which was abandoned too.
    assert_eq!(*sizes.lock().unwrap(), [1, 7]);
}

#[tokio::test]
async fn a_panic_among_several_costs_the_one_that_caused_it_alone() {
    let found = ten(&[], |jobs| {
        let work = |job: &Job| {
            assert_ne!(job.wrapped, [5], "panics");
            sixteen(job)
        };
        jobs.iter().map(work).collect()
    });
    for (number, cek) in found.await {
        match cek {
            Ok(cek) => assert_eq!((*cek.bytes).as_slice(), [number; 16]),
            Err(error) => assert_eq!((number, error), (5, UnwrapError::Failed)),
        }
    }
}

#[tokio::test]
async fn the_metrics_say_what_did_how_many() {
    let stage = Unwrapper::start(1, 4, Engine::OneByOne).unwrap();
    let wrapped = wrap(&peer(0), OaepDigest::Sha256, &[1; 32]);
    let cek = stage.unwrap(key(), Travel::Oaep(OaepDigest::Sha256), wrapped, LENGTHS);
    assert!(cek.await.unwrap().genuine);
    let registry = prometheus::Registry::new();
    for collector in stage.collectors() {
        registry.register(collector).unwrap();
    }
    let page = prometheus::TextEncoder::new().encode_to_string(&registry.gather());
    let page = page.unwrap();
    for line in [
        r#"issuer_gateway_rsa_engine{engine="openssl"} 1"#,
        r#"issuer_gateway_rsa_operations_total{engine="openssl"} 1"#,
        r#"issuer_gateway_rsa_operations_total{engine="crypto_mb"} 0"#,
        "issuer_gateway_rsa_thrown_away_total 0",
    ] {
        assert!(page.lines().any(|found| found == line), "{page}");
    }
}
