//! One keep-alive connection: HTTP/1.1 written as prepared, answers read no further than the load
//! needs.

use anyhow::{Context, ensure};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// Most that is read at once; an answer has less than 2 KiB.
const CHUNK: usize = 4_096;

/// A request on its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InFlight {
    /// Which of the prepared requests.
    pub(crate) request: usize,
    /// When it should have been sent.
    pub(crate) due: Instant,
    /// When it was sent.
    pub(crate) sent: Instant,
}

/// One connection; `busy` until its request is answered.
pub(crate) struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    unread: Vec<u8>,
    pub(crate) busy: Option<InFlight>,
}

/// What came.
pub(crate) enum Received {
    /// Not all of the answer yet.
    Part,
    /// The gateway has closed the connection.
    Closed,
    /// A whole answer.
    Answer(Answer),
}

/// An answer; its body stays in the connection until [`Connection::clear`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// What `Retry-After` says.
    pub(crate) retry_after: Option<Duration>,
    body: usize,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> anyhow::Result<Self> {
        Ok(Self {
            address,
            stream: connect(address)?,
            unread: Vec::with_capacity(CHUNK),
            busy: None,
        })
    }

    /// Connects anew; whatever was under way is lost.
    pub(crate) fn reopen(&mut self) -> anyhow::Result<()> {
        self.stream = connect(self.address)?;
        self.unread.clear();
        self.busy = None;
        Ok(())
    }

    /// Sends a request. The one before it was answered, so the socket's buffer is empty and takes
    /// all of it at once.
    pub(crate) fn send(&mut self, bytes: &[u8], in_flight: InFlight) -> anyhow::Result<()> {
        let written = self.stream.write(bytes).context("sending a request")?;
        ensure!(written == bytes.len(), "the socket does not take a request");
        self.busy = Some(in_flight);
        Ok(())
    }

    /// Reads what is there.
    pub(crate) fn receive(&mut self) -> anyhow::Result<Received> {
        let mut chunk = [0; CHUNK];
        match self.stream.read(&mut chunk) {
            Ok(0) => return Ok(Received::Closed),
            Ok(length) => self.unread.extend(chunk.iter().take(length)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Received::Part),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                return Ok(Received::Closed);
            }
            Err(error) => return Err(error).context("reading an answer"),
        }
        Ok(parse(&self.unread)?.map_or(Received::Part, Received::Answer))
    }

    /// The body of an answer just received.
    pub(crate) fn body(&self, answer: Answer) -> &[u8] {
        self.unread.get(answer.body..).unwrap_or_default()
    }

    /// Ready for the next request.
    pub(crate) fn clear(&mut self) {
        self.unread.clear();
        self.busy = None;
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(address).context("connecting to the gateway")?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// A whole answer, if that is what the bytes are.
fn parse(bytes: &[u8]) -> anyhow::Result<Option<Answer>> {
    let Some(head_length) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = bytes.get(..head_length).unwrap_or_default();
    let head = std::str::from_utf8(head).context("the answer's header is not text")?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.get(9..12));
    let mut answer = Answer {
        status: status.context("no status line")?.parse()?,
        retry_after: None,
        body: head_length + 4,
    };
    let mut content_length = None;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            content_length = Some(value.trim().parse::<usize>()?);
        } else if name.eq_ignore_ascii_case("retry-after") {
            answer.retry_after = Some(Duration::from_secs(value.trim().parse()?));
        }
    }
    let whole = answer.body + content_length.context("an answer without Content-Length")?;
    Ok((bytes.len() >= whole).then_some(answer))
}
