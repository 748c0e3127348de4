//! A PKCS#11 module: a shared library that is initialized once for the whole process.
//!
//! Some modules look for their tokens in `C_Initialize` alone. After a token was away, the module
//! is therefore finalized and initialized anew. That ends every session with it; a session belongs
//! to the epoch in which it was opened.

use super::TokenFault;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};
use std::time::{Duration, Instant};

/// Every module that was ever used. None is unloaded.
static MODULES: Mutex<BTreeMap<PathBuf, Arc<Module>>> = Mutex::new(BTreeMap::new());

/// How long a new initialization waits for calls that are under way; one of them may hang.
const PATIENCE: Duration = Duration::from_secs(1);

/// A module.
pub(super) struct Module {
    path: PathBuf,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    context: Option<Pkcs11>,
    /// Rises with each initialization.
    epoch: u64,
}

impl Module {
    /// The module of this path.
    pub(super) fn of(path: &Path) -> Arc<Self> {
        let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
        let module = modules.entry(path.to_owned()).or_insert_with(|| {
            Arc::new(Self {
                path: path.to_owned(),
                state: RwLock::default(),
            })
        });
        Arc::clone(module)
    }

    /// Does `work` with the initialized module. It is not initialized anew meanwhile.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&Pkcs11, u64) -> Result<T, TokenFault>,
    ) -> Result<T, TokenFault> {
        let mut state = self.read();
        if state.context.is_none() {
            let epoch = state.epoch;
            drop(state);
            self.renew(epoch)?;
            state = self.read();
        }
        match &state.context {
            Some(context) => work(context, state.epoch),
            None => Err(TokenFault::Module("it is not initialized".to_owned())),
        }
    }

    pub(super) fn epoch(&self) -> u64 {
        self.read().epoch
    }

    /// Initializes anew, unless somebody else has since `seen`.
    pub(super) fn renew(&self, seen: u64) -> Result<(), TokenFault> {
        let mut state = self.write()?;
        if state.epoch != seen {
            return Ok(());
        }
        if let Some(former) = state.context.take() {
            // It may have been finalized already; what matters is the initialization.
            let _ = former.finalize();
        }
        state.epoch += 1;
        let context = Pkcs11::new(&self.path)?;
        match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(TokenFault::Module(TokenFault::from(error).to_string())),
        }
        state.context = Some(context);
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call that hangs must not make every other one hang.
    fn write(&self) -> Result<RwLockWriteGuard<'_, State>, TokenFault> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            match self.state.try_write() {
                Ok(state) => return Ok(state),
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if Instant::now() < give_up => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(TryLockError::WouldBlock) => return Err(TokenFault::TimedOut),
            }
        }
    }
}
