//! Clearing files that cardutil wrote, an encoder of other people: tests/ipm.

use super::super::*;
use super::line;
use std::path::Path;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ipm")
}

#[test]
fn files_of_another_encoder_are_read_as_a_second_implementation_says() {
    let expected = std::fs::read_to_string(folder().join("expected.txt")).unwrap();
    for name in ["ebcdic", "ebcdic_blocked", "latin1", "latin1_blocked"] {
        let file = std::fs::File::open(folder().join(format!("{name}.ipm"))).unwrap();
        let mut reader = Reader::open(file, None).unwrap();
        assert_eq!(reader.format(), Format::Ipm);
        let mut told = String::new();
        while let Some(entry) = reader.next_entry().unwrap() {
            told += &format!("{} {}", entry.number, line(&entry.what));
            if let What::Item(item, _) = entry.what {
                told += &format!(" {}", item.source);
                if let Some(original) = &item.original {
                    told += &format!(" of {}", original);
                }
            }
            told += "\n";
        }
        for (told, expected) in told.lines().zip(expected.lines()) {
            assert_eq!(told, expected, "{name}");
        }
        assert_eq!(told, expected, "{name}");
    }
}
