//! CSV tables as `data/README.md` describes them, and their faults.
//!
//! RFC 4180: a header, commas, quotes where a field holds a comma, a quote or a line break. Line
//! ends may be LF or CRLF; a byte order mark at the start is skipped; empty lines are skipped.

use std::borrow::Cow;
use std::fmt;

/// At most so many faults are collected for one file.
const MOST_FAULTS: usize = 20;

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file's name, as the caller gave it.
    pub file: String,
    /// Counted from 1, the header included; 0 if the fault concerns the file as a whole.
    pub line: usize,
    /// The column's name; empty if the fault concerns the whole line.
    pub column: String,
    /// The rule that is broken, in words that go on after the column's name.
    pub rule: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.file)?;
        if self.line > 0 {
            write!(out, ", line {}", self.line)?;
        }
        if !self.column.is_empty() {
            write!(out, ", column {}", self.column)?;
        }
        write!(out, ": {}", self.rule)
    }
}

/// Everything that is wrong with one or more files: at least one fault, at most 20 for a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// A fault of `file` as a whole.
    pub fn of_file(file: &str, rule: impl Into<String>) -> Self {
        let mut faults = Self::default();
        faults.add(file, 0, "", rule);
        faults
    }

    pub(super) fn add(&mut self, file: &str, line: usize, column: &str, rule: impl Into<String>) {
        if self.0.len() < MOST_FAULTS {
            self.0.push(Fault {
                file: file.to_owned(),
                line,
                column: column.to_owned(),
                rule: rule.into(),
            });
        }
    }

    /// `value` if there are no faults, else the faults.
    pub(super) fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }

    /// Keeps a result's value, or its faults.
    pub(super) fn take<T>(&mut self, result: Result<T, Self>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(faults) => {
                self.0.extend(faults.0);
                None
            }
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            write!(out, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// A table that was read: its rows all have as many fields as there are columns.
pub(super) struct Table<'t> {
    file: &'t str,
    columns: &'t [&'t str],
    rows: Vec<(usize, Vec<Cow<'t, str>>)>,
}

impl<'t> Table<'t> {
    /// Reads `text`; the header must be `columns`, in this order.
    pub(super) fn read(
        file: &'t str,
        text: &'t str,
        columns: &'t [&'t str],
    ) -> Result<Self, Faults> {
        let mut records = Records::new(text);
        let header = records
            .next()
            .ok_or_else(|| Faults::of_file(file, "is empty"))?;
        let named = header
            .map(|(_, fields)| fields)
            .map_err(|(line, rule)| fault(file, line, rule))?;
        if named.iter().map(Cow::as_ref).ne(columns.iter().copied()) {
            let rule = format!("the header must be {}", columns.join(","));
            return Err(fault(file, 1, rule));
        }
        let mut faults = Faults::default();
        let mut rows = Vec::new();
        for record in records {
            match record {
                Err((line, rule)) => faults.add(file, line, "", rule),
                Ok((line, fields)) if fields.len() != columns.len() => {
                    let rule = format!("must have {} fields, has {}", columns.len(), fields.len());
                    faults.add(file, line, "", rule);
                }
                Ok(record) => rows.push(record),
            }
        }
        faults.or(Self {
            file,
            columns,
            rows,
        })
    }

    /// Fails if there is nothing but a header.
    pub(super) fn filled(self) -> Result<Self, Faults> {
        if self.rows.is_empty() {
            return Err(Faults::of_file(self.file, "has a header and no rows"));
        }
        Ok(self)
    }

    /// Turns every row into a value; `None` from `parse` leaves the row out, and a fault of any row
    /// fails the table.
    pub(super) fn each<T>(
        &self,
        mut parse: impl FnMut(&mut Row<'_, '_>) -> Option<T>,
    ) -> Result<Vec<T>, Faults> {
        let mut faults = Faults::default();
        let mut values = Vec::with_capacity(self.rows.len());
        for (line, fields) in &self.rows {
            let mut row = Row {
                table: (self.file, self.columns),
                line: *line,
                fields,
                faults: &mut faults,
            };
            values.extend(parse(&mut row));
        }
        faults.or(values)
    }
}

fn fault(file: &str, line: usize, rule: impl Into<String>) -> Faults {
    let mut faults = Faults::default();
    faults.add(file, line, "", rule);
    faults
}

/// One row while it is parsed.
pub(super) struct Row<'r, 't> {
    table: (&'r str, &'r [&'r str]),
    pub(super) line: usize,
    fields: &'r [Cow<'t, str>],
    faults: &'r mut Faults,
}

impl<'r> Row<'r, '_> {
    /// The field's text; columns count from 0.
    pub(super) fn text(&self, column: usize) -> &'r str {
        self.fields.get(column).map_or("", Cow::as_ref)
    }

    /// The field as `parse` reads it; without a value, `rule` becomes a fault.
    pub(super) fn get<T>(
        &mut self,
        column: usize,
        rule: &str,
        parse: impl FnOnce(&'r str) -> Option<T>,
    ) -> Option<T> {
        let value = parse(self.text(column));
        if value.is_none() {
            self.fault(column, rule);
        }
        value
    }

    /// A fault of one column.
    pub(super) fn fault(&mut self, column: usize, rule: impl Into<String>) {
        let (file, columns) = self.table;
        let name = columns.get(column).copied().unwrap_or_default();
        self.faults.add(file, self.line, name, rule);
    }
}

