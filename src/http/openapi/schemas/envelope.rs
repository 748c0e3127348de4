//! The two encrypted envelopes (cce-api.md 2; wire-formats.md 1 and 2).

use crate::payload::field_level::{
    ENCRYPTED_KEY_HEADER, FINGERPRINT_HEADERS, IV_HEADER, OAEP_DIGEST_HEADERS,
};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Ref, Schema, Type};
use utoipa::openapi::{RefOr, Required};
use utoipa::{PartialSchema, ToSchema};

/// A payload in either envelope, encrypted to the gateway's certificate.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum EncryptedRequest {
    /// A compact JWE.
    Jwe(JweRequest),
    /// Field-level encryption.
    FieldLevel(FieldLevelRequest),
}

/// A compact JWE: `alg` RSA-OAEP-256, `enc` A128GCM, A192GCM, A256GCM or A128CBC-HS256. `kid` is
/// the fingerprint of the gateway's key or certificate; empty or absent, it means the current key.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct JweRequest {
    /// The token.
    #[schema(
        pattern = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$"
    )]
    pub encrypted_data: String,
}

/// Field-level encryption: AES-CBC under a key that is wrapped with RSA-OAEP; binary values in hex
/// or base64. Every member but `encryptedData` may come as a header instead, if the operator has
/// turned that on for the issuer.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct FieldLevelRequest {
    /// The ciphertext.
    #[schema(pattern = "^[^.]+$")]
    pub encrypted_data: String,
    /// The wrapped key. Required, here or (where that is turned on) as a header.
    pub encrypted_key: Option<String>,
    /// The IV, 16 bytes. Required, here or (where that is turned on) as a header.
    #[schema(examples("6fb5ccde2b2c4a0e9a8d3f0c51f7d2b1"))]
    pub iv: Option<String>,
    /// The digest of the OAEP padding, SHA-256 or SHA-512; absent, SHA-256.
    #[schema(examples("SHA256"))]
    pub oaep_hashing_algorithm: Option<String>,
    /// The fingerprint of the gateway's key or certificate; empty or absent, it means the current
    /// key.
    pub public_key_fingerprint: Option<String>,
}

/// A large payload in either envelope, encrypted to the gateway's certificate.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum EncryptedBatch {
    /// A compact JWE.
    Jwe(JweBatch),
    /// Field-level encryption.
    FieldLevel(FieldLevelBatch),
}

/// A [`JweRequest`] of any length that the body may have.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct JweBatch {
    /// The token.
    #[schema(
        pattern = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$"
    )]
    pub encrypted_data: String,
}

/// A [`FieldLevelRequest`] of any length that the body may have.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct FieldLevelBatch {
    /// The ciphertext.
    #[schema(pattern = "^[^.]+$")]
    pub encrypted_data: String,
    /// As in `FieldLevelRequest`, as are the others.
    pub encrypted_key: Option<String>,
    /// The IV, 16 bytes.
    pub iv: Option<String>,
    /// The digest of the OAEP padding.
    pub oaep_hashing_algorithm: Option<String>,
    /// The fingerprint of the gateway's key or certificate.
    pub public_key_fingerprint: Option<String>,
}

/// A compact JWE, encrypted to the issuer's certificate.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct JweAnswer {
    /// The token.
    #[schema(pattern = r"^([A-Za-z0-9_-]+\.){4}[A-Za-z0-9_-]+$")]
    pub encrypted_data: String,
}

/// Field-level encryption to the issuer's certificate, written like the request: binary values in
/// the encoding of the request's IV (hex, base64 with padding, or base64url without), and its
/// digest.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct FieldLevelAnswer {
    /// The ciphertext.
    #[schema(pattern = "^[A-Za-z0-9+/_-]+={0,2}$")]
    pub encrypted_data: String,
    /// The wrapped key.
    #[schema(pattern = "^[A-Za-z0-9+/_-]+={0,2}$")]
    pub encrypted_key: String,
    /// The IV: 32 characters in hex, 24 in base64, 22 in base64url.
    #[schema(min_length = 22, max_length = 32, pattern = "^[A-Za-z0-9+/_-]+={0,2}$")]
    pub iv: String,
    /// The digest of the OAEP padding.
    #[schema(pattern = "^SHA(256|512)$")]
    pub oaep_hashing_algorithm: String,
    /// The fingerprint of the issuer's key.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub public_key_fingerprint: String,
}

/// Field-level encryption whose other parameters are headers of the answer, under the names that
/// the request's headers have.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct FieldLevelHeadersAnswer {
    /// The ciphertext.
    #[schema(pattern = "^[A-Za-z0-9+/_-]+={0,2}$")]
    pub encrypted_data: String,
}

/// A reference to the request envelope, and the schemas behind it.
pub(in crate::http::openapi) fn encrypted_request() -> (Ref, Vec<(String, RefOr<Schema>)>) {
    let name = EncryptedRequest::name();
    let mut schemas = vec![(name.clone().into_owned(), EncryptedRequest::schema())];
    EncryptedRequest::schemas(&mut schemas);
    (Ref::from_schema_name(name), schemas)
}

/// The same for bodies that may be large.
pub(in crate::http::openapi) fn encrypted_batch() -> (Ref, Vec<(String, RefOr<Schema>)>) {
    let name = EncryptedBatch::name();
    let mut schemas = vec![(name.clone().into_owned(), EncryptedBatch::schema())];
    EncryptedBatch::schemas(&mut schemas);
    (Ref::from_schema_name(name), schemas)
}

/// The headers that can stand in for members of a [`FieldLevelRequest`].
pub(in crate::http::openapi) fn envelope_headers() -> Vec<Parameter> {
    let [digest, digest_too] = OAEP_DIGEST_HEADERS;
    let [fingerprint, fingerprint_too, fingerprint_three] = FINGERPRINT_HEADERS;
    let headers = [
        (IV_HEADER, "`iv`, where it is not in the body. Like all of these headers it counts only for issuers for whom they are turned on.".to_owned()),
        (
            ENCRYPTED_KEY_HEADER,
            "`encryptedKey`, where it is not in the body.".to_owned(),
        ),
        (
            digest,
            format!("`oaepHashingAlgorithm`, where it is not in the body. Also: `{digest_too}`."),
        ),
        (
            fingerprint,
            format!(
                "`publicKeyFingerprint`, where it is not in the body. Also: `{fingerprint_too}`, `{fingerprint_three}`."
            ),
        ),
    ];
    let parameter = |(name, description): (&str, String)| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(description))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .build()
    };
    headers.into_iter().map(parameter).collect()
}
