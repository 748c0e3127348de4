//! Two texts side by side, and where they differ.

use serde::Serialize;

/// Both values of something that should be one.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// What it is: `Base string`.
    pub of: &'static str,
    /// The gateway's.
    pub gateway: String,
    /// The client's.
    pub client: String,
    /// Both in one, cut where they differ.
    pub parts: Vec<Part>,
}

/// A piece of both texts, or of one alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "in", content = "text")]
pub enum Part {
    /// Of both.
    Same(String),
    /// Of the gateway's alone.
    Gateway(String),
    /// Of the client's alone.
    Client(String),
}

/// More pieces than this are not compared one by one.
const MOST_TOKENS: usize = 1_000;
/// Of a longer text only the surroundings of the difference are shown, in bytes.
const LONG: usize = 4_096;
const AROUND: usize = 60;

impl Diff {
    /// Of two texts, piece by piece. Control characters are shown as escapes.
    pub(super) fn of_texts(of: &'static str, gateway: &str, client: &str) -> Self {
        Self::shown(of, visible(gateway), visible(client))
    }

    /// Of two byte strings: texts where they are UTF-8. Long ones are cut to where they differ.
    pub(super) fn of_bytes(of: &'static str, gateway: &[u8], client: &[u8]) -> Self {
        let before = common(gateway.iter(), client.iter());
        let rest = |bytes: &'_ [u8]| bytes.len() - before;
        let most = rest(gateway).min(rest(client));
        let after = common(
            gateway.iter().rev().take(most),
            client.iter().rev().take(most),
        );
        let cut = |bytes: &[u8]| {
            if gateway.len().max(client.len()) <= LONG {
                return shown(bytes);
            }
            let start = before.saturating_sub(AROUND);
            let end = (bytes.len() - after + AROUND).min(bytes.len());
            let piece = bytes.get(start..end).unwrap_or_default();
            // Where all of a long text differs, its beginning has to do.
            let piece = piece.get(..LONG).unwrap_or(piece);
            let dots = |cut| if cut { "…" } else { "" };
            format!(
                "{}{}{}",
                dots(start > 0),
                shown(piece),
                dots(start + piece.len() < bytes.len())
            )
        };
        Self::shown(of, cut(gateway), cut(client))
    }

    /// Of two texts as they are to be shown.
    fn shown(of: &'static str, gateway: String, client: String) -> Self {
        let parts = parts(&gateway, &client);
        Self {
            of,
            gateway,
            client,
            parts,
        }
    }
}

/// How many items both begin with.
fn common<'a>(a: impl Iterator<Item = &'a u8>, b: impl Iterator<Item = &'a u8>) -> usize {
    a.zip(b).take_while(|(a, b)| a == b).count()
}

/// Bytes as people can read them.
pub(super) fn shown(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => visible(text),
        Err(_) => bytes
            .iter()
            .map(|byte| match byte {
                b' '..=b'~' => char::from(*byte).to_string(),
                b'\n' => "\\n".to_owned(),
                b'\r' => "\\r".to_owned(),
                other => format!("\\x{other:02x}"),
            })
            .collect(),
    }
}

/// With control characters, byte order marks and blanks at the end as escapes.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            '\u{feff}' => shown.push_str("\\ufeff"),
            c if c.is_control() => shown.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => shown.push(c),
        }
    }
    shown
}

/// Cuts before and after each `&`, `=`, `%26`, `%3D`, `,`, `:` and `"`.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let escape = rest.get(..3).filter(|start| start.starts_with('%'));
        let end = match (escape, first.is_ascii_alphanumeric()) {
            (Some(_), _) => 3,
            (None, true) => rest
                .find(|c: char| !c.is_ascii_alphanumeric())
                .unwrap_or(rest.len()),
            (None, false) => first.len_utf8(),
        };
        let (token, after) = rest.split_at(end);
        tokens.push(token);
        rest = after;
    }
    tokens
}

