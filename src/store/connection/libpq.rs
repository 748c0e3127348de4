//! A connection's socket and the SQLSTATE of an error: libpq knows both, and Diesel does not show
//! them.
//!
//! Diesel opens connections with `PQconnectdb` and shows nobody the pointer. `build.rs` tells the
//! linker to send that one call to [`__wrap_PQconnectdb`] below (`ld --wrap`). The function opens
//! the connection by libpq's other door, `PQconnectdbParams`, keeps a second descriptor of the
//! socket, and asks libpq to report each result. Diesel and libpq stay as they are.
//!
//! A linker without `--wrap` (macOS) leaves the function unused. Then no silent connection
//! is cut off (see [`super::line`]), and errors are told by their English messages (see
//! `store::error`).

#![expect(unsafe_code, reason = "libpq's C interface")]

use super::line::Line;
use pq_sys::{ConnStatusType, ExecStatusType, PGconn, PGresult};
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::Arc;

unsafe extern "C" {
    /// `libpq-events.h`; `pq-sys` has no declaration of it.
    fn PQregisterEventProc(
        conn: *mut PGconn,
        procedure: unsafe extern "C" fn(c_int, *mut c_void, *mut c_void) -> c_int,
        name: *const c_char,
        pass_through: *mut c_void,
    ) -> c_int;
}

/// `PGEVT_RESULTCREATE`.
const RESULT_CREATED: c_int = 3;

/// `PGEventResultCreate`.
#[repr(C)]
struct ResultCreated {
    conn: *mut PGconn,
    result: *mut PGresult,
}

/// The five characters of an SQLSTATE.
pub(in crate::store) type SqlState = [u8; 5];

/// The last error that libpq reported to this thread. `message` tells one error from another; it is
/// compared with the address of the text that Diesel shows, and never read.
#[derive(Clone, Copy)]
struct Refused {
    message: *const c_char,
    state: SqlState,
}

thread_local! {
    /// Whether this thread is in [`watch`]: a connection that somebody else opens is left alone.
    static WATCHING: Cell<bool> = const { Cell::new(false) };
    static OPENED: RefCell<Option<Arc<Line>>> = const { RefCell::new(None) };
    static REFUSED: Cell<Option<Refused>> = const { Cell::new(None) };
}

/// Runs `open`, which opens a connection on this thread, and returns its line.
pub(super) fn watch<T>(open: impl FnOnce() -> T) -> (T, Option<Arc<Line>>) {
    // Keeps the function in the program also where nothing but the linker refers to it.
    std::hint::black_box(__wrap_PQconnectdb as unsafe extern "C" fn(_) -> _);
    OPENED.take();
    WATCHING.set(true);
    let value = open();
    WATCHING.set(false);
    (value, OPENED.take())
}

/// The SQLSTATE of the error whose message this is, if it is the last one that this thread has met.
pub(in crate::store) fn sqlstate(message: &str) -> Option<SqlState> {
    let refused = REFUSED.get()?;
    ptr::eq(refused.message.cast(), message.as_ptr()).then_some(refused.state)
}

/// `PQconnectdb`, for Diesel alone.
///
/// # Safety
/// As `PQconnectdb`: `conninfo` is a C string.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_PQconnectdb(conninfo: *const c_char) -> *mut PGconn {
    let keywords = [c"dbname".as_ptr(), ptr::null()];
    let values = [conninfo, ptr::null()];
    // SAFETY: both lists end with a null pointer and outlive the call. A "dbname" that is a URI is
    // read as PQconnectdb reads it.
    let conn = unsafe { pq_sys::PQconnectdbParams(keywords.as_ptr(), values.as_ptr(), 1) };
    // SAFETY: libpq accepts a null pointer here, and says that it is bad.
    if unsafe { pq_sys::PQstatus(conn) } != ConnStatusType::CONNECTION_OK || !WATCHING.get() {
        return conn;
    }
    // SAFETY: the connection is open; the procedure and the name live as long as the program.
    unsafe { PQregisterEventProc(conn, on_event, c"issuer-gateway".as_ptr(), ptr::null_mut()) };
    // SAFETY: the connection is open, so it has a socket, which stays open during the call.
    let socket =
        unsafe { std::os::fd::BorrowedFd::borrow_raw(pq_sys::PQsocket(conn)).try_clone_to_owned() };
    if let Ok(socket) = socket {
        // SAFETY: the connection is open.
        let pid = unsafe { pq_sys::PQbackendPID(conn) };
        OPENED.set(Some(Line::opened(socket, pid)));
    }
    conn
}

/// Notes what libpq says of an error while Diesel has not seen it yet.
unsafe extern "C" fn on_event(event: c_int, info: *mut c_void, _: *mut c_void) -> c_int {
    if event == RESULT_CREATED {
        // SAFETY: libpq passes this structure with this event, and its result is complete.
        let result = unsafe { (*info.cast::<ResultCreated>()).result };
        // SAFETY: as above.
        if unsafe { pq_sys::PQresultStatus(result) } == ExecStatusType::PGRES_FATAL_ERROR {
            // SAFETY: as above.
            REFUSED.set(unsafe { refused(result) });
        }
    }
    1
}

/// What an error's result says; `None` where it has no SQLSTATE, as with errors of the client's
/// side.
///
/// # Safety
/// `result` is a complete result.
unsafe fn refused(result: *const PGresult) -> Option<Refused> {
    let field = |code: u8| {
        // SAFETY: the caller vouches for the result.
        unsafe { pq_sys::PQresultErrorField(result, c_int::from(code)) }
    };
    let (state, message) = (field(b'C'), field(b'M'));
    if state.is_null() || message.is_null() {
        return None;
    }
    // SAFETY: a field that is not null is a C string that lives as long as the result.
    let state = unsafe { CStr::from_ptr(state) }.to_bytes();
    Some(Refused {
        message,
        state: state.try_into().ok()?,
    })
}
