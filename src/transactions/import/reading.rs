//! The thread that reads a file, one portion ahead of the database.

use super::portion::Records;
use super::{Event, PORTION};
use crate::store::imports::ImportMark;
use crate::transactions::feed::{FeedError, Format, Mark, Reader};
use std::fs::File;
use std::path::Path;
use tokio::sync::mpsc;

/// A thread that reads, one portion ahead.
pub(super) struct Reading {
    pub(super) portions: mpsc::Receiver<Result<Records, FeedError>>,
    pub(super) format: Format,
}

impl Reading {
    /// Behind the mark that was found, if the file is the same up to there; else from the
    /// beginning.
    pub(super) fn start(
        path: &Path,
        format: Option<Format>,
        found: Option<&ImportMark>,
        observe: &mut dyn FnMut(Event),
    ) -> Result<(Self, Option<Mark>), FeedError> {
        let mark = found.and_then(|found| {
            Some(Mark {
                position: u64::try_from(found.position).ok()?,
                number: u64::try_from(found.record).ok()?,
                sum: found.digest.as_slice().try_into().ok()?,
            })
        });
        let mut reader = Reader::open(File::open(path)?, format)?;
        let mut resumed = None;
        if let Some(mark) = mark {
            if reader.resume(&mark, |position| observe(Event::Position(position)))? {
                resumed = Some(mark);
            } else {
                reader = Reader::open(File::open(path)?, format)?;
            }
        }
        let format = reader.format();
        let (sender, portions) = mpsc::channel(1);
        tokio::task::spawn_blocking(move || read(reader, &sender));
        Ok((Self { portions, format }, resumed))
    }
}

/// Until the end of the file, or until nobody listens any more.
fn read(mut reader: Reader<File>, sender: &mpsc::Sender<Result<Records, FeedError>>) {
    loop {
        let mut entries = Vec::with_capacity(PORTION);
        let mut error = None;
        while entries.len() < PORTION {
            match reader.next_entry() {
                Ok(Some(entry)) => entries.push(entry),
                Ok(None) => break,
                Err(fault) => {
                    error = Some(fault);
                    break;
                }
            }
        }
        let ended = entries.len() < PORTION;
        let records = Records {
            entries,
            mark: reader.mark(),
        };
        // The last portion has what comes behind the last record as well.
        if sender.blocking_send(Ok(records)).is_err() {
            return;
        }
        if let Some(error) = error {
            let _ = sender.blocking_send(Err(error));
            return;
        }
        if ended {
            return;
        }
    }
}
