//! Mistakes that keep a caller from being proven: header, time, body hash, base string, key.

use super::super::world::{Jwe, Sign, Signing, World, base64, escape, sha256, sign, sign_pss};
use super::{Broken, broken, clear, good};
use openssl::hash::{MessageDigest, hash};
use serde_json::json;

pub(super) fn headers(world: &World) -> Vec<Broken> {
    let authorized = |change: &dyn Fn(&str) -> String| good(world).request().authorized(change);
    let signature = |change: &dyn Fn(&str) -> String| {
        authorized(&|header| {
            let (before, rest) = header.split_once("oauth_signature=\"").unwrap();
            let value = rest.trim_end_matches('"');
            format!("{before}oauth_signature=\"{}\"", change(value))
        })
    };
    let standard = |value: &str| {
        let value = value.replace("%2B", "+").replace("%2F", "/");
        value.replace("%3D", "=")
    };
    vec![
        broken(
            "no signature",
            "header.missing",
            good(world).request().without("Authorization"),
        ),
        broken(
            "two headers",
            "header.twice",
            good(world).request().with("Authorization", "Basic eDp5"),
        ),
        broken(
            "a bearer token",
            "header.scheme",
            authorized(&|_| "Bearer abc".to_owned()),
        ),
        broken(
            "values without quotes",
            "header.malformed",
            authorized(&|header| header.replace('"', "")),
        ),
        broken(
            "a query's pair in the header",
            "header.foreign_parameter",
            authorized(&|header| header.replace("OAuth ", "OAuth lang=\"sv\",")),
        ),
        broken(
            "no nonce",
            "header.parameter_missing",
            authorized(&|header| header.replace("oauth_nonce=", "oauth_once=")),
        ),
        broken(
            "a signature in lines",
            "header.signature_line_breaks",
            signature(&|value| {
                let value = standard(value);
                let (start, end) = value.split_at(64);
                escape(&format!("{start}\n{end}"))
            }),
        ),
        broken(
            "a signature that is encoded twice",
            "header.signature_encoded_twice",
            signature(&escape),
        ),
        broken(
            "a signature in base64url",
            "header.signature_base64url",
            signature(&|value| standard(value).replace('+', "-").replace('/', "_")),
        ),
        broken(
            "a signature that was cut",
            "signature.cut",
            signature(&|value| escape(&standard(value)[..200])),
        ),
        broken(
            "a signature that was cut in the middle of a byte",
            "signature.cut",
            signature(&|value| escape(&standard(value)[..201])),
        ),
    ]
}

pub(super) fn times_and_methods(world: &World) -> Vec<Broken> {
    let now: i64 = good(world).get("oauth_timestamp").parse().unwrap();
    let at = |moment: i64| {
        good(world)
            .set("oauth_timestamp", &moment.to_string())
            .request()
    };
    let method = |name: &'static str| good(world).set("oauth_signature_method", name).request();
    vec![
        broken("a clock behind", "timestamp.clock_behind", at(now - 1_000)),
        broken("a clock ahead", "timestamp.clock_ahead", at(now + 1_000)),
        broken("a local time", "timestamp.time_zone", at(now + 2 * 3_600)),
        broken("milliseconds", "timestamp.milliseconds", at(now * 1_000)),
        broken(
            "a date",
            "timestamp.not_seconds",
            good(world)
                .set("oauth_timestamp", "2026-11-27T12:00:00Z")
                .request(),
        ),
        broken("an HMAC", "method.hmac", method("HMAC-SHA256")),
        broken("SHA-1 by name", "method.sha1", method("RSA-SHA1")),
        broken("another name", "method.name", method("rsa-sha256")),
        broken(
            "another version",
            "header.version",
            good(world).set("oauth_version", "2.0").request(),
        ),
    ]
}

