//! A token: its sessions, its login, and its way back.

use super::TokenFault;
use super::module::Module;
use crate::config;
use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::{MechanismInfo, MechanismType};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use std::fmt;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// After a failure a token is left alone for so long; doubles up to the second.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// Every token that is in use: a configuration that is loaded again finds its sessions again.
static TOKENS: Mutex<Vec<Arc<Token>>> = Mutex::new(Vec::new());

/// A key in a token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyQuery {
    /// CKA_LABEL.
    pub label: Option<String>,
    /// CKA_ID.
    pub id: Option<Vec<u8>>,
}

impl fmt::Display for KeyQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id.as_ref().map(hex::encode);
        match (&self.label, id) {
            (Some(label), Some(id)) => write!(f, "label {label:?}, id {id}"),
            (Some(label), None) => write!(f, "label {label:?}"),
            (None, id) => write!(f, "id {}", id.unwrap_or_default()),
        }
    }
}

/// A token of the configuration.
pub struct Token {
    settings: config::Token,
    module: Arc<Module>,
    idle: Mutex<Vec<Seat>>,
    away: Mutex<Option<Away>>,
    /// A PIN that the token has refused.
    refused: Mutex<Option<Zeroizing<String>>>,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({})", self.settings.name)
    }
}

/// What was wrong last, and when somebody may look again.
struct Away {
    fault: TokenFault,
    again: Instant,
    pause: Duration,
}

/// A session, used by one thread at a time, with the key handles that were found in it.
pub struct Seat {
    session: Session,
    context: Pkcs11,
    slot: Slot,
    epoch: u64,
    found: Vec<(ObjectClass, KeyQuery, ObjectHandle)>,
}

impl Token {
    /// The token with these settings.
    pub fn of(settings: &config::Token) -> Arc<Self> {
        let mut tokens = TOKENS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = tokens.iter().find(|known| known.settings == *settings) {
            return Arc::clone(known);
        }
        let token = Arc::new(Self {
            settings: settings.clone(),
            module: Module::of(&settings.module),
            idle: Mutex::default(),
            away: Mutex::default(),
            refused: Mutex::default(),
        });
        tokens.push(Arc::clone(&token));
        token
    }

    /// `tokens.name`.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// How many operations it does at once.
    pub fn sessions(&self) -> usize {
        self.settings.sessions.into()
    }

    /// How long a caller waits for it.
    pub fn timeout(&self) -> Duration {
        self.settings.timeout()
    }

    /// Does `work` in a session that nobody else uses meanwhile. If the token seems to be away,
    /// tries once more in a new session, then with the module initialized anew; `work` is repeated,
    /// so it must not change anything. After that the token is left alone for a while: calls fail
    /// at once.
    ///
    /// # Errors
    /// [`TokenFault`].
    pub fn run<T>(
        &self,
        mut work: impl FnMut(&mut Seat) -> Result<T, TokenFault>,
    ) -> Result<T, TokenFault> {
        self.require_presence()?;
        let seen = self.module.epoch();
        let mut done = self.attempt(&mut work);
        if done.as_ref().is_err_and(TokenFault::is_the_sessions) {
            lock(&self.idle).clear();
            done = self.attempt(&mut work);
        }
        if done.as_ref().is_err_and(TokenFault::is_gone) {
            done = self
                .module
                .renew(seen)
                .and_then(|()| self.attempt(&mut work));
        }
        self.note(done.as_ref().err());
        done
    }

