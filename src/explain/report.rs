//! The parts of an explanation. They may show card numbers and names, as a sandbox shows them: so
//! none has `Debug`.

use super::diff::Diff;
use serde::Serialize;

/// The gateway's checks, in its own order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepId {
    /// Method and path.
    Http,
    /// The `Authorization` header is a well-formed OAuth list.
    Header,
    /// `oauth_signature_method` and `oauth_version`.
    Method,
    /// `oauth_timestamp` against the clock.
    Timestamp,
    /// The query's size, and no OAuth parameter in it.
    Query,
    /// `oauth_body_hash` against the body.
    BodyHash,
    /// Somebody on board has the consumer key.
    ConsumerKey,
    /// The client signed the same text as the gateway.
    BaseString,
    /// The signature is by a key of the consumer key.
    Signature,
    /// The issuer may make this call now.
    Issuer,
    /// The nonce is new.
    Nonce,
    /// `Content-Type` and `Content-Encoding`.
    ContentType,
    /// The body is an envelope whose members are in order.
    Envelope,
    /// Lengths of IV, tag and ciphertext.
    Iv,
    /// The key that `kid` or the fingerprint names.
    Kid,
    /// RSA-OAEP unwraps the content key.
    Oaep,
    /// The content opens: GCM tag, MAC, or CBC padding.
    Tag,
    /// The content is a JSON object.
    Json,
    /// The rules for its fields.
    Rules,
    /// What the gateway answered.
    Answer,
}

impl StepId {
    /// All, in order.
    pub const ALL: [Self; 20] = [
        Self::Http,
        Self::Header,
        Self::Method,
        Self::Timestamp,
        Self::Query,
        Self::BodyHash,
        Self::ConsumerKey,
        Self::BaseString,
        Self::Signature,
        Self::Issuer,
        Self::Nonce,
        Self::ContentType,
        Self::Envelope,
        Self::Iv,
        Self::Kid,
        Self::Oaep,
        Self::Tag,
        Self::Json,
        Self::Rules,
        Self::Answer,
    ];

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Http => "Method and path",
            Self::Header => "Authorization header",
            Self::Method => "Signature method",
            Self::Timestamp => "Timestamp",
            Self::Query => "Query",
            Self::BodyHash => "Body hash",
            Self::ConsumerKey => "Consumer key",
            Self::BaseString => "Base string",
            Self::Signature => "Signature",
            Self::Issuer => "Issuer",
            Self::Nonce => "Nonce",
            Self::ContentType => "Content type",
            Self::Envelope => "Envelope",
            Self::Iv => "IV and tag",
            Self::Kid => "Key name (kid)",
            Self::Oaep => "RSA-OAEP",
            Self::Tag => "Decryption",
            Self::Json => "JSON",
            Self::Rules => "Rules",
            Self::Answer => "Answer",
        }
    }
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// In order.
    Passed,
    /// The first check that refuses the call.
    Failed,
    /// The gateway did not come so far.
    NotReached,
    /// Something that it needs is not known, such as the time or a private key.
    NotChecked,
}

impl Verdict {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::NotReached => "not reached",
            Self::NotChecked => "not checked",
        }
    }
}

/// One check.
#[derive(Clone, Serialize)]
pub struct Step {
    /// Which.
    pub step: StepId,
    /// The same for people.
    pub title: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What was expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What would be refused here once the checks before it pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub further: Option<Cause>,
}

/// A mistake.
#[derive(Clone, Serialize)]
pub struct Cause {
    /// Stable: `signature.query_left_out`.
    pub code: &'static str,
    /// What is wrong, in a sentence.
    pub what: String,
    /// What to do, in a sentence.
    pub advice: String,
    /// How we know, if it could be proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// Both values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<Diff>,
    /// Single fields, with their values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Detail>,
}

/// One field or parameter.
#[derive(Clone, Serialize)]
pub struct Detail {
    /// Its name or path.
    pub field: String,
    /// Its value, as it came.
    pub found: String,
    /// The rule that it breaks, or what it should be.
    pub rule: String,
}

impl Cause {
    pub(super) fn new(
        code: &'static str,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            code,
            what: what.into(),
            advice: advice.into(),
            proof: None,
            diff: None,
            details: Vec::new(),
        }
    }

    pub(super) fn proven(mut self, proof: impl Into<String>) -> Self {
        self.proof = Some(proof.into());
        self
    }

    pub(super) fn differing(mut self, diff: Diff) -> Self {
        self.diff = Some(diff);
        self
    }

    pub(super) fn with(
        mut self,
        field: impl Into<String>,
        found: impl Into<String>,
        rule: impl Into<String>,
    ) -> Self {
        self.details.push(Detail {
            field: field.into(),
            found: found.into(),
            rule: rule.into(),
        });
        self
    }
}

/// Why a call was refused, or that nothing is wrong with it.
#[derive(Clone, Serialize)]
pub struct Explanation {
    /// The request line and when it came.
    pub call: String,
    /// A sentence.
    pub summary: String,
    /// The first check that refuses the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<StepId>,
    /// Its reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// Every check, in order.
    pub steps: Vec<Step>,
    /// The base strings that the gateway built, the most usual first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub base_strings: Vec<String>,
}
