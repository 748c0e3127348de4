//! What a signature costs: counted, not timed.

use super::*;
use crate::base_string::MAX_CANDIDATES;
use crate::verify::Work;

/// Readings, orders and escapings all differ, within the limits of a query.
fn hostile() -> String {
    let pairs: Vec<String> = (0..32).map(|n| format!("b{n}%2f=(+)~*!{n}&")).collect();
    pairs.concat().trim_end_matches('&').to_owned()
}

fn prove(
    header: &str,
    query: Option<&str>,
    keys: &[&VerifyingKey],
    decoys: &Decoys,
    allow_pss: bool,
) -> (Result<(), SignatureError>, Work) {
    let mut work = Work::default();
    let result = Authorization::parse(header).unwrap().prove_counted(
        &get("/issuers", query),
        &origins(&["https://api.example.com", "https://other.example.com"]),
        keys,
        decoys,
        allow_pss,
        &mut work,
    );
    (result, work)
}

#[test]
fn a_right_signature_takes_one_verification() {
    let signed = Signed::new("GET", "/issuers", "");
    let ordinary = signed.signed_header();
    let one = Work {
        candidates: 1,
        verifications: 1,
    };
    let decoys = Decoys::default();
    let proven = prove(&ordinary, None, &[&KEY.public], &decoys, true);
    assert_eq!(proven, (Ok(()), one));
}

#[test]
fn a_wrong_signature_takes_a_bounded_number_of_verifications() {
    let header = Signed::new("GET", "/elsewhere", "").signed_header();
    let decoys = Decoys::default();
    let query = hostile();
    for (query, most) in [
        (None, 6),
        (Some("lang=en-US"), 6),
        (Some("limit=25&offset=50"), 8),
        (Some(query.as_str()), MAX_CANDIDATES),
    ] {
        let (result, work) = prove(&header, query, &[&KEY.public], &decoys, true);
        assert_eq!(result, Err(SignatureError::SignatureInvalid));
        assert!(work.candidates <= most, "{query:?}: {work:?}");
        assert_eq!(work.verifications, work.candidates, "{query:?}");
    }
}

#[test]
fn work_and_answer_do_not_tell_a_known_consumer_key_from_an_unknown_one() {
    let (one, two) = (
        [KEY.public.clone()],
        [KEY.public.clone(), OTHER_KEY.public.clone()],
    );
    let decoys = Decoys::among([&one[..], &two[..]].into_iter());
    let elsewhere = Signed::new("GET", "/elsewhere", "");
    let pss = elsewhere.clone().with("oauth_signature_method", "RSA-PSS");
    for (signed, allow_pss) in [(&elsewhere, true), (&pss, true), (&pss, false)] {
        let header = signed.signed_header();
        let expected = prove(&header, None, &[], &decoys, allow_pss);
        assert_eq!(expected.0, Err(SignatureError::SignatureInvalid));
        assert_eq!(expected.1.verifications, 2 * expected.1.candidates);
        for known in [&[&one[0]][..], &[&two[0], &two[1]][..]] {
            assert_eq!(prove(&header, None, known, &decoys, allow_pss), expected);
        }
    }
}

#[test]
fn that_a_method_is_forbidden_is_told_to_who_has_the_key_alone() {
    let signed = Signed::new("GET", "/issuers", "").with("oauth_signature_method", "RSA-PSS");
    let good = rsa_pss(&signed.base_string(&signed.parameters("", "")), 32);
    let decoys = Decoys::default();
    for (signature, expected) in [
        (good, SignatureError::UnsupportedSignatureMethod),
        (vec![1; 256], SignatureError::SignatureInvalid),
    ] {
        let header = signed.header(&signature);
        let (result, _) = prove(&header, None, &[&KEY.public], &decoys, false);
        assert_eq!(result, Err(expected));
    }
}
