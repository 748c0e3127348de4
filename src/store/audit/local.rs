//! Audit entries of acts without a request: the operator's name and the host.

use super::AuditDraft;
use crate::store::now;

/// Longest name taken over from the environment or the system, in characters.
const NAME: usize = 64;

impl AuditDraft {
    /// An accepted act of a command or of the node itself: by the operating system's user, on this
    /// host.
    pub fn local(action: impl Into<String>) -> Self {
        let host = gethostname::gethostname();
        Self {
            origin: Some(presentable(&host.to_string_lossy())),
            ..Self::accepted(now(), operator(), action)
        }
    }
}

/// `operator NAME`: under sudo the user who called it, as far as the environment tells.
fn operator() -> String {
    let user = ["SUDO_USER", "USER", "LOGNAME"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|user| !user.is_empty());
    let user = user.or_else(user_number);
    format!(
        "operator {}",
        presentable(user.as_deref().unwrap_or("unknown"))
    )
}

/// Services often run without a name in their environment; Linux still tells the number.
fn user_number() -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let process = std::fs::metadata("/proc/self").ok()?;
    Some(format!("uid {}", process.uid()))
}

fn presentable(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_control())
        .take(NAME)
        .collect()
}
