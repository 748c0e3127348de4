mod cardutil;
mod csv;
mod encoder;
mod ipm;
mod property;

use super::*;
use crate::transactions::item::Holder;

/// The records of a feed, in short; the last line is the error that ends it.
fn told(bytes: &[u8]) -> Vec<String> {
    let mut reader = match Reader::open(bytes, None) {
        Ok(reader) => reader,
        Err(error) => return vec![error.to_string()],
    };
    let mut lines = Vec::new();
    loop {
        match reader.next_entry() {
            Ok(None) => return lines,
            Ok(Some(entry)) => lines.push(format!("{} {}", entry.number, line(&entry.what))),
            Err(error) => {
                lines.push(error.to_string());
                return lines;
            }
        }
    }
}

fn line(what: &What) -> String {
    match what {
        What::Skipped(skip) => format!("{skip:?}"),
        What::Rejected(reject) => {
            let last_four = reject
                .last_four
                .map(|four| String::from_utf8(four.into()).unwrap());
            format!("{last_four:?} {}", reject.fault)
        }
        What::Item(item, instant) => {
            let whose = match &item.holder {
                Holder::Id(user) => user.to_string(),
                Holder::Card(pan) => pan.digits().to_owned(),
            };
            let date = instant.map_or_else(|| item.date.to_string(), |at| at.to_rfc3339());
            let merchant = item.merchant.as_ref().map_or("-", |name| name.as_str());
            let country = item.country.map_or("-", |country| country.code());
            let Item {
                mcc, amount, kind, ..
            } = **item;
            let mut text = format!("{whose} {mcc} {amount} {date} {kind:?} {country} {merchant}");
            for money in &item.fallbacks {
                text += &format!(" or {money}");
            }
            if let Some(reason) = item.unscored {
                text += &format!(" {reason:?}");
            }
            text
        }
    }
}

fn items(bytes: &[u8]) -> Vec<Item> {
    let mut reader = Reader::open(bytes, None).unwrap();
    let mut items = Vec::new();
    while let Some(entry) = reader.next_entry().unwrap() {
        if let What::Item(item, _) = entry.what {
            items.push(*item);
        }
    }
    items
}

#[test]
fn what_is_neither_format_is_refused_without_a_quote() {
    for bytes in [
        b"".as_slice(),
        b"\n",
        b"hello",
        b"5344035555555557,5411,12\n",
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
        &[0xff; 2_000],
        &[0x40; 3_000],
    ] {
        let told = told(bytes);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("the file is neither"), "{told:?}");
    }
}

#[test]
fn a_reader_goes_on_where_another_one_stopped() {
    let csv = b"transactionId,cardNumber,mcc,amountValue,amountCurrencyCode,date\n\
        a,5344035555555557,5411,1,EUR,2026-01-01\n\
        b,5344035555555557,5411,2,EUR,2026-01-02\n\
        c,5344035555555557,5411,3,EUR,2026-01-03\n"
        .to_vec();
    let ipm = encoder::file(
        &[encoder::purchase(), encoder::refund(), encoder::purchase()].map(|one| one.encode(false)),
        true,
    );
    for bytes in [csv, ipm] {
        let whole = told(&bytes);
        for stop in 0..=3 {
            let mut first = Reader::open(bytes.as_slice(), None).unwrap();
            for _ in 0..stop {
                first.next_entry().unwrap();
            }
            let mark = first.mark();
            let mut second = Reader::open(bytes.as_slice(), None).unwrap();
            assert!(second.resume(&mark, |_| {}).unwrap());
            assert_eq!(second.mark(), mark);
            let mut rest = Vec::new();
            while let Some(entry) = second.next_entry().unwrap() {
                rest.push(format!("{} {}", entry.number, line(&entry.what)));
            }
            assert_eq!(rest, whole[stop..], "after {stop}");
            // Another content up to there is noticed.
            if stop > 0 {
                let mut other = bytes.clone();
                let at = usize::try_from(mark.position).unwrap() - 3;
                other[at] ^= 1;
                let mut third = Reader::open(other.as_slice(), None).unwrap();
                assert!(!third.resume(&mark, |_| {}).unwrap());
            }
        }
    }
}
