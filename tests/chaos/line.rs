//! A network between two sides that a test cuts, or that goes silent while it still acknowledges
//! every byte.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Answers are not cut.
const WHOLE: usize = usize::MAX;

struct State {
    /// Connections with a lower number are silent: bytes are read and go nowhere, both ways.
    silent_below: AtomicUsize,
    /// Connections with this number or a higher one are silent from their beginning.
    silent_from: AtomicUsize,
    /// Bytes of an answer after which its connection is closed.
    cut_after: AtomicUsize,
    /// New connections are closed at once.
    refusing: AtomicBool,
    accepted: AtomicUsize,
    /// Streams that went silent: nobody learns that the other side has closed.
    kept: Mutex<Vec<TcpStream>>,
}

impl State {
    fn silent(&self, number: usize) -> bool {
        number < self.silent_below.load(Ordering::SeqCst)
            || number >= self.silent_from.load(Ordering::SeqCst)
    }
}

/// Listens on a loopback port of its own and passes everything to a target.
pub(crate) struct Line {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

impl Line {
    /// Starts open.
    pub(crate) fn start(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            silent_below: AtomicUsize::new(0),
            silent_from: AtomicUsize::new(usize::MAX),
            cut_after: AtomicUsize::new(WHOLE),
            refusing: AtomicBool::new(false),
            accepted: AtomicUsize::new(0),
            kept: Mutex::default(),
        });
        let accepting = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                accept(&accepting, client, &target);
            }
        });
        Self { address, state }
    }

    /// Every connection of now goes silent for ever; new ones work.
    pub(crate) fn silence_present(&self) {
        let accepted = self.state.accepted.load(Ordering::SeqCst);
        self.state.silent_below.store(accepted, Ordering::SeqCst);
    }

    /// Every connection goes silent, new ones too.
    pub(crate) fn silence_all(&self) {
        self.state.silent_from.store(0, Ordering::SeqCst);
    }

    /// Closes connections after so many bytes of their answers.
    pub(crate) fn cut_answers_after(&self, bytes: usize) {
        self.state.cut_after.store(bytes, Ordering::SeqCst);
    }

    /// Closes new connections at once.
    pub(crate) fn refuse(&self) {
        self.state.refusing.store(true, Ordering::SeqCst);
    }

    /// New connections work again.
    pub(crate) fn restore(&self) {
        self.state.refusing.store(false, Ordering::SeqCst);
        self.cut_answers_after(WHOLE);
    }
}

fn accept(state: &Arc<State>, client: TcpStream, target: &str) {
    if state.refusing.load(Ordering::SeqCst) {
        return;
    }
    let Ok(server) = TcpStream::connect(target) else {
        return;
    };
    let number = state.accepted.fetch_add(1, Ordering::SeqCst);
    let pair = |from: &TcpStream, to: &TcpStream| {
        let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        (Arc::clone(state), from, to)
    };
    let (asking, from, to) = pair(&client, &server);
    std::thread::spawn(move || pump(&asking, number, from, to, false));
    let (answering, from, to) = pair(&server, &client);
    std::thread::spawn(move || pump(&answering, number, from, to, true));
}

fn pump(state: &State, number: usize, mut from: TcpStream, mut to: TcpStream, answers: bool) {
    let mut buffer = [0; 16 * 1024];
    let mut passed = 0;
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if state.silent(number) {
            continue;
        }
        let left = match answers {
            true => state
                .cut_after
                .load(Ordering::SeqCst)
                .saturating_sub(passed),
            false => WHOLE,
        };
        let passing = length.min(left);
        if to.write_all(&buffer[..passing]).is_err() || passing < length {
            break;
        }
        passed += passing;
    }
    if state.silent(number) {
        state.kept.lock().unwrap().extend([from, to]);
        return;
    }
    from.shutdown(Shutdown::Both).ok();
    to.shutdown(Shutdown::Both).ok();
}