pub(super) fn body_hashes(world: &World) -> Vec<Broken> {
    let hashed = |name, code, change: &dyn Fn(&[u8]) -> String| {
        let signing = good(world);
        let hash = change(&signing.body);
        broken(name, code, signing.set("oauth_body_hash", &hash).request())
    };
    let mut without = good(world);
    without
        .parameters
        .retain(|(name, _)| *name != "oauth_body_hash");
    let unicode = json!({"encryptedData": Jwe::new(world, clear(world)).token(), "note": "Zoë"});
    let latin1: Vec<u8> = unicode.to_string().chars().map(|c| c as u8).collect();
    let latin1 = base64(&sha256(&latin1));
    let text = clear(world);
    let secret = Signing::enrolment(world, Jwe::new(world, text.clone()).body());
    vec![
        broken("no body hash", "body_hash.missing", without.request()),
        hashed("a hash in hex", "body_hash.hex", &|body| {
            hex::encode(sha256(body))
        }),
        hashed("base64 of hex", "body_hash.base64_of_hex", &|body| {
            base64(hex::encode(sha256(body)).as_bytes())
        }),
        hashed("SHA-1", "body_hash.sha1", &|body| {
            base64(&hash(MessageDigest::sha1(), body).unwrap())
        }),
        hashed("SHA-512", "body_hash.sha512", &|body| {
            base64(&hash(MessageDigest::sha512(), body).unwrap())
        }),
        hashed("no padding", "body_hash.unpadded", &|body| {
            base64(&sha256(body)).trim_end_matches('=').to_owned()
        }),
        hashed("an empty body", "body_hash.empty_body", &|_| {
            base64(&sha256(b""))
        }),
        hashed("a line feed", "body_hash.newline", &|body| {
            base64(&sha256(&[body, b"\n"].concat()))
        }),
        hashed("a byte order mark", "body_hash.bom", &|body| {
            base64(&sha256(&[b"\xEF\xBB\xBF", body].concat()))
        }),
        hashed("UTF-16", "body_hash.utf16", &|body| {
            let text = std::str::from_utf8(body).unwrap();
            let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            base64(&sha256(&bytes))
        }),
        broken(
            "Latin-1",
            "body_hash.latin1",
            Signing::enrolment(world, unicode.to_string().into())
                .set("oauth_body_hash", &latin1)
                .request(),
        ),
        broken(
            "JSON that was written anew",
            "body_hash.rewritten_json",
            good(world)
                .request()
                .rewritten(|body| body.replace("\":\"", "\": \"")),
        ),
        broken(
            "the hash of the clear text",
            "body_hash.clear_text",
            secret
                .set("oauth_body_hash", &base64(&sha256(text.as_bytes())))
                .request(),
        ),
        broken(
            "a body that was changed",
            "body_hash.other_body",
            good(world)
                .request()
                .rewritten(|body| body.replace("\"}", "\",\"more\":1}")),
        ),
        hashed("half a hash", "body_hash.not_sha256", &|body| {
            base64(&sha256(body)[..16])
        }),
    ]
}

