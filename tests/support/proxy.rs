//! A TCP proxy that a test can cut, hold and restore, or that goes on acknowledging and passes
//! nothing on: a database that goes away, falls silent and comes back.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Bytes pass.
    Open,
    /// Connections stay, bytes wait: a server that vanished.
    Held,
    /// Connections are closed, new ones too.
    Cut,
}

struct Shared {
    mode: Mutex<Mode>,
    changed: Condvar,
    streams: Mutex<Vec<TcpStream>>,
    /// Connections so far.
    accepted: AtomicUsize,
    /// Connections below this number are read from, and nothing of it is passed on: their peer's
    /// kernel acknowledges.
    swallowed: AtomicUsize,
    /// A connection whose client sends this is swallowed from its answer on.
    last_words: Mutex<Option<Vec<u8>>>,
    /// What the client of each connection has sent, if it is kept.
    sent: Mutex<Option<Vec<Vec<u8>>>>,
}

/// Listens on a loopback port of its own and passes everything to `target`.
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Starts open.
    pub fn start(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            mode: Mutex::new(Mode::Open),
            changed: Condvar::new(),
            streams: Mutex::default(),
            accepted: AtomicUsize::new(0),
            swallowed: AtomicUsize::new(0),
            last_words: Mutex::default(),
            sent: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                accept(&accepting, client, &target);
            }
        });
        Self { address, shared }
    }

    /// Closes all connections, and every new one at once.
    pub fn cut(&self) {
        self.set(Mode::Cut);
        for stream in self.shared.streams.lock().unwrap().drain(..) {
            stream.shutdown(Shutdown::Both).ok();
        }
    }

    /// Keeps connections, but no byte passes any more.
    pub fn hold(&self) {
        self.set(Mode::Held);
    }

    /// Keeps the connections there are and acknowledges what they send, but passes nothing on. New
    /// ones pass.
    pub fn swallow(&self) {
        let accepted = self.shared.accepted.load(Ordering::SeqCst);
        self.shared.swallowed.store(accepted, Ordering::SeqCst);
    }

    /// The next connection whose client sends `words` gets no answer to them, nor any later one,
    /// though they arrive.
    pub fn swallow_answer_to(&self, words: &[u8]) {
        *self.shared.last_words.lock().unwrap() = Some(words.to_owned());
    }

    /// Keeps what clients send from now on; call it before the first connection.
    pub fn keep_what_is_sent(&self) {
        *self.shared.sent.lock().unwrap() = Some(Vec::new());
    }

    /// What the client of each connection has sent.
    pub fn sent(&self) -> Vec<Vec<u8>> {
        self.shared.sent.lock().unwrap().clone().unwrap_or_default()
    }

    /// Lets everything pass again.
    pub fn restore(&self) {
        self.set(Mode::Open);
    }

    fn set(&self, mode: Mode) {
        *self.shared.mode.lock().unwrap() = mode;
        self.shared.changed.notify_all();
    }
}

fn accept(shared: &Arc<Shared>, client: TcpStream, target: &str) {
    if *shared.mode.lock().unwrap() == Mode::Cut {
        return;
    }
    let Ok(server) = TcpStream::connect(target) else {
        return;
    };
    let number = shared.accepted.fetch_add(1, Ordering::SeqCst);
    let muted = Arc::new(AtomicBool::new(false));
    let mut streams = shared.streams.lock().unwrap();
    for (from, to, asks) in [(&client, &server, true), (&server, &client, false)] {
        let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        let pipe = Pipe {
            shared: Arc::clone(shared),
            number,
            asks,
            muted: Arc::clone(&muted),
        };
        std::thread::spawn(move || pump(&pipe, from, to));
    }
    streams.extend([client, server]);
}

/// One direction of a connection.
struct Pipe {
    shared: Arc<Shared>,
    number: usize,
    /// From the client to the server.
    asks: bool,
    /// The server's answers are swallowed.
    muted: Arc<AtomicBool>,
}

impl Pipe {
    fn swallows(&self, bytes: &[u8]) -> bool {
        if self.number < self.shared.swallowed.load(Ordering::SeqCst) {
            return true;
        }
        if !self.asks {
            return self.muted.load(Ordering::SeqCst);
        }
        if let Some(sent) = &mut *self.shared.sent.lock().unwrap() {
            if sent.len() <= self.number {
                sent.resize(self.number + 1, Vec::new());
            }
            sent[self.number].extend_from_slice(bytes);
        }
        let mut words = self.shared.last_words.lock().unwrap();
        let said = |words: &Vec<u8>| bytes.windows(words.len()).any(|part| part == words);
        if words.as_ref().is_some_and(said) {
            *words = None;
            self.muted.store(true, Ordering::SeqCst);
        }
        false
    }
}

fn pump(pipe: &Pipe, mut from: TcpStream, mut to: TcpStream) {
    let shared = &pipe.shared;
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if pipe.swallows(buffer.get(..length).unwrap()) {
            continue;
        }
        let mut mode = shared.mode.lock().unwrap();
        while *mode == Mode::Held {
            mode = shared.changed.wait(mode).unwrap();
        }
        let open = *mode == Mode::Open;
        drop(mode);
        if !open || to.write_all(buffer.get(..length).unwrap()).is_err() {
            break;
        }
    }
    from.shutdown(Shutdown::Both).ok();
    to.shutdown(Shutdown::Both).ok();
}
