//! What official libraries sign, in all their ways, verifies (O1 to O5).

use super::{
    ENROL, Signed, assert_gateway_error, assert_unauthenticated, call, enrol, escape, now, refusals,
};
use crate::on_both;
use crate::support::Backend;
use crate::support::gateway::{TestGateway, issuers_toml, test_key, user_id};
use crate::support::peer::{Jwe, base64_standard};
use issuer_gateway::client::sample;
use issuer_gateway::issuers::declaration;
use issuer_gateway::store::audit::AuditDraft;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A body that enrols another card each time.
fn body() -> Vec<u8> {
    Jwe::new(sample::enrolment("534403").to_string()).body()
}

on_both!(post_and_put_by_either_method, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    for prefix in ["", "/cts"] {
        let body = body();
        let target = format!("{prefix}{ENROL}");
        let signed = Signed::new("POST", &format!("{}{target}", gateway.base_url), &body);
        let authorization = signed.authorization();
        let headers = [("Authorization", authorization.as_str())];
        let answer = call(&gateway, "POST", &target, &headers, &body);
        assert_eq!(answer.status, 200, "{prefix}");

        let user = "SELECT user_id AS t FROM users ORDER BY created_at DESC";
        let user_id = gateway.database.as_ref().unwrap().texts(user).remove(0);
        let target = format!("{target}/{user_id}");
        let body = Jwe::new(sample::update().to_string()).body();
        let signed = Signed::new("PUT", &format!("{}{target}", gateway.base_url), &body);
        for authorization in [signed.authorization(), {
            let nonce = "pss-12345";
            signed
                .with("oauth_nonce", &format!("{nonce}{}", prefix.len()))
                .pss_authorization()
        }] {
            let headers = [("Authorization", authorization.as_str())];
            let answer = call(&gateway, "PUT", &target, &headers, &body);
            assert_eq!(answer.status, 200, "{authorization}");
        }
    }
    let body = body();
    let authorization = Signed::enrol(&gateway, &body).pss_authorization();
    assert_eq!(enrol(&gateway, &authorization, &body).status, 200);
});

on_both!(an_issuer_can_forbid_pss, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let toml = issuers_toml().replacen("donation = true", "donation = true\nrsa_pss = false", 1);
    gateway.block_on(async {
        let store = &gateway.gateway.store;
        let declared = declaration::parse(&toml, &test_key("")).unwrap();
        let audit = AuditDraft::accepted(0, "test", "issuer.apply");
        store.apply_issuers(declared, audit).await.unwrap();
        gateway.gateway.registry.refresh(store).await.unwrap();
    });
    let body = body();
    let signed = Signed::enrol(&gateway, &body);
    let answer = enrol(&gateway, &signed.clone().pss_authorization(), &body);
    assert_unauthenticated(&answer, "PSS");
    assert_eq!(refusals(&gateway, "unsupported-signature-method"), 1);
    assert_eq!(enrol(&gateway, &signed.authorization(), &body).status, 200);
});

/// Name and value of each parameter, the values as they stand in an official header.
type Parameters = Vec<(String, String)>;

fn written(parameters: &Parameters, scheme: &str, around: &str, comma: &str) -> String {
    let each = parameters.iter();
    let each = each.map(|(name, value)| format!("{name}{around}={around}\"{value}\""));
    format!("{scheme}{}", each.collect::<Vec<_>>().join(comma))
}

fn with_realm(mut parameters: Parameters, at: usize, name: &str) -> Parameters {
    parameters.insert(at, (name.to_owned(), "https://x/?a=b".to_owned()));
    parameters
}

fn bare(parameters: Parameters) -> Parameters {
    let bare = |value: String| {
        value
            .replace("%2B", "+")
            .replace("%2F", "/")
            .replace("%3D", "=")
    };
    let each = parameters.into_iter();
    each.map(|(name, value)| (name, bare(value))).collect()
}

fn escaped(parameters: Parameters) -> Parameters {
    let each = bare(parameters).into_iter();
    each.map(|(name, value)| (name, escape(&value))).collect()
}

