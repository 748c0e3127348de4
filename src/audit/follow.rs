//! The trail as it grows: appended to a file that something else ships, for a SIEM.
//!
//! A state file says how far: it is a witness ([`file`]), which names the last exported entry of
//! each chain. It is replaced only when the lines are on the disk. So an entry is exported at least
//! once, whoever is killed, and the state proves to `audit verify --expect` what was exported.

use super::PAGE;
use super::export::{self, Issuers};
use super::witness::file;
use crate::private_file::sync_folder_of;
use crate::store::Store;
use crate::store::audit::AuditHead;
use crate::store::audit::pages::ChainRange;
use anyhow::Context;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Chains whose ends are read at once.
const CHAINS: i64 = 1_000;

/// An export that goes on.
pub struct Follower {
    to: PathBuf,
    state: PathBuf,
    /// The last exported entry of each chain.
    known: HashMap<String, i64>,
    /// Those of them that the state does not name yet.
    unnoted: Vec<AuditHead>,
}

/// What one look at the trail brought.
#[derive(Debug, Default)]
pub struct Round {
    /// Entries that were appended.
    pub written: u64,
    /// Chains that end before an entry that was exported: the database has lost the rest.
    pub cut: Vec<String>,
}

/// Entries that were purged, or removed, before they were exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// Their chain.
    pub chain: String,
    /// The first.
    pub from: i64,
    /// The last.
    pub to: i64,
    /// Whether a purge says that it took them. `audit verify` checks what it says.
    pub purged: bool,
}

impl Follower {
    /// Goes on where `state` says that an export to `to` has ended; from the first entry if there
    /// is no such file.
    ///
    /// # Errors
    /// The file system's, and a state that is none.
    pub fn open(to: &Path, state: &Path) -> anyhow::Result<Self> {
        let known = file::read(state).with_context(|| format!("--state {}", state.display()))?;
        let known = known.unwrap_or_default().into_iter();
        without_part_of_a_line(to)
            .and_then(|()| append(to, b""))
            .with_context(|| format!("--to {}", to.display()))?;
        Ok(Self {
            to: to.to_owned(),
            state: state.to_owned(),
            known: known.map(|head| (head.chain, head.seq)).collect(),
            unnoted: Vec::new(),
        })
    }

    /// Appends all that is new. `ends` is asked between pages whether to end there, with nothing
    /// undone. `missed` is told of entries that are not there although they were never exported,
    /// before the state passes them.
    ///
    /// # Errors
    /// The database's, and the file system's. The next call goes on behind what was recorded.
    pub async fn catch_up(
        &mut self,
        store: &Store,
        ends: impl Fn() -> bool,
        missed: &mut dyn FnMut(Missed),
    ) -> anyhow::Result<Round> {
        // What a round before this one could not note.
        self.note()?;
        let mut round = Round::default();
        let mut issuers = None;
        let mut range = ChainRange::default();
        loop {
            let heads = store.audit_heads(&range, CHAINS).await?;
            let Some(last) = heads.last() else { break };
            range.after.clone_from(&last.chain);
            let mut lines = Lines::default();
            for head in heads {
                let known = self.known.get(&head.chain).copied().unwrap_or(0);
                if head.seq < known {
                    round.cut.push(head.chain);
                    continue;
                }
                if head.seq == known {
                    continue;
                }
                if issuers.is_none() {
                    issuers = Some(Issuers::load(store).await?);
                }
                let names = issuers.as_ref().context("the issuers")?;
                let at = (head, known);
                round.written += self.chain(store, names, at, &mut lines, missed).await?;
                if ends() {
                    break;
                }
            }
            self.settle(&mut lines)?;
            if ends() {
                break;
            }
        }
        Ok(round)
    }

    /// Appends what is new of one chain; returns how many entries that is.
    async fn chain(
        &mut self,
        store: &Store,
        issuers: &Issuers,
        (head, mut seq): (AuditHead, i64),
        lines: &mut Lines,
        missed: &mut dyn FnMut(Missed),
    ) -> anyhow::Result<u64> {
        let mut written = 0;
        let only = ChainRange {
            after: String::new(),
            upto: Some(head.chain.clone()),
        };
        while seq < head.seq {
            let page = store.audit_page(&only, (&head.chain, seq), PAGE).await?;
            let Some(last) = page.last() else { break };
            for entry in &page {
                let expected = seq.saturating_add(1);
                if entry.seq > expected {
                    missed(Missed::of(store, &head.chain, (expected, entry.seq - 1)).await?);
                }
                seq = entry.seq;
                export::write_line(entry, issuers, &mut lines.text)?;
                written += 1;
            }
            lines.ends.push(AuditHead {
                chain: head.chain.clone(),
                seq,
                hash: last.hash.clone(),
            });
            if lines.text.len() >= Lines::ENOUGH {
                self.settle(lines)?;
            }
        }
        Ok(written)
    }