/// The records of a text with the line each begins on.
pub(super) struct Records<'t> {
    rest: &'t str,
    line: usize,
}

impl<'t> Records<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            rest: text.strip_prefix('\u{feff}').unwrap_or(text),
            line: 1,
        }
    }

    /// One field, and the separator after it: a comma, or nothing at the end of the record.
    fn field(&mut self) -> Result<(Cow<'t, str>, bool), &'static str> {
        let Some(quoted) = self.rest.strip_prefix('"') else {
            let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
            let (field, after) = self.rest.split_at(end);
            let comma = after.starts_with(',');
            let field = if comma {
                field
            } else {
                field.strip_suffix('\r').unwrap_or(field)
            };
            if field.contains('"') {
                return Err("has a quote inside a field that does not begin with one");
            }
            self.rest = after.get(1..).unwrap_or_default();
            self.line += usize::from(!comma);
            return Ok((Cow::Borrowed(field), comma));
        };
        let mut value = String::new();
        let mut rest = quoted;
        loop {
            let (part, after) = rest
                .split_once('"')
                .ok_or("has a quote that is not closed")?;
            value.push_str(part);
            match after.strip_prefix('"') {
                Some(after) => {
                    value.push('"');
                    rest = after;
                }
                None => {
                    rest = after;
                    break;
                }
            }
        }
        self.line += value.matches('\n').count();
        let comma = rest.starts_with(',');
        let after = if comma || rest.is_empty() {
            rest.get(1..).unwrap_or_default()
        } else {
            let after = rest.strip_prefix('\r').unwrap_or(rest);
            after
                .strip_prefix('\n')
                .ok_or("goes on after a closing quote")?
        };
        self.line += usize::from(!comma);
        self.rest = after;
        Ok((Cow::Owned(value), comma))
    }
}

impl<'t> Iterator for Records<'t> {
    type Item = Result<(usize, Vec<Cow<'t, str>>), (usize, &'static str)>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(rest) = ["\n", "\r\n"]
            .iter()
            .find_map(|end| self.rest.strip_prefix(end))
        {
            self.rest = rest;
            self.line += 1;
        }
        if self.rest.is_empty() {
            return None;
        }
        let line = self.line;
        let mut fields = Vec::new();
        loop {
            match self.field() {
                Err(rule) => {
                    self.rest = "";
                    return Some(Err((line, rule)));
                }
                Ok((field, more)) => {
                    fields.push(field);
                    if !more {
                        return Some(Ok((line, fields)));
                    }
                    // A comma that ends the text leaves one empty field.
                    if self.rest.is_empty() {
                        fields.push(Cow::Borrowed(""));
                        return Some(Ok((line, fields)));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(usize, String, String)>, String> {
        let table = Table::read("t.csv", text, &["a", "b"])
            .and_then(Table::filled)
            .map_err(|faults| faults.to_string())?;
        table
            .each(|row| Some((row.line, row.text(0).to_owned(), row.text(1).to_owned())))
            .map_err(|faults| faults.to_string())
    }

    fn row(line: usize, a: &str, b: &str) -> (usize, String, String) {
        (line, a.to_owned(), b.to_owned())
    }

    #[test]
    fn quotes_commas_line_ends_and_byte_order_marks() {
        let text = "\u{feff}a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n\r\n2,\r\n\"3\",4";
        let rows = vec![
            row(2, "1", "x, \"y\"\nz"),
            row(5, "2", ""),
            row(6, "3", "4"),
        ];
        assert_eq!(read(text), Ok(rows));
        assert_eq!(read("a,b\n1,"), Ok(vec![row(2, "1", "")]));
    }

    #[test]
    fn what_is_wrong_names_the_line_and_the_rule() {
        let cases = [
            ("", "t.csv: is empty"),
            ("b,a\n1,2\n", "t.csv, line 1: the header must be a,b"),
            ("a,b\n", "t.csv: has a header and no rows"),
            (
                "a,b\n1\n1,2\n1,2,3",
                "t.csv, line 2: must have 2 fields, has 1\nt.csv, line 4: must have 2 fields, has 3",
            ),
            (
                "a,b\n1,\"2",
                "t.csv, line 2: has a quote that is not closed",
            ),
            (
                "a,b\n1,\"2\"3\n",
                "t.csv, line 2: goes on after a closing quote",
            ),
            (
                "a,b\n1,2\"3\"\n",
                "t.csv, line 2: has a quote inside a field that does not begin with one",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), Err(expected.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn a_field_without_a_value_names_its_column() {
        let table = Table::read("t.csv", "a,b\n1,x\n2,3\n", &["a", "b"]).unwrap();
        let parsed =
            table.each(|row| row.get(1, "must be a number", |text| text.parse::<u8>().ok()));
        let faults = parsed.unwrap_err().to_string();
        assert_eq!(faults, "t.csv, line 2, column b: must be a number");
    }

    #[test]
    fn faults_are_counted_up_to_a_limit() {
        let text = format!("a,b\n{}", "1\n".repeat(100));
        assert_eq!(read(&text).unwrap_err().lines().count(), MOST_FAULTS);
    }
}
