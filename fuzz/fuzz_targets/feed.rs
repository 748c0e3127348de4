//! A file of transactions: CSV or a clearing file.
//!
//! A reader that goes on in the middle of a file reads the same as one that reads it whole, and
//! what `Debug` shows holds no card number.
#![no_main]

use issuer_gateway::transactions::feed::{Format, Reader, What};
use issuer_gateway::transactions::item::Holder;
use libfuzzer_sys::fuzz_target;

/// The rest of the records, and the error that ends them.
fn rest(reader: &mut Reader<&[u8]>) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        match reader.next_entry() {
            Ok(None) => return told,
            Ok(Some(entry)) => {
                let shown = format!("{entry:?}");
                if let What::Item(item, _) = &entry.what
                    && let Holder::Card(pan) = &item.holder
                {
                    let named = format!("{:?}", item.source);
                    assert!(named.contains(pan.digits()) || !shown.contains(pan.digits()));
                }
                told.push(shown);
            }
            Err(error) => {
                told.push(error.to_string());
                return told;
            }
        }
    }
}

fuzz_target!(|input: &[u8]| {
    for format in [None, Some(Format::Csv), Some(Format::Ipm)] {
        let Ok(mut reader) = Reader::open(input, format) else {
            continue;
        };
        let whole = rest(&mut reader);
        let mut first = Reader::open(input, format).unwrap();
        let stop = whole.len() / 2;
        for _ in 0..stop {
            if !matches!(first.next_entry(), Ok(Some(_))) {
                return;
            }
        }
        let mark = first.mark();
        let mut second = Reader::open(input, format).unwrap();
        assert!(second.resume(&mark, |_| {}).unwrap());
        assert_eq!(rest(&mut second), whole[stop..]);
    }
});
