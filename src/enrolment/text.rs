//! Checks on single strings that several fields share.
//!
//! Lengths count characters (Unicode scalar values), as cce-api.md 3 does. A check answers with the
//! first rule that is broken, in words, and never with a part of the text.

use crate::text_form::TextForm;
use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};
use std::borrow::Cow;
use zeroize::Zeroizing;

/// The rule for names where `unicode_names` is on.
const UNICODE_NAMES: &str = "must contain only letters, digits, apostrophes, commas, blanks, hyphens and \
                             periods, and joiners and middle dots between letters";

/// Stand inside of words in some scripts and languages: joiners (Persian, Sinhala), middle dots
/// (Catalan, Japanese) and hyphens other than `-`.
const JOINING: [char; 13] = [
    '\u{200C}', // zero width non-joiner
    '\u{200D}', // zero width joiner
    '\u{00B7}', // middle dot
    '\u{0387}', // Greek ano teleia, which is the same
    '\u{2027}', // hyphenation point
    '\u{30FB}', // katakana middle dot
    '\u{FF65}', // the same, half width
    '\u{2010}', // hyphen
    '\u{2011}', // non-breaking hyphen
    '\u{058A}', // Armenian hyphen
    '\u{05BE}', // Hebrew maqaf
    '\u{30A0}', // katakana double hyphen
    '\u{FF0D}', // full-width hyphen
];

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
            UNICODE_NAMES
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
            UNICODE_NAMES
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
        let mut before = None;
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            let after = rest.peek().copied();
            if !(holds(c) || self.unicode && joins(before, c, after)) {
                return Err(allowed.into());
            }
            before = Some(c);
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

/// Whether `c` joins two parts of a name: a joiner, a middle dot or a hyphen between letters, which
/// may carry marks.
fn joins(before: Option<char>, c: char, after: Option<char>) -> bool {
    let is_letter = |c: char| {
        has_category(c, GeneralCategoryGroup::Letter) || has_category(c, GeneralCategoryGroup::Mark)
    };
    JOINING.contains(&c) && before.is_some_and(is_letter) && after.is_some_and(is_letter)
}

fn has_category(c: char, group: GeneralCategoryGroup) -> bool {
    group.contains(CodePointMapData::<GeneralCategory>::new().get(c))
}
