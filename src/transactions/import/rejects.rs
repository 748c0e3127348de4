//! The file of rejects: `FILE.rejects.csv`, which only its owner may read. It holds no card number
//! but its last four digits.
//!
//! | column | what |
//! | --- | --- |
//! | `number` | line of the CSV file (the header is line 1), or message of the clearing file |
//! | `transactionId` | the source id, if that much could be read; card numbers in it are masked |
//! | `lastFour` | of the card number |
//! | `reason` | the outcome's name |
//! | `detail` | what is wrong, in words |

use crate::private_file;
use crate::transactions::item::SourceId;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const HEADER: &str = "number,transactionId,lastFour,reason,detail\n";

/// Fewest digits in a row that may be a card number.
const DIGITS: usize = 12;

/// A rejected record.
#[derive(Debug)]
pub(super) struct Rejected {
    pub(super) number: u64,
    pub(super) source: Option<SourceId>,
    pub(super) last_four: Option<[u8; 4]>,
    pub(super) reason: &'static str,
    pub(super) detail: String,
}

/// The file, made with the first reject.
#[derive(Debug)]
pub(super) struct Rejects {
    path: PathBuf,
    file: Option<File>,
    /// Bytes that belong to records that are done.
    length: u64,
}

impl Rejects {
    /// Beside the file that is imported. Goes on after `length` bytes of what an import that was
    /// killed has left there; with 0, what is there goes.
    ///
    /// # Errors
    /// What is there is a link, or open to others, or shorter than that.
    pub(super) fn open(imported: &Path, length: u64) -> io::Result<Self> {
        let mut rejects = Self {
            length,
            ..Self::none(imported)
        };
        if length > 0 {
            let named = fs::symlink_metadata(&rejects.path)?;
            let file = OpenOptions::new().write(true).open(&rejects.path)?;
            let found = file.metadata()?;
            let same = (named.dev(), named.ino()) == (found.dev(), found.ino());
            let private = found.mode() & 0o077 == 0;
            if !named.is_file() || !same || !private || found.len() < length {
                return Err(io::Error::other("it is not what the import has left"));
            }
            rejects.file = Some(file);
        } else if let Err(error) = fs::remove_file(&rejects.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        Ok(rejects)
    }

    /// For an import that writes nothing.
    pub(super) fn none(imported: &Path) -> Self {
        Self {
            path: Self::beside(imported),
            file: None,
            length: 0,
        }
    }

    /// Where it is to be.
    pub(super) fn beside(imported: &Path) -> PathBuf {
        private_file::beside(imported, ".rejects.csv")
    }

    /// Where it is, if there was a reject.
    pub(super) fn path(&self) -> Option<&Path> {
        (self.length > 0).then_some(&self.path)
    }

    /// Writes the rejects of a batch after those of the batches that are done, and returns the
    /// length with them. The batch is done once [`Rejects::confirm`] says so.
    pub(super) fn write(&mut self, rejected: &[&Rejected]) -> io::Result<u64> {
        if rejected.is_empty() {
            return Ok(self.length);
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(private_file::create(&self.path)?),
        };
        let mut text = String::new();
        if self.length == 0 {
            text.push_str(HEADER);
        }
        for reject in rejected {
            text += &line(reject);
        }
        file.set_len(self.length)?;
        file.seek(SeekFrom::Start(self.length))?;
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        let written = u64::try_from(text.len()).unwrap_or_default();
        Ok(self.length.saturating_add(written))
    }

    pub(super) fn confirm(&mut self, length: u64) {
        self.length = length;
    }
}

fn line(reject: &Rejected) -> String {
    let source = reject.source.as_ref().map(shown).unwrap_or_default();
    let last_four = reject.last_four.unwrap_or_default();
    let last_four = last_four.iter().copied().filter(u8::is_ascii_digit);
    let last_four: String = last_four.map(char::from).collect();
    let detail = reject.detail.replace('"', "\"\"");
    let (number, reason) = (reject.number, reject.reason);
    format!("{number},{source},{last_four},{reason},\"{detail}\"\n")
}

/// The id. A sender may have put a card number into its own ids: of digits in a row, the last four
/// are shown.
fn shown(source: &SourceId) -> String {
    let text = source.to_string();
    if !matches!(source, SourceId::Text(_)) {
        return text;
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let digit = first.is_ascii_digit();
        let end = rest.find(|letter: char| letter.is_ascii_digit() != digit);
        let (run, after) = rest.split_at(end.unwrap_or(rest.len()));
        let hidden = run.len().saturating_sub(4);
        if digit && run.len() >= DIGITS {
            shown.push_str(&"*".repeat(hidden));
            shown.push_str(run.get(hidden..).unwrap_or_default());
        } else {
            shown.push_str(run);
        }
        rest = after;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn reject(number: u64, id: &str) -> Rejected {
        Rejected {
            number,
            source: SourceId::parse(id),
            last_four: Some(*b"5557"),
            reason: "malformed",
            detail: "must be \"so\", not so".to_owned(),
        }
    }

    #[test]
    fn rejects_are_for_their_owner_and_go_on_after_what_is_done() {
        let dir = tempfile::tempdir().unwrap();
        let imported = dir.path().join("may.csv");
        let path = dir.path().join("may.csv.rejects.csv");
        let mut rejects = Rejects::open(&imported, 0).unwrap();
        assert_eq!(rejects.write(&[]).unwrap(), 0);
        assert!(!path.exists() && rejects.path().is_none());
        let done = rejects.write(&[&reject(2, "a")]).unwrap();
        rejects.confirm(done);
        // This batch is not done: the process is killed.
        rejects.write(&[&reject(3, "b"), &reject(4, "c")]).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);

        let mut again = Rejects::open(&imported, done).unwrap();
        again.write(&[&reject(3, "5344035555555557-x1")]).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let expected = "number,transactionId,lastFour,reason,detail\n\
            2,a,5557,malformed,\"must be \"\"so\"\", not so\"\n\
            3,************5557-x1,5557,malformed,\"must be \"\"so\"\", not so\"\n";
        assert_eq!(text, expected);
        assert!(Rejects::open(&imported, 10_000).is_err());

        Rejects::open(&imported, 0).unwrap();
        assert!(!path.exists());
        symlink(dir.path().join("elsewhere"), &path).unwrap();
        assert!(Rejects::open(&imported, 5).is_err());
    }

    #[test]
    fn card_numbers_in_ids_are_masked() {
        let shown = |id: &str| shown(&SourceId::parse(id).unwrap());
        assert_eq!(shown("12345678901"), "12345678901");
        assert_eq!(shown("x5344035555555557"), "x************5557");
        assert_eq!(shown("1-123456789012-2"), "1-********9012-2");
        let uuid = "123e4567-e89b-12d3-a456-426614174000";
        assert_eq!(shown(uuid), uuid);
    }
}
