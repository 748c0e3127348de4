//! `serve`: run the gateway until SIGTERM or Ctrl-C.

use crate::config::Config;
use crate::{app, telemetry};

pub(super) fn run(config: &Config) -> anyhow::Result<()> {
    telemetry::init_logging(&config.log)?;
    super::runtime()?.block_on(async { app::start(config).await?.run_until_signal().await })
}
