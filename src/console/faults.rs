//! Faults on demand: what a client under test is to cope with.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The longest delay.
pub const LONGEST_DELAY: Duration = Duration::from_secs(120);
/// As many calls one order may spoil.
pub const MOST_CALLS: u32 = 10_000;
/// How a fault is written, for who wrote it otherwise.
pub const FORMS: &str = "a fault is a ReasonCode such as USER_NOT_FOUND, unavailable, \
    unavailable=SECONDS (Retry-After), delay=MILLISECONDS, cut or wrong-key";

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is refused with this `ReasonCode`; nothing is done.
    Reason(String),
    /// It gets 503 with `Retry-After` in seconds; nothing is done.
    Unavailable(u32),
    /// It waits before it is handled as always.
    Delay(Duration),
    /// It is handled as always. Then the connection is closed in the middle of the answer.
    Cut,
    /// It is handled as always. Then the answer is encrypted to a key that nobody has.
    WrongKey,
}

impl Fault {
    /// Reads what stands in `X-Sandbox-Fault`; `None`: it is none of [`FORMS`].
    pub fn parse(text: &str) -> Option<Self> {
        let (name, value) = match text.trim().split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (text.trim(), None),
        };
        let number = |value: &str| value.parse::<u32>().ok();
        match (name, value) {
            ("unavailable", None) => Some(Self::Unavailable(1)),
            ("unavailable", Some(seconds)) => number(seconds).map(Self::Unavailable),
            ("delay", Some(milliseconds)) => number(milliseconds)
                .map(|milliseconds| Duration::from_millis(milliseconds.into()))
                .filter(|delay| *delay <= LONGEST_DELAY)
                .map(Self::Delay),
            ("cut", None) => Some(Self::Cut),
            ("wrong-key", None) => Some(Self::WrongKey),
            (code, None) if is_reason_code(code) => Some(Self::Reason(code.to_owned())),
            _ => None,
        }
    }
}

fn is_reason_code(text: &str) -> bool {
    let known = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    (1..=64).contains(&text.len()) && text.bytes().all(known)
}

/// As [`Fault::parse`] reads it.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reason(code) => f.write_str(code),
            Self::Unavailable(seconds) => write!(f, "unavailable={seconds}"),
            Self::Delay(delay) => write!(f, "delay={}", delay.as_millis()),
            Self::Cut => f.write_str("cut"),
            Self::WrongKey => f.write_str("wrong-key"),
        }
    }
}

/// An order: this fault, for so many more calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What goes wrong.
    pub fault: Fault,
    /// With how many calls more.
    pub calls: u32,
}

/// The orders, one for each issuer and one for calls of everybody.
#[derive(Debug, Default)]
pub struct Faults(Mutex<BTreeMap<String, Order>>);

/// Stands for everybody.
pub const EVERYBODY: &str = "";

impl Faults {
    /// The next calls of an issuer (by client id, or [`EVERYBODY`]) have this fault. A later order
    /// replaces an earlier one; none of no calls.
    pub fn order(&self, client_id: &str, order: Order) {
        let mut orders = self.orders();
        match order.calls {
            0 => orders.remove(client_id),
            _ => orders.insert(client_id.to_owned(), order),
        };
    }

    /// The fault of a call that is here now, by the client id that it claims. One call less is to
    /// be spoilt.
    pub fn take(&self, client_id: Option<&str>) -> Option<Fault> {
        let mut orders = self.orders();
        let key = [client_id.unwrap_or(EVERYBODY), EVERYBODY]
            .into_iter()
            .find(|key| orders.contains_key(*key))?;
        let order = orders.get_mut(key)?;
        let fault = order.fault.clone();
        order.calls -= 1;
        if order.calls == 0 {
            orders.remove(key);
        }
        Some(fault)
    }

    /// All orders by client id.
    pub fn standing(&self) -> Vec<(String, Order)> {
        let orders = self.orders();
        orders
            .iter()
            .map(|(id, order)| (id.clone(), order.clone()))
            .collect()
    }

    /// No call is spoilt any more.
    pub fn clear(&self) {
        self.orders().clear();
    }

    fn orders(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Order>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_read_as_it_is_written() {
        for text in [
            "USER_NOT_FOUND",
            "unavailable=7",
            "delay=1500",
            "cut",
            "wrong-key",
        ] {
            assert_eq!(Fault::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Fault::parse(" unavailable "), Some(Fault::Unavailable(1)));
        for text in [
            "",
            "user_not_found",
            "delay",
            "delay=",
            "delay=-1",
            "delay=120001",
            "cut=1",
            "unavailable=x",
            "SO WHAT",
        ] {
            assert_eq!(Fault::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_order_spoils_so_many_calls_of_its_issuer() {
        let faults = Faults::default();
        let order = |fault, calls| Order { fault, calls };
        faults.order("a", order(Fault::Cut, 2));
        assert_eq!(faults.take(Some("b")), None);
        assert_eq!(faults.take(None), None);
        assert_eq!(faults.take(Some("a")), Some(Fault::Cut));
        assert_eq!(faults.standing(), [("a".to_owned(), order(Fault::Cut, 1))]);
        assert_eq!(faults.take(Some("a")), Some(Fault::Cut));
        assert_eq!(faults.take(Some("a")), None);

        faults.order(EVERYBODY, order(Fault::WrongKey, 3));
        faults.order("a", order(Fault::Cut, 1));
        assert_eq!(faults.take(Some("a")), Some(Fault::Cut), "its own first");
        assert_eq!(faults.take(Some("a")), Some(Fault::WrongKey));
        assert_eq!(faults.take(None), Some(Fault::WrongKey));
        faults.order(EVERYBODY, order(Fault::Cut, 0));
        assert!(faults.standing().is_empty());
    }
}
