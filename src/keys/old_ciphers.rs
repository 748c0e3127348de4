//! Key files of old tools: RC2, DES and RC4, which OpenSSL 3 opens with its legacy provider alone.

use openssl::provider::Provider;

/// `pkcs-12PbeIds` and `pkcs-5` of RFC 7292 and RFC 8018, in DER without tag and length.
macro_rules! oid {
    (pkcs12 $last:literal) => {
        &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x0C, 0x01, $last]
    };
    (pkcs5 $last:literal) => {
        &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x05, $last]
    };
    (rsadsi $last:literal) => {
        &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x03, $last]
    };
}

/// Object identifiers with the names that people know.
const OLD: [(&[u8], &str); 14] = [
    (oid!(pkcs12 0x06), "40-bit RC2"),
    (oid!(pkcs12 0x05), "128-bit RC2"),
    (oid!(pkcs12 0x04), "two-key 3DES"),
    (oid!(pkcs12 0x03), "3DES"),
    (oid!(pkcs12 0x02), "40-bit RC4"),
    (oid!(pkcs12 0x01), "128-bit RC4"),
    (oid!(pkcs5 0x01), "DES with MD2"),
    (oid!(pkcs5 0x03), "DES with MD5"),
    (oid!(pkcs5 0x04), "RC2 with MD2"),
    (oid!(pkcs5 0x06), "RC2 with MD5"),
    (oid!(pkcs5 0x0A), "DES with SHA-1"),
    (oid!(pkcs5 0x0B), "RC2 with SHA-1"),
    (oid!(rsadsi 0x02), "RC2"),
    (&[0x2B, 0x0E, 0x03, 0x02, 0x07], "DES"),
];

/// The old cipher that a file in DER names in clear, the weakest first.
pub(super) fn named(der: &[u8]) -> Option<&'static str> {
    let has = |oid: &[u8]| der.windows(oid.len()).any(|window| window == oid);
    OLD.iter().find(|(oid, _)| has(oid)).map(|(_, name)| *name)
}

/// What came of another try with the legacy provider.
pub(super) enum Tried<T> {
    /// It opened.
    Opened(T),
    /// It did not.
    Failed,
    /// This OpenSSL has no legacy provider.
    NoProvider,
}

/// Tries to open something with the legacy provider, which is in force for that time alone.
pub(super) fn open<T>(attempt: impl FnOnce() -> Option<T>) -> Tried<T> {
    let Ok(_legacy) = Provider::try_load(None, "legacy", true) else {
        return Tried::NoProvider;
    };
    attempt().map_or(Tried::Failed, Tried::Opened)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ciphers_are_named() {
        let der = [&[0x30, 0x0A, 0x06, 0x0A], OLD[0].0, &[0x05, 0x00]].concat();
        assert_eq!(named(&der), Some("40-bit RC2"));
        assert_eq!(named(b"nothing"), None);
    }
}
