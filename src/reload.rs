//! Reloads a changed configuration while the node serves.
//!
//! SIGHUP, a hint from the file system and the content check every 10 s start the same work. The
//! node reads the files. If a single byte of them differs, it validates the whole and swaps it in
//! one step. It logs and counts a configuration that does not validate, and leaves it alone until
//! it changes again; the last good state keeps serving. The content check alone would do: it sees
//! the symlink swap of a Kubernetes ConfigMap, network file systems, and every change that the
//! watcher misses. The watcher only makes it prompt.

use crate::audit::node;
use crate::config::Config;
use crate::gateway::Gateway;
use crate::housekeeping::{Job, Stop};
use crate::keys;
use crate::reloadable::Reloadable;
use crate::vault::{KekFault, Keks, VaultError};
use notify::{RecursiveMode, Watcher};
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// How often the files are read and compared.
const CHECK: Duration = Duration::from_secs(10);
/// After a hint: long enough for a writer to finish, so that half-written files are seldom read.
const SETTLE: Duration = Duration::from_millis(200);

/// How often files are loaded that change meanwhile.
const LOADS: u32 = 5;

/// Follows the files of a configuration; does nothing for one that did not come from a file.
pub struct Reload {
    follower: Option<Follower>,
    hangup: Option<Signal>,
    hints: mpsc::Receiver<()>,
    hint: mpsc::Sender<()>,
    watch: Watch,
    /// Whatever is there is loaded, changed or not.
    forced: bool,
}

impl Reload {
    /// Listens for SIGHUP from now on: a process that does not is ended by it. `address` is where
    /// the gateway listens.
    pub fn new(gateway: Arc<Gateway>, config: &Config, address: SocketAddr) -> Self {
        let (hint, hints) = mpsc::channel(1);
        let follower = config.source.clone().map(|file| Follower {
            gateway,
            address,
            seen: None,
            try_again: false,
            config: config.clone(),
            file,
        });
        let hangup = signal(SignalKind::hangup());
        if let Err(error) = &hangup {
            tracing::warn!(%error, "SIGHUP does nothing; files are still checked every 10 s");
        }
        Self {
            watch: Watch::of(follower.as_ref(), &hint),
            follower,
            hangup: hangup.ok(),
            hints,
            hint,
            forced: false,
        }
    }
}

impl Job for Reload {
    const NAME: &'static str = "reload";
    const EVERY: Duration = CHECK;

    async fn run(&mut self, _: &Gateway, _: &Stop) -> anyhow::Result<()> {
        let forced = std::mem::take(&mut self.forced);
        if let Some(follower) = &mut self.follower
            && follower.check(forced).await
        {
            self.watch = Watch::of(self.follower.as_ref(), &self.hint);
        }
        self.watch.keep();
        Ok(())
    }

    async fn woken(&mut self, _: &Gateway) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = hangup => self.forced = true,
            _ = self.hints.recv() => tokio::time::sleep(SETTLE).await,
        }
    }
}

struct Follower {
    gateway: Arc<Gateway>,
    address: SocketAddr,
    config: Config,
    file: PathBuf,
    /// Digest of the files that were last tried, good or bad. `None` at first: the files may have
    /// changed between the start and the first check, so that one always loads.
    seen: Option<[u8; 32]>,
    /// The last try failed for a passing reason, such as the database; the files may be right.
    try_again: bool,
}

impl Follower {
    /// Loads the files if they have changed, or if `forced`. True: the new state is in force.
    async fn check(&mut self, forced: bool) -> bool {
        let file = self.file.clone();
        let address = self.address;
        let seen = self.seen;
        let forced = forced || self.try_again;
        let known = self.config.clone();
        let attempt = tokio::task::spawn_blocking(move || {
            // A file that cannot be read now is judged by the paths that were in force.
            let digest = || digest(Config::load(&file).as_ref().unwrap_or(&known));
            let before = digest();
            if !forced && seen == Some(before) {
                return None;
            }
            Some(load_until_unchanged(before, digest, || {
                load(&file, address)
            }))
        });
        let (digest, loaded) = match attempt.await {
            Ok(Some(loaded)) => loaded,
            Ok(None) => return false,
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => return false,
            },
        };
        let first = self.seen.replace(digest).is_none();
        let gateway = &self.gateway;
        let before = node::states(&gateway.reloadable().keys, &gateway.vault.kek_ids());
        let adopted = match loaded {
            Ok((config, reloadable, keks)) => self.adopt(keks).await.map(|()| (config, reloadable)),
            Err(error) => Err(error),
        };
        self.try_again = adopted.as_ref().is_err_and(is_passing);
        match adopted {
            Ok((config, reloadable)) => {
                for setting in config.needs_restart(&self.config) {
                    tracing::warn!(
                        setting,
                        "a changed setting takes effect at the next start only"
                    );
                }
                if !first {
                    let primary = reloadable.keys.primary().fingerprint();
                    tracing::info!(keys = reloadable.keys.keys().len(), %primary, "configuration reloaded");
                    self.gateway.metrics.reload(true);
                }
                self.config = config;
                let after = node::states(&reloadable.keys, &self.gateway.vault.kek_ids());
                self.gateway.swap(reloadable);
                let (store, metrics) = (&self.gateway.store, &self.gateway.metrics);
                node::reloaded(store, metrics, (&before, &after), first).await;
                true
            }
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "configuration not reloaded; the last good one stays in force"
                );
                self.gateway.metrics.reload(false);
                node::reload_refused(&self.gateway.store, &self.gateway.metrics).await;
                false
            }
        }
    }

    /// Puts changed KEKs in force, if they open every data key; before all else, because this alone
    /// may still fail.
    async fn adopt(&self, keks: Keks) -> anyhow::Result<()> {
        let gateway = &self.gateway;
        if gateway.vault.kek_ids() != keks.ids() {
            gateway.vault.adopt(&gateway.store, keks).await?;
        }
        Ok(())
    }
}