on_both!(headers_are_written_in_many_ways, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    type Write = fn(Parameters) -> String;
    let ways: [(&str, Write); 10] = [
        ("official", |all| written(&all, "OAuth ", "", ",")),
        ("blanks after commas", |all| {
            written(&all, "OAuth ", "", ", ")
        }),
        ("blanks everywhere", |all| {
            written(&all, "OAuth \t", " ", "\t , ")
        }),
        ("reversed", |mut all| {
            all.reverse();
            written(&all, "OAuth ", "", ",")
        }),
        ("realm first", |all| {
            written(&with_realm(all, 0, "realm"), "OAuth ", "", ",")
        }),
        ("realm inside", |all| {
            written(&with_realm(all, 3, "Realm"), "OAuth ", "", ",")
        }),
        ("lower-case scheme", |all| written(&all, "oauth ", "", ",")),
        ("upper-case scheme", |all| written(&all, "OAUTH  ", "", ",")),
        ("bare signature", |all| {
            written(&bare(all), "OAuth ", "", ",")
        }),
        ("everything escaped", |all| {
            written(&escaped(all), "OAuth ", "", ",")
        }),
    ];
    for (case, write) in ways {
        let body = body();
        let signed = Signed::enrol(&gateway, &body);
        let signature = signed.rsa_sha256(&signed.base_string(&signed.parameters("", "")));
        let signature = escape(&base64_standard(&signature));
        let mut parameters = signed.oauth;
        parameters.push(("oauth_signature".to_owned(), signature));
        let header = write(parameters);
        let answer = enrol(&gateway, &header, &body);
        assert_eq!(answer.status, 200, "{case}: {header}");
    }
    type Change = fn(Signed) -> Signed;
    let changes: [(&str, Change); 5] = [
        ("nonce of 8", |signed| {
            signed.with("oauth_nonce", "Ab3dEf9h")
        }),
        ("nonce of 32", |signed| {
            signed.with("oauth_nonce", &"Ab3dEf9h".repeat(4))
        }),
        ("no version", |signed| signed.without("oauth_version")),
        ("empty token", |signed| signed.with("oauth_token", "")),
        ("unknown member", |signed| {
            signed.with("oauth_something", "x")
        }),
    ];
    for (case, change) in changes {
        let body = body();
        let header = change(Signed::enrol(&gateway, &body)).authorization();
        assert_eq!(enrol(&gateway, &header, &body).status, 200, "{case}");
    }
});

on_both!(base_strings_may_be_strict_rfc_5849, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    for (query, before, after) in [
        ("", "", ""),
        ("?lang=en-US", "lang=en-US", ""),
        ("?t=10:30&q=a+b", "", "q=a%20b&t=10%3A30"),
        ("?p=(x)*!", "", "p=%28x%29%2A%21"),
    ] {
        let body = body();
        let signed = Signed::enrol(&gateway, &body);
        let header = signed.header_over(&signed.strict_parameters(before, after));
        let target = format!("{ENROL}{query}");
        let answer = call(
            &gateway,
            "POST",
            &target,
            &[("Authorization", &header)],
            &body,
        );
        assert_eq!(answer.status, 200, "{query}");
    }
});

