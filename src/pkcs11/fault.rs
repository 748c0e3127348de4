//! What can go wrong with a token. No PIN and no key is in any text.

use cryptoki::context::Function;
use cryptoki::error::{Error, RvError};

/// Why a token did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// The dynamic loader, or the module's initialization.
    #[error("the PKCS#11 module cannot be used: {0}")]
    Module(String),
    /// No token of the module has the label.
    #[error("no token has the label {0:?}")]
    Absent(String),
    /// The token or its device has gone away.
    #[error("the token is away ({0})")]
    Gone(String),
    /// A session, its login or an object handle is no longer valid.
    #[error("the session with the token was lost ({0})")]
    Lost(String),
    /// The file of the PIN cannot be read.
    #[error("the PIN cannot be read from {0}")]
    PinUnreadable(String),
    /// The PIN is wrong. It is not tried again before its file changes: tokens lock themselves.
    #[error("the token refuses the PIN")]
    PinRefused,
    /// Too many wrong PINs.
    #[error("the token has locked the PIN")]
    PinLocked,
    /// The token takes no more sessions.
    #[error("the token has no session left")]
    NoSession,
    /// The token has no room for another object.
    #[error("the token is full")]
    Full,
    /// No key has the label and id.
    #[error("the token has no such key: {0}")]
    KeyAbsent(String),
    /// Several keys have them.
    #[error("the token has several such keys: {0}")]
    KeyAmbiguous(String),
    /// The key is not what the configuration needs.
    #[error("the key {0}")]
    KeyUnfit(&'static str),
    /// The token does not know the mechanism, or not for this use.
    #[error("the token does not offer {0}")]
    Mechanism(&'static str),
    /// What was to be decrypted was not encrypted with the key.
    #[error("the token does not decrypt this")]
    DoesNotOpen,
    /// The known-answer test failed.
    #[error("the token's known-answer test has failed")]
    SelfTest,
    /// No answer in time.
    #[error("the token has not answered in time")]
    TimedOut,
    /// Any other return value.
    #[error("the token refuses: {0}")]
    Refused(String),
}

impl TokenFault {
    /// Stable id for logs and audit.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Module(_) => "token-module",
            Self::Absent(_) => "token-absent",
            Self::Gone(_) => "token-gone",
            Self::Lost(_) => "token-session-lost",
            Self::PinUnreadable(_) => "token-pin-unreadable",
            Self::PinRefused => "token-pin-refused",
            Self::PinLocked => "token-pin-locked",
            Self::NoSession => "token-no-session",
            Self::Full => "token-full",
            Self::KeyAbsent(_) => "token-key-absent",
            Self::KeyAmbiguous(_) => "token-key-ambiguous",
            Self::KeyUnfit(_) => "token-key-unfit",
            Self::Mechanism(_) => "token-mechanism",
            Self::DoesNotOpen => "token-does-not-open",
            Self::SelfTest => "token-self-test",
            Self::TimedOut => "token-timed-out",
            Self::Refused(_) => "token-refused",
        }
    }

    /// Whether the token is away: the module initialized anew may help.
    pub(super) fn is_gone(&self) -> bool {
        matches!(
            self,
            Self::Module(_) | Self::Absent(_) | Self::Gone(_) | Self::Lost(_)
        )
    }

    /// Whether another session may help. SoftHSM finds no object in a token that has gone away.
    pub(super) fn is_the_sessions(&self) -> bool {
        self.is_gone() || matches!(self, Self::KeyAbsent(_))
    }

    /// Whether it may pass without a change of the configuration.
    pub fn is_passing(&self) -> bool {
        self.is_gone() || matches!(self, Self::NoSession | Self::TimedOut)
    }
}

impl From<Error> for TokenFault {
    fn from(error: Error) -> Self {
        match error {
            Error::Pkcs11(code, function) => of_code(code, function),
            Error::LibraryLoading(error) => Self::Module(error.to_string()),
            error => Self::Refused(error.to_string()),
        }
    }
}

fn of_code(code: RvError, function: Function) -> TokenFault {
    use RvError as R;
    // The names alone: the crate's own texts are paragraphs of the standard.
    let text = format!("{function:?}: {code:?}");
    match code {
        R::PinIncorrect | R::PinInvalid | R::PinLenRange | R::PinExpired => TokenFault::PinRefused,
        R::PinLocked => TokenFault::PinLocked,
        R::SessionCount => TokenFault::NoSession,
        R::DeviceMemory => TokenFault::Full,
        R::MechanismInvalid | R::MechanismParamInvalid => TokenFault::Mechanism("the mechanism"),
        R::EncryptedDataInvalid | R::EncryptedDataLenRange | R::DataInvalid | R::DataLenRange => {
            TokenFault::DoesNotOpen
        }
        // A token that was asked to decrypt something wrong may say no more than this.
        R::GeneralError | R::FunctionFailed
            if matches!(function, Function::Decrypt | Function::DecryptFinal) =>
        {
            TokenFault::DoesNotOpen
        }
        R::SessionHandleInvalid
        | R::SessionClosed
        | R::UserNotLoggedIn
        | R::ObjectHandleInvalid
        | R::KeyHandleInvalid
        | R::OperationActive
        | R::OperationNotInitialized => TokenFault::Lost(text),
        R::TokenNotPresent
        | R::TokenNotRecognized
        | R::DeviceError
        | R::DeviceRemoved
        | R::SlotIdInvalid
        | R::GeneralError
        | R::FunctionFailed
        | R::CryptokiNotInitialized => TokenFault::Gone(text),
        _ => TokenFault::Refused(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn return_values_have_names() {
        for (code, function, reason, passing) in [
            (
                RvError::PinIncorrect,
                Function::Login,
                "token-pin-refused",
                false,
            ),
            (
                RvError::PinLocked,
                Function::Login,
                "token-pin-locked",
                false,
            ),
            (
                RvError::SessionCount,
                Function::OpenSession,
                "token-no-session",
                true,
            ),
            (
                RvError::DeviceMemory,
                Function::GenerateKeyPair,
                "token-full",
                false,
            ),
            (
                RvError::SessionHandleInvalid,
                Function::Decrypt,
                "token-session-lost",
                true,
            ),
            (
                RvError::ObjectHandleInvalid,
                Function::DecryptInit,
                "token-session-lost",
                true,
            ),
            (
                RvError::DeviceRemoved,
                Function::Decrypt,
                "token-gone",
                true,
            ),
            (
                RvError::GeneralError,
                Function::OpenSession,
                "token-gone",
                true,
            ),
            (
                RvError::GeneralError,
                Function::Decrypt,
                "token-does-not-open",
                false,
            ),
            (
                RvError::ArgumentsBad,
                Function::Decrypt,
                "token-refused",
                false,
            ),
        ] {
            let fault = TokenFault::from(Error::Pkcs11(code, function));
            assert_eq!(fault.reason(), reason);
            assert_eq!(fault.is_passing(), passing, "{fault}");
            assert!(fault.to_string().len() < 80, "{fault}");
        }
    }
}
