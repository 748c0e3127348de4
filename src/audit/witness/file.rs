//! The witness as a file: text, so that a line of it can be given to `audit verify --expect`.
//!
//! ```text
//! issuer-gateway witness 1
//! CHAIN:SEQ:HASH           one line a chain, sorted; the hash in hex
//! sha256 HEX               over all that stands before this line
//! ```
//!
//! It is replaced in one step and with mode 0600, under a lock on a second file (`.lock`), which is
//! never replaced.

use crate::private_file::{beside, replace_through};
use crate::store::audit::AuditHead;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const TITLE: &str = "issuer-gateway witness 1";
const SUM: &str = "sha256 ";

/// Why a witness cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file system's.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It was changed, cut, or is no witness.
    #[error("it is no witness, or was changed or cut: its content and its sum do not fit")]
    Content,
}

/// What a witness file says; `None` if there is no file.
///
/// # Errors
/// See [`Unreadable`].
pub fn read(file: &Path) -> Result<Option<Vec<AuditHead>>, Unreadable> {
    match fs::read_to_string(file) {
        Ok(text) => parse(&text).map(Some).ok_or(Unreadable::Content),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(Unreadable::Content),
        Err(error) => Err(error.into()),
    }
}

/// One entry, as `CHAIN:SEQ:HASH`.
pub fn parse_head(text: &str) -> Option<AuditHead> {
    let mut parts = text.splitn(3, ':');
    let (chain, seq, hash) = (parts.next()?, parts.next()?, parts.next()?);
    Some(AuditHead {
        chain: chain.to_owned(),
        seq: seq.parse().ok()?,
        hash: hex::decode(hash).ok()?,
    })
}

/// Adds `heads` to the file, each unless it names a later entry of that chain, and takes out
/// `settled`. Blocks.
///
/// # Errors
/// The file system's. A file that is not readable is left as it is.
pub(in crate::audit) fn update(
    file: &Path,
    settled: &[AuditHead],
    heads: &[AuditHead],
) -> io::Result<()> {
    let _alone = lock(file)?;
    let before = match read(file) {
        Ok(before) => before.unwrap_or_default(),
        Err(Unreadable::Io(error)) => return Err(error),
        Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
    };
    let mut all: BTreeMap<String, AuditHead> = before
        .into_iter()
        .filter(|head| !settled.contains(head))
        .map(|head| (head.chain.clone(), head))
        .collect();
    for head in heads {
        if all
            .get(&head.chain)
            .is_none_or(|known| known.seq < head.seq)
        {
            all.insert(head.chain.clone(), head.clone());
        }
    }
    replace_through(
        &beside(file, ".partial"),
        file,
        format(all.values()).as_bytes(),
    )
}

/// Moves a file that is not readable out of the way, as evidence; returns where to.
pub(super) fn set_aside(file: &Path) -> io::Result<PathBuf> {
    let _alone = lock(file)?;
    let aside = beside(
        file,
        &format!(".unreadable-{}", chrono::Utc::now().timestamp()),
    );
    fs::rename(file, &aside)?;
    Ok(aside)
}

/// Nobody else who asks for it has it until it is dropped; the system drops it with the process.
fn lock(file: &Path) -> io::Result<File> {
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(beside(file, ".lock"))?;
    lock.lock()?;
    Ok(lock)
}

fn format<'a>(heads: impl Iterator<Item = &'a AuditHead>) -> String {
    let mut text = format!("{TITLE}\n");
    for AuditHead { chain, seq, hash } in heads {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{chain}:{seq}:{}", hex::encode(hash));
    }
    let sum = hex::encode(Sha256::digest(&text));
    text + SUM + &sum + "\n"
}