on_both!(queries_are_signed_in_many_ways, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    // On the wire; in the parameter string before and after the `oauth_*` pairs. Node, Python and
    // Java, where they differ.
    for (query, before, after) in [
        ("lang=en-US", "lang=en-US", ""),
        ("t=10:30", "", "t=10:30"),
        ("t=10%3A30", "", "t=10%3A30"),
        ("q=a+b", "", "q=a+b"),
        ("q=a+b&t=%3A", "", "q=a+b&t=%3A"),
        ("q=a+b&t=%3A", "", "q=a%20b&t=%3A"),
        ("q=a+b&t=%3A", "", "q=a%2Bb&t=%3A"),
        ("q=a%20b", "", "q=a%20b"),
        ("q=AT%26T", "", "q=AT%26T"),
        ("q=caf%C3%A9", "", "q=caf%C3%A9"),
        ("q=caf%c3%a9", "", "q=caf%C3%A9"),
        ("q=a%2fb", "", "q=a%2fb"),
        ("q=a%2fb", "", "q=a%2Fb"),
        ("q=%7Ex", "", "q=%7Ex"),
        ("q=%7Ex", "", "q=~x"),
        ("e=", "e=", ""),
        ("e", "e=", ""),
        ("id=1&id2=2", "id=1&id2=2", ""),
        ("id=1&id2=2", "id2=2&id=1", ""),
        ("a=2&a=1", "a=1&a=2", ""),
        ("a=1&a=1", "a=1&a=1", ""),
        ("a=1&a=1", "a=1", ""),
        ("a=1&", "a=1", ""),
        ("z=1&a=2&lang=en-US", "a=2&lang=en-US", "z=1"),
    ] {
        let body = body();
        let signed = Signed::enrol(&gateway, &body);
        let header = signed.header_over(&signed.parameters(before, after));
        let target = format!("{ENROL}?{query}");
        let answer = call(
            &gateway,
            "POST",
            &target,
            &[("Authorization", &header)],
            &body,
        );
        assert_eq!(answer.status, 200, "{query} signed as {before} {after}");
    }
});

on_both!(paths_are_signed_as_they_are_sent, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let client = gateway.client("demo");
    let id = user_id(&client.enrol(&sample::enrolment("534403")));
    let body = Jwe::new(sample::update().to_string()).body();
    for id in [
        id.to_uppercase(),
        id.replace('-', "%2D"),
        id.replace('-', "%2d"),
    ] {
        let target = format!("{ENROL}/{id}");
        let header =
            Signed::new("PUT", &format!("{}{target}", gateway.base_url), &body).authorization();
        let answer = call(
            &gateway,
            "PUT",
            &target,
            &[("Authorization", &header)],
            &body,
        );
        assert_eq!(answer.status, 200, "{id}: {:?}", answer.clear);

        let decoded = target
            .replace("%2D", "-")
            .replace("%2d", "-")
            .to_lowercase();
        let header =
            Signed::new("PUT", &format!("{}{decoded}", gateway.base_url), &body).authorization();
        let answer = call(
            &gateway,
            "PUT",
            &target,
            &[("Authorization", &header)],
            &body,
        );
        assert_unauthenticated(&answer, &format!("{id}, signed in another spelling"));
    }
});

on_both!(the_clock_may_differ_by_five_minutes, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    for offset in [-240, -1, 0, 1, 290] {
        let body = body();
        let timestamp = (now() + offset).to_string();
        let signed = Signed::enrol(&gateway, &body).with("oauth_timestamp", &timestamp);
        let answer = enrol(&gateway, &signed.authorization(), &body);
        assert_eq!(answer.status, 200, "{offset} s");
    }
});

on_both!(
    the_hash_is_that_of_the_bytes_as_they_came,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        // White space, member order and escapes are the sender's business, and part of what is
        // signed.
        let token = Jwe::new(sample::enrolment("534403").to_string())
            .segments()
            .join(".");
        let body = format!("\r\n{{ \"x\" : \"\\u00e9\\/\", \"encryptedData\" :\t\"{token}\" }}\n");
        let signed = Signed::enrol(&gateway, body.as_bytes());
        let tidy = serde_json::from_str::<Value>(&body).unwrap().to_string();
        let hash = base64_standard(&Sha256::digest(&tidy));
        let over_tidy = signed.clone().with("oauth_body_hash", &hash);
        let answer = enrol(&gateway, &over_tidy.authorization(), body.as_bytes());
        assert_gateway_error(&answer, 400, "INVALID_BODY_HASH", "hash of other bytes");
        let answer = enrol(&gateway, &signed.authorization(), body.as_bytes());
        assert_eq!(answer.status, 200);
    }
);
