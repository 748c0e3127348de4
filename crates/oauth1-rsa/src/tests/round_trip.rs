//! What our own signer signs, our verification takes, whatever the query and the body hold.

use super::*;
use openssl::pkey::Private;
use proptest::prelude::*;

fn signing_key() -> SigningKey {
    let key: PKey<Private> = PKey::private_key_from_pkcs8(&KEY.pkcs8).unwrap();
    SigningKey::from_private_key(key, CONSUMER_KEY.into()).unwrap()
}

static SIGNER: LazyLock<SigningKey> = LazyLock::new(signing_key);

#[test]
fn our_signer_agrees_with_the_independent_one() {
    // PKCS#1 v1.5 is deterministic: the whole header must be the same, but for the order.
    let signed = Signed::new("POST", "/issuers/users", "{}");
    let signature = rsa_sha256(&signed.base_string(&signed.parameters("a=1&lang=en-US", "z=%2F")));
    let url = "https://API.example.com:443/issuers/users?z=%2F&lang=en-US&a=1";
    let ours = SIGNER
        .sign_at("POST", url, b"{}", SignatureMethod::RsaSha256, NOW, NONCE)
        .unwrap();
    let sorted = |header: &str| {
        let mut parts: Vec<String> = header
            .trim_start_matches("OAuth ")
            .split(',')
            .map(str::to_owned)
            .collect();
        parts.sort();
        parts
    };
    assert_eq!(sorted(&ours), sorted(&signed.header(&signature)));
}

#[test]
fn requests_signed_now_carry_the_current_time_and_a_fresh_nonce() {
    let sign = || {
        SIGNER
            .sign(
                "GET",
                "https://api.example.com/issuers",
                b"",
                SignatureMethod::RsaPss,
            )
            .unwrap()
    };
    let (first, second) = (sign(), sign());
    let first = Authorization::parse(&first).unwrap();
    let second = Authorization::parse(&second).unwrap();
    assert_ne!(first.nonce(), second.nonce());
    assert_eq!(first.consumer_key(), CONSUMER_KEY);
    let result = first.verify(
        &get("/issuers", None),
        &origins(&["https://api.example.com"]),
        &[&KEY.public],
        &Policy::default(),
        first.timestamp(),
    );
    assert_eq!(result, Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn signed_requests_verify_and_changed_ones_do_not(
        path in "(/[!$'()*+,;:@A-Za-z0-9._~%-]{0,12}){1,4}",
        query in proptest::option::of("[!$&'()*+,;=:@/?A-Za-z0-9._~%-]{0,60}"),
        body in proptest::collection::vec(any::<u8>(), 0..200),
        pss in any::<bool>(),
    ) {
        prop_assume!(!query.as_ref().is_some_and(|query| query.contains("oauth_")));
        let method = if pss { SignatureMethod::RsaPss } else { SignatureMethod::RsaSha256 };
        let target = match &query {
            Some(query) => format!("{path}?{query}"),
            None => path.clone(),
        };
        let url = format!("https://api.example.com{target}");
        let header = SIGNER.sign_at("POST", &url, &body, method, NOW, NONCE).unwrap();
        let request = Request { method: "POST", path: &path, query: query.as_deref(), body: &body };
        prop_assert_eq!(verify(&header, &request), Ok(()));

        let more = format!("{}&added-pair=1", query.as_deref().unwrap_or_default());
        let changed = Request { query: Some(&more), ..request };
        prop_assert_eq!(verify(&header, &changed), Err(SignatureError::SignatureInvalid));

        let longer = format!("{path}x");
        let changed = Request { path: &longer, ..request };
        prop_assert_eq!(verify(&header, &changed), Err(SignatureError::SignatureInvalid));

        let other_body = [&body[..], b" "].concat();
        let changed = Request { body: &other_body, ..request };
        prop_assert_eq!(verify(&header, &changed), Err(SignatureError::BodyHashMismatch));
    }
}
