//! `serve`: run the gateway until SIGTERM or Ctrl-C.

use crate::app::{self, Signals};
use crate::telemetry;
use std::path::Path;

pub(super) fn run(config: Option<&Path>) -> anyhow::Result<()> {
    // Before all else: from here on a signal ends the process in order.
    let mut signals = Signals::listen()?;
    super::run_to_the_end(async {
        let config = super::load(config)?;
        telemetry::init_logging(&config.log)?;
        match signals.unless_they_come(app::start(&config)).await? {
            Some(running) => running.run_until(&mut signals).await,
            None => Ok(()),
        }
    })
}