fn load(file: &Path, address: SocketAddr) -> anyhow::Result<(Config, Reloadable, Keks)> {
    let config = Config::load(file)?;
    let reloadable = Reloadable::load(&config, address)?;
    let keks = keys::kek::load(&config)?;
    Ok((config, reloadable, keks))
}

/// Loads again what changed while it was loaded, so that no mixture of old and new files is judged.
/// What never rests is judged all the same, and seen once more at the next check: the digest
/// returned is never of something newer.
fn load_until_unchanged<D: PartialEq, T>(
    mut before: D,
    digest: impl Fn() -> D,
    load: impl Fn() -> T,
) -> (D, T) {
    for _ in 1..LOADS {
        let loaded = load();
        let after = digest();
        if after == before {
            return (before, loaded);
        }
        before = after;
    }
    (before, load())
}

/// A database, a token or a transit service that is away: only it can tell whether other keys fit.
fn is_passing(error: &anyhow::Error) -> bool {
    let fault = |fault: &KekFault| matches!(fault, KekFault::Away { .. });
    error.downcast_ref().is_some_and(VaultError::is_passing)
        || error.downcast_ref().is_some_and(fault)
}

/// SHA-256 over the configuration file and every key file that it names, contents and all.
fn digest(config: &Config) -> [u8; 32] {
    let mut hash = Sha256::new();
    for path in files(config) {
        let content = std::fs::read(&path).unwrap_or_default();
        hash.update(path.as_os_str().as_encoded_bytes());
        hash.update([0]);
        hash.update(Sha256::digest(&content));
    }
    hash.finalize().into()
}

fn files(config: &Config) -> Vec<PathBuf> {
    let server = &config.server;
    let keys = config.keys.gateway.iter().flat_map(|key| {
        [
            key.file.as_ref(),
            key.certificate.as_ref(),
            key.passphrase_file.as_ref(),
        ]
    });
    let named = [
        config.source.as_ref(),
        server.tls_certificate.as_ref(),
        server.tls_key.as_ref(),
    ];
    let pins = config.tokens.iter().map(|token| Some(&token.pin_file));
    let keys = named.into_iter().chain(keys).chain(pins).flatten().cloned();
    keys.chain(config.vault.files()).collect()
}

/// Watches the folders of the configuration's files; a failure to watch costs promptness alone.
struct Watch(Option<notify::RecommendedWatcher>);

impl Watch {
    fn of(follower: Option<&Follower>, hint: &mpsc::Sender<()>) -> Self {
        follower.map_or(Self(None), |follower| Self::start(&follower.config, hint))
    }

    fn start(config: &Config, hint: &mpsc::Sender<()>) -> Self {
        let hint = hint.clone();
        let on_event = move |event: notify::Result<notify::Event>| {
            // Reading the files is an event too; only changes count.
            if event.is_ok_and(|event| !event.kind.is_access()) {
                let _ = hint.try_send(());
            }
        };
        let Ok(mut watcher) = notify::recommended_watcher(on_event) else {
            return Self(None);
        };
        let mut folders: Vec<PathBuf> = files(config)
            .iter()
            .filter_map(|file| file.parent())
            .map(Path::to_path_buf)
            .collect();
        folders.sort();
        folders.dedup();
        for folder in folders {
            if let Err(error) = watcher.watch(&folder, RecursiveMode::NonRecursive) {
                tracing::debug!(%error, "a folder is not watched; it is still checked every 10 s");
            }
        }
        Self(Some(watcher))
    }

    /// The watcher ends when it is dropped; this is where the loop says that it still needs it.
    fn keep(&self) {
        let _ = &self.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// A file that changes while it is loaded, so many times: what was seen, what was loaded, how
    /// often.
    fn changing(times: u32) -> (u32, u32, u32) {
        let (content, loads) = (Cell::new(0), Cell::new(0));
        let load = || {
            let loaded = content.get();
            content.set(times.min(loaded + 1));
            loads.set(loads.get() + 1);
            loaded
        };
        let (seen, loaded) = load_until_unchanged(content.get(), || content.get(), load);
        (seen, loaded, loads.get())
    }

    #[test]
    fn what_changes_while_it_is_loaded_is_loaded_again() {
        assert_eq!(changing(0), (0, 0, 1));
        assert_eq!(changing(1), (1, 1, 2));
        assert_eq!(changing(3), (3, 3, 4));
    }

    #[test]
    fn what_never_rests_is_seen_as_it_was_before_it_was_loaded() {
        assert_eq!(changing(100), (4, 4, LOADS));
    }
}
