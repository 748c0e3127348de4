//! `crypto_mb` by a stand-in that the C compiler makes of `tests/stand_in/crypto_mb.c`, right and
//! with each of its faults. Where `ISSUER_GATEWAY_TEST_CRYPTO_MB` names a real library, that one
//! takes the place of the right stand-in.

#[path = "../../../tests/support/stand_in.rs"]
mod stand_in;

use super::*;
use crate::payload::{KeyState, OaepDigest, PublicNumbers};
use crate::unwrap::testing::{gateway_key, key, peer, wrap};
use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::pkey::PKey;
use openssl::rsa::{Rsa, RsaPrivateKeyBuilder};
use stand_in::stand_in;
use std::path::Path;

fn choose(library: &Path) -> Result<Engine, LoadError> {
    Engine::choose(&MultiBuffer::Library(library.to_owned()))
}

fn faulty(faults: &[&str]) -> Engine {
    let (_dir, library) = stand_in(faults);
    choose(&library).unwrap()
}

/// An engine whose results must be right.
fn sound() -> Engine {
    match std::env::var_os("ISSUER_GATEWAY_TEST_CRYPTO_MB") {
        Some(real) => choose(real.as_ref()).unwrap(),
        None => faulty(&[]),
    }
}

/// What happened: by `crypto_mb`, by OpenSSL, thrown away.
fn counted(counters: &Counters) -> [u64; 3] {
    [
        counters.crypto_mb.get(),
        counters.openssl.get(),
        counters.thrown_away.get(),
    ]
}

fn counters(engine: &Engine) -> Counters {
    Counters::new(engine).unwrap()
}

