//! Random messages decode to what they were made of, and no bytes whatever make a reader panic.

use super::super::*;
use super::encoder::{Message, file};
use super::{line, told};
use proptest::prelude::*;

/// A purchase with random content, as many random other elements, and what the reader must say.
fn message() -> impl Strategy<Value = (Message, String)> {
    let others = proptest::sample::subsequence(
        vec![
            9, 10, 14, 22, 23, 25, 30, 32, 33, 38, 40, 41, 42, 55, 63, 71, 72, 73, 93, 94, 95, 100,
            105, 111, 127,
        ],
        0..20,
    );
    (
        "[0-9]{16}",
        0..1_000_000_000i64,
        "[A-Z][A-Z ]{0,23}[A-Z]",
        (0u32..36_000, 0u32..86_400),
        0u16..10_000,
        "[0-9]{23}",
        others,
        any::<[bool; 3]>(),
    )
        .prop_map(
            |(pan, units, name, (day, _), mcc, reference, others, [credit, back, reversal])| {
                let first = chrono::NaiveDate::from_ymd_opt(2000, 1, 1).unwrap();
                let date = first + chrono::Days::new(day.into());
                let mut message = Message::new(if back { "1442" } else { "1240" }, &[])
                    .with(2, &pan)
                    .with(3, if credit { "200000" } else { "000000" })
                    .with(4, &format!("{units:012}"))
                    .with(12, &format!("{}101500", date.format("%y%m%d")))
                    .with(24, if back { "450" } else { "200" })
                    .with(26, &format!("{mcc:04}"))
                    .with(31, &reference)
                    .with(43, &format!("{name}\\STREET 1\\CITY\\22100        SWE"))
                    .with(49, "978");
                if reversal {
                    message = message.with(48, "0158003ABC0025001R");
                }
                for element in others {
                    let text = match element {
                        9 | 10 | 41 | 71 => "12345678",
                        14 | 25 => "1234",
                        22 => "123456789012",
                        23 | 40 => "123",
                        30 => "123456789012123456789012",
                        38 | 73 => "123456",
                        42 => "123456789012345",
                        63 => "MDS1234567890123",
                        _ => "anything-12",
                    };
                    message = message.with(element, text);
                }
                let down = credit ^ back ^ reversal;
                let kind = if reversal {
                    "Reversal"
                } else if down {
                    "Refund"
                } else {
                    "Purchase"
                };
                let sign = if down && units > 0 { "-" } else { "" };
                let expected = format!(
                    "{pan} {mcc:04} {sign}{}.{:02} EUR {date} {kind} SWE {}",
                    units / 100,
                    units % 100,
                    name.trim()
                );
                (message, expected)
            },
        )
}

proptest! {
    #[test]
    fn messages_decode_to_what_they_were_made_of(
        messages in proptest::collection::vec(message(), 1..30),
        ebcdic: bool,
        blocked: bool,
    ) {
        let records: Vec<_> = messages.iter().map(|(message, _)| message.encode(ebcdic)).collect();
        let bytes = file(&records, blocked);
        let mut reader = Reader::open(bytes.as_slice(), None).unwrap();
        for (_, expected) in &messages {
            let entry = reader.next_entry().unwrap().unwrap();
            prop_assert_eq!(&line(&entry.what), expected);
        }
        prop_assert!(reader.next_entry().unwrap().is_none());
    }

    #[test]
    fn damage_ends_in_an_error_or_a_reject(
        messages in proptest::collection::vec(message(), 1..5),
        at: proptest::sample::Index,
        byte: u8,
        cut: proptest::sample::Index,
        blocked: bool,
    ) {
        let records: Vec<_> = messages.iter().map(|(message, _)| message.encode(true)).collect();
        let mut bytes = file(&records, blocked);
        let index = at.index(bytes.len());
        bytes[index] = byte;
        bytes.truncate(cut.index(bytes.len()) + 1);
        told(&bytes);
    }

    #[test]
    fn any_bytes_at_all(bytes in proptest::collection::vec(any::<u8>(), 0..4_000)) {
        told(&bytes);
        for format in [Format::Csv, Format::Ipm] {
            if let Ok(mut reader) = Reader::open(bytes.as_slice(), Some(format)) {
                while let Ok(Some(_)) = reader.next_entry() {}
            }
        }
        let record = [&(u32::try_from(bytes.len() + 4).unwrap()).to_be_bytes(), b"1240".as_slice(), &bytes, &[0; 4]];
        told(&record.concat());
    }

    #[test]
    fn any_text_after_a_header(lines in "(a,5344035555555557,5411,5,EUR,2026-01-15\n|[ -~\n]{0,80}){0,20}") {
        let text = format!("transactionId,cardNumber,mcc,amountValue,amountCurrencyCode,date\n{lines}");
        told(text.as_bytes());
    }
}
