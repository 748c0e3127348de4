//! A KEK or two custodians' shares of it, as an operator pastes them: one line each.
//!
//! A KEK that is read can be split, and its shares make the same KEK again, in either order.
#![no_main]

use issuer_gateway::vault::Kek;
use issuer_gateway::vault::shares::Share;
use libfuzzer_sys::fuzz_target;

fn joined(one: &str, other: &str) -> Option<Kek> {
    let (one, other) = (Share::parse(one).ok()?, Share::parse(other).ok()?);
    Kek::from_shares(&one, &other).ok()
}

fuzz_target!(|text: &str| {
    let (first, second) = text.split_once('\n').unwrap_or((text, ""));
    let kek = match Kek::from_base64(first) {
        Ok(kek) => Some(kek),
        Err(_) => joined(first, second),
    };
    let Some(kek) = kek else { return };
    assert_eq!(kek.id().len(), 16);
    let [one, other] = kek.split().unwrap();
    for (one, other) in [(&one, &other), (&other, &one)] {
        let again = joined(one, other).expect("shares that were just made fit");
        assert_eq!(again.id(), kek.id());
    }
    assert!(joined(&one, &one).is_none());
});