pub(super) fn base_strings(world: &World) -> Vec<Broken> {
    let url = |change: &dyn Fn(&str) -> String| {
        let signing = good(world);
        let signed = change(&signing.url);
        let authority = signing.url.split('/').nth(2).unwrap().to_owned();
        let request = Signing {
            url: signed,
            ..signing
        };
        // It goes to the same host all the same.
        request.request().without("Host").with("Host", &authority)
    };
    let queried = |signed: &str| Signing {
        target: "/issuers/users?b=x%20y&a=1".to_owned(),
        query: signed.to_owned(),
        ..good(world)
    };
    let joined = |join| Signing {
        join,
        ..good(world)
    };
    let get = Signing {
        method: "GET",
        ..good(world)
    };
    let port = world.base_url.rsplit(':').next().unwrap().to_owned();
    let sent_hash = good(world);
    let hash = sent_hash.get("oauth_body_hash");
    let other_hash = sent_hash.set("oauth_body_hash", &base64(&sha256(b"")));
    vec![
        broken(
            "https for http",
            "signature.scheme",
            url(&|url| url.replace("http:", "https:")),
        ),
        broken(
            "another host",
            "signature.host",
            url(&|url| url.replace("127.0.0.1", "host.docker.internal")),
        ),
        broken(
            "no port",
            "signature.port",
            url(&|url| url.replace(&format!(":{port}"), "")),
        ),
        broken(
            "Mastercard's address",
            "signature.url",
            url(&|_| "https://sandbox.api.mastercard.com/cts/issuers/users".to_owned()),
        ),
        broken(
            "another prefix",
            "signature.path_prefix",
            url(&|url| url.replace("/issuers", "/cts/issuers")),
        ),
        broken(
            "a slash that is not sent",
            "signature.trailing_slash",
            url(&|url| format!("{url}/")),
        ),
        broken("GET for POST", "signature.http_method", get.request()),
        broken(
            "a query left out",
            "signature.query_left_out",
            queried("").request(),
        ),
        broken(
            "a query unsorted",
            "signature.query_unsorted",
            queried("b=x%20y&a=1&").request(),
        ),
        broken(
            "a query decoded",
            "signature.query_not_encoded",
            queried("a=1&b=x y&").request(),
        ),
        broken(
            "parameters encoded twice",
            "signature.encoded_twice",
            joined(|m, u, p| format!("{m}&{}&{}", escape(u), escape(&escape(p)))).request(),
        ),
        broken(
            "nothing encoded",
            "signature.not_encoded",
            joined(|m, u, p| format!("{m}&{u}&{p}")).request(),
        ),
        broken(
            "a line feed at the end",
            "signature.end",
            joined(|m, u, p| format!("{m}&{}&{}\n", escape(u), escape(p))).request(),
        ),
        broken(
            "the hash of an empty body in the base string",
            "signature.other_body_hash",
            other_hash
                .request()
                .authorized(|header| header.replace(&base64(&sha256(b"")), &hash)),
        ),
        broken(
            "a realm that is signed",
            "signature.realm_signed",
            good(world).set("realm", "issuers").request(),
        ),
        broken(
            "something else",
            "signature.other_base_string",
            joined(|_, _, _| "something else".to_owned()).request(),
        ),
    ]
}

pub(super) fn signatures(world: &World) -> Vec<Broken> {
    let signed = |sign: Sign<'_>| {
        Signing {
            sign,
            ..good(world)
        }
        .request()
    };
    let sha256_digest = MessageDigest::sha256;
    let by_pss = good(world).set("oauth_signature_method", "RSA-PSS");
    let demo = &world.demo;
    let (client_id, _) = demo.consumer_key.split_once('!').unwrap();
    let key = |key: &str| good(world).set("oauth_consumer_key", key).request();
    vec![
        broken(
            "SHA-1",
            "signature.sha1",
            signed(Box::new(|text| {
                sign(&demo.signing, MessageDigest::sha1(), text)
            })),
        ),
        broken(
            "PSS for PKCS#1",
            "signature.pss",
            signed(Box::new(|text| sign_pss(&demo.signing, text))),
        ),
        broken("PKCS#1 for PSS", "signature.pkcs1", by_pss.request()),
        broken(
            "an HMAC's length",
            "signature.hmac",
            signed(Box::new(sha256)),
        ),
        broken(
            "the decryption key",
            "signature.decryption_key",
            signed(Box::new(|text| {
                sign(&demo.decryption, sha256_digest(), text)
            })),
        ),
        broken(
            "another issuer's key",
            "signature.key_of_other_issuer",
            signed(Box::new(|text| {
                sign(&world.compat.signing, sha256_digest(), text)
            })),
        ),
        broken(
            "an unknown key",
            "signature.unknown_key",
            signed(Box::new(|text| {
                sign(&world.stranger, sha256_digest(), text)
            })),
        ),
        broken(
            "an unknown consumer key",
            "consumer_key.unknown",
            key("L5BsiPgaF-O3qA36znUATgQXwJB6MRoMSdhjd7wt50c97279!50596e52466e3966"),
        ),
        broken(
            "a consumer key that is encoded twice",
            "consumer_key.misspelt",
            key(&demo.consumer_key.replace('!', "%2521")),
        ),
        broken(
            "a client id",
            "consumer_key.client_id_alone",
            key(client_id),
        ),
        broken(
            "another key id",
            "consumer_key.other_key_id",
            key(&format!("{client_id}!00")),
        ),
    ]
}
