//! `[limits]`: what each issuer may take of a node.

use super::ConfigError;
use serde::Deserialize;

/// The largest value of each limit.
const MOST: u32 = 1_000_000;

/// `[limits]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Calls of one issuer inside this node at once; 0: as many as leave room for the other issuers
    /// that call, and no limit for one that calls alone.
    pub issuer_concurrency: u32,
    /// Calls of one issuer that this node takes in a second; 0: no limit.
    pub issuer_rate_per_second: u32,
    /// Calls that an issuer may make at once after a rest; 0: as many as in a second.
    pub issuer_burst: u32,
}

impl Limits {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let invalid = |setting, rule: &str| {
            Err(ConfigError::Invalid {
                setting,
                rule: rule.to_owned(),
            })
        };
        if self.issuer_concurrency > MOST {
            let rule = "must be 0 (as many as leave room for others) to 1000000";
            return invalid("limits.issuer_concurrency", rule);
        }
        if self.issuer_rate_per_second > MOST {
            let rule = "must be 0 (no limit) to 1000000";
            return invalid("limits.issuer_rate_per_second", rule);
        }
        if self.issuer_burst > MOST {
            let rule = "must be 0 (as many as in a second) to 1000000";
            return invalid("limits.issuer_burst", rule);
        }
        if self.issuer_burst > 0 && self.issuer_rate_per_second == 0 {
            let rule = "needs limits.issuer_rate_per_second";
            return invalid("limits.issuer_burst", rule);
        }
        Ok(())
    }

    /// Calls a second and at once after a rest, if they are limited.
    pub fn issuer_rate(&self) -> Option<(u32, u32)> {
        let per_second = self.issuer_rate_per_second;
        let burst = match self.issuer_burst {
            0 => per_second,
            burst => burst,
        };
        (per_second > 0).then_some((per_second, burst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(concurrency: u32, rate: u32, burst: u32) -> Limits {
        Limits {
            issuer_concurrency: concurrency,
            issuer_rate_per_second: rate,
            issuer_burst: burst,
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_its_name_and_rule() {
        for (limits, message) in [
            (limits(MOST + 1, 0, 0), "limits.issuer_concurrency: must be"),
            (
                limits(0, MOST + 1, 0),
                "limits.issuer_rate_per_second: must",
            ),
            (limits(0, 1, MOST + 1), "limits.issuer_burst: must be 0"),
            (limits(0, 0, 1), "limits.issuer_burst: needs limits.issuer"),
        ] {
            let error = limits.validate().unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
        for usable in [Limits::default(), limits(MOST, MOST, MOST)] {
            usable.validate().unwrap();
        }
    }

    #[test]
    fn a_burst_is_a_second_of_the_rate_unless_it_is_set() {
        assert_eq!(limits(1, 0, 0).issuer_rate(), None);
        assert_eq!(limits(1, 7, 0).issuer_rate(), Some((7, 7)));
        assert_eq!(limits(1, 7, 2).issuer_rate(), Some((7, 2)));
    }
}
