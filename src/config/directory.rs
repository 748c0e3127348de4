//! Settings of the users API.

use serde::Deserialize;

/// `[users]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DirectorySettings {
    /// The gateway answers `/users`; off: 404, as for any other unknown path.
    pub enabled: bool,
    /// `PUT /users?id=` answers 404 where it would create a record.
    pub strict: bool,
    /// Requests that each key may send in a second, for long; beyond that: 429.
    pub requests_per_second: u32,
    /// Requests that each key may send at once after a pause.
    pub burst: u32,
}

impl Default for DirectorySettings {
    fn default() -> Self {
        Self {
            enabled: true,
            strict: false,
            requests_per_second: 100,
            burst: 1_000,
        }
    }
}