/// Has the engine unwrap; asserts that it finds what OpenSSL finds.
fn unwrap(engine: &Engine, all: &[Wrapped<'_>]) -> (Vec<Unwrapped>, [u64; 3]) {
    let counters = counters(engine);
    let found = engine.unwrap(all, &counters);
    assert_eq!(found, Engine::OneByOne.unwrap(all, &counters));
    let [crypto_mb, openssl, thrown_away] = counted(&counters);
    let done_twice = u64::try_from(all.len()).unwrap();
    (found, [crypto_mb, openssl - done_twice, thrown_away])
}

fn wrapped<'a>(key: &'a DecryptionKey, digest: OaepDigest, bytes: &'a [u8]) -> Wrapped<'a> {
    static SHA256: Travel = Travel::Oaep(OaepDigest::Sha256);
    static SHA512: Travel = Travel::Oaep(OaepDigest::Sha512);
    let travel = match digest {
        OaepDigest::Sha256 => &SHA256,
        OaepDigest::Sha512 => &SHA512,
    };
    Wrapped { key, travel, bytes }
}

fn modulus(key: &DecryptionKey) -> Vec<u8> {
    match key.public_numbers().unwrap() {
        PublicNumbers::Rsa { n, .. } => n,
        PublicNumbers::Ec { .. } => panic!("an EC key"),
    }
}

#[test]
fn any_number_of_keys_digests_and_sizes_at_once() {
    let keys: Vec<_> = [0, 1, 4]
        .map(|index| (index, gateway_key(index, &[], KeyState::Active)))
        .into();
    let digests = [OaepDigest::Sha256, OaepDigest::Sha512];
    let jobs: Vec<_> = (0..60_u8)
        .map(|n| {
            let (index, key) = &keys[usize::from(n) % 3];
            let digest = digests[usize::from(n) / 3 % 2];
            let cek = vec![n; [16, 32, 0][usize::from(n) / 6 % 3]];
            (key, digest, wrap(&peer(*index), digest, &cek), cek)
        })
        .collect();
    let all = jobs
        .iter()
        .map(|(key, digest, bytes, _)| wrapped(key, *digest, bytes));
    let all: Vec<_> = all.collect();
    let engine = sound();
    for count in [0, 1, 2, 3, 7, 8, 9, 17, 24, 25, all.len()] {
        let (found, [crypto_mb, openssl, thrown_away]) = unwrap(&engine, &all[..count]);
        for (found, (_, _, _, cek)) in found.iter().zip(&jobs) {
            assert_eq!(**found.as_ref().unwrap(), *cek);
        }
        let total = u64::try_from(count).unwrap();
        assert_eq!((crypto_mb + openssl, thrown_away), (total, 0));
        // RSA-2048 twice out of three, RSA-3072 once; from three of a size on together.
        if count >= 9 {
            assert!(openssl <= 4, "{openssl} of {count} one by one");
        }
    }
}

#[test]
fn what_does_not_unwrap_is_none_whoever_tries() {
    let key = gateway_key(0, &[], KeyState::Active);
    let sha256 = |cek: &[u8]| wrap(&peer(0), OaepDigest::Sha256, cek);
    let mut altered = sha256(&[1; 32]);
    altered[100] ^= 1;
    let mut modulus = modulus(&key);
    let below = {
        let mut below = modulus.clone();
        *below.last_mut().unwrap() -= 1;
        below
    };
    // Another key's modulus may be the larger one, and what is wrapped with it too large for this
    // key.
    let foreign = std::iter::repeat_with(|| wrap(&peer(1), OaepDigest::Sha256, &[1; 32]))
        .find(|foreign| *foreign < modulus)
        .unwrap();
    let cases = [
        altered,
        wrap(&peer(0), OaepDigest::Sha512, &[1; 32]),
        foreign,
        below,
        vec![0; 256],
        [vec![0; 255], vec![1]].concat(),
        // Not for the library: as large as the modulus and larger, too short, too long.
        std::mem::take(&mut modulus),
        vec![0xff; 256],
        vec![1; 255],
        vec![1; 257],
        Vec::new(),
    ];
    let good = sha256(&[7; 32]);
    let mut all: Vec<_> = cases
        .iter()
        .map(|bytes| wrapped(&key, OaepDigest::Sha256, bytes))
        .collect();
    all.push(wrapped(&key, OaepDigest::Sha256, &good));
    let (found, counted) = unwrap(&sound(), &all);
    assert_eq!(**found.last().unwrap().as_ref().unwrap(), [7; 32]);
    assert!(found[..cases.len()].iter().all(Option::is_none));
    assert_eq!(counted, [7, 5, 0]);
}

#[test]
fn the_lesser_prime_may_come_first() {
    let rsa = key(0).rsa().unwrap();
    let own = |number: Option<&BigNumRef>| number.unwrap().to_owned().unwrap();
    let (p, q) = (own(rsa.p()), own(rsa.q()));
    let mut inverse = BigNum::new().unwrap();
    let mut context = BigNumContext::new().unwrap();
    inverse.mod_inverse(&p, &q, &mut context).unwrap();
    let swapped =
        RsaPrivateKeyBuilder::new(own(Some(rsa.n())), own(Some(rsa.e())), own(Some(rsa.d())));
    let swapped = swapped.unwrap().set_factors(q, p).unwrap();
    let swapped = swapped.set_crt_params(own(rsa.dmq1()), own(rsa.dmp1()), inverse);
    let swapped = PKey::from_rsa(swapped.unwrap().build()).unwrap();
    let keys = [key(0), swapped];
    let keys = keys.map(|key| DecryptionKey::new(key, None, Vec::new(), KeyState::Active).unwrap());
    let bytes = wrap(&peer(0), OaepDigest::Sha256, &[1; 32]);
    let all = keys.iter().cycle().take(8);
    let all: Vec<_> = all
        .map(|key| wrapped(key, OaepDigest::Sha256, &bytes))
        .collect();
    assert_eq!(unwrap(&sound(), &all).1, [8, 0, 0]);
}

#[test]
fn fewer_than_three_and_odd_sizes_are_left_to_openssl() {
    let odd = PKey::from_rsa(Rsa::generate(2056).unwrap()).unwrap();
    let odd = DecryptionKey::new(odd, None, Vec::new(), KeyState::Active).unwrap();
    assert!(CrtNumbers::of_key(&odd).is_none());
    let key = gateway_key(0, &[], KeyState::Active);
    let bytes = wrap(&peer(0), OaepDigest::Sha256, &[1; 32]);
    let foreign = vec![1; 257];
    let one = || wrapped(&key, OaepDigest::Sha256, &bytes);
    let other = || wrapped(&odd, OaepDigest::Sha256, &foreign);
    let engine = sound();
    for (all, expected) in [
        (vec![], [0, 0, 0]),
        (vec![one()], [0, 1, 0]),
        (vec![one(), one()], [0, 2, 0]),
        (vec![one(), one(), one()], [3, 0, 0]),
        (vec![one(), other(), one(), other(), one()], [3, 2, 0]),
    ] {
        assert_eq!(unwrap(&engine, &all).1, expected);
    }
}

#[test]
fn wrong_and_failed_results_are_thrown_away_and_done_again() {
    let key = gateway_key(0, &[], KeyState::Active);
    let bytes: Vec<_> = (0..8)
        .map(|n| wrap(&peer(0), OaepDigest::Sha256, &[n; 32]))
        .collect();
    let all: Vec<_> = bytes
        .iter()
        .map(|bytes| wrapped(&key, OaepDigest::Sha256, bytes))
        .collect();
    for (faults, expected) in [
        (vec!["WRONG_LANES=0x04"], [7, 1, 1]),
        (vec!["FAILED_LANES=0x82"], [6, 2, 2]),
        (vec!["WRONG_LANES=0x0f", "FAILED_LANES=0xf8"], [0, 8, 8]),
    ] {
        let engine = faulty(&[&["SOUND_CALLS=3"], &*faults].concat());
        let (found, counted) = unwrap(&engine, &all);
        for (n, found) in (0..8).zip(found) {
            assert_eq!(*found.unwrap(), [n; 32]);
        }
        assert_eq!(counted, expected, "{faults:?}");
    }
}

#[test]
fn a_library_that_is_not_right_is_refused_with_its_reason() {
    let refusal = |path: &Path| choose(path).err().unwrap().to_string();
    for (faults, reason) in [
        (["NOT_APPLICABLE"], "lacks the vector instructions"),
        (["LACKS_PRIVATE_CRT"], "mbx_rsa_private_crt_mb8"),
        (["WRONG_LANES=0x80"], "self-test with RSA-2048 failed"),
        (["FAILED_LANES=0x01"], "self-test with RSA-2048 failed"),
    ] {
        let (_dir, library) = stand_in(&faults);
        let refusal = refusal(&library);
        assert!(refusal.contains(reason), "{refusal}");
    }
    let (dir, library) = stand_in(&["SOUND_CALLS=2", "WRONG_LANES=0x10"]);
    assert!(refusal(&library).contains("self-test with RSA-4096 failed"));
    let text = dir.path().join("text.so");
    std::fs::write(&text, "no library").unwrap();
    assert!(refusal(&text).contains("cannot be loaded"));
    assert!(refusal(&dir.path().join("absent.so")).contains("absent.so"));
}

#[test]
fn off_and_auto_never_refuse() {
    let off = Engine::choose(&MultiBuffer::Off).unwrap();
    assert_eq!((off.name(), off.width()), ("openssl", 1));
    // Whether this machine has the library or not.
    let auto = Engine::choose(&MultiBuffer::Auto).unwrap();
    assert!(["openssl", "crypto_mb"].contains(&auto.name()));
    assert_eq!(faulty(&[]).name(), "crypto_mb");
}

#[test]
fn the_setting_is_one_of_two_words_or_a_path() {
    for (text, expected) in [
        ("off", MultiBuffer::Off),
        ("auto", MultiBuffer::Auto),
        ("/a/b.so", MultiBuffer::Library("/a/b.so".into())),
        ("Auto", MultiBuffer::Library("Auto".into())),
    ] {
        assert_eq!(MultiBuffer::from(text.to_owned()), expected);
    }
    assert_eq!(MultiBuffer::default(), MultiBuffer::Off);
}
