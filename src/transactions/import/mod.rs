//! A file of transactions is imported, in portions of some thousand records.
//!
//! A portion's transactions, and the mark that says how far the import has come, are one commit. So
//! a process that is killed leaves whole portions, and the next one goes on behind them. It reads
//! what lies before once, to be sure that the file is still the same. Source ids would keep
//! everything from counting twice anyway, also in a file that comes again under another name.
//!
//! - [`Import`]: the whole; [`tally`]: what became of the records; [`rejects`]: the file of those
//!   that could not be stored
//! - [`portion`]: records sorted by issuers; [`route`]: whose record it is; [`reading`]: the thread
//!   that reads
//!
//! Reading runs on a thread of its own, one portion ahead of the database. What is in memory does
//! not grow with the file.

mod portion;
mod reading;
mod rejects;
mod route;
mod tally;

pub use tally::{Outcome, Tally};

use super::feed::{FeedError, Format, Reader, Sum};
use crate::footprints::{Footprints, FootprintsError};
use crate::issuers::Issuer;
use crate::issuers::registry::{IssuerRegistry, RegistryError};
use crate::store::audit::AuditDraft;
use crate::store::imports::{ImportError, ImportMark, ImportRun};
use crate::store::{Store, StoreError};
use crate::vault::{Vault, VaultError};
use chrono::{NaiveDate, Utc};
use portion::{Portion, Records, Settled};
use reading::Reading;
use rejects::Rejects;
use route::Routes;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

/// Records of a portion.
pub const PORTION: usize = 5_000;

/// Bytes at the beginning of the file by which an import is known again.
const HEAD: usize = 1024 * 1024;

/// How often a portion is tried while the database does not answer, and the pause after the first
/// time; it doubles, up to [`LONGEST_PAUSE`].
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What an import works with.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    /// The database.
    pub store: &'a Store,
    /// Seals, and indexes card numbers.
    pub vault: &'a Vault,
    /// The issuers on board.
    pub registry: &'a IssuerRegistry,
    /// Scores.
    pub footprints: &'a Footprints,
}

/// What is wanted.
#[derive(Clone)]
pub struct Options {
    /// `None`: the content tells.
    pub format: Option<Format>,
    /// Only the cards and cardholders of this issuer.
    pub issuer: Option<Arc<Issuer>>,
    /// Only transactions from this day on.
    pub since: Option<NaiveDate>,
    /// Write nothing.
    pub dry_run: bool,
    /// Days for which transactions of cards that are not enrolled are kept: see
    /// [`Batch::retaining`](super::post::Batch::retaining).
    pub retain_unenrolled: u16,
}

/// What an import tells while it is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Bytes of the file.
    Size(u64),
    /// It goes on behind this record, after it has read what lies before.
    Resumed(u64),
    /// It stands at this byte.
    Position(u64),
    /// So many records more are done.
    Records(u64),
}

/// How it went.
#[derive(Debug)]
pub struct Summary {
    /// Records by outcome, with those of processes that were killed before.
    pub tally: Tally,
    /// The format that it was.
    pub format: Format,
    /// SHA-256 of what was read: of the whole file, unless it ends with an error.
    pub sum: Sum,
    /// The file of rejects, if there are some.
    pub rejects: Option<PathBuf>,
    /// Why the file could not be read to its end. What comes before is done.
    pub stopped: Option<FeedError>,
}

