//! `serve`: run the gateway until SIGTERM or Ctrl-C.

use crate::app::{self, Signals};
use crate::telemetry;
use std::path::Path;

/// The node serves. Systemd waits for that where it has started the process (`Type=notify`); nobody
/// else is told.
fn tell_systemd() {
    #[cfg(target_os = "linux")]
    if let Err(error) = sd_notify::notify(false, &[sd_notify::NotifyState::Ready]) {
        tracing::warn!(%error, "systemd cannot be told that the node serves");
    }
}

pub(super) fn run(config: Option<&Path>) -> anyhow::Result<()> {
    // Before all else: from here on a signal ends the process in order.
    let mut signals = Signals::listen()?;
    super::run_to_the_end(async {
        let config = super::load(config)?;
        telemetry::init_logging(&config.log)?;
        match signals.unless_they_come(app::start(&config)).await? {
            Some(running) => {
                tell_systemd();
                running.run_until(&mut signals).await
            }
            None => Ok(()),
        }
    })
}
