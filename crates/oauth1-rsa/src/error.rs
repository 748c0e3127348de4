//! Why a request is refused, and why a configured origin or key is.

/// Why a request's authentication failed. It carries nothing that the client sent.
///
/// [`BodyHashMissing`](Self::BodyHashMissing) and [`BodyHashMismatch`](Self::BodyHashMismatch) are
/// faults of the request (400); all others say that nobody has proven who calls (401).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// No `Authorization` header, or one with another scheme than `OAuth`.
    #[error("no OAuth authorization")]
    MissingAuthorization,
    /// The header is not a list of `name="value"` with names that OAuth knows.
    #[error("malformed authorization header")]
    MalformedHeader(HeaderFault),
    /// The parameter named here appears twice; `oauth_*` stands for one that OAuth has no rule for.
    #[error("duplicate {0}")]
    DuplicateParameter(&'static str),
    /// An `oauth_*` parameter appears outside the header, in the query.
    #[error("OAuth parameter in the query")]
    ParameterInQuery,
    /// A required parameter, named here, is absent.
    #[error("missing {0}")]
    MissingParameter(&'static str),
    /// The value of the parameter named here breaks its format.
    #[error("malformed {0}")]
    MalformedParameter(&'static str),
    /// `oauth_version` is given and is not `1.0`.
    #[error("unsupported OAuth version")]
    UnsupportedVersion,
    /// `oauth_signature_method` is unknown, or the policy forbids it.
    #[error("unsupported signature method")]
    UnsupportedSignatureMethod,
    /// `oauth_timestamp` lies too far in the past or in the future.
    #[error("timestamp out of window")]
    TimestampOutOfWindow,
    /// Path and query together are longer than is ever signed here.
    #[error("request target too long")]
    TargetTooLong,
    /// The query has more than 1,024 bytes or more than 32 pairs: nothing is built of it.
    #[error("query too large")]
    QueryTooLarge,
    /// There is a body but no `oauth_body_hash`.
    #[error("missing oauth_body_hash")]
    BodyHashMissing,
    /// `oauth_body_hash` is not the hash of the body that arrived.
    #[error("oauth_body_hash does not match the body")]
    BodyHashMismatch,
    /// The signature does not verify, or nobody has this consumer key: the two look alike on
    /// purpose.
    #[error("signature does not verify")]
    SignatureInvalid,
    /// The signature verified, but its nonce was used before. The caller, who keeps the nonces,
    /// says so.
    #[error("nonce used before")]
    NonceUsed,
}

impl SignatureError {
    /// A stable name for logs, metrics and audit entries.
    pub fn reason(self) -> &'static str {
        match self {
            Self::MissingAuthorization => "missing-authorization",
            Self::MalformedHeader(_) => "malformed-header",
            Self::DuplicateParameter(_) => "duplicate-parameter",
            Self::ParameterInQuery => "parameter-in-query",
            Self::MissingParameter(_) => "missing-parameter",
            Self::MalformedParameter(_) => "malformed-parameter",
            Self::UnsupportedVersion => "unsupported-version",
            Self::UnsupportedSignatureMethod => "unsupported-signature-method",
            Self::TimestampOutOfWindow => "timestamp-out-of-window",
            Self::TargetTooLong => "target-too-long",
            Self::QueryTooLarge => "query-too-large",
            Self::BodyHashMissing => "body-hash-missing",
            Self::BodyHashMismatch => "body-hash-mismatch",
            Self::SignatureInvalid => "signature-invalid",
            Self::NonceUsed => "nonce-used",
        }
    }
}

/// What is wrong with a header as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderFault {
    /// More than 8 KiB.
    TooLong,
    /// More than 32 parameters.
    TooManyParameters,
    /// Something else than `name="value"`, separated by commas.
    NotAList,
    /// A name that is neither `realm` nor begins with `oauth_`.
    ForeignParameter,
    /// A value that is not printable ASCII, or whose percent-encoding is broken.
    Value,
}

