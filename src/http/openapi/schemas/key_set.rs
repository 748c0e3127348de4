//! The public gateway keys (RFC 7517).

use utoipa::ToSchema;

/// Public keys.
#[derive(ToSchema)]
pub struct JwkSet {
    /// The current keys first, RSA before EC.
    #[schema(min_items = 1)]
    pub keys: Vec<Jwk>,
}

/// A public key: RSA with `n` and `e`, or EC with `crv`, `x` and `y`.
#[derive(ToSchema)]
pub struct Jwk {
    /// The key type.
    #[schema(pattern = "^(RSA|EC)$")]
    pub kty: String,
    /// Encryption.
    #[schema(rename = "use", pattern = "^enc$")]
    pub usage: String,
    /// The algorithm. The gateway takes `ECDH-ES` for an EC key, too.
    #[schema(pattern = "^(RSA-OAEP-256|ECDH-ES\\+A256KW)$")]
    pub alg: String,
    /// The hex SHA-256 of the key's SPKI: what to put into a JWE's `kid`.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub kid: String,
    /// RSA: the modulus, in base64url.
    #[schema(pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    pub n: Option<String>,
    /// RSA: the exponent, in base64url.
    #[schema(pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    pub e: Option<String>,
    /// EC: the curve.
    #[schema(pattern = "^P-(256|384)$", nullable = false)]
    pub crv: Option<String>,
    /// EC: the x coordinate, in base64url.
    #[schema(pattern = "^[A-Za-z0-9_-]{43,64}$", nullable = false)]
    pub x: Option<String>,
    /// EC: the y coordinate, in base64url.
    #[schema(pattern = "^[A-Za-z0-9_-]{43,64}$", nullable = false)]
    pub y: Option<String>,
    /// The certificate, in base64, for clients that take certificates.
    #[schema(nullable = false)]
    pub x5c: Option<Vec<String>>,
}
