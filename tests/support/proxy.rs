//! A TCP proxy that a test can cut, hold and restore: a database that goes away and comes back.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
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
    let mut streams = shared.streams.lock().unwrap();
    for (from, to) in [(&client, &server), (&server, &client)] {
        let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        let shared = Arc::clone(shared);
        std::thread::spawn(move || pump(&shared, from, to));
    }
    streams.extend([client, server]);
}

fn pump(shared: &Shared, mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
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
