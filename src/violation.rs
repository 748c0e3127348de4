//! One broken rule of a request, named by field and rule.
//!
//! A violation never carries the value that broke the rule, because its text ends up in an answer
//! in clear (spec decision 8).

use std::borrow::Cow;

/// The catalogue's reason codes that a single field can earn (cce-api.md, section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// `INVALID_REQUEST_PARAMETER`: the value breaks its format.
    InvalidRequestParameter,
    /// `INVALID_FPAN`: Luhn digit wrong, or the number lies outside the issuer's account ranges.
    InvalidFpan,
    /// `INVALID_REQUEST_PARAMETER` for a list that is too short or too long: the one violation that
    /// the catalogue calls recoverable (cce-api.md 8.13).
    ListSize,
    /// `SERVICE_PROVIDER_ACCOUNT_RANGES_ALREADY_EXIST`: an account range touches another issuer's.
    AccountRangeTaken,
    /// `UNSUPPORTED_CURRENCY`: no ISO 4217 currency that can be converted.
    UnsupportedCurrency,
}

/// A field's path and the rule that it breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which reason code the answer carries.
    pub code: Code,
    /// The field's path in the (decrypted) JSON, `billingAddress.postalCode`; empty for the whole
    /// body.
    pub path: Cow<'static, str>,
    /// The rule in words, without the offending value: `must be 3 to 20 characters long`.
    pub rule: Cow<'static, str>,
}

impl Violation {
    /// An `INVALID_REQUEST_PARAMETER` at `path`.
    pub fn invalid(path: impl Into<Cow<'static, str>>, rule: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: Code::InvalidRequestParameter,
            path: path.into(),
            rule: rule.into(),
        }
    }
}
