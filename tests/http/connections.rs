//! What a connection may cost whose client proves nothing.

use crate::support::gateway::{TestGateway, config};
use crate::support::wire::{self, Wire, request};
use crate::support::{Backend, TestDatabase};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// A gateway that serves one connection at a time.
fn one_at_a_time(write_timeout_ms: u64) -> TestGateway {
    let database = TestDatabase::new(Backend::Sqlite);
    let mut config = config(&database.url_text);
    config.server.workers = 1;
    config.server.max_connections_per_worker = 1;
    config.server.write_timeout_ms = write_timeout_ms;
    let mut gateway = TestGateway::start_with(&config);
    gateway.database = Some(database);
    gateway
}

fn connect(gateway: &TestGateway) -> TcpStream {
    let address = gateway.base_url.strip_prefix("http://").unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    stream
}

/// Sends so many requests ahead and reads nothing; the kernel may take less than all of them.
fn send_ahead(stream: &TcpStream, path: &str, count: usize) {
    let requests = request("GET", path, &[], b"").repeat(count);
    let mut writer = stream.try_clone().unwrap();
    // Blocks once nobody reads them either; ends when the connection is cut.
    std::thread::spawn(move || writer.write_all(&requests).ok());
}

/// How many bytes of answers there were when the connection ended.
fn received(mut stream: TcpStream) -> usize {
    let mut buffer = vec![0; 1 << 20];
    let mut total = 0;
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return total,
            Ok(count) => total += count,
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
                return total;
            }
        }
    }
}

#[test]
fn who_never_reads_loses_the_connection_to_who_does() {
    let gateway = one_at_a_time(200);
    // Large answers; and small ones with more requests ahead than actix holds.
    for (path, count) in [("/openapi.json", 2_000), ("/health/live", 100_000)] {
        let idle = connect(&gateway);
        send_ahead(&idle, path, count);
        // The one place is taken: this is answered once it is free again.
        let answer = wire::exchange(&gateway.base_url, "GET", "/health/live", &[], b"");
        assert_eq!(answer.status, 200, "{path}");
        let length = |path| {
            let answer = wire::exchange(&gateway.base_url, "GET", path, &[], b"");
            answer.body.len()
        };
        let all = count * length(path);
        assert!(received(idle) < all, "{path}: everything was sent");
    }
}

#[test]
fn who_reads_slowly_gets_everything() {
    let gateway = one_at_a_time(60_000);
    let mut reader = connect(&gateway);
    let asked = [("Connection", "close")];
    reader
        .write_all(&request("GET", "/openapi.json", &asked, b""))
        .unwrap();
    reader.shutdown(Shutdown::Write).unwrap();
    let mut total = 0;
    let mut buffer = [0; 512];
    loop {
        let count = reader.read(&mut buffer).unwrap();
        if count == 0 {
            break;
        }
        total += count;
    }
    let answer = wire::exchange(&gateway.base_url, "GET", "/openapi.json", &[], b"");
    assert!(total > answer.body.len());
}

#[test]
fn who_reads_late_is_served_on() {
    let gateway = one_at_a_time(60_000);
    let mut reader = Wire::connect(&gateway.base_url);
    // More than the kernel keeps for a connection, so that the gateway has to wait for it.
    let count = 15;
    let large = request("GET", "/docs/swagger-ui-bundle.js", &[], b"");
    reader.send(&large.repeat(count));
    for _ in 0..count {
        let answer = reader.read("GET").unwrap();
        assert_eq!(answer.status, 200);
        assert!(answer.body.len() > 1_000_000);
    }
    reader.send(&request("GET", "/health/live", &[], b""));
    assert_eq!(reader.read("GET").unwrap().status, 200);
}

#[test]
fn http_2_is_not_spoken() {
    let gateway = TestGateway::start(Backend::Sqlite);
    // With prior knowledge: the preface, and an empty SETTINGS frame.
    let mut knowing = connect(&gateway);
    knowing
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .unwrap();
    let mut answer = Vec::new();
    match knowing.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");

    // By an upgrade: ignored, as RFC 9110, section 7.8 allows.
    let mut asking = Wire::connect(&gateway.base_url);
    let upgrade = [
        ("Connection", "Upgrade, HTTP2-Settings"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "AAMAAABkAAQAAP__"),
    ];
    asking.send(&request("GET", "/health/live", &upgrade, b""));
    assert_eq!(asking.read("GET").unwrap().status, 200);
}
