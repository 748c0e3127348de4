//! The key-unwrapping stage: RSA private operations on threads of their own, behind a bounded queue.
//!
//! The event loop never stalls on RSA, and a flood is refused at once instead of piling up (design.md,
//! "Key unwrapping is a stage"). A key that does not unwrap is not an error here: the caller gets a random
//! one and goes on, so that nobody can tell the two apart from outside (RFC 7516, section 11.5).

use openssl::rand::rand_bytes;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::key::GatewayKey;
use super::oaep::{self, OaepDigest};

/// A content encryption key: the sender's, or a random one in its place.
pub struct Cek {
    /// The key: one of the lengths that were asked for.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Whether it is the sender's. For the log, and to fail at the very end; nothing before may depend on it.
    pub genuine: bool,
}

/// Why nothing was unwrapped; decided before the wrapped key is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnwrapError {
    /// The queue is full, or there are no random numbers.
    #[error("the key-unwrapping stage cannot take more work now")]
    Overloaded,
}

impl UnwrapError {
    /// A stable kebab-case name for log and audit.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Overloaded => "unwrap-overloaded",
        }
    }
}

/// One wrapped key on its way through the stage.
struct Job {
    key: Arc<GatewayKey>,
    digest: OaepDigest,
    wrapped: Vec<u8>,
    reply: oneshot::Sender<Option<Zeroizing<Vec<u8>>>>,
}

