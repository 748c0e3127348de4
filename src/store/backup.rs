//! A copy of the SQLite database while nodes serve, verified before it gets its name.
//!
//! [`online`] copies a snapshot: it holds one read transaction on the source from before the first
//! page until everything was counted. Writers continue in the write-ahead log, and their writes are
//! not part of the copy, so the copy never starts again. Meanwhile the log cannot be emptied and
//! grows.
//!
//! PostgreSQL has tools of its own for this (`pg_dump`, `pg_basebackup`).

mod check;
mod online;

use super::audit::AuditHead;
use crate::private_file::{self, beside, sync_folder_of};
use online::{Connection, Copying, Step};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use check::Content;

/// Pages of one step: 1 MiB where a page has 4 KiB.
const PAGES: i32 = 256;

/// How long a copy waits for a lock without getting on.
const PATIENCE: Duration = Duration::from_secs(60);

/// What SQLite makes beside a database. Left beside another file of that name, it would be taken
/// for part of it.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Why there is no copy. Nothing has the name that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is no database to be copied.
    #[error("there is no database {}", .0.display())]
    NoSource(PathBuf),
    /// A file of this name is there.
    #[error("{} exists already: nothing is overwritten", .0.display())]
    Exists(PathBuf),
    /// Somebody else makes a copy of the same name.
    #[error("another backup to this name is under way: {} is locked", .0.display())]
    UnderWay(PathBuf),
    /// What the file system says.
    #[error("{}: {error}", .file.display())]
    Io {
        /// Of which file.
        file: PathBuf,
        /// What.
        error: io::Error,
    },
    /// What SQLite says.
    #[error("the database {0}")]
    Sqlite(String),
    /// The copy is not what it should be.
    #[error("the copy was thrown away: {0}")]
    Unfit(String),
}

/// Copies the database `source` to `file`, with mode 0600. The observer is told pages copied and
/// pages in all. Each entry of `known` must be in the copy. Blocks.
///
/// The name appears in one step, once the copy is verified and on the disk: whoever is killed
/// leaves `file.partial` at most, which the next run takes over.
///
/// # Errors
/// See [`BackupError`].
pub fn sqlite(
    source: &Path,
    file: &Path,
    known: &[AuditHead],
    observer: &mut dyn FnMut(u64, u64),
) -> Result<Content, BackupError> {
    if !source.exists() {
        return Err(BackupError::NoSource(source.to_owned()));
    }
    absent(file)?;
    for companion in COMPANIONS {
        absent(&beside(file, companion))?;
    }
    let partial = beside(file, ".partial");
    let held = hold(&partial)?;
    let made = copy(source, &partial, known, observer).and_then(|content| {
        held.sync_all().map_err(io_of(&partial))?;
        publish(&partial, file)?;
        Ok(content)
    });
    if made.is_err() {
        let _ = fs::remove_file(&partial);
        remove_companions(&partial);
    }
    made
}

fn copy(
    source: &Path,
    partial: &Path,
    known: &[AuditHead],
    observer: &mut dyn FnMut(u64, u64),
) -> Result<Content, BackupError> {
    let source = Connection::open(source)?;
    // The transaction begins with the first read.
    source.execute(c"BEGIN; SELECT count(*) FROM sqlite_schema")?;
    {
        // Nobody needs a journal of a file that is thrown away if anything goes wrong; it is
        // synchronized as a whole.
        let target = Connection::open(partial)?;
        target.execute(c"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")?;
        let mut copying = Copying::begin(&source, &target)?;
        let mut moved = Instant::now();
        loop {
            match copying.step(PAGES)? {
                Step::Done => break,
                Step::More => moved = Instant::now(),
                Step::Locked if moved.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Step::Locked => return Err(BackupError::Sqlite("is locked".to_owned())),
            }
            let (done, all) = copying.progress();
            observer(done, all);
        }
        let (done, all) = copying.progress();
        observer(done, all);
    }
    let target = Connection::open(partial)?;
    // The copy says of itself that it has a write-ahead log. Without one it is whole in one file;
    // the gateway makes one anew.
    target.execute(c"PRAGMA journal_mode = DELETE")?;
    check::compare(&source, &target, known)
}