/// The parameters that OAuth knows, as far as they are used here.
const PARAMETERS: [&str; 7] = [
    "oauth_consumer_key",
    "oauth_nonce",
    "oauth_timestamp",
    "oauth_signature_method",
    "oauth_signature",
    "oauth_version",
    "oauth_body_hash",
];

/// A parameter's name without the lifetime of the request's text; `None` for one that OAuth does
/// not know.
pub(super) fn known(name: &str) -> Option<&'static str> {
    PARAMETERS.into_iter().find(|known| *known == name)
}

impl From<HeaderFault> for SignatureError {
    fn from(fault: HeaderFault) -> Self {
        Self::MalformedHeader(fault)
    }
}

/// `name: rule` for each name; the default for all others.
macro_rules! rules {
    ($name:expr, $rule:literal: $($known:literal)*) => {
        match $name {
            $($known => concat!($known, ": ", $rule),)*
            _ => concat!("oauth_*: ", $rule),
        }
    };
    ($name:expr, $rule:literal) => {
        rules!($name, $rule: "oauth_consumer_key" "oauth_nonce" "oauth_timestamp" "oauth_signature_method"
            "oauth_signature" "oauth_version" "oauth_body_hash" "realm")
    };
}

impl SignatureError {
    /// The parameter or header and the rule that it breaks: `oauth_nonce: is required`. Nothing
    /// that the client sent is in it. `None` if that would tell who is known here.
    pub fn detail(self) -> Option<&'static str> {
        Some(match self {
            Self::MissingAuthorization => "Authorization: must come once and begin with OAuth",
            Self::MalformedHeader(fault) => match fault {
                HeaderFault::TooLong => "Authorization: must have at most 8192 bytes",
                HeaderFault::TooManyParameters => "Authorization: must have at most 32 parameters",
                HeaderFault::NotAList => {
                    "Authorization: must be a list of name=\"value\", separated by commas"
                }
                HeaderFault::ForeignParameter => {
                    "Authorization: must have realm and parameters that begin with oauth_, no others"
                }
                HeaderFault::Value => {
                    "Authorization: values must be printable ASCII or percent-encoded UTF-8, without \\ and &"
                }
            },
            Self::DuplicateParameter(name) => rules!(name, "must come once"),
            Self::ParameterInQuery => "URL: must have no parameters that begin with oauth_",
            Self::MissingParameter(name) => rules!(name, "is required"),
            Self::MalformedParameter(name) => match name {
                "oauth_consumer_key" => {
                    "oauth_consumer_key: must be 1 to 256 visible ASCII characters"
                }
                "oauth_nonce" => "oauth_nonce: must be 1 to 128 letters, digits and -._~+/=",
                "oauth_timestamp" => {
                    "oauth_timestamp: must be 1 to 12 digits, the seconds (not milliseconds) since 1970"
                }
                "oauth_signature" => "oauth_signature: must be base64",
                name => rules!(
                    name,
                    "must be printable ASCII or percent-encoded UTF-8, without \\ and &"
                ),
            },
            Self::UnsupportedVersion => "oauth_version: must be 1.0",
            Self::UnsupportedSignatureMethod => {
                "oauth_signature_method: must be RSA-SHA256, or RSA-PSS where the issuer allows it"
            }
            Self::TimestampOutOfWindow => "oauth_timestamp: must be close to the gateway's clock",
            Self::TargetTooLong => "URL: path and query are too long",
            Self::QueryTooLarge => "URL: the query must have at most 1024 bytes and 32 pairs",
            Self::BodyHashMissing => "oauth_body_hash: is required where there is a body",
            Self::BodyHashMismatch => {
                "oauth_body_hash: must be the SHA-256 of the body as sent, in base64"
            }
            Self::NonceUsed => "oauth_nonce: must be new in each call",
            Self::SignatureInvalid => return None,
        })
    }
}

/// Why a configured public origin or key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The public origin breaks the rule given here.
    #[error("public origin {0}")]
    Origin(&'static str),
    /// The key is no RSA key.
    #[error("the key is not an RSA key")]
    NotRsa,
    /// The RSA key is shorter than 2048 bits.
    #[error("the RSA key has {0} bits; at least 2048 are needed")]
    KeyTooShort(u32),
}