    /// Brings the lines to the disk, and then says in the state that they are there.
    fn settle(&mut self, lines: &mut Lines) -> anyhow::Result<()> {
        if lines.ends.is_empty() {
            return Ok(());
        }
        // A write that failed before, as on a full disk, may have left a part of a line.
        without_part_of_a_line(&self.to)
            .and_then(|()| append(&self.to, &lines.text))
            .with_context(|| format!("--to {}", self.to.display()))?;
        lines.text.clear();
        for end in lines.ends.drain(..) {
            self.known.insert(end.chain.clone(), end.seq);
            self.unnoted.push(end);
        }
        self.note()
    }

    /// Says in the state what has been exported.
    fn note(&mut self) -> anyhow::Result<()> {
        if !self.unnoted.is_empty() {
            file::update(&self.state, &[], &self.unnoted)
                .with_context(|| format!("--state {}", self.state.display()))?;
            self.unnoted.clear();
        }
        Ok(())
    }
}

impl Missed {
    /// Entries that did not come: whether a purge took them.
    async fn of(store: &Store, chain: &str, (from, to): (i64, i64)) -> anyhow::Result<Self> {
        let anchor = store.audit_purge(chain).await?;
        Ok(Self {
            chain: chain.to_owned(),
            from,
            to,
            purged: anchor.is_some_and(|anchor| anchor.seq >= to),
        })
    }
}

/// Lines that are not on the disk yet, and the entries that they end with.
#[derive(Default)]
struct Lines {
    text: Vec<u8>,
    ends: Vec<AuditHead>,
}

impl Lines {
    /// Bytes that are written at once.
    const ENOUGH: usize = 1 << 20;
}

/// Opened anew each time: whoever rotates the file need not tell us.
fn append(file: &Path, text: &[u8]) -> io::Result<()> {
    let is_new = !file.exists();
    let mut out = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(file)?;
    out.write_all(text)?;
    out.sync_data()?;
    match is_new {
        true => sync_folder_of(file),
        false => Ok(()),
    }
}

/// Cuts off the part of a line that a killed export has left: the state does not say that it was
/// exported, so it comes again, whole.
fn without_part_of_a_line(file: &Path) -> io::Result<()> {
    let mut file = match File::options().read(true).write(true).open(file) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let length = file.seek(SeekFrom::End(0))?;
    // A line has at most some kilobytes.
    let from = length.saturating_sub(1 << 16);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let whole = tail.iter().rposition(|byte| *byte == b'\n');
    let whole = whole.map_or(0, |at| at.saturating_add(1));
    let part = tail.len().saturating_sub(whole);
    match (part, whole) {
        (0, _) => Ok(()),
        (_, 0) if from > 0 => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it does not end with lines of an export",
        )),
        _ => {
            file.set_len(length.saturating_sub(u64::try_from(part).unwrap_or_default()))?;
            file.sync_data()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn lines(text: &str, seq: i64) -> Lines {
        Lines {
            text: text.as_bytes().to_vec(),
            ends: vec![AuditHead {
                chain: "c".to_owned(),
                seq,
                hash: vec![1; 32],
            }],
        }
    }

    #[test]
    fn what_a_full_disk_has_cut_comes_whole_and_a_state_that_cannot_be_written_repeats_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (to, states) = (dir.path().join("audit.jsonl"), dir.path().join("states"));
        let state = states.join("audit.state");
        let mut follower = Follower::open(&to, &state).unwrap();
        // There is no folder for the state yet.
        let error = follower.settle(&mut lines("{1}\n", 1)).unwrap_err();
        assert!(format!("{error:#}").contains("--state"), "{error:#}");
        assert_eq!(follower.known["c"], 1);
        fs::create_dir(&states).unwrap();
        follower.note().unwrap();
        assert_eq!(file::read(&state).unwrap().unwrap()[0].seq, 1);
        // A write that was cut off.
        append(&to, b"{2").unwrap();
        follower.settle(&mut lines("{2}\n", 2)).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "{1}\n{2}\n");
        assert_eq!(file::read(&state).unwrap().unwrap()[0].seq, 2);
    }

    #[test]
    fn a_part_of_a_line_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("audit.jsonl");
        without_part_of_a_line(&file).unwrap();
        assert!(!file.exists());
        let long = format!("{}\n", "x".repeat(100_000));
        for (text, left) in [
            (String::new(), ""),
            ("{}\n".to_owned(), "{}\n"),
            ("{}\n{\"at".to_owned(), "{}\n"),
            ("{\"at".to_owned(), ""),
            (format!("{long}{{"), long.as_str()),
        ] {
            fs::write(&file, &text).unwrap();
            without_part_of_a_line(&file).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), left);
        }
        fs::write(&file, "x".repeat(100_000)).unwrap();
        let error = without_part_of_a_line(&file).unwrap_err();
        assert!(error.to_string().contains("lines of an export"), "{error}");
    }
}