fn absent(file: &Path) -> Result<(), BackupError> {
    match fs::symlink_metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io_of(file)(error)),
        Ok(_) => Err(BackupError::Exists(file.to_owned())),
    }
}

/// Makes the partial file, or takes over what a killed run has left, and keeps others from doing
/// the same.
///
/// Only a lock on the file that has the name counts: others may have taken the file over, and made
/// it anew, between the moments at which this run opened and locked it. Then it looks again.
fn hold(partial: &Path) -> Result<File, BackupError> {
    loop {
        let (file, left) = match private_file::create(partial) {
            Ok(file) => (file, false),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                match File::options().read(true).write(true).open(partial) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    opened => (opened.map_err(io_of(partial))?, true),
                }
            }
            Err(error) => return Err(io_of(partial)(error)),
        };
        file.try_lock()
            .map_err(|_| BackupError::UnderWay(partial.to_owned()))?;
        if !has_name(&file, partial).map_err(io_of(partial))? {
            continue;
        }
        if !left {
            remove_companions(partial);
            return Ok(file);
        }
        // Not emptied but made anew, whoever's it was.
        fs::remove_file(partial).map_err(io_of(partial))?;
    }
}

/// Whether this very file still has the name.
fn has_name(file: &File, name: &Path) -> io::Result<bool> {
    let file = file.metadata()?;
    match fs::symlink_metadata(name) {
        Ok(named) => Ok((named.dev(), named.ino()) == (file.dev(), file.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn remove_companions(file: &Path) {
    for companion in COMPANIONS {
        let _ = fs::remove_file(beside(file, companion));
    }
}

/// Gives the copy its name unless somebody has taken it meanwhile.
fn publish(partial: &Path, file: &Path) -> Result<(), BackupError> {
    match fs::hard_link(partial, file) {
        // The copy has its name: that the other one stays is no failure.
        Ok(()) => drop(fs::remove_file(partial)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(BackupError::Exists(file.to_owned()));
        }
        // A file system without hard links.
        Err(_) => {
            absent(file)?;
            fs::rename(partial, file).map_err(io_of(file))?;
        }
    }
    sync_folder_of(file).map_err(io_of(file))
}

fn io_of(file: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let file = file.to_owned();
    move |error| BackupError::Io { file, error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_run_holds_the_name_and_what_a_killed_run_left_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let partial = folder.path().join("copy.partial");
        fs::write(&partial, b"left").unwrap();
        let left = File::open(&partial).unwrap();
        let held = hold(&partial).unwrap();
        assert!(has_name(&held, &partial).unwrap());
        assert_eq!(held.metadata().unwrap().len(), 0);
        // Somebody who had opened the one before may lock it now, and it is not the one any more.
        left.try_lock().unwrap();
        assert!(!has_name(&left, &partial).unwrap());
        assert!(matches!(hold(&partial), Err(BackupError::UnderWay(_))));
        assert!(has_name(&held, &partial).unwrap());
        drop(held);
        assert!(hold(&partial).is_ok());
    }

    #[test]
    fn of_many_runs_at_once_one_holds_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let partial = folder.path().join("copy.partial");
        for _ in 0..50 {
            fs::write(&partial, b"left").unwrap();
            let runs: Vec<_> = (0..4)
                .map(|_| {
                    let partial = partial.clone();
                    std::thread::spawn(move || hold(&partial).ok())
                })
                .collect();
            let held: Vec<File> = runs
                .into_iter()
                .filter_map(|run| run.join().unwrap())
                .collect();
            let named = held.iter().filter(|file| has_name(file, &partial).unwrap());
            // None if two kept each other out: both say so, and can be run again.
            assert!(named.count() == held.len() && held.len() <= 1);
        }
    }
}
