//! SQLite's online backup interface, which Diesel does not offer: one of three files with unsafe
//! code (docs/threat-model.md).
//!
//! # The contract
//!
//! Signatures are those of `libsqlite3-sys`, behaviour that of SQLite's documentation
//! (`sqlite.org/c3ref`).
//!
//! - **A handle** ([`Connection`]) is opened with `SQLITE_OPEN_NOMUTEX` and used by one thread at a
//!   time: the type is neither `Send` nor `Sync`. `sqlite3_open_v2` may return a handle along with
//!   an error; it is closed in either case. `sqlite3_close` succeeds because no statement and no
//!   backup outlives the call or the value that made it.
//! - **A statement** lives within [`Connection::rows`] alone and is finalized on every way out. A
//!   column's text is valid until the next step: it is copied at once.
//! - **A backup** ([`Copying`]) borrows both connections for as long as it lives and is finished
//!   when it is dropped. Meanwhile nothing else is done with the target, as the interface demands;
//!   the source may be read.
//! - **Strings** handed over are `CStr`s that outlive the call.

#![expect(
    unsafe_code,
    reason = "foreign functions: the contract is above, and every call is in this file"
)]

use super::BackupError;
use libsqlite3_sys as ffi;
use std::ffi::{CStr, CString, c_int};
use std::marker::PhantomData;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::{self, NonNull};

/// How long SQLite waits for a lock, in milliseconds.
const BUSY_MS: c_int = 10_000;

/// A connection past Diesel.
pub(super) struct Connection(NonNull<ffi::sqlite3>);

/// How a step of a copy went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// There are pages left.
    More,
    /// All pages are copied.
    Done,
    /// Somebody holds a lock: to be tried again.
    Locked,
}

impl Connection {
    /// Opens a file that is there.
    pub(super) fn open(path: &Path) -> Result<Self, BackupError> {
        // SQLite reads "file:..." as a URI with options of its own; so no path begins with that.
        let path = match path.is_absolute() {
            true => path.to_owned(),
            false => Path::new(".").join(path),
        };
        let path = CString::new(path.as_os_str().as_bytes())
            .map_err(|_| BackupError::Sqlite("its path has a NUL byte".to_owned()))?;
        let mut handle = ptr::null_mut();
        let flags = ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_NOMUTEX;
        // SAFETY: the string ends with NUL; the handle is written to a place of ours; a null VFS
        // means the default one.
        let code =
            unsafe { ffi::sqlite3_open_v2(path.as_ptr(), &raw mut handle, flags, ptr::null()) };
        let Some(handle) = NonNull::new(handle) else {
            return Err(failed("cannot be opened", code));
        };
        let connection = Self(handle);
        if code != ffi::SQLITE_OK {
            return Err(failed("cannot be opened", code));
        }
        // SAFETY: the handle is open.
        unsafe { ffi::sqlite3_busy_timeout(connection.0.as_ptr(), BUSY_MS) };
        Ok(connection)
    }

