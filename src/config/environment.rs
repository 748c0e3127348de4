//! The `ISSUER_GATEWAY__SECTION__NAME` variables as one TOML document that is laid over the file.
//!
//! A value that begins with `[` or `{` and reads as TOML is a list or table: `[{file = "a.pem"}]`.
//! Lists of plain texts may also be written with commas between them.

use std::ffi::OsString;
use toml::{Table, Value};

const PREFIX: &str = "ISSUER_GATEWAY__";

/// The settings that are lists of texts.
const LISTS: [&[&str]; 1] = [&["server", "public_base_urls"]];

/// The document. A variable that is not UTF-8 is named.
pub(super) fn document(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<String, String> {
    let mut root = Table::new();
    let mut found: Vec<(String, OsString)> = variables
        .filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let setting = name.get(PREFIX.len()..)?;
            let ours = name.get(..PREFIX.len())?.eq_ignore_ascii_case(PREFIX);
            ours.then(|| (setting.to_ascii_lowercase(), value))
        })
        .collect();
    // A table comes before a variable of a part of it, which then wins.
    found.sort();
    for (setting, value) in found {
        let value = value
            .into_string()
            .map_err(|_| format!("{PREFIX}{}: is not UTF-8", setting.to_ascii_uppercase()))?;
        let path: Vec<&str> = setting.split("__").collect();
        insert(&mut root, &path, read(&path, &value));
    }
    Ok(root.to_string())
}

fn insert(table: &mut Table, path: &[&str], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        table.insert((*first).to_owned(), value);
        return;
    }
    let inner = table
        .entry(*first)
        .or_insert_with(|| Value::Table(Table::new()));
    if !inner.is_table() {
        *inner = Value::Table(Table::new());
    }
    if let Value::Table(inner) = inner {
        insert(inner, rest, value);
    }
}

fn read(path: &[&str], text: &str) -> Value {
    if text.starts_with(['[', '{'])
        && let Some(value) = structured(text)
    {
        return value;
    }
    if LISTS.contains(&path) {
        let items = text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty());
        return Value::Array(items.map(|item| item.to_owned().into()).collect());
    }
    match (text.parse::<i64>(), text.parse::<f64>(), text) {
        (Ok(number), _, _) => number.into(),
        (_, _, "true") => true.into(),
        (_, _, "false") => false.into(),
        (_, Ok(number), _) if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
            number.into()
        }
        _ => text.to_owned().into(),
    }
}

/// A list or table in TOML; `None` for other text that begins like one, such as `[::1]:8080`.
fn structured(text: &str) -> Option<Value> {
    let table: Table = toml::from_str(&format!("value = {text}")).ok()?;
    let only = table.len() == 1;
    table
        .into_iter()
        .next()
        .filter(|_| only)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(variables: &[(&str, &str)]) -> Table {
        let variables = variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        toml::from_str(&document(variables).unwrap()).unwrap()
    }

    #[test]
    fn lists_and_tables_are_read() {
        let read = read_all(&[
            (
                "ISSUER_GATEWAY__SERVER__PUBLIC_BASE_URLS",
                "https://a, https://b/cts",
            ),
            ("ISSUER_GATEWAY__SERVER__LISTEN", "[::1]:8080"),
            ("ISSUER_GATEWAY__SERVER__WORKERS", "4"),
            ("ISSUER_GATEWAY__SERVER__BEHIND_TLS_PROXY", "true"),
            ("ISSUER_GATEWAY__DATABASE__URL", "postgres://u:a,b[1]@h/d"),
            ("issuer_gateway__log__filter", "info,actix=warn"),
            (
                "ISSUER_GATEWAY__KEYS__GATEWAY",
                "[{file = \"a.pem\", state = \"primary\", aliases = [\"x\", \"y\"]}]",
            ),
            (
                "ISSUER_GATEWAY__VAULT",
                "{kek_file = \"kek.key\", further_keks = [{env = \"OLD\"}]}",
            ),
            ("ISSUER_GATEWAY__VAULT__KEK_FILE", "other.key"),
            ("OTHER", "x"),
        ]);
        let expected = toml::from_str::<Table>(
            r#"
            database.url = "postgres://u:a,b[1]@h/d"
            log.filter = "info,actix=warn"
            [server]
            public_base_urls = ["https://a", "https://b/cts"]
            listen = "[::1]:8080"
            workers = 4
            behind_tls_proxy = true
            [vault]
            kek_file = "other.key"
            further_keks = [{ env = "OLD" }]
            [[keys.gateway]]
            file = "a.pem"
            state = "primary"
            aliases = ["x", "y"]
            "#,
        );
        assert_eq!(read, expected.unwrap());
        let one = read_all(&[(
            "ISSUER_GATEWAY__SERVER__PUBLIC_BASE_URLS",
            "[\"https://a\"]",
        )]);
        assert_eq!(
            one["server"]["public_base_urls"].as_array().unwrap().len(),
            1
        );
    }

    #[test]
    fn what_only_looks_like_a_number_or_a_list_is_text() {
        for text in [
            "inf",
            "nan",
            "1e",
            "",
            "[1",
            "{",
            "] x = [",
            "1 # 2",
            "0x10",
            "[]\nx = 1",
        ] {
            let read = read_all(&[("ISSUER_GATEWAY__DATABASE__URL", text)]);
            assert_eq!(read["database"]["url"].as_str(), Some(text), "{text}");
        }
    }
}
