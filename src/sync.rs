//! What a [queue](crate::queue) waits and wakes by: the standard library's. The queue's own model
//! test puts threads and a clock in their place that it drives itself.

pub(crate) use std::sync::atomic;
pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
pub(crate) use std::thread;
pub(crate) use std::time::Instant;
