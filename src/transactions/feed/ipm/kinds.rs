//! What messages and processing codes mean: the one table of it.
//!
//! Message types, functions and the codes 00, 09 and 20 are from published clearing code. The codes
//! 01, 12 and 28 and the kinds of administration are general practice of clearing files.

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Message {
    /// A purchase or a refund, presented by the merchant's bank.
    Presentment,
    /// The cardholder's bank takes a presentment back.
    Chargeback,
    /// Headers, trailers, fees, settlement: no transaction of a cardholder.
    Administration,
    /// A type that this table does not know.
    Unknown,
}

/// By message type alone; a presentment's function decides further.
pub(super) fn message(mti: &[u8]) -> Message {
    match mti {
        b"1240" => Message::Presentment,
        b"1442" => Message::Chargeback,
        b"1644" | b"1740" => Message::Administration,
        _ => Message::Unknown,
    }
}

/// First presentment, and second one in full and in part: they undo a chargeback, so all count up.
pub(super) fn is_presentment(function: &[u8]) -> bool {
    matches!(function, b"200" | b"205" | b"282")
}

/// What the cardholder did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Process {
    /// Bought something; with cash back perhaps.
    Purchase,
    /// Got money back.
    Credit,
    /// Drew cash, at a machine or a counter: nobody knows what it buys.
    Cash,
    /// Was paid: money moved, nothing was bought.
    Payment,
}

/// By the first two digits of data element 3.
pub(super) fn process(code: &[u8]) -> Option<Process> {
    Some(match code.get(..2)? {
        b"00" | b"09" => Process::Purchase,
        b"20" => Process::Credit,
        b"01" | b"12" => Process::Cash,
        b"28" => Process::Payment,
        _ => return None,
    })
}
