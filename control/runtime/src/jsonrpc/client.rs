//! A JSON-RPC client for tools: it waits.

use std::io;

use weir_jsonrpc::frame::MAX_FRAME;
use weir_jsonrpc::{Json, Message};

use super::Connection;
use crate::clock::{Clock, Msec};
use crate::reactor::PollLoop;
use crate::stream::Stream;

/// A connection whose calls block. A tool's `--timeout` ends the whole program instead.
#[derive(Debug)]
pub struct Client {
    poll: PollLoop,
    rpc: Connection,
    next_id: i64,
}

impl Client {
    /// Connects to the active connection `target` and waits until it stands.
    ///
    /// # Errors
    /// It does not come to stand.
    pub fn connect(target: &str, default_port: Option<u16>) -> io::Result<Self> {
        let mut poll = PollLoop::new(Clock::process().clone())?;
        let mut stream = Stream::open(target, default_port, poll.reactor())?;
        loop {
            match stream.connect() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => poll.poll(None)?,
                result => break result?,
            }
        }
        Ok(Self { poll, rpc: Connection::new(stream, MAX_FRAME), next_id: 0 })
    }

    /// The connection's name.
    pub fn name(&self) -> &str {
        self.rpc.name()
    }

    /// Sends a message and waits until it has left this process.
    ///
    /// # Errors
    /// The connection broke.
    pub fn send(&mut self, message: &Message) -> io::Result<()> {
        self.rpc.send(message);
        loop {
            self.rpc.run();
            if let Some(error) = self.rpc.status() {
                return Err(error);
            }
            if self.rpc.backlog() == 0 {
                return Ok(());
            }
            self.poll.poll(None)?;
        }
    }

    /// Waits for the next message, until `deadline` if there is one; `None` if it passed. The
    /// peer's probes are answered on the way.
    ///
    /// # Errors
    /// The connection broke.
    pub fn recv(&mut self, deadline: Option<Msec>) -> io::Result<Option<Message>> {
        loop {
            self.rpc.run();
            match self.rpc.recv() {
                Some(Message::Request { method, params, id }) if &*method == "echo" => {
                    self.rpc.send(&Message::Reply { result: Json::Array(params), id });
                }
                Some(message) => return Ok(Some(message)),
                None => {
                    if let Some(error) = self.rpc.status() {
                        return Err(error);
                    }
                    if deadline.is_some_and(|deadline| self.poll.clock().now() >= deadline) {
                        return Ok(None);
                    }
                    self.poll.poll(deadline)?;
                }
            }
        }
    }

    /// Sends a request and waits for its answer: the result, or the peer's error. Notifications
    /// that arrive meanwhile are lost.
    ///
    /// # Errors
    /// The connection broke.
    pub fn transact(&mut self, method: &str, params: Vec<Json>) -> io::Result<Result<Json, Json>> {
        let id = Json::from(self.next_id);
        self.next_id += 1;
        self.send(&Message::request(method, params, id.clone()))?;
        loop {
            match self.recv(None)? {
                Some(Message::Reply { result, id: answered }) if answered == id => {
                    return Ok(Ok(result));
                }
                Some(Message::Error { error, id: answered }) if answered == id => {
                    return Ok(Err(error));
                }
                _ => {}
            }
        }
    }
}
