//! Account ranges: the leading 4 to 8 digits of the card numbers that belong to an issuer.
//!
//! A card number belongs to a range if it starts with the range's digits (cce-api.md 7.2). No range
//! of one issuer may touch a range of another (cce-api.md 7.6).

use crate::text_form::TextForm;
use std::collections::HashSet;
use std::fmt;

/// An account range, 4 to 8 digits: a BIN or a part of one (cce-api.md 3.6).
pub const ACCOUNT_RANGE: TextForm = TextForm::of_length(4, 8).and_pattern("^[0-9]+$");
/// A list of account ranges as an issuer sends it (cce-api.md 3.7).
pub const ACCOUNT_RANGE_LIST: TextForm = TextForm::matching(
    r"^[ \t\n\f\r]*[0-9]{4,8}([ \t\n\f\r]*,[ \t\n\f\r]*[0-9]{4,8})*[ \t\n\f\r]*$",
);
/// A list of account ranges as the gateway writes it; empty if there are none.
pub const WRITTEN_ACCOUNT_RANGES: TextForm = TextForm::matching("^([0-9]{4,8}(,[0-9]{4,8})*)?$");

/// Why a text is no account range. It never carries the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A range is not 4 to 8 digits, or a list has an empty item.
    #[error("account ranges are numbers of 4 to 8 digits, separated by commas")]
    Malformed,
}

impl Error {
    /// A stable name for log and audit.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "account-range-malformed",
        }
    }
}

/// Digits that a card number can start with: [`ACCOUNT_RANGE`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountRange(String);

impl AccountRange {
    /// Parses [`ACCOUNT_RANGE`]; blanks are not trimmed.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let fits = ACCOUNT_RANGE.has_length(text) && text.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| Self(text.to_owned())).ok_or(Error::Malformed)
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the card number with these digits lies in this range.
    pub fn covers(&self, pan_digits: &str) -> bool {
        pan_digits.starts_with(&self.0)
    }

    /// Whether every card number of `other` lies in this range, which may be `other` itself.
    pub fn contains(&self, other: &Self) -> bool {
        self.covers(&other.0)
    }

    /// Whether one of `others` contains this range or is it: a look-up for each length, however
    /// many they are.
    pub fn lies_in_any(&self, others: &HashSet<&str>) -> bool {
        (4..=self.0.len())
            .filter_map(|length| self.0.get(..length))
            .any(|beginning| others.contains(beginning))
    }
}

impl fmt::Display for AccountRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Parses [`ACCOUNT_RANGE_LIST`], in the order sent, in time that grows with its length.
///
/// A range that is named twice comes back once.
pub fn parse_list(text: &str) -> Result<Vec<AccountRange>, Error> {
    let mut seen = HashSet::new();
    let mut ranges = Vec::new();
    for item in text.split(',') {
        let item = item.trim_ascii();
        let range = AccountRange::parse(item)?;
        if seen.insert(item) {
            ranges.push(range);
        }
    }
    Ok(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> AccountRange {
        AccountRange::parse(text).unwrap()
    }

    #[test]
    fn a_range_is_4_to_8_ascii_digits() {
        for text in ["0000", "11112", "534403", "5344031", "53440312"] {
            assert_eq!(range(text).to_string(), text);
            assert_eq!(range(text).as_str(), text);
        }
        for text in [
            "",
            "534",
            "534403123",
            "53 44",
            " 5344",
            "+5344",
            "53a4",
            "٥٣٤٤",
            "5344\n",
        ] {
            assert_eq!(AccountRange::parse(text), Err(Error::Malformed), "{text:?}");
        }
    }

    #[test]
    fn a_range_covers_the_numbers_that_start_with_it() {
        assert!(range("5344").covers("5344035171224363"));
        assert!(range("53440351").covers("5344035171224363"));
        assert!(!range("5345").covers("5344035171224363"));
        assert!(!range("3440").covers("5344035171224363"));
    }

    #[test]
    fn a_range_lies_in_what_it_begins_with() {
        for (inner, outer, lies) in [
            ("5344", "5344", true),
            ("534403", "5344", true),
            ("5344", "534403", false),
            ("534403", "534404", false),
            ("15344", "5344", false),
        ] {
            assert_eq!(
                range(outer).contains(&range(inner)),
                lies,
                "{inner} {outer}"
            );
            let others = HashSet::from(["0000", outer, "9999"]);
            assert_eq!(range(inner).lies_in_any(&others), lies, "{inner} {outer}");
        }
    }

    #[test]
    fn a_list_has_blanks_only_around_its_items() {
        let list = |text| {
            parse_list(text).map(|all| all.iter().map(AccountRange::to_string).collect::<Vec<_>>())
        };
        assert_eq!(list("5344").unwrap(), ["5344"]);
        assert_eq!(
            list(" 534403, 518145\t,\n5403 ,534403").unwrap(),
            ["534403", "518145", "5403"]
        );
        for text in [
            "",
            " ",
            ",",
            "5344,",
            ",5344",
            "5344,,5403",
            "5344 5403",
            "5344;5403",
            "5344,12",
            "5344,\u{a0}5403",
        ] {
            assert_eq!(list(text), Err(Error::Malformed), "{text:?}");
        }
    }

    #[test]
    fn a_refusal_does_not_repeat_the_text() {
        let error = AccountRange::parse("5344035171224363").unwrap_err();
        assert!(!error.to_string().contains("5344"));
        assert_eq!(error.reason(), "account-range-malformed");
    }
}
