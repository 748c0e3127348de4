//! Length and form of a text that a request brings.
//!
//! Each constant of this type stands beside the parser that applies it. The OpenAPI document takes
//! its `minLength`, `maxLength` and `pattern` from the same constant (`http::openapi`).

/// What a text must be. A parser checks the length with [`TextForm::has_length`]; the pattern
/// describes what the parser's own code checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextForm {
    /// The least and the greatest number of characters (Unicode scalar values). `None`: the pattern
    /// says it, or there is no limit.
    pub lengths: Option<(usize, usize)>,
    /// A regular expression that every accepted text matches, in the dialect of ECMA 262 that JSON
    /// Schema uses. It may admit texts that the parser refuses by a rule that no pattern can say.
    pub pattern: Option<&'static str>,
}

impl TextForm {
    /// The pattern of text without control characters (Unicode's general category Cc).
    pub const PRINTABLE: &'static str = r"^[^\x00-\x1F\x7F-\x9F]*$";

    /// Any text of `least` to `most` characters.
    pub const fn of_length(least: usize, most: usize) -> Self {
        Self {
            lengths: Some((least, most)),
            pattern: None,
        }
    }

    /// Text of `least` to `most` characters, none of them a control character.
    pub const fn printable(least: usize, most: usize) -> Self {
        Self::of_length(least, most).and_pattern(Self::PRINTABLE)
    }

    /// Text whose pattern says its length too.
    pub const fn matching(pattern: &'static str) -> Self {
        Self {
            lengths: None,
            pattern: Some(pattern),
        }
    }

    /// The same lengths, with a pattern.
    pub const fn and_pattern(self, pattern: &'static str) -> Self {
        Self {
            lengths: self.lengths,
            pattern: Some(pattern),
        }
    }

    /// Whether the number of characters is within the limits; true if there are none.
    pub fn has_length(&self, text: &str) -> bool {
        self.lengths
            .is_none_or(|(least, most)| (least..=most).contains(&text.chars().count()))
    }

    /// The limits in words: `1 to 100`, `at most 12`. Empty if there are none.
    pub fn length_in_words(&self) -> String {
        self.lengths
            .map(|(least, most)| match least {
                0 => format!("at most {most}"),
                _ => format!("{least} to {most}"),
            })
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_characters() {
        let form = TextForm::printable(2, 3);
        for (text, fits) in [("a", false), ("äö", true), ("äöü", true), ("äöüß", false)] {
            assert_eq!(form.has_length(text), fits, "{text}");
        }
        assert!(TextForm::matching("^a$").has_length("anything"));
        assert_eq!(form.length_in_words(), "2 to 3");
    }
}
