//! Hears Ctrl-C and SIGTERM from the first moment of the process, on a thread of its own, so that
//! no hanging part of the process can block them.

use anyhow::Context;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How long a start may go on after a signal, to come to its end or to a place where it can be
/// broken off.
const START_GRACE: Duration = Duration::from_secs(2);

/// The longest a stop takes before a configuration has been read.
const LIMIT: Duration = Duration::from_secs(30);

/// The signals that end the process.
pub struct Signals {
    heard: watch::Receiver<u32>,
    watchdog: Arc<Watchdog>,
}

/// Ends a process that a signal has not ended in time.
struct Watchdog(Mutex<Orders>);

struct Orders {
    limit: Duration,
    last_words: Box<dyn Fn() + Send>,
}

impl Signals {
    /// Listens from now on, until the process ends. One for a process.
    ///
    /// # Errors
    /// A handler or the thread cannot be set up.
    pub fn listen() -> anyhow::Result<Self> {
        let (signals, heard) = watch::channel(0);
        let watchdog = Arc::new(Watchdog(Mutex::new(Orders {
            limit: LIMIT,
            last_words: Box::new(|| ()),
        })));
        let (ready, is_ready) = std::sync::mpsc::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let guard = Arc::clone(&watchdog);
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || runtime.block_on(listen(ready, signals, guard)))?;
        is_ready.recv().context("signals")??;
        Ok(Self { heard, watchdog })
    }

    /// From a signal on the process has so long to end; then `last_words` are said, and it ends
    /// with status 1.
    pub(super) fn limit(&self, limit: Duration, last_words: impl Fn() + Send + 'static) {
        *self.watchdog.lock() = Orders {
            limit,
            last_words: Box::new(last_words),
        };
    }

    /// Waits for a signal; one that has come already counts.
    pub(super) async fn come(&mut self) {
        self.more_than(0).await;
    }

    /// Waits for the second one: somebody is in a hurry.
    pub(super) async fn come_again(&mut self) {
        self.more_than(1).await;
    }

    /// Whether one has come.
    pub(super) fn have_come(&self) -> bool {
        *self.heard.borrow() > 0
    }

    /// Does a part of the start. `None`: a signal came, and the part did not succeed soon after.
    ///
    /// # Errors
    /// Those of the part, unless a signal had come before.
    pub async fn unless_they_come<T>(
        &mut self,
        part: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<Option<T>> {
        let mut part = std::pin::pin!(part);
        tokio::select! {
            done = &mut part => return done.map(Some),
            () = self.come() => {}
        }
        match tokio::time::timeout(START_GRACE, part).await {
            Ok(Ok(done)) => return Ok(Some(done)),
            Ok(Err(error)) => tracing::warn!(error = format!("{error:#}"), "the start failed"),
            Err(_) => {}
        }
        tracing::info!("ended during the start");
        Ok(None)
    }

    async fn more_than(&mut self, count: u32) {
        // The thread ends with the process alone.
        if self.heard.wait_for(|heard| *heard > count).await.is_err() {
            std::future::pending().await
        }
    }
}

impl Watchdog {
    fn lock(&self) -> std::sync::MutexGuard<'_, Orders> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn listen(
    ready: std::sync::mpsc::Sender<std::io::Result<()>>,
    signals: watch::Sender<u32>,
    watchdog: Arc<Watchdog>,
) {
    let handlers = || {
        Ok((
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            // Taken up by `reload` later on; until then it must not end the process.
            signal(SignalKind::hangup())?,
        ))
    };
    let (mut interrupt, mut terminate, _hangup) = match handlers() {
        Ok(handlers) => handlers,
        Err(error) => {
            ready.send(Err(error)).ok();
            return;
        }
    };
    ready.send(Ok(())).ok();
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        signals.send_modify(|heard| *heard = heard.saturating_add(1));
        if *signals.borrow() == 1 {
            tracing::info!("stopping");
            let watchdog = Arc::clone(&watchdog);
            tokio::spawn(async move { watchdog.bite().await });
        }
    }
}

impl Watchdog {
    // Nothing else ends a process whose threads hang.
    async fn bite(&self) {
        let limit = self.lock().limit;
        tokio::time::sleep(limit).await;
        (self.lock().last_words)();
        std::process::exit(1);
    }
}