    /// The same, on a thread of its own, and no longer than the token's timeout.
    ///
    /// # Errors
    /// [`TokenFault::TimedOut`], and those of `work`.
    pub fn run_in_time<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnMut(&mut Seat) -> Result<T, TokenFault> + Send + 'static,
    ) -> Result<T, TokenFault> {
        let (token, (done, answer)) = (Arc::clone(self), channel());
        let run = move || {
            // Nobody may be waiting any more.
            let _ = done.send(token.run(work));
        };
        let thread = std::thread::Builder::new().name("token".to_owned());
        thread
            .spawn(run)
            .map_err(|error| TokenFault::Refused(error.to_string()))?;
        answer.recv_timeout(self.timeout()).unwrap_or_else(|error| {
            Err(match error {
                RecvTimeoutError::Timeout => TokenFault::TimedOut,
                RecvTimeoutError::Disconnected => TokenFault::Refused("it panicked".to_owned()),
            })
        })
    }

    fn attempt<T>(
        &self,
        work: &mut impl FnMut(&mut Seat) -> Result<T, TokenFault>,
    ) -> Result<T, TokenFault> {
        self.module.with(|context, epoch| {
            let idle = lock(&self.idle).pop().filter(|seat| seat.epoch == epoch);
            let mut seat = match idle {
                Some(seat) => seat,
                None => self.open(context, epoch)?,
            };
            let done = work(&mut seat);
            if done.as_ref().is_err_and(TokenFault::is_the_sessions) {
                // What it was good for is unclear: it does not come back.
                let _ = seat.session.close();
            } else {
                lock(&self.idle).push(seat);
            }
            done
        })
    }

    fn open(&self, context: &Pkcs11, epoch: u64) -> Result<Seat, TokenFault> {
        let slot = self.slot(context)?;
        // Closed by hand: after another initialization its number may be another session's.
        let session = context.open_rw_session_no_drop(slot)?;
        if let Err(fault) = self.log_in(&session) {
            let _ = session.close();
            return Err(fault);
        }
        Ok(Seat {
            session,
            context: context.clone(),
            slot,
            epoch,
            found: Vec::new(),
        })
    }

    fn slot(&self, context: &Pkcs11) -> Result<Slot, TokenFault> {
        let slots = context.get_slots_with_token()?;
        let labelled = |slot: &Slot| {
            let info = context.get_token_info(*slot);
            info.is_ok_and(|info| info.label() == self.settings.label)
        };
        let found = slots.into_iter().find(labelled);
        found.ok_or_else(|| TokenFault::Absent(self.settings.label.clone()))
    }

    fn log_in(&self, session: &Session) -> Result<(), TokenFault> {
        let file = &self.settings.pin_file;
        let text = std::fs::read_to_string(file).map(Zeroizing::new);
        let text = text.map_err(|_| TokenFault::PinUnreadable(file.display().to_string()))?;
        let text = text.trim_end_matches(['\r', '\n']);
        let mut refused = lock(&self.refused);
        if refused.as_ref().is_some_and(|refused| **refused == text) {
            return Err(TokenFault::PinRefused);
        }
        let pin = AuthPin::from(text.to_owned());
        match session.login(UserType::User, Some(&pin)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {
                *refused = None;
                Ok(())
            }
            Err(error) => {
                let fault = TokenFault::from(error);
                if fault == TokenFault::PinRefused {
                    *refused = Some(Zeroizing::new(text.to_owned()));
                }
                Err(fault)
            }
        }
    }

    /// Whether the token answered when it was asked last.
    pub fn is_present(&self) -> bool {
        lock(&self.away).is_none()
    }

    /// While the token is away, lets one caller through after each pause, and no other.
    fn require_presence(&self) -> Result<(), TokenFault> {
        let mut away = lock(&self.away);
        let Some(known) = &mut *away else {
            return Ok(());
        };
        if Instant::now() < known.again {
            return Err(known.fault.clone());
        }
        known.again = Instant::now() + known.pause;
        Ok(())
    }

    fn note(&self, fault: Option<&TokenFault>) {
        let mut away = lock(&self.away);
        match fault.filter(|fault| fault.is_gone()) {
            Some(fault) => {
                let former = away.as_ref().map(|away| away.pause);
                if former.is_none() {
                    let name = self.name();
                    tracing::error!(token = name, reason = fault.reason(), %fault, "a token is away");
                }
                let pause = former.map_or(PAUSE, |pause| (pause * 2).min(LONGEST_PAUSE));
                *away = Some(Away {
                    fault: fault.clone(),
                    again: Instant::now() + pause,
                    pause,
                });
            }
            None if away.take().is_some() => {
                tracing::info!(token = self.name(), "a token is back");
            }
            None => {}
        }
    }
}

impl Seat {
    /// The session.
    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// The token's serial number.
    pub fn serial(&self) -> Result<String, TokenFault> {
        let info = self.context.get_token_info(self.slot)?;
        Ok(info.serial_number().to_owned())
    }

    /// What the token says of a mechanism; `name` is for the fault if it says nothing.
    pub(super) fn mechanism(
        &self,
        mechanism: MechanismType,
        name: &'static str,
    ) -> Result<MechanismInfo, TokenFault> {
        let info = self.context.get_mechanism_info(self.slot, mechanism);
        info.map_err(|error| match error {
            Error::Pkcs11(RvError::MechanismInvalid, _) => TokenFault::Mechanism(name),
            error => error.into(),
        })
    }

    /// The one object of this class that has the label and id.
    pub(super) fn find(
        &mut self,
        class: ObjectClass,
        query: &KeyQuery,
    ) -> Result<ObjectHandle, TokenFault> {
        let mut known = self.found.iter();
        if let Some((.., handle)) = known.find(|(of, named, _)| *of == class && named == query) {
            return Ok(*handle);
        }
        let mut template = vec![Attribute::Class(class)];
        template.extend(
            query
                .label
                .clone()
                .map(|label| Attribute::Label(label.into())),
        );
        template.extend(query.id.clone().map(Attribute::Id));
        match self.session.find_objects(&template)?.as_slice() {
            [] => Err(TokenFault::KeyAbsent(query.to_string())),
            [handle] => {
                self.found.push((class, query.clone(), *handle));
                Ok(*handle)
            }
            _ => Err(TokenFault::KeyAmbiguous(query.to_string())),
        }
    }

    /// CKA_ID of an object.
    pub(super) fn id_of(&self, object: ObjectHandle) -> Result<Vec<u8>, TokenFault> {
        let attributes = self.session.get_attributes(object, &[AttributeType::Id])?;
        let id = attributes
            .into_iter()
            .find_map(|attribute| match attribute {
                Attribute::Id(id) => Some(id),
                _ => None,
            });
        Ok(id.unwrap_or_default())
    }

    /// Refuses a key whose value can be read out of the token.
    pub(super) fn require_sealed_in(&self, object: ObjectHandle) -> Result<(), TokenFault> {
        let asked = [AttributeType::Sensitive, AttributeType::Extractable];
        let attributes = self.session.get_attributes(object, &asked)?;
        let open = attributes.iter().any(|attribute| {
            matches!(
                attribute,
                Attribute::Sensitive(false) | Attribute::Extractable(true)
            )
        });
        if open {
            return Err(TokenFault::KeyUnfit(
                "can be read out of the token: make one that is sensitive and not extractable",
            ));
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
