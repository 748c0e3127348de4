use super::TransitKek;
use crate::config::Transit;
use crate::vault::{KekFault, KeyBytes, KeyName, KeyWrap};
use server::{Mood, TransitServer};

#[allow(dead_code, unreachable_pub, reason = "other tests use the rest")]
#[path = "../../../../tests/support/transit.rs"]
mod server;

const SEAL: KeyName<'static> = KeyName {
    purpose: "seal",
    version: 7,
};

fn settings(server: &TransitServer) -> Transit {
    Transit {
        address: format!("https://{}", server.address),
        mount: "transit".to_owned(),
        key: "gateway".to_owned(),
        name: None,
        token_file: server.token_file(),
        namespace: None,
        ca_file: Some(server.ca_file()),
        timeout_ms: 10_000,
    }
}

fn key() -> KeyBytes {
    KeyBytes::new([7; 32])
}

/// The reason of a fault, and whether it passes.
fn told<T>(result: Result<T, KekFault>) -> (&'static str, bool) {
    match result.err().expect("a fault") {
        KekFault::Away { reason, .. } => (reason, true),
        KekFault::Refused { reason, .. } => (reason, false),
        KekFault::Altered => ("altered", false),
        KekFault::NoRandomBytes => ("random", false),
    }
}

/// Why it does not open.
fn refused(settings: &Transit) -> (&'static str, bool) {
    let error = TransitKek::open(settings).expect_err("a fault");
    assert!(!format!("{error:#}").contains("canary"), "{error:#}");
    told::<()>(Err(error.downcast::<KekFault>().unwrap()))
}

#[test]
fn a_key_is_wrapped_and_unwrapped_by_the_server() {
    let server = TransitServer::start();
    let kek = TransitKek::open(&settings(&server)).unwrap();
    assert_eq!(kek.id(), "transit:transit/gateway:1");
    assert_eq!(server.calls(), ["encrypt", "decrypt"]);
    let wrapped = kek.wrap(&SEAL, &key()).unwrap();
    assert_eq!(wrapped[0], 3);
    assert!(wrapped[1..].starts_with(b"vault:v1:"));
    assert_eq!(kek.unwrap(&SEAL, &wrapped).unwrap(), key());
    assert_eq!(server.calls(), ["encrypt", "decrypt"]);

    let other = KeyName { version: 8, ..SEAL };
    assert_eq!(kek.unwrap(&other, &wrapped), Err(KekFault::Altered));
    for at in [0, 5, 20, wrapped.len() - 3] {
        let mut altered = wrapped.clone();
        altered[at] ^= 1;
        assert_eq!(
            told(kek.unwrap(&SEAL, &altered)),
            ("altered", false),
            "{at}"
        );
    }
}

#[test]
fn a_new_version_wraps_and_the_former_one_is_brought_under_it() {
    let server = TransitServer::start();
    let former = TransitKek::open(&settings(&server)).unwrap();
    let wrapped = former.wrap(&SEAL, &key()).unwrap();
    server.rotate();
    // Its id would be wrong.
    assert_eq!(
        told(former.wrap(&SEAL, &key())),
        ("transit-new-version", false)
    );
    assert_eq!(former.unwrap(&SEAL, &wrapped).unwrap(), key());

    let kek = TransitKek::open(&settings(&server)).unwrap();
    assert_eq!(kek.id(), "transit:transit/gateway:2");
    for (id, opens) in [
        ("transit:transit/gateway:1", true),
        ("transit:transit/gateway:2", true),
        ("transit:transit/gateway2:1", false),
        ("transit:transit/gateway:x", false),
        ("0011223344556677", false),
    ] {
        assert_eq!(kek.opens(id), opens, "{id}");
    }
    server.calls();
    let rewrapped = kek.rewrap(&wrapped).unwrap().unwrap();
    assert_eq!(server.calls(), ["rewrap"]);
    assert!(rewrapped[1..].starts_with(b"vault:v2:"));
    server.forget_former_versions();
    assert_eq!(kek.unwrap(&SEAL, &rewrapped).unwrap(), key());
    assert_eq!(told(kek.unwrap(&SEAL, &wrapped)), ("altered", false));
}

#[test]
fn a_token_is_read_for_each_request() {
    let server = TransitServer::start();
    let kek = TransitKek::open(&settings(&server)).unwrap();
    server.expect_token("s.second");
    assert_eq!(told(kek.wrap(&SEAL, &key())), ("transit-forbidden", false));
    server.write_token("s.second");
    kek.wrap(&SEAL, &key()).unwrap();
    std::fs::remove_file(server.token_file()).unwrap();
    let unreadable = ("transit-token-unreadable", true);
    assert_eq!(told(kek.wrap(&SEAL, &key())), unreadable);
}

#[test]
fn every_way_to_fail_has_its_name() {
    let server = TransitServer::start();
    let good = settings(&server);
    for (mood, reason, passing) in [
        (Mood::Status(403), "transit-forbidden", false),
        (Mood::Status(404), "transit-key-absent", false),
        (Mood::Status(400), "transit-refused", false),
        (Mood::Status(429), "transit-away", true),
        (Mood::Status(500), "transit-away", true),
        (Mood::Status(503), "transit-away", true),
        (Mood::Status(307), "transit-refused", false),
        (Mood::Odd, "transit-malformed", false),
    ] {
        server.set(mood);
        assert_eq!(refused(&good), (reason, passing), "{mood:?}");
    }
    server.set(Mood::Well);
    let untrusted = Transit {
        ca_file: None,
        ..good.clone()
    };
    assert_eq!(refused(&untrusted), ("transit-away", true));
    let other_key = Transit {
        key: "other".to_owned(),
        ..good.clone()
    };
    assert_eq!(refused(&other_key), ("transit-key-absent", false));
    let nobody = Transit {
        address: "https://127.0.0.1:1".to_owned(),
        ..good.clone()
    };
    assert_eq!(refused(&nobody), ("transit-away", true));
    server.set(Mood::Silent);
    let impatient = Transit {
        timeout_ms: 100,
        ..good
    };
    assert_eq!(refused(&impatient), ("transit-away", true));
}
