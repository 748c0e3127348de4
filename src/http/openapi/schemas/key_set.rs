//! The public gateway keys (RFC 7517).

use utoipa::ToSchema;

/// Public keys.
#[derive(ToSchema)]
pub struct JwkSet {
    /// The current key first.
    #[schema(min_items = 1)]
    pub keys: Vec<Jwk>,
}

/// A public RSA key.
#[derive(ToSchema)]
pub struct Jwk {
    /// The key type.
    #[schema(pattern = "^RSA$")]
    pub kty: String,
    /// Encryption.
    #[schema(rename = "use", pattern = "^enc$")]
    pub usage: String,
    /// The algorithm.
    #[schema(pattern = "^RSA-OAEP-256$")]
    pub alg: String,
    /// The hex SHA-256 of the key's SPKI: what to put into a JWE's `kid`.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub kid: String,
    /// The modulus, in base64url.
    #[schema(pattern = "^[A-Za-z0-9_-]+$")]
    pub n: String,
    /// The exponent, in base64url.
    #[schema(pattern = "^[A-Za-z0-9_-]+$")]
    pub e: String,
    /// The certificate, in base64, for clients that take certificates.
    #[schema(nullable = false)]
    pub x5c: Option<Vec<String>>,
}