fn parts(gateway: &str, client: &str) -> Vec<Part> {
    let (a, b) = (tokens(gateway), tokens(client));
    let start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let most = a.len().min(b.len()) - start;
    let end = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take(most)
        .take_while(|(a, b)| a == b)
        .count();
    let middle = |tokens: &[&str]| -> Vec<String> {
        let middle = tokens.get(start..tokens.len() - end).unwrap_or_default();
        middle.iter().map(|token| (*token).to_owned()).collect()
    };
    let (gateway_middle, client_middle) = (middle(&a), middle(&b));
    let mut parts = Parts::default();
    parts.same(a.iter().take(start).copied());
    if gateway_middle.len() > MOST_TOKENS || client_middle.len() > MOST_TOKENS {
        parts.gateway(gateway_middle.iter().map(String::as_str));
        parts.client(client_middle.iter().map(String::as_str));
    } else {
        longest_common(&gateway_middle, &client_middle, &mut parts);
    }
    parts.same(a.iter().skip(a.len() - end).copied());
    parts.0
}

/// The longest common subsequence, by the usual table.
fn longest_common(a: &[String], b: &[String], parts: &mut Parts) {
    let width = b.len() + 1;
    let mut table = vec![0_u32; (a.len() + 1) * width];
    let at = |table: &[u32], i: usize, j: usize| table.get(i * width + j).copied().unwrap_or(0);
    for (i, x) in a.iter().enumerate().rev() {
        for (j, y) in b.iter().enumerate().rev() {
            let value = if x == y {
                at(&table, i + 1, j + 1) + 1
            } else {
                at(&table, i + 1, j).max(at(&table, i, j + 1))
            };
            if let Some(cell) = table.get_mut(i * width + j) {
                *cell = value;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    loop {
        match (a.get(i), b.get(j)) {
            (Some(x), Some(y)) if x == y => {
                parts.same([x.as_str()].into_iter());
                (i, j) = (i + 1, j + 1);
            }
            (Some(x), y) if y.is_none() || at(&table, i + 1, j) >= at(&table, i, j + 1) => {
                parts.gateway([x.as_str()].into_iter());
                i += 1;
            }
            (_, Some(y)) => {
                parts.client([y.as_str()].into_iter());
                j += 1;
            }
            (_, None) => return,
        }
    }
}

/// Joins neighbours of one kind.
#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn same<'a>(&mut self, tokens: impl Iterator<Item = &'a str>) {
        for token in tokens {
            match self.0.last_mut() {
                Some(Part::Same(text)) => text.push_str(token),
                _ => self.0.push(Part::Same(token.to_owned())),
            }
        }
    }

    fn gateway<'a>(&mut self, tokens: impl Iterator<Item = &'a str>) {
        for token in tokens {
            match self.0.last_mut() {
                Some(Part::Gateway(text)) => text.push_str(token),
                _ => self.0.push(Part::Gateway(token.to_owned())),
            }
        }
    }

    fn client<'a>(&mut self, tokens: impl Iterator<Item = &'a str>) {
        for token in tokens {
            match self.0.last_mut() {
                Some(Part::Client(text)) => text.push_str(token),
                _ => self.0.push(Part::Client(token.to_owned())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_common_stays_whole() {
        let diff = Diff::of_texts("x", "GET&http%3A%2F%2Fh&a%3D1", "GET&https%3A%2F%2Fh&a%3D1");
        assert_eq!(
            diff.parts,
            [
                Part::Same("GET&".into()),
                Part::Gateway("http".into()),
                Part::Client("https".into()),
                Part::Same("%3A%2F%2Fh&a%3D1".into()),
            ]
        );
        let diff = Diff::of_bytes("x", b"{}", b"{}\r\n");
        assert_eq!(diff.client, "{}\\r\\n");
        let (long, longer) = ("x".repeat(9_000), "x".repeat(9_000) + "\n");
        let diff = Diff::of_bytes("x", long.as_bytes(), longer.as_bytes());
        assert!(diff.gateway.starts_with('…') && diff.gateway.len() < 200);
        assert!(diff.client.ends_with("x\\n"), "{}", diff.client);
    }

    proptest! {
        /// The parts make both texts again.
        #[test]
        fn nothing_is_lost(a in "[a-c%&=2é]{0,40}", b in "[a-c%&=2é]{0,40}") {
            let diff = Diff::of_texts("x", &a, &b);
            let side = |gateway: bool| -> String {
                diff.parts.iter().map(|part| match part {
                    Part::Same(text) => text.as_str(),
                    Part::Gateway(text) if gateway => text,
                    Part::Client(text) if !gateway => text,
                    _ => "",
                }).collect()
            };
            prop_assert_eq!(side(true), a);
            prop_assert_eq!(side(false), b);
        }
    }
}
