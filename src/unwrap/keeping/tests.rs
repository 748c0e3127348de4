use crate::payload::{DecryptionKey, Keeper, KeeperAway, KeyRing, KeyState, OaepDigest, Travel};
use crate::unwrap::testing::{gateway_key, key, peer, public_key, wrap};
use crate::unwrap::{Engine, UnwrapError, Unwrapper};
use futures_util::future::FutureExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use zeroize::Zeroizing;

const LENGTHS: &[usize] = &[32];

/// A token that can be held up and taken away.
struct Fake {
    held: AtomicBool,
    away: AtomicBool,
    at_once: usize,
    timeout: Duration,
    calls: AtomicUsize,
}

impl Fake {
    fn new(at_once: usize, timeout: Duration) -> Arc<Self> {
        Arc::new(Self {
            held: AtomicBool::new(false),
            away: AtomicBool::new(false),
            at_once,
            timeout,
            calls: AtomicUsize::new(0),
        })
    }

    fn key(self: &Arc<Self>, state: KeyState) -> Arc<DecryptionKey> {
        let keeper = Arc::clone(self) as Arc<dyn Keeper>;
        let kept = DecryptionKey::kept(keeper, public_key(0), None, Vec::new(), state);
        Arc::new(kept.unwrap())
    }
}

impl Keeper for Fake {
    fn name(&self) -> &str {
        "fake"
    }

    fn at_once(&self) -> usize {
        self.at_once
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }

    fn unwrap(
        &self,
        digest: OaepDigest,
        wrapped: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, KeeperAway> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        while self.held.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        if self.away.load(Ordering::SeqCst) {
            return Err(KeeperAway);
        }
        let key = DecryptionKey::new(key(0), None, Vec::new(), KeyState::Active).unwrap();
        Ok(key.unwrap(&Travel::Oaep(digest), wrapped).ok())
    }
}

const OAEP: Travel = Travel::Oaep(OaepDigest::Sha256);
const LONG: Duration = Duration::from_secs(60);

fn stage() -> Unwrapper {
    Unwrapper::start(1, 8, Engine::OneByOne).unwrap()
}

fn wrapped() -> Vec<u8> {
    wrap(&peer(0), OaepDigest::Sha256, &[7; 32])
}

#[tokio::test]
async fn a_keeper_unwraps_and_what_does_not_unwrap_is_a_random_key() {
    let (stage, fake) = (stage(), Fake::new(2, LONG));
    let key = fake.key(KeyState::Active);
    let cek = stage.unwrap(key.clone(), OAEP, wrapped(), LENGTHS).await;
    let cek = cek.unwrap();
    assert!(cek.genuine);
    assert_eq!(**cek.bytes, [7; 32]);
    let cek = stage
        .unwrap(key, OAEP, vec![0; 256], LENGTHS)
        .await
        .unwrap();
    assert!(!cek.genuine);
}

#[tokio::test]
async fn a_keeper_that_is_away_costs_its_own_keys_alone() {
    let (stage, fake) = (stage(), Fake::new(2, LONG));
    let key = fake.key(KeyState::Active);
    fake.away.store(true, Ordering::SeqCst);
    let away = stage.unwrap(key.clone(), OAEP, wrapped(), LENGTHS).await;
    assert_eq!(away.err(), Some(UnwrapError::KeeperAway));
    let own = Arc::new(gateway_key(0, &[], KeyState::Active));
    assert!(stage.unwrap(own, OAEP, wrapped(), LENGTHS).await.is_ok());
    fake.away.store(false, Ordering::SeqCst);
    assert!(stage.unwrap(key, OAEP, wrapped(), LENGTHS).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keeper_that_hangs_is_not_waited_for_twice() {
    let (stage, fake) = (stage(), Fake::new(1, Duration::from_millis(50)));
    let key = fake.key(KeyState::Active);
    let ask = || stage.unwrap(key.clone(), OAEP, wrapped(), LENGTHS);
    fake.held.store(true, Ordering::SeqCst);
    // One has the thread, one waits for it; both wait for the whole timeout.
    let mut under_way = Box::pin(ask());
    assert!(under_way.as_mut().now_or_never().is_none());
    while fake.calls.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let (one, two) = tokio::join!(under_way, ask());
    for waited in [one, two] {
        assert_eq!(waited.err(), Some(UnwrapError::KeeperAway));
    }
    // The second one has given up, so one may wait again, and no other.
    let (one, two) = tokio::join!(ask(), ask());
    for refused in [one, two] {
        assert_eq!(refused.err(), Some(UnwrapError::KeeperAway));
    }
    assert_eq!(fake.calls.load(Ordering::SeqCst), 1);
    fake.held.store(false, Ordering::SeqCst);
    while ask().await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_keepers_pace_says_when_it_is_full() {
    let (stage, fake) = (stage(), Fake::new(1, LONG));
    let ring = |keys| KeyRing::new(keys).unwrap();
    let kept = |state| {
        let keeper = Arc::clone(&fake) as Arc<dyn Keeper>;
        DecryptionKey::kept(keeper, public_key(0), None, Vec::new(), state).unwrap()
    };
    let alone = ring(vec![kept(KeyState::Primary)]);
    let both = ring(vec![
        kept(KeyState::Primary),
        gateway_key(1, &[], KeyState::Active),
    ]);
    assert!(!stage.is_full(&alone) && !stage.is_full(&both));
    let keeping = stage.keeping(&*fake).unwrap();
    // An operation takes as long as anybody would wait: whoever waits behind another one is late.
    keeping.pace.note(LONG);
    fake.held.store(true, Ordering::SeqCst);
    let key = fake.key(KeyState::Active);
    let ask = || Box::pin(stage.unwrap(key.clone(), OAEP, wrapped(), LENGTHS));
    let mut under_way = ask();
    assert!(under_way.as_mut().now_or_never().is_none());
    while fake.calls.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    assert!(!stage.is_full(&alone), "none waits behind it");
    let mut behind = ask();
    assert!(behind.as_mut().now_or_never().is_none());
    assert!(stage.is_full(&alone));
    assert!(
        !stage.is_full(&both),
        "the other key has a stage of its own"
    );
    assert_eq!(ask().await.err(), Some(UnwrapError::Overloaded));
    fake.held.store(false, Ordering::SeqCst);
    assert!(under_way.await.is_ok());
    assert!(behind.await.is_ok());
}
