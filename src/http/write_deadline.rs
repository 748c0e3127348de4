//! A connection with a limit on reading: the client has `server.write_timeout_ms` for each
//! [`SHARE`] of an answer, or its rest. Then the gateway cuts the connection and frees its memory.
//!
//! actix limits the time in which a request must arrive, but not the time in which an answer must
//! be read.

use actix_web::rt::time::{Sleep, sleep};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A client must read this many bytes of an answer, or its rest, within its time.
const SHARE: usize = 64 * 1024;

/// The most fruitless polls of a connection while its client reads nothing. actix polls without a
/// pause while a client has sent more requests ahead than actix has room for.
const LOOKS: u32 = 10_000;

/// A stream that fails with [`io::ErrorKind::TimedOut`] if its peer reads too slowly.
pub(super) struct WriteDeadline<T> {
    io: T,
    allowed: Duration,
    blocked: Option<Blocked>,
}

/// The peer has not yet read what was written.
struct Blocked {
    until: Pin<Box<Sleep>>,
    taken: usize,
    looks: u32,
    /// The task that wanted to read meanwhile.
    reader: Option<Waker>,
}

impl<T> WriteDeadline<T> {
    pub(super) fn new(io: T, allowed: Duration) -> Self {
        Self {
            io,
            allowed,
            blocked: None,
        }
    }

    /// Counts `taken` bytes. After [`SHARE`] of them the peer has its whole time again.
    fn progress(&mut self, taken: usize) {
        if let Some(blocked) = &mut self.blocked {
            blocked.taken += taken;
            blocked.looks = 0;
            if blocked.taken >= SHARE {
                self.unblock();
            }
        }
    }

    fn unblock(&mut self) {
        if let Some(reader) = self.blocked.take().and_then(|blocked| blocked.reader) {
            reader.wake();
        }
    }

    /// Called when nothing can be written now. Fails if that has lasted too long.
    fn wait<R>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<R>> {
        let allowed = self.allowed;
        let blocked = self.blocked.get_or_insert_with(|| Blocked {
            until: Box::pin(sleep(allowed)),
            taken: 0,
            looks: 0,
            reader: None,
        });
        blocked.looks += 1;
        if blocked.looks <= LOOKS {
            ready!(blocked.until.as_mut().poll(context));
        }
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for WriteDeadline<T> {
    /// Reads nothing while the peer reads nothing: its further requests would only pile up.
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(blocked) = &mut self.blocked {
            blocked.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for WriteDeadline<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.io).poll_write(context, bytes) {
            Poll::Pending => self.wait(context),
            Poll::Ready(written) => {
                self.progress(*written.as_ref().unwrap_or(&0));
                Poll::Ready(written)
            }
        }
    }

    /// actix flushes once all that it holds is written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.io).poll_flush(context) {
            Poll::Pending => self.wait(context),
            Poll::Ready(flushed) => {
                self.unblock();
                Poll::Ready(flushed)
            }
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.io).poll_shutdown(context) {
            Poll::Pending => self.wait(context),
            done @ Poll::Ready(_) => done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::Wake;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    const LONG: Duration = Duration::from_secs(3_600);

    #[tokio::test]
    async fn who_never_reads_is_cut() {
        let (ours, _theirs) = duplex(1_024);
        let mut ours = WriteDeadline::new(ours, Duration::from_millis(20));
        let error = ours.write_all(&[0; 4_096]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn who_reads_gets_everything() {
        let (ours, mut theirs) = duplex(1_024);
        let mut ours = WriteDeadline::new(ours, LONG);
        let reader = tokio::spawn(async move {
            let mut all = Vec::new();
            theirs.read_to_end(&mut all).await.unwrap();
            all.len()
        });
        ours.write_all(&[7; 3 * SHARE]).await.unwrap();
        ours.shutdown().await.unwrap();
        drop(ours);
        assert_eq!(reader.await.unwrap(), 3 * SHARE);
    }

    /// Polls a stream whose peer reads nothing. True: it has time left.
    fn waits(stream: &mut WriteDeadline<DuplexStream>) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        stream.wait::<()>(&mut context).is_pending()
    }

    #[tokio::test]
    async fn a_share_or_a_whole_answer_gives_new_time() {
        let (ours, _theirs) = duplex(1_024);
        let mut ours = WriteDeadline::new(ours, LONG);
        assert!(waits(&mut ours));
        ours.progress(SHARE - 1);
        assert!(ours.blocked.is_some(), "too little of an answer");
        ours.progress(1);
        assert!(ours.blocked.is_none());

        assert!(waits(&mut ours));
        ours.flush().await.unwrap();
        assert!(ours.blocked.is_none());
    }

    /// Whether it was woken.
    #[derive(Default)]
    struct Reader(AtomicBool);

    impl Wake for Reader {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn nothing_is_read_from_who_does_not_read() {
        let (ours, mut theirs) = duplex(1_024);
        let mut ours = WriteDeadline::new(ours, LONG);
        theirs.write_all(b"next request").await.unwrap();
        for written_whole in [true, false] {
            assert!(waits(&mut ours));
            let reader = Arc::new(Reader::default());
            let waker = Waker::from(reader.clone());
            let mut context = Context::from_waker(&waker);
            let mut bytes = [0; 32];
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = Pin::new(&mut ours).poll_read(&mut context, &mut buffer);
            assert!(read.is_pending());
            if written_whole {
                ours.flush().await.unwrap();
            } else {
                ours.progress(SHARE);
            }
            assert!(reader.0.load(Ordering::Relaxed), "it may read again");
        }
        assert_eq!(ours.read(&mut [0; 32]).await.unwrap(), 12);
    }

    #[tokio::test]
    async fn looking_in_vain_without_end_is_cut() {
        let (ours, _theirs) = duplex(1_024);
        let mut ours = WriteDeadline::new(ours, LONG);
        assert!((0..LOOKS).all(|_| waits(&mut ours)));
        assert!(!waits(&mut ours));
    }
}