/// Why an import has come to no end. What was done stays done; run again, it goes on there.
#[derive(Debug, thiserror::Error)]
pub enum ImportFailure {
    /// The file cannot be read.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// It is no file.
    #[error("it is not a regular file")]
    NoFile,
    /// The file of rejects.
    #[error("the file of rejects, {}", .0.display())]
    Rejects(PathBuf, #[source] io::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A portion could not be stored.
    #[error(transparent)]
    Portion(#[from] ImportError),
    /// The data keys.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The issuers.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The factors.
    #[error(transparent)]
    Footprints(#[from] FootprintsError),
    /// The thread that reads has ended early.
    #[error("reading the file has ended early")]
    Interrupted,
}

/// An import of a file.
pub struct Import<'a> {
    parts: Parts<'a>,
    options: Options,
    run: ImportRun,
    rejects: Arc<Mutex<Rejects>>,
    tally: Tally,
}

impl<'a> Import<'a> {
    /// Imports the file at `path`; `observe` is told how it goes.
    ///
    /// # Errors
    /// See [`ImportFailure`].
    pub async fn run(
        parts: Parts<'a>,
        path: &Path,
        options: Options,
        observe: &mut dyn FnMut(Event),
    ) -> Result<Summary, ImportFailure> {
        let file = File::open(path).map_err(FeedError::from)?;
        let metadata = file.metadata().map_err(FeedError::from)?;
        if !metadata.is_file() {
            return Err(ImportFailure::NoFile);
        }
        observe(Event::Size(metadata.len()));
        // Refuses a file that is none before anything is written.
        Reader::open(&file, options.format)?;
        let run = ImportRun {
            key: key(&file, metadata.len(), &options).map_err(FeedError::from)?,
            run: uuid::Uuid::new_v4().to_string(),
        };
        let mut found = None;
        if !options.dry_run {
            let detail = format!("import={} size={}", short(&run.key), metadata.len());
            let draft = draft("transactions.import-begin", &options, detail);
            found = parts.store.begin_import(run.clone(), draft).await?;
        }
        let (mut reading, mark) = Reading::start(path, options.format, found.as_ref(), observe)?;
        let length = |found: &ImportMark| u64::try_from(found.rejects).unwrap_or_default();
        let found = found.filter(|_| mark.is_some());
        let rejects = if options.dry_run {
            Rejects::none(path)
        } else {
            let opened = Rejects::open(path, found.as_ref().map_or(0, length));
            opened.map_err(|error| ImportFailure::Rejects(Rejects::beside(path), error))?
        };
        let mut import = Self {
            parts,
            options,
            run,
            rejects: Arc::new(Mutex::new(rejects)),
            tally: found.map_or_else(Tally::default, |found| Tally::parse(&found.counts)),
        };
        if let Some(mark) = &mark {
            observe(Event::Resumed(mark.number));
        }
        let mut sum = mark.map(|mark| mark.sum);
        let stopped = loop {
            match reading.portions.recv().await {
                None => break None,
                Some(Err(FeedError::Io(error))) => return Err(FeedError::Io(error).into()),
                Some(Err(error)) => break Some(error),
                Some(Ok(records)) => {
                    let count = records.entries.len();
                    let (position, after) = (records.mark.position, records.mark.sum);
                    import.store(records).await?;
                    sum = Some(after);
                    observe(Event::Position(position));
                    observe(Event::Records(u64::try_from(count).unwrap_or_default()));
                }
            }
        };
        let sum = sum.unwrap_or_else(|| Sha256::digest([]).into());
        import.end(sum, reading.format, stopped).await
    }

    /// Stores a portion, and tries again while the database does not answer.
    async fn store(&mut self, records: Records) -> Result<(), ImportFailure> {
        self.parts.registry.refresh(self.parts.store).await?;
        self.parts.footprints.refresh(self.parts.store).await?;
        let issuers = self.parts.registry.issuers();
        let routes = Routes::new(issuers, self.options.issuer.as_deref());
        let scorers = self.parts.footprints.current();
        let since = self.options.since;
        let portion = Portion::sort(records, &self.tally, &routes, &scorers, since, Utc::now())
            .retaining(self.options.retain_unenrolled);
        let portion = Arc::new(portion);
        if self.options.dry_run {
            let postings = portion.postings(&self.parts.vault.current());
            self.parts.store.rehearse_batch(postings).await?;
            self.tally = portion.settle().0;
            return Ok(());
        }
        let (mut attempts, mut pause) = (ATTEMPTS, PAUSE);
        let settled = Arc::new(Mutex::new(None));
        loop {
            attempts = attempts.saturating_sub(1);
            match self.try_to_store(&portion, &settled).await {
                Ok(()) => break,
                Err(ImportError::KeysChanged) => {
                    let generation = self.parts.vault.current().generation();
                    let store = self.parts.store;
                    self.parts.vault.newer_than(store, generation).await?;
                }
                Err(ImportError::Store(error)) if error.is_recoverable() && attempts > 0 => {
                    tokio::time::sleep(pause).await;
                    pause = LONGEST_PAUSE.min(pause.saturating_mul(2));
                    // Where the connection was lost, the commit may have gone through.
                    let mark = self.parts.store.import_mark(self.run.key).await;
                    let done = i64::try_from(portion.mark().position).ok();
                    if mark.is_ok_and(|mark| mark.map(|mark| mark.position) == done) {
                        break;
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        let mut settled = settled.lock().unwrap_or_else(PoisonError::into_inner);
        let settled: Settled = settled.take().ok_or(ImportFailure::Interrupted)?;
        let mut rejects = self.rejects.lock().unwrap_or_else(PoisonError::into_inner);
        rejects.confirm(settled.rejects);
        self.tally = settled.tally;
        Ok(())
    }

    async fn try_to_store(
        &self,
        portion: &Arc<Portion>,
        settled: &Arc<Mutex<Option<Settled>>>,
    ) -> Result<(), ImportError> {
        let keys = self.parts.vault.current();
        let postings = portion.postings(&keys);
        let (portion, settled) = (Arc::clone(portion), Arc::clone(settled));
        let rejects = Arc::clone(&self.rejects);
        let settle = move || {
            let mut rejects = rejects.lock().unwrap_or_else(PoisonError::into_inner);
            let (result, mark) = portion
                .settle_into(&mut rejects)
                .map_err(|error| error.to_string())?;
            *settled.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            Ok(mark)
        };
        let store = self.parts.store;
        let generation = keys.generation();
        store
            .import_batch(self.run.clone(), generation, postings, settle)
            .await
    }

    async fn end(
        self,
        sum: Sum,
        format: Format,
        stopped: Option<FeedError>,
    ) -> Result<Summary, ImportFailure> {
        if !self.options.dry_run {
            let detail = format!(
                "import={} format={} sha256={} {}",
                short(&self.run.key),
                format.name(),
                hex::encode(sum),
                self.tally.text()
            );
            let draft = draft("transactions.import", &self.options, detail);
            // A file that ends with an error is imported anew the next time: it will be another.
            let draft = match &stopped {
                None => draft,
                Some(_) => draft.refused("feed-broken"),
            };
            self.parts.store.end_import(self.run, draft).await?;
        }
        let rejects = self.rejects.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Summary {
            tally: self.tally,
            format,
            sum,
            rejects: rejects.path().map(Path::to_owned),
            stopped,
        })
    }
}

/// The file and the options, in 32 bytes.
fn key(file: &File, size: u64, options: &Options) -> io::Result<[u8; 32]> {
    let mut head = Zeroizing::new(vec![0; HEAD]);
    let mut filled = 0;
    while let Some(room) = head.get_mut(filled..).filter(|room| !room.is_empty()) {
        match file.read_at(room, u64::try_from(filled).unwrap_or_default())? {
            0 => break,
            count => filled += count,
        }
    }
    let issuer = options.issuer.as_ref().map_or(0, |issuer| issuer.id.0);
    let format = options.format.map_or("", Format::name);
    let since = options.since.map(|day| day.to_string()).unwrap_or_default();
    let mut sum = Sha256::new();
    sum.update(format!(
        "issuer-gateway import 1|{size}|{issuer}|{format}|{since}|"
    ));
    sum.update(head.get(..filled).unwrap_or_default());
    Ok(sum.finalize().into())
}

/// Enough of a key to tell two imports apart.
fn short(key: &[u8; 32]) -> String {
    hex::encode(key.first_chunk::<8>().unwrap_or(&[0; 8]))
}

fn draft(action: &str, options: &Options, detail: String) -> AuditDraft {
    AuditDraft {
        issuer_id: options.issuer.as_ref().map(|issuer| issuer.id),
        detail: Some(detail),
        ..AuditDraft::local(action)
    }
}
