//! Properties for any JSON object: no panic, no value in a violation, one violation a field at
//! most.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Text that a violation can never contain by chance.
const CANARY: &str = "cAnArY";

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9]{0,17}",
        "[A-Za-z]{1,4}",
        "[a-z@. ]{0,12}",
        Just(official()["cardNumber"].as_str().unwrap().to_owned()),
    ]
}

/// Any JSON value whose objects prefer the names of the schema.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 40, 10, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            any_members(inner),
        ]
    })
}

fn any_members(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "email",
        "type",
        "value",
        "name",
        "firstName",
        "lastName",
        "cardholderName",
        "cardNumber",
        "cardBaseCurrency",
        "expiryInfo",
        "month",
        "year",
        "billingAddress",
        "countryCode",
        "postalCode",
        "city",
        "line1",
        "locale",
        "phoneNumber",
        "other",
    ]);
    let members = prop::collection::btree_map(names.prop_map(str::to_owned), inner, 0..10);
    members.prop_map(|members| Value::Object(members.into_iter().collect()))
}

/// The official example in which some strings are replaced by the canary and more.
fn spoilt() -> impl Strategy<Value = Value> {
    (any::<u32>(), text(), text()).prop_map(|(mut which, before, after)| {
        fn spoil(value: &mut Value, which: &mut u32, text: &str) {
            match value {
                Value::Object(members) => {
                    members
                        .values_mut()
                        .for_each(|member| spoil(member, which, text));
                }
                other => {
                    if *which & 1 == 1 {
                        *other = text.into();
                    }
                    *which = which.rotate_right(1);
                }
            }
        }
        let mut payload = with("phoneNumber", json!("+12025550123"));
        payload[format!("{CANARY}member")] = json!(CANARY);
        spoil(
            &mut payload,
            &mut which,
            &format!("{before}{CANARY}{after}"),
        );
        payload
    })
}

fn outcomes(payload: &Value) -> Vec<Vec<Violation>> {
    let mut all = Vec::new();
    for unicode_names in [true, false] {
        for donation in [true, false] {
            all.extend(enrol(payload, donation, unicode_names).err());
        }
        all.extend(change(payload, unicode_names).err());
    }
    all
}

proptest! {
    #[test]
    fn any_object_is_judged(payload in any_members(any_json())) {
        for violations in outcomes(&payload) {
            prop_assert!(!violations.is_empty());
            let paths: BTreeSet<_> = violations.iter().map(|v| v.path.as_ref()).collect();
            prop_assert_eq!(paths.len(), violations.len());
        }
    }

    #[test]
    fn no_violation_repeats_what_was_sent(payload in spoilt()) {
        for violations in outcomes(&payload) {
            let shown = format!("{violations:?}");
            prop_assert!(!shown.contains(CANARY));
        }
    }

    #[test]
    fn no_violation_repeats_a_card_number(digits in "[0-9]{12,20}") {
        for violations in outcomes(&with("cardNumber", json!(digits))) {
            let shown = format!("{violations:?}");
            prop_assert!(!shown.contains(&digits));
        }
    }
}
