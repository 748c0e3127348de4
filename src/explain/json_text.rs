//! JSON as text: its tokens in their order, to write it in other ways and to find names that come
//! twice. Values are not looked at.

use std::collections::HashSet;

/// A piece of JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// One of `{}[],:`
    Mark(char),
    /// A string with its quotes.
    Text(&'t str),
    /// A number, `true`, `false`, `null`.
    Word(&'t str),
}

/// The tokens of a JSON text; `None` if it is none, as far as that shows without its grammar.
pub(super) fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start_matches(WHITE);
    while let Some(first) = rest.chars().next() {
        let (token, end) = match first {
            '{' | '}' | '[' | ']' | ',' | ':' => (Token::Mark(first), 1),
            '"' => {
                let end = string_end(rest)?;
                (Token::Text(rest.get(..end)?), end)
            }
            _ => {
                let end = rest.find(|c| WHITE.contains(&c) || "{}[],:\"".contains(c));
                let end = end.unwrap_or(rest.len());
                (Token::Word(rest.get(..end)?), end)
            }
        };
        tokens.push(token);
        rest = rest.get(end..)?.trim_start_matches(WHITE);
    }
    Some(tokens)
}

const WHITE: [char; 4] = [' ', '\t', '\n', '\r'];

/// Where the string that a text begins with ends.
fn string_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// How a library writes JSON.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// For people.
    pub(super) name: &'static str,
    comma: &'static str,
    colon: &'static str,
    /// Line breaks, and the blanks of each level.
    indent: Option<&'static str>,
}

/// Compact, as Python does it by default, and pretty.
pub(super) const STYLES: [Style; 6] = [
    Style {
        name: "without white space",
        comma: ",",
        colon: ":",
        indent: None,
    },
    Style {
        name: "with a blank after each comma and colon",
        comma: ", ",
        colon: ": ",
        indent: None,
    },
    Style {
        name: "with a blank after each comma",
        comma: ", ",
        colon: ":",
        indent: None,
    },
    Style {
        name: "indented by two blanks",
        comma: ",",
        colon: ": ",
        indent: Some("  "),
    },
    Style {
        name: "indented by four blanks",
        comma: ",",
        colon: ": ",
        indent: Some("    "),
    },
    Style {
        name: "indented by tabs",
        comma: ",",
        colon: ": ",
        indent: Some("\t"),
    },
];

/// The same JSON in a style. Names keep their order, strings and numbers their form.
pub(super) fn written(tokens: &[Token<'_>], style: Style) -> String {
    let mut text = String::new();
    let mut depth = 0_usize;
    let line = |text: &mut String, depth: usize| {
        if let Some(indent) = style.indent {
            text.push('\n');
            text.push_str(&indent.repeat(depth));
        }
    };
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Text(piece) | Token::Word(piece) => text.push_str(piece),
            Token::Mark(',') => {
                text.push_str(style.comma);
                line(&mut text, depth);
            }
            Token::Mark(':') => text.push_str(style.colon),
            Token::Mark(mark @ ('{' | '[')) => {
                text.push(*mark);
                depth += 1;
                let empty = matches!(tokens.get(at + 1), Some(Token::Mark('}' | ']')));
                if !empty {
                    line(&mut text, depth);
                }
            }
            Token::Mark(mark) => {
                depth = depth.saturating_sub(1);
                let empty = at > 0 && matches!(tokens.get(at - 1), Some(Token::Mark('{' | '[')));
                if !empty {
                    line(&mut text, depth);
                }
                text.push(*mark);
            }
        }
    }
    text
}

/// The first member that has a name of before it in the same object, as a path.
pub(super) fn duplicate(text: &str) -> Option<String> {
    let mut path: Vec<String> = Vec::new();
    let mut names: Vec<Option<HashSet<String>>> = Vec::new();
    let tokens = tokens(text)?;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Mark('{') => names.push(Some(HashSet::new())),
            Token::Mark('[') => names.push(None),
            Token::Mark('}' | ']') => {
                names.pop();
                path.truncate(names.len());
            }
            Token::Text(name) if matches!(tokens.get(at + 1), Some(Token::Mark(':'))) => {
                let name: String = serde_json::from_str(name).ok()?;
                let depth = names.len();
                path.truncate(depth.saturating_sub(1));
                path.resize(depth.saturating_sub(1), "[]".to_owned());
                path.push(name.clone());
                let seen = names.last_mut()?.as_mut()?;
                if !seen.insert(name) {
                    return Some(path.join("."));
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_written_in_other_styles() {
        let text = "{ \"a\" : [1,2.50, {}],\n\"b\":\"x, \\\"y: \" }";
        let tokens = tokens(text).unwrap();
        let styles = STYLES.map(|style| written(&tokens, style));
        assert_eq!(styles[0], r#"{"a":[1,2.50,{}],"b":"x, \"y: "}"#);
        assert_eq!(styles[1], r#"{"a": [1, 2.50, {}], "b": "x, \"y: "}"#);
        assert_eq!(
            styles[3],
            "{\n  \"a\": [\n    1,\n    2.50,\n    {}\n  ],\n  \"b\": \"x, \\\"y: \"\n}"
        );
        assert_eq!(super::tokens("{\"a"), None);
    }

    #[test]
    fn names_that_come_twice_are_found_by_their_path() {
        for (text, path) in [
            (r#"{"a":1,"b":{"a":1},"a":2}"#, Some("a")),
            (r#"{"x":{"a":1,"\u0061":1}}"#, Some("x.a")),
            (r#"{"x":[{"a":1},{"a":1,"a":2}]}"#, Some("x.[].a")),
            (r#"{"a":{"a":1},"b":{"a":1}}"#, None),
            ("[1,2]", None),
            ("}}", None),
        ] {
            assert_eq!(duplicate(text).as_deref(), path, "{text}");
        }
    }
}
