//! A small CSV file, whole in memory (RFC 4180: a header, commas, quotes).

use anyhow::{bail, ensure};
use csv_core::{ReadRecordResult, Reader};

/// A header and rows of as many fields.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        ensure!(
            text.bytes().filter(|byte| *byte == b'"').count() % 2 == 0,
            "a quote is not closed"
        );
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut records = records(text)?.into_iter();
        let header = records.next().unwrap_or_default();
        let rows: Vec<_> = records.collect();
        for (at, row) in rows.iter().enumerate() {
            let (found, expected) = (row.len(), header.len());
            ensure!(
                found == expected,
                "record {} has {found} fields, the header {expected}",
                at + 2
            );
        }
        Ok(Self { header, rows })
    }

    /// The same as text, every field in quotes.
    pub(super) fn to_text(&self) -> String {
        let line = |fields: &Vec<String>| {
            let quoted = fields
                .iter()
                .map(|field| format!("\"{}\"", field.replace('"', "\"\"")));
            quoted.collect::<Vec<_>>().join(",") + "\n"
        };
        std::iter::once(&self.header)
            .chain(&self.rows)
            .map(line)
            .collect()
    }
}

fn records(text: &str) -> anyhow::Result<Vec<Vec<String>>> {
    let mut reader = Reader::new();
    // Nothing gets longer by being parsed.
    let (mut output, mut ends) = (vec![0; text.len() + 1], vec![0; text.len() + 1]);
    let (mut input, mut records) = (text.as_bytes(), Vec::new());
    loop {
        let (mut written, mut ended) = (0, 0);
        let result = loop {
            let (out, end) = (output.get_mut(written..), ends.get_mut(ended..));
            let (Some(out), Some(end)) = (out, end) else {
                bail!("a record is too long");
            };
            let (result, read, wrote, closed) = reader.read_record(input, out, end);
            input = input.get(read..).unwrap_or_default();
            written += wrote;
            ended += closed;
            match result {
                // The end of the input is told by an empty one.
                ReadRecordResult::InputEmpty => {}
                result => break result,
            }
        };
        match result {
            ReadRecordResult::Record => {
                let mut start = 0;
                let fields = ends.get(..ended).unwrap_or_default().iter().map(|end| {
                    let field = output.get(start..*end).unwrap_or_default();
                    start = *end;
                    String::from_utf8_lossy(field).trim().to_owned()
                });
                records.push(fields.collect());
            }
            ReadRecordResult::End => return Ok(records),
            _ => bail!("a record is too long"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_line_ends_come_through() {
        let text = "\u{feff}a,b\r\n\"x, \"\"y\"\"\", z \n\n1,\n";
        let table = Table::parse(text).unwrap();
        assert_eq!(table.header, ["a", "b"]);
        assert_eq!(table.rows, [["x, \"y\"", "z"], ["1", ""]]);
        assert_eq!(Table::parse(&table.to_text()).unwrap(), table);
        assert!(Table::parse("a,b\n1\n").is_err());
        assert!(Table::parse("").unwrap().rows.is_empty());
    }
}
