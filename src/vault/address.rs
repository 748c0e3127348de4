//! The form of an e-mail address in which two spellings of one address are equal: what its blind
//! index is made of.

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizer, DecomposingNormalizer};
use zeroize::Zeroizing;

/// The local part composed (NFC) and case-folded, the domain in its ASCII form (UTS #46, IDNA).
///
/// A domain that IDNA refuses, such as an address literal, is composed and case-folded too.
pub(super) fn normal(address: &str) -> Zeroizing<String> {
    let address = address.trim();
    let Some((local, domain)) = address.rsplit_once('@') else {
        return folded(address);
    };
    let local = folded(local);
    let domain = idna::domain_to_ascii(domain).map_or_else(|_| folded(domain), Zeroizing::new);
    Zeroizing::new(format!("{}@{}", &*local, &*domain))
}

/// The form of versions before this one: lower case and nothing else.
pub(super) fn before(address: &str) -> Zeroizing<String> {
    Zeroizing::new(address.trim().to_lowercase())
}

/// Unicode's canonical caseless matching (D145), composed.
fn folded(text: &str) -> Zeroizing<String> {
    let apart = Zeroizing::new(
        DecomposingNormalizer::new_nfd()
            .normalize(text)
            .into_owned(),
    );
    let folded = Zeroizing::new(CaseMapper::new().fold_string(&apart).into_owned());
    Zeroizing::new(
        ComposingNormalizer::new_nfc()
            .normalize(&folded)
            .into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_one(spellings: &[&str], expected: &str) {
        for spelling in spellings {
            assert_eq!(*normal(spelling), expected, "{spelling}");
        }
    }

    #[test]
    fn spellings_of_one_address_are_equal() {
        assert_one(
            &[
                "zoë@example.com",
                "zoe\u{308}@example.com",
                "ZOË@EXAMPLE.COM",
                " ZOE\u{308}@Example.com ",
            ],
            "zoë@example.com",
        );
        assert_one(
            &[
                "info@münchen.example",
                "info@mu\u{308}nchen.example",
                "INFO@MÜNCHEN.EXAMPLE",
                "info@xn--mnchen-3ya.example",
                "info@XN--MNCHEN-3YA.example",
                "info@münchen\u{3002}example",
            ],
            "info@xn--mnchen-3ya.example",
        );
        // A final sigma is a sigma; the folded letter ß is two.
        assert_one(
            &["ΣΑΣ@example.com", "σας@example.com", "σασ@example.com"],
            "σασ@example.com",
        );
        assert_one(
            &["straße@example.com", "STRASSE@example.com"],
            "strasse@example.com",
        );
        // Quoted local parts and address literals keep their form.
        assert_one(&["\"a@b\"@[192.0.2.1]"], "\"a@b\"@[192.0.2.1]");
        assert_one(&["a_b@under_score.example"], "a_b@under_score.example");
    }

    #[test]
    fn other_addresses_are_not() {
        for (one, other) in [
            ("zoe@example.com", "zoë@example.com"),
            ("a.b@example.com", "ab@example.com"),
            ("info@münchen.example", "info@munchen.example"),
            // Two domains that anybody can register (IDNA 2008).
            ("info@straße.example", "info@strasse.example"),
        ] {
            assert_ne!(normal(one), normal(other), "{one}");
        }
    }

    #[test]
    fn plain_addresses_are_as_they_were() {
        for address in [
            "John.Doe@Mail.com",
            "a+b@sub.example.co.uk",
            "o'neil@example.com",
        ] {
            assert_eq!(normal(address), before(address));
        }
    }
}
