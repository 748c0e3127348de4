//! Why a payload did not open: for the log, never for the sender.

/// What went wrong while opening. `Display` is one and the same text for all of them, because an
/// answer that told them apart would be an oracle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the encrypted payload cannot be opened")]
pub enum CryptoReason {
    /// A JWE that has not exactly five segments.
    SegmentCount,
    /// A JWE segment or a field-level member that is not in its encoding.
    Encoding,
    /// The JWE header is no JSON object with unique names, or lacks `alg` or `enc`.
    Header,
    /// The JWE header has `zip`, `crit`, `p2c`, `jku` or `x5u`.
    HeaderMember,
    /// `alg` is none of RSA-OAEP-256, ECDH-ES and ECDH-ES+A256KW, does not fit the key that `kid`
    /// names, or `enc` is outside the policy.
    Algorithm,
    /// The ephemeral key `epk` is missing, malformed, of another curve than the key that `kid`
    /// names, or no point of its curve.
    EphemeralKey,
    /// `oaepHashingAlgorithm` names neither SHA-256 nor SHA-512.
    Digest,
    /// `kid` is not a string.
    KeyHint,
    /// No key that may decrypt goes by that `kid` or fingerprint.
    UnknownKey,
    /// The IV has a wrong length.
    IvLength,
    /// The tag is not 16 bytes long.
    TagLength,
    /// The CBC ciphertext is empty or no multiple of 16 bytes.
    CiphertextLength,
    /// The wrapped key is not as long as the RSA modulus, or as AES Key Wrap makes it.
    WrappedKeyLength,
    /// The wrapped key belongs to another message, or to another sender.
    WrappedKeyReused,
    /// The content key did not unwrap.
    KeyUnwrap,
    /// The authentication tag does not match.
    Authentication,
    /// The CBC padding is wrong.
    Padding,
    /// The plaintext is no JSON object with unique names in UTF-8.
    Plaintext,
}

impl CryptoReason {
    /// A stable kebab-case name for log and audit.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SegmentCount => "segment-count",
            Self::Encoding => "encoding",
            Self::Header => "header",
            Self::HeaderMember => "header-member",
            Self::Algorithm => "algorithm",
            Self::EphemeralKey => "ephemeral-key",
            Self::Digest => "oaep-digest",
            Self::KeyHint => "key-hint",
            Self::UnknownKey => "unknown-key",
            Self::IvLength => "iv-length",
            Self::TagLength => "tag-length",
            Self::CiphertextLength => "ciphertext-length",
            Self::WrappedKeyLength => "wrapped-key-length",
            Self::WrappedKeyReused => "wrapped-key-reused",
            Self::KeyUnwrap => "key-unwrap",
            Self::Authentication => "authentication",
            Self::Padding => "padding",
            Self::Plaintext => "plaintext",
        }
    }
}