    /// Runs statements that return nothing of interest.
    pub(super) fn execute(&self, sql: &CStr) -> Result<(), BackupError> {
        // SAFETY: the handle is open, the text ends with NUL; no callback, and no message to be
        // freed.
        let code = unsafe {
            ffi::sqlite3_exec(
                self.0.as_ptr(),
                sql.as_ptr(),
                None,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        match code {
            ffi::SQLITE_OK => Ok(()),
            code => Err(failed("refuses a statement", code)),
        }
    }

    /// The first column of every row, as text; NULL is empty.
    pub(super) fn rows(&self, sql: &str) -> Result<Vec<String>, BackupError> {
        let sql = CString::new(sql)
            .map_err(|_| BackupError::Sqlite("a query has a NUL byte".to_owned()))?;
        let mut statement = ptr::null_mut();
        // SAFETY: the handle is open; -1: the text ends with NUL; the statement is written to a
        // place of ours.
        let code = unsafe {
            ffi::sqlite3_prepare_v2(
                self.0.as_ptr(),
                sql.as_ptr(),
                -1,
                &raw mut statement,
                ptr::null_mut(),
            )
        };
        if code != ffi::SQLITE_OK {
            return Err(failed("refuses a query", code));
        }
        let mut rows = Vec::new();
        let ended = loop {
            // SAFETY: the statement is prepared and not finalized.
            match unsafe { ffi::sqlite3_step(statement) } {
                ffi::SQLITE_ROW => {}
                code => break code,
            }
            // SAFETY: the statement stands on a row; SQLite ends texts with NUL.
            let text = unsafe { ffi::sqlite3_column_text(statement, 0) };
            rows.push(match NonNull::new(text.cast_mut()) {
                None => String::new(),
                // SAFETY: not null, ends with NUL, and valid until the next step; copied here.
                Some(text) => unsafe { CStr::from_ptr(text.as_ptr().cast()) }
                    .to_string_lossy()
                    .into_owned(),
            });
        };
        // SAFETY: finalized once, and not used again.
        unsafe { ffi::sqlite3_finalize(statement) };
        match ended {
            ffi::SQLITE_DONE => Ok(rows),
            code => Err(failed("refuses a query", code)),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: the handle is open; statements and backups on it have ended.
        unsafe { ffi::sqlite3_close(self.0.as_ptr()) };
    }
}

/// A copy under way.
pub(super) struct Copying<'a> {
    backup: NonNull<ffi::sqlite3_backup>,
    connections: PhantomData<&'a Connection>,
}

impl<'a> Copying<'a> {
    /// Begins to copy all of `source` over all of `target`.
    pub(super) fn begin(
        source: &'a Connection,
        target: &'a Connection,
    ) -> Result<Self, BackupError> {
        let main = c"main".as_ptr();
        // SAFETY: two open handles that differ; the names end with NUL.
        let backup =
            unsafe { ffi::sqlite3_backup_init(target.0.as_ptr(), main, source.0.as_ptr(), main) };
        let connections = PhantomData;
        match NonNull::new(backup) {
            Some(backup) => Ok(Self {
                backup,
                connections,
            }),
            None => Err(failed("cannot be copied to", ffi::SQLITE_ERROR)),
        }
    }

    /// Copies so many pages more.
    pub(super) fn step(&mut self, pages: c_int) -> Result<Step, BackupError> {
        // SAFETY: the backup is not finished.
        match unsafe { ffi::sqlite3_backup_step(self.backup.as_ptr(), pages) } {
            ffi::SQLITE_OK => Ok(Step::More),
            ffi::SQLITE_DONE => Ok(Step::Done),
            ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => Ok(Step::Locked),
            code => Err(failed("cannot be copied", code)),
        }
    }

    /// Pages copied and pages in all, as of the last step.
    pub(super) fn progress(&self) -> (u64, u64) {
        // SAFETY: the backup is not finished; both functions only read it.
        let (left, all) = unsafe {
            let backup = self.backup.as_ptr();
            (
                ffi::sqlite3_backup_remaining(backup),
                ffi::sqlite3_backup_pagecount(backup),
            )
        };
        let all = u64::try_from(all).unwrap_or(0);
        (all.saturating_sub(u64::try_from(left).unwrap_or(0)), all)
    }
}

impl Drop for Copying<'_> {
    fn drop(&mut self) {
        // SAFETY: finished once, and not used again.
        unsafe { ffi::sqlite3_backup_finish(self.backup.as_ptr()) };
    }
}

fn failed(what: &str, code: c_int) -> BackupError {
    // SAFETY: takes any code and returns a static text that ends with NUL.
    let text = unsafe { CStr::from_ptr(ffi::sqlite3_errstr(code)) };
    BackupError::Sqlite(format!("{what}: {}", text.to_string_lossy()))
}
