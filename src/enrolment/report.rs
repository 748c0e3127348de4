//! Reads members of a payload and collects every rule that they break.
//!
//! One field earns at most one violation: the first rule it breaks. `null` counts as "not sent",
//! because common JSON libraries write `null` for a member that was never set.

use super::text::Rule;
use crate::violation::{Code, Violation};
use serde_json::{Map, Value};

/// The members of one JSON object.
pub(super) type Members = Map<String, Value>;

/// Whether a missing member breaks a rule.
#[derive(Debug, Clone, Copy)]
pub(super) enum Need {
    Required,
    Optional,
    /// No minimum length is published: an empty text means that there is none.
    OptionalOrEmpty,
}

/// The violations found so far, in the order in which the fields were read.
#[derive(Default)]
pub(super) struct Report(Vec<Violation>);

impl Report {
    /// Reads a string member. `None`: it is absent and may be, or a violation was noted.
    ///
    /// `path` is the full path of the field; its last part names the member of `members`.
    pub(super) fn text<T>(
        &mut self,
        need: Need,
        members: &Members,
        path: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Rule>,
    ) -> Option<T> {
        match self.member(need, members, path)? {
            Value::String(text) => match parse(text) {
                Ok(parsed) => Some(parsed),
                Err(rule) => self.invalid(path, rule),
            },
            _ => self.invalid(path, Rule::Borrowed("must be a string")),
        }
    }

    /// Reads an object member. `None`: it is absent and may be, or a violation was noted.
    pub(super) fn object<T>(
        &mut self,
        need: Need,
        members: &Members,
        path: &'static str,
        read: impl FnOnce(&mut Self, &Members) -> Option<T>,
    ) -> Option<T> {
        match self.member(need, members, path)? {
            Value::Object(inner) => read(self, inner),
            _ => self.invalid(path, Rule::Borrowed("must be an object")),
        }
    }

    fn member<'a>(
        &mut self,
        need: Need,
        members: &'a Members,
        path: &'static str,
    ) -> Option<&'a Value> {
        let name = path.rsplit_once('.').map_or(path, |(_, name)| name);
        match (members.get(name), need) {
            (None | Some(Value::Null), Need::Required) => {
                self.invalid(path, Rule::Borrowed("is required"))
            }
            (None | Some(Value::Null), Need::Optional | Need::OptionalOrEmpty) => None,
            (Some(Value::String(text)), Need::OptionalOrEmpty) if text.is_empty() => None,
            (Some(value), _) => Some(value),
        }
    }

    /// Notes an `INVALID_REQUEST_PARAMETER`; always `None`, so that a reader can end with it.
    pub(super) fn invalid<T>(&mut self, path: &'static str, rule: Rule) -> Option<T> {
        self.0.push(Violation::invalid(path, rule));
        None
    }

    /// Notes a broken business rule.
    pub(super) fn business(&mut self, code: Code, path: &'static str, rule: &'static str) {
        self.0.push(Violation {
            code,
            path: path.into(),
            rule: rule.into(),
        });
    }

    /// Whether no rule is broken so far.
    pub(super) fn is_clean(&self) -> bool {
        self.0.is_empty()
    }

    /// All violations, in order.
    pub(super) fn into_violations(self) -> Vec<Violation> {
        self.0
    }
}
