//! Files that only their owner may read: keys, shares, the SQLite file and its copies, the witness
//! of the audit trail.
//!
//! Each is made with `O_EXCL`, so that nobody can have put a file or a link of their own in its
//! place. It gets mode 0600 by its handle, whatever the umask says.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Makes the file, with mode 0600, open for reading and writing.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if there is a file or a link of this name; it is neither opened
/// nor followed.
pub fn create(file: &Path) -> io::Result<File> {
    let created = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    created.set_permissions(Permissions::from_mode(0o600))?;
    Ok(created)
}

/// Writes the whole file in one step, or nothing: the former content stays until the new one is on
/// the disk.
///
/// # Errors
/// The file system's. Removes a partial file that it has begun.
pub fn replace(file: &Path, content: &[u8]) -> io::Result<()> {
    let random = uuid::Uuid::new_v4().simple().to_string();
    replace_through(&beside(file, &format!(".{random}.partial")), file, content)
}

/// The same through a partial file of this name, for a writer that knows itself alone: what a
/// killed one left is removed.
pub(crate) fn replace_through(partial: &Path, file: &Path, content: &[u8]) -> io::Result<()> {
    let mut out = match create(partial) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(partial)?;
            create(partial)?
        }
        created => created?,
    };
    let written = out
        .write_all(content)
        .and_then(|()| out.sync_all())
        .and_then(|()| fs::rename(partial, file));
    if written.is_err() {
        let _ = fs::remove_file(partial);
    }
    written?;
    sync_folder_of(file)
}

/// The path with `suffix` at the end of its name.
pub(crate) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes a new name in the file's folder survive a power cut.
pub(crate) fn sync_folder_of(file: &Path) -> io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn mode(file: &Path) -> u32 {
        fs::metadata(file).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_new_file_is_the_owners_alone_and_nothing_is_followed_or_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.key");
        create(&file).unwrap().write_all(b"one").unwrap();
        assert_eq!(mode(&file), 0o600);
        let refused = |file: &Path| create(file).err().map(|error| error.kind());
        assert_eq!(refused(&file), Some(io::ErrorKind::AlreadyExists));
        assert_eq!(fs::read(&file).unwrap(), b"one");

        let (link, elsewhere) = (dir.path().join("b.key"), dir.path().join("elsewhere"));
        symlink(&elsewhere, &link).unwrap();
        assert_eq!(refused(&link), Some(io::ErrorKind::AlreadyExists));
        assert!(!elsewhere.exists());
    }

    #[test]
    fn a_file_is_replaced_whole_and_its_mode_set_anew() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.key");
        fs::write(&file, "open to all, and longer than what comes").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        replace(&file, b"two").unwrap();
        assert_eq!(
            (fs::read(&file).unwrap(), mode(&file)),
            (b"two".to_vec(), 0o600)
        );
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_trap_under_the_name_of_the_partial_file_catches_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (file, partial) = (dir.path().join("a"), dir.path().join("a.partial"));
        let elsewhere = dir.path().join("elsewhere");
        fs::write(&elsewhere, "theirs").unwrap();
        // The name that was guessable before, and the one that a writer who knows itself alone
        // still takes.
        symlink(&elsewhere, &partial).unwrap();
        replace(&file, b"mine").unwrap();
        replace_through(&partial, &file, b"mine").unwrap();
        assert_eq!(fs::read(&elsewhere).unwrap(), b"theirs");
        assert_eq!(fs::read(&file).unwrap(), b"mine");
        assert!(fs::symlink_metadata(&file).unwrap().is_file());
    }

    #[test]
    fn nothing_is_left_where_it_cannot_be_written() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("folder");
        fs::create_dir(&folder).unwrap();
        assert!(replace(&folder, b"over a folder").is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
