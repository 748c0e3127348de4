//! JSON as payloads and bodies bring it. What is accepted reads the same for serde_json, survives
//! being written in ASCII, and is refused once any of its objects has a name twice.
#![no_main]

use libfuzzer_sys::fuzz_target;
use payload_envelope::json;
use serde_json::Value;

/// Writes `value`; `target` counts down the objects with members, and the one at zero gets its
/// first name a second time.
fn with_twice(value: &Value, target: &mut usize, text: &mut String) {
    match value {
        Value::Object(members) => {
            let twice = members.keys().next().filter(|_| *target == 0).cloned();
            if !members.is_empty() {
                *target = target.wrapping_sub(1);
            }
            text.push('{');
            for (index, (name, member)) in members.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                with_twice(member, target, text);
            }
            if let Some(name) = twice {
                text.push_str(&format!(",{}:null", Value::from(name)));
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                with_twice(item, target, text);
            }
            text.push(']');
        }
        other => text.push_str(&other.to_string()),
    }
}

/// How many objects have members.
fn objects(value: &Value) -> usize {
    match value {
        Value::Object(members) => {
            usize::from(!members.is_empty()) + members.values().map(objects).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(objects).sum(),
        _ => 0,
    }
}

fuzz_target!(|text: &[u8]| {
    let Ok(value) = json::parse(text) else {
        return;
    };
    let read: Value = serde_json::from_slice(text).expect("serde_json takes no less");
    assert_eq!(value, read);
    let written = json::to_ascii(&value);
    assert!(written.is_ascii());
    assert_eq!(json::parse(&written), Ok(value.clone()));
    assert_eq!(json::parse_object(text).is_ok(), value.is_object());
    for index in 0..objects(&value).min(8) {
        let mut twice = String::new();
        with_twice(&value, &mut { index }, &mut twice);
        assert!(serde_json::from_str::<Value>(&twice).is_ok(), "{twice}");
        assert!(json::parse(twice.as_bytes()).is_err(), "{twice}");
    }
});
