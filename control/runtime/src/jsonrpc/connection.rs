//! One JSON-RPC connection: messages in, messages out, nothing else.

use std::collections::VecDeque;
use std::io;

use rustix::io::Errno;
use weir_jsonrpc::{FrameReader, Message};

use crate::program::{errno, strerror};
use crate::stream::Stream;
use crate::vlog::RateLimit;
use crate::{debug_rl, warn_rl};

/// How much is read at once.
const READ_SIZE: usize = 16 * 1024;
/// How many bytes one call of [`Connection::recv`] reads at most before it lets others run.
const READ_BUDGET: usize = 64 * READ_SIZE;

static RL: RateLimit = RateLimit::new(5, 5);
static RL_DBG: RateLimit = RateLimit::new(600, 600);

/// A connection over an open [`Stream`].
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    frames: FrameReader,
    output: VecDeque<Vec<u8>>,
    /// How much of the first of `output` was sent.
    sent: usize,
    backlog: usize,
    /// Bytes ever received, by which inactivity is noticed.
    received: u64,
    error: Option<Errno>,
    closed: bool,
}

impl Connection {
    /// Speaks JSON-RPC over `stream`, refusing messages of more than `limit` bytes.
    pub fn new(stream: Stream, limit: usize) -> Self {
        Self {
            stream,
            frames: FrameReader::new(limit),
            output: VecDeque::new(),
            sent: 0,
            backlog: 0,
            received: 0,
            error: None,
            closed: false,
        }
    }

    /// The stream's name.
    pub fn name(&self) -> &str {
        self.stream.name()
    }

    /// The stream.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Why the connection is over; `None` while it stands.
    pub fn status(&self) -> Option<io::Error> {
        match self.error {
            Some(error) => Some(errno(error)),
            None if self.closed => Some(io::ErrorKind::UnexpectedEof.into()),
            None => None,
        }
    }

    /// Bytes that wait to be sent.
    pub fn backlog(&self) -> usize {
        self.backlog
    }

    /// How many bytes ever came in.
    pub fn received_bytes(&self) -> u64 {
        self.received
    }

    /// Queues a message and sends what can be sent.
    pub fn send(&mut self, message: &Message) {
        if self.status().is_some() {
            return;
        }
        self.log(message, "send");
        let mut text = String::new();
        message.to_json().print_into(&mut text);
        self.send_text(text);
    }

    /// Queues the text of a message, for messages that go to many.
    pub fn send_text(&mut self, text: String) {
        if self.status().is_some() {
            return;
        }
        self.backlog += text.len();
        self.output.push_back(text.into_bytes());
        self.run();
    }

    /// Sends what can be sent.
    pub fn run(&mut self) {
        while self.status().is_none()
            && let Some(first) = self.output.front()
        {
            match self.stream.send(first.get(self.sent..).unwrap_or_default()) {
                Ok(n) => {
                    self.sent += n;
                    self.backlog = self.backlog.saturating_sub(n);
                    if self.sent >= first.len() {
                        self.output.pop_front();
                        self.sent = 0;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    warn_rl!(RL, target: "jsonrpc", "{}: send error: {}", self.name(), strerror(&error));
                    self.fail(&error);
                }
            }
        }
    }

    /// The next message, or `None` if none is whole yet or the connection is over
    /// ([`Connection::status`] tells).
    pub fn recv(&mut self) -> Option<Message> {
        let mut budget = READ_BUDGET;
        let mut buffer = [0; READ_SIZE];
        loop {
            if self.status().is_some() {
                return None;
            }
            match self.frames.next_value() {
                Err(error) => {
                    warn_rl!(RL, target: "jsonrpc", "{}: error parsing stream: {error}", self.name());
                    self.error = Some(Errno::PROTO);
                    return None;
                }
                Ok(Some(json)) => match Message::from_json(json) {
                    Ok(message) => {
                        self.log(&message, "received");
                        return Some(message);
                    }
                    Err(error) => {
                        warn_rl!(
                            RL,
                            target: "jsonrpc",
                            "{}: received bad JSON-RPC message: {error}",
                            self.name()
                        );
                        self.error = Some(Errno::PROTO);
                        return None;
                    }
                },
                Ok(None) => {}
            }
            if budget == 0 {
                self.stream.try_again();
                return None;
            }
            match self.stream.recv(&mut buffer) {
                Ok(0) => self.closed = true,
                Ok(n) => {
                    self.received += n as u64;
                    budget = budget.saturating_sub(n);
                    self.frames.feed(buffer.get(..n).unwrap_or_default());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    warn_rl!(RL, target: "jsonrpc", "{}: receive error: {}", self.name(), strerror(&error));
                    self.fail(&error);
                }
            }
        }
    }

    /// Ends the connection with an error.
    pub fn set_error(&mut self, error: Errno) {
        self.error.get_or_insert(error);
    }

    fn fail(&mut self, error: &io::Error) {
        self.error = Errno::from_io_error(error).or(Some(Errno::IO));
    }

    fn log(&self, message: &Message, verb: &str) {
        if !log::log_enabled!(target: "jsonrpc", log::Level::Debug) {
            return;
        }
        let list = |params: &[weir_jsonrpc::Json]| weir_jsonrpc::Json::Array(params.to_vec());
        let kind = message.kind();
        let text = match message {
            Message::Request { method, params, id } => {
                format!("method=\"{method}\", params={}, id={id}", list(params))
            }
            Message::Notification { method, params } => {
                format!("method=\"{method}\", params={}", list(params))
            }
            Message::Reply { result, id } => format!("result={result}, id={id}"),
            Message::Error { error, id } => format!("error={error}, id={id}"),
        };
        debug_rl!(RL_DBG, target: "jsonrpc", "{}: {verb} {kind}, {text}", self.name());
    }
}
