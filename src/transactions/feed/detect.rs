//! Tells the format of a feed, and how a clearing file is framed, from its first bytes.

use super::LONGEST_MESSAGE;
use super::csv;
use super::ipm::{BLOCK, BLOCK_DATA, FILL, Framing, Text};
use zeroize::Zeroizing;

/// How many bytes are looked at, if the feed has so many.
pub(super) const HEAD: usize = 65 * BLOCK;

/// The format of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header.
    Csv,
    /// A clearing file of Mastercard's format IPM.
    Ipm,
}

impl Format {
    /// `csv` or `ipm`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ipm => "ipm",
        }
    }
}

/// What the head of a feed shows.
pub(super) fn format(head: &[u8]) -> Option<Format> {
    if framing(head).is_some() {
        Some(Format::Ipm)
    } else {
        csv::looks_like_it(head).then_some(Format::Csv)
    }
}

/// How a clearing file is framed: the way in which its lengths lead from message to message.
///
/// Text of a file without blocks may by chance look like the first mark of a block, and its
/// lengths then still lead to the message in which that is. So the way that leads to the closing
/// record wins. If both ways do, all messages lie before the first mark, and the rest is fill.
pub(super) fn framing(head: &[u8]) -> Option<Framing> {
    let blocks = head.chunks(BLOCK);
    let marked = head.len() >= BLOCK
        && blocks.clone().all(|block| {
            block
                .get(BLOCK_DATA..)
                .is_none_or(|end| end.iter().all(|b| *b == FILL))
        });
    let data = blocks
        .flat_map(|block| block.iter().take(BLOCK_DATA))
        .copied();
    let data = Zeroizing::new(data.collect::<Vec<_>>());
    let of_blocks = marked.then(|| leads(&data)).flatten();
    let (way, blocked) = match (of_blocks, leads(head)) {
        (Some(cut), Some(closed)) if closed.is_closed && !cut.is_closed => (closed, false),
        (Some(way), _) => (way, true),
        (None, way) => (way?, false),
    };
    Some(Framing {
        text: way.text,
        blocked,
    })
}

/// Where the lengths lead.
struct Way {
    text: Text,
    /// To the closing record; else the head ends before it.
    is_closed: bool,
}

/// Follows the lengths to the end of the data; the first message tells the text.
///
/// Further messages may be wrong in themselves. Lengths do not lead on by chance: two bytes before
/// or after its place, one is far too large.
fn leads(data: &[u8]) -> Option<Way> {
    let mut rest = data;
    let mut text = None;
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        if length == 0 {
            return Some(Way {
                text: text.unwrap_or(Text::Latin1),
                is_closed: true,
            });
        }
        if length > LONGEST_MESSAGE {
            return None;
        }
        if text.is_none() {
            text = Some(Text::of_digits(after.get(..length.min(4))?)?);
        }
        rest = after.get(length..).unwrap_or_default();
    }
    text.map(|text| Way {
        text,
        is_closed: false,
    })
}