fn parse(text: &str) -> Option<Vec<AuditHead>> {
    let (content, sum) = text.strip_suffix('\n')?.rsplit_once('\n')?;
    let content = text.get(..=content.len())?;
    if sum.strip_prefix(SUM)? != hex::encode(Sha256::digest(content)) {
        return None;
    }
    let mut lines = content.lines();
    (lines.next()? == TITLE).then_some(())?;
    lines.map(parse_head).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn head(chain: &str, seq: i64, byte: u8) -> AuditHead {
        AuditHead {
            chain: chain.to_owned(),
            seq,
            hash: vec![byte; 32],
        }
    }

    fn content(file: &Path) -> Vec<AuditHead> {
        read(file).unwrap().unwrap()
    }

    #[test]
    fn what_was_written_once_stays_until_it_is_settled() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.witness");
        assert!(read(&file).unwrap().is_none());
        update(&file, &[], &[head("b", 3, 1), head("a", 1, 1)]).unwrap();
        assert_eq!(content(&file), [head("a", 1, 1), head("b", 3, 1)]);
        // Another process; a chain that was set back; one that says something else of the same
        // entry.
        update(&file, &[], &[head("c", 9, 1)]).unwrap();
        update(&file, &[], &[head("b", 2, 2), head("c", 9, 2)]).unwrap();
        let all = [head("a", 1, 1), head("b", 3, 1), head("c", 9, 1)];
        assert_eq!(content(&file), all);
        // What has grown since it was looked at is not settled.
        update(&file, &[], &[head("b", 4, 1)]).unwrap();
        update(&file, &all, &[]).unwrap();
        assert_eq!(content(&file), [head("b", 4, 1)]);
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
    }

    #[test]
    fn a_writer_that_was_killed_is_in_nobodys_way() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.witness");
        update(&file, &[], &[head("a", 1, 1)]).unwrap();
        let whole = fs::read_to_string(&file).unwrap();
        // It dies with any part of the partial file written.
        for end in [0, 1, whole.len() / 2, whole.len()] {
            let before = content(&file);
            fs::write(beside(&file, ".partial"), &whole[..end]).unwrap();
            assert_eq!(content(&file), before);
            let seq = i64::try_from(end).unwrap() + 2;
            update(&file, &[], &[head("z", seq, 1)]).unwrap();
            assert_eq!(content(&file), [head("a", 1, 1), head("z", seq, 1)]);
        }
    }

    #[test]
    fn nothing_changed_or_cut_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.witness");
        update(&file, &[], &[head("a", 1, 1), head("b", 2, 2)]).unwrap();
        let whole = fs::read_to_string(&file).unwrap();
        for end in 0..whole.len() {
            assert_eq!(parse(&whole[..end]), None, "{end}");
        }
        for (from, to) in [("a:1", "a:2"), ("01", "02"), ("witness 1", "witness 2")] {
            assert_eq!(parse(&whole.replacen(from, to, 1)), None, "{from}");
        }
        let line = whole.lines().nth(1).unwrap();
        assert_eq!(parse(&whole.replace(&format!("{line}\n"), "")), None);
        fs::write(&file, "something else").unwrap();
        assert!(matches!(read(&file), Err(Unreadable::Content)));
        assert!(update(&file, &[], &[head("c", 1, 1)]).is_err());
        let aside = set_aside(&file).unwrap();
        assert_eq!(fs::read_to_string(aside).unwrap(), "something else");
        update(&file, &[], &[head("c", 1, 1)]).unwrap();
        assert_eq!(content(&file), [head("c", 1, 1)]);
    }

    #[test]
    fn writers_at_once_lose_nothing_of_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.witness");
        std::thread::scope(|scope| {
            for name in ["a", "b", "c", "d"] {
                let file = &file;
                scope.spawn(move || {
                    for seq in 1..=20 {
                        update(file, &[], &[head(name, seq, 1)]).unwrap();
                    }
                });
            }
        });
        let all = ["a", "b", "c", "d"].map(|name| head(name, 20, 1));
        assert_eq!(content(&file), all);
    }
}
