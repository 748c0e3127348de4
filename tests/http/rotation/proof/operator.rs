//! The operator: what a command of the command line has at hand, in a process of its own.

use super::Deployment;
use issuer_gateway::config::Config;
use issuer_gateway::store::Store;
use issuer_gateway::vault::Vault;
use issuer_gateway::{app, keys};
use tokio::runtime::{Builder, Runtime};

pub(super) struct Operator {
    runtime: Runtime,
    pub(super) store: Store,
    pub(super) vault: Vault,
}

impl Operator {
    pub(super) fn new(deployment: &Deployment) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let config = Config::load(&deployment.file).unwrap();
        let (_, store) = app::open_store(&config.database).unwrap();
        let keks = keys::kek::load(&config).unwrap();
        let vault = runtime.block_on(Vault::open(&store, keks)).unwrap();
        Self {
            runtime,
            store,
            vault,
        }
    }

    pub(super) fn run<F: Future>(&self, command: F) -> F::Output {
        self.runtime.block_on(command)
    }
}
