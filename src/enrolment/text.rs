//! Checks on single strings that several fields share.
//!
//! Lengths count characters (Unicode scalar values), as cce-api.md 3 does. A check answers with the
//! first rule that is broken, in words, and never with a part of the text.

use crate::text_form::TextForm;
use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};
use std::borrow::Cow;
use zeroize::Zeroizing;

/// A broken rule in words, as `Violation::rule` carries it.
pub(super) type Rule = Cow<'static, str>;

const NO_CONTROL: Rule = Rule::Borrowed("must not contain control characters");

/// First, last and cardholder names. Which characters they may have is the issuer's setting.
pub const PERSON_NAME: TextForm = TextForm::of_length(1, 100);

/// Refuses text of a length that `form` does not allow.
pub(super) fn length(text: &str, form: &TextForm) -> Result<(), Rule> {
    if form.has_length(text) {
        Ok(())
    } else {
        let length = form.length_in_words();
        Err(format!("must be {length} characters long").into())
    }
}

/// Text without a form of its own ([`TextForm::printable`]): neither too short nor too long, and no
/// control character.
pub(super) fn free(text: &str, form: &TextForm) -> Result<Zeroizing<String>, Rule> {
    length(text, form)?;
    if text.chars().any(char::is_control) {
        return Err(NO_CONTROL);
    }
    Ok(owned(text))
}

/// A copy that is wiped on drop.
pub(super) fn owned(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

/// Which characters an issuer's names may have (cce-api.md 8.5).
#[derive(Debug, Clone, Copy)]
pub(super) struct NameCharacters {
    /// The per-issuer switch: all letters and marks of Unicode, and blank, hyphen and period.
    pub(super) unicode: bool,
}

impl NameCharacters {
    /// A first or last name: [`PERSON_NAME`], in characters of the set, at least one of them a
    /// letter.
    pub(super) fn user_name(self, text: &str) -> Result<Zeroizing<String>, Rule> {
        let allowed = if self.unicode {
            "must contain only letters, digits, apostrophes, commas, blanks, hyphens and periods"
        } else {
            "must contain only letters A to Z, digits, apostrophes and commas"
        };
        self.check(text, allowed, |c| self.holds(c))
    }

    /// A cardholder name: the same set and the blank, in the form first name, blank, last name.
    ///
    /// Of all white space only U+0020 is taken: tabs and line breaks have no place on a card.
    pub(super) fn cardholder_name(self, text: &str) -> Result<Zeroizing<String>, Rule> {
        let allowed = if self.unicode {
            "must contain only letters, digits, apostrophes, commas, blanks, hyphens and periods"
        } else {
            "must contain only letters A to Z, digits, apostrophes, commas and blanks"
        };
        let name = self.check(text, allowed, |c| c == ' ' || self.holds(c))?;
        if name.split(' ').filter(|word| !word.is_empty()).count() < 2 {
            return Err("must be a first name, a blank and a last name".into());
        }
        Ok(name)
    }

    fn check(
        self,
        text: &str,
        allowed: &'static str,
        holds: impl Fn(char) -> bool,
    ) -> Result<Zeroizing<String>, Rule> {
        length(text, &PERSON_NAME)?;
        if !text.chars().all(holds) {
            return Err(allowed.into());
        }
        if !text.chars().any(|c| self.is_letter(c)) {
            return Err("must contain at least one letter".into());
        }
        Ok(owned(text))
    }

    fn holds(self, c: char) -> bool {
        let everywhere =
            c.is_ascii_alphanumeric() || matches!(c, '\'' | '\u{2018}' | '\u{2019}' | ',');
        let switched = || {
            matches!(c, ' ' | '-' | '.')
                || has_category(c, GeneralCategoryGroup::Letter)
                || has_category(c, GeneralCategoryGroup::Mark)
        };
        everywhere || (self.unicode && switched())
    }

    fn is_letter(self, c: char) -> bool {
        c.is_ascii_alphabetic() || (self.unicode && has_category(c, GeneralCategoryGroup::Letter))
    }
}

fn has_category(c: char, group: GeneralCategoryGroup) -> bool {
    group.contains(CodePointMapData::<GeneralCategory>::new().get(c))
}
