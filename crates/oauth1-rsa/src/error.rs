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
    /// The header is not a list of `name="value"` with names that OAuth knows, or is too long.
    #[error("malformed authorization header")]
    MalformedHeader,
    /// A parameter appears twice, or an `oauth_*` parameter appears outside the header.
    #[error("duplicate OAuth parameter")]
    DuplicateParameter,
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
            Self::MalformedHeader => "malformed-header",
            Self::DuplicateParameter => "duplicate-parameter",
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
