//! Requests recorded from Mastercard's npm and PyPI signers: `tests/fixtures/README.md`.

use super::*;
use serde_json::Value;

const VECTORS: &str = include_str!("../../tests/fixtures/vectors.json");

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap()
}

#[test]
fn requests_of_official_libraries_verify() {
    let recorded: Value = serde_json::from_str(VECTORS).unwrap();
    for library in ["node", "python"] {
        let library = &recorded[library];
        let key = PKey::public_key_from_pem(text(library, "public_key").as_bytes()).unwrap();
        let key = VerifyingKey::from_public_key(key).unwrap();
        let vectors = library["vectors"].as_array().unwrap();
        assert!(vectors.len() > 30);
        for vector in vectors {
            let name = format!("{} {}", text(library, "library"), text(vector, "signed"));
            let (path, query) = match text(vector, "target").split_once('?') {
                Some((path, query)) => (path, Some(query)),
                None => (text(vector, "target"), None),
            };
            let request = Request {
                method: text(vector, "method"),
                path,
                query,
                body: text(vector, "body").as_bytes(),
            };
            let authorization = Authorization::parse(text(vector, "authorization")).unwrap();
            let verify = |request: &Request<'_>, key: &VerifyingKey| {
                authorization.verify(
                    request,
                    &origins(&[text(vector, "origin")]),
                    &[key],
                    &Policy::default(),
                    authorization.timestamp(),
                )
            };
            assert_eq!(verify(&request, &key), Ok(()), "{name}");
            assert_eq!(
                authorization.client_id(),
                "fjl2fxzsYl1OpvxkBItC9nVw1PSQc_b-eQMcmQFg011ab4b5"
            );

            let invalid = Err(SignatureError::SignatureInvalid);
            assert_eq!(verify(&request, &KEY.public), invalid, "{name}");
            let more = format!("{}&added-pair=1", query.unwrap_or_default());
            let changed = Request {
                query: Some(&more),
                ..request
            };
            assert_eq!(verify(&changed, &key), invalid, "{name}");
        }
    }
}