/// The stage. Dropping it ends its threads.
pub struct Unwrapper {
    /// `None` only while dropping.
    queue: Option<SyncSender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Unwrapper {
    /// Starts `threads` threads that share a queue of `queue` waiting keys (at least one of each).
    pub fn start(threads: usize, queue: usize) -> io::Result<Self> {
        Self::start_with(threads, queue, |job| {
            oaep::decrypt(job.key.private(), job.digest, &job.wrapped).ok()
        })
    }

    fn start_with<F>(threads: usize, queue: usize, work: F) -> io::Result<Self>
    where
        F: Fn(&Job) -> Option<Zeroizing<Vec<u8>>> + Clone + Send + 'static,
    {
        let (sender, receiver) = sync_channel(queue.max(1));
        let receiver = Arc::new(Mutex::new(receiver));
        let threads = (0..threads.max(1))
            .map(|number| {
                let (receiver, work) = (Arc::clone(&receiver), work.clone());
                std::thread::Builder::new()
                    .name(format!("unwrap-{number}"))
                    .spawn(move || run(&receiver, work))
            })
            .collect::<io::Result<_>>()?;
        Ok(Self {
            queue: Some(sender),
            threads,
        })
    }

    /// Unwraps `wrapped` with `key`. If that fails, or if the result has none of the `lengths` (in bytes), a
    /// random key of the first of them takes its place.
    pub async fn unwrap(
        &self,
        key: Arc<GatewayKey>,
        digest: OaepDigest,
        wrapped: Vec<u8>,
        lengths: &[usize],
    ) -> Result<Cek, UnwrapError> {
        // Made in every case and beforehand, so that a failure takes no longer than a success.
        let mut random = Zeroizing::new(vec![0; lengths.first().copied().unwrap_or_default()]);
        rand_bytes(&mut random).map_err(|_| UnwrapError::Overloaded)?;

        let (reply, answer) = oneshot::channel();
        let job = Job {
            key,
            digest,
            wrapped,
            reply,
        };
        let queue = self.queue.as_ref().ok_or(UnwrapError::Overloaded)?;
        queue.try_send(job).map_err(|_| UnwrapError::Overloaded)?;

        // A reply that never comes (a worker panicked) counts as a key that does not unwrap.
        let cek = answer.await.ok().flatten();
        let cek = cek.filter(|cek| lengths.contains(&cek.len()));
        let genuine = cek.is_some();
        Ok(Cek {
            bytes: cek.unwrap_or(random),
            genuine,
        })
    }
}

impl Drop for Unwrapper {
    fn drop(&mut self) {
        drop(self.queue.take());
        for thread in self.threads.drain(..) {
            // A thread cannot have panicked: `run` catches.
            let _ = thread.join();
        }
    }
}

fn run(queue: &Mutex<Receiver<Job>>, work: impl Fn(&Job) -> Option<Zeroizing<Vec<u8>>>) {
    loop {
        // One idle thread waits in `recv`, the others for the lock: each job wakes exactly one.
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        if job.reply.is_closed() {
            continue; // the client has gone away
        }
        let cek = catch_unwind(AssertUnwindSafe(|| work(&job)));
        let _ = job.reply.send(cek.ok().flatten());
    }
}

#[cfg(test)]
impl Unwrapper {
    /// A stage that takes no work, as if its queue were full for ever.
    pub(crate) fn full() -> Self {
        Self {
            queue: None,
            threads: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::key::KeyState;
    use crate::payload::testing::{gateway_key, peer, wrap};
    use futures_util::future::{FutureExt, join_all};
    use std::sync::atomic::{AtomicUsize, Ordering};

    const LENGTHS: &[usize] = &[32, 16];

    fn key() -> Arc<GatewayKey> {
        Arc::new(gateway_key(0, &[], KeyState::Active))
    }

    #[tokio::test]
    async fn keys_of_the_asked_lengths_come_through() {
        let stage = Unwrapper::start(2, 64).unwrap();
        for digest in [OaepDigest::Sha256, OaepDigest::Sha512] {
            let keys: Vec<Vec<u8>> = (0..20)
                .map(|n| vec![n; [16, 32][usize::from(n % 2)]])
                .collect();
            let ceks = keys
                .iter()
                .map(|cek| stage.unwrap(key(), digest, wrap(&peer(0), digest, cek), LENGTHS));
            for (cek, expected) in join_all(ceks).await.into_iter().zip(&keys) {
                let cek = cek.unwrap();
                assert!(cek.genuine);
                assert_eq!(&*cek.bytes, expected);
            }
        }
    }

    #[tokio::test]
    async fn anything_else_becomes_a_random_key_of_the_first_length() {
        let stage = Unwrapper::start(1, 4).unwrap();
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
                .map(|wrapped| stage.unwrap(key(), OaepDigest::Sha256, wrapped, LENGTHS));
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
        let stage = Unwrapper::start_with(1, 1, move |_| {
            started.send(()).unwrap();
            released.lock().unwrap().recv().unwrap();
            Some(Zeroizing::new(vec![5; 16]))
        });
        let stage = Arc::new(stage.unwrap());
        let submit = |stage: Arc<Unwrapper>| async move {
            stage
                .unwrap(key(), OaepDigest::Sha256, Vec::new(), &[16])
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
    async fn a_panic_looks_like_a_bad_key_and_the_stage_lives_on() {
        let calls = Arc::new(AtomicUsize::new(0));
        let stage = Unwrapper::start_with(1, 4, move |_| {
            assert!(
                calls.fetch_add(1, Ordering::SeqCst) > 0,
                "first call panics"
            );
            Some(Zeroizing::new(vec![5; 16]))
        });
        let stage = stage.unwrap();
        for genuine in [false, true] {
            let cek = stage.unwrap(key(), OaepDigest::Sha256, Vec::new(), &[16]);
            let cek = cek.await.unwrap();
            assert_eq!((cek.genuine, cek.bytes.len()), (genuine, 16));
        }
    }

    #[tokio::test]
    async fn abandoned_requests_cost_nothing() {
        let calls = Arc::new(AtomicUsize::new(0));
        let (counter, gate) = (Arc::clone(&calls), Arc::new(Mutex::new(())));
        let closed = Arc::clone(&gate);
        let stage = Unwrapper::start_with(1, 4, move |_| {
            drop(closed.lock().unwrap());
            counter.fetch_add(1, Ordering::SeqCst);
            None
        });
        let stage = stage.unwrap();
        let guard = gate.lock().unwrap();
        for _ in 0..3 {
            let abandoned = stage.unwrap(key(), OaepDigest::Sha256, vec![], &[16]);
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
        let stage = Unwrapper::start_with(3, 4, move |_| {
            let _ = &token;
            None
        });
        assert!(Arc::strong_count(&alive) > 1);
        drop(stage);
        assert_eq!(Arc::strong_count(&alive), 1);
    }
}
