//! A JSON-RPC session: a connection that is opened again when it breaks, probed when it is silent
//! and that answers the peer's probes by itself.

use std::io;

use rustix::io::Errno;
use weir_jsonrpc::frame::MAX_FRAME;
use weir_jsonrpc::{Json, Message};

use super::Connection;
use crate::clock::Msec;
use crate::program::strerror;
use crate::reactor::Reactor;
use crate::reconnect::{Action, Cause, Reconnect};
use crate::stream::{Listener, OVSDB_PORT, Stream, Target};
use crate::vlog::RateLimit;
use crate::warn_rl;

static RL: RateLimit = RateLimit::new(5, 5);

/// Marks our own probes and their answers.
const ECHO_ID: &str = "echo";

/// See the file's head.
#[derive(Debug)]
pub struct Session {
    remotes: Vec<String>,
    /// The next of `remotes` to try.
    next_remote: usize,
    reactor: Reactor,
    reconnect: Reconnect,
    link: Link,
    /// Counts connections, so that an owner notices that it talks to a new one.
    generation: u64,
    last_error: Option<io::Error>,
    limit: usize,
}

#[derive(Debug)]
enum Link {
    None,
    Listening(Listener),
    Opening(Stream),
    Open { rpc: Box<Connection>, received: u64, backlog: usize },
}

impl Session {
    /// A session with one of `remotes`, which are tried in turn: active names, or one passive name
    /// on which one peer at a time is served. If not `retry`, each remote is tried once.
    pub fn open(remotes: &[String], retry: bool, reactor: &Reactor, now: Msec) -> Self {
        let first = remotes.first().cloned().unwrap_or_default();
        let mut reconnect = Reconnect::new(first.clone(), now);
        let count = u32::try_from(remotes.len()).unwrap_or(u32::MAX);
        reconnect.set_backoff_free_tries(count);
        if Target::is_passive(&first) {
            reconnect.set_passive(true, now);
        } else if !retry {
            reconnect.set_max_tries(Some(count));
        }
        if !needs_probes(&first) {
            reconnect.set_probe_interval(0);
        }
        reconnect.enable(now);
        Self {
            remotes: remotes.to_vec(),
            next_remote: 0,
            reactor: reactor.clone(),
            reconnect,
            link: Link::None,
            generation: 0,
            last_error: None,
            limit: MAX_FRAME,
        }
    }

    /// A session over a connection that a peer opened; it ends with the connection.
    pub fn accepted(stream: Stream, reactor: &Reactor, now: Msec) -> Self {
        let mut reconnect = Reconnect::new(stream.name(), now);
        reconnect.set_quiet(true);
        reconnect.set_max_tries(Some(0));
        reconnect.connected(now);
        let mut session = Self {
            remotes: Vec::new(),
            next_remote: 0,
            reactor: reactor.clone(),
            reconnect,
            link: Link::None,
            generation: 0,
            last_error: None,
            limit: MAX_FRAME,
        };
        session.install(stream);
        session
    }

    fn install(&mut self, stream: Stream) {
        let rpc = Box::new(Connection::new(stream, self.limit));
        self.link = Link::Open { rpc, received: 0, backlog: 0 };
        self.generation += 1;
    }

    /// Refuses messages of more than `limit` bytes, from the next connection on.
    pub fn set_message_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// The state machine, to configure it and to look at it.
    pub fn reconnect(&self) -> &Reconnect {
        &self.reconnect
    }

    /// The state machine, to configure it.
    pub fn reconnect_mut(&mut self) -> &mut Reconnect {
        &mut self.reconnect
    }

    /// The connection's name: the remote, or what the listener called the peer.
    pub fn name(&self) -> &str {
        self.reconnect.name()
    }

    /// Whether the session will ever do anything again.
    pub fn is_alive(&self) -> bool {
        !matches!(self.link, Link::None) || self.reconnect.max_tries() != Some(0)
    }

    /// Whether the peer is connected.
    pub fn is_connected(&self) -> bool {
        matches!(self.link, Link::Open { .. })
    }

    /// Counts the connections of this session; changes when there is a new one.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Why the last connection or attempt failed.
    pub fn last_error(&self) -> Option<&io::Error> {
        self.last_error.as_ref()
    }

    /// The connection, while there is one.
    pub fn connection(&self) -> Option<&Connection> {
        match &self.link {
            Link::Open { rpc, .. } => Some(rpc),
            _ => None,
        }
    }

    /// The port on which a passive session listens.
    pub fn bound_port(&self) -> Option<u16> {
        match &self.link {
            Link::Listening(listener) => listener.bound_port(),
            _ => None,
        }
    }

    /// Bytes that wait to be sent.
    pub fn backlog(&self) -> usize {
        self.connection().map_or(0, Connection::backlog)
    }

    /// Drops the connection and opens a new one.
    pub fn force_reconnect(&mut self, now: Msec) {
        self.reconnect.force_reconnect(now);
    }

    /// Queues a message. While there is no connection it is lost.
    pub fn send(&mut self, message: &Message) {
        if let Link::Open { rpc, .. } = &mut self.link {
            rpc.send(message);
        }
    }

    /// The next message that is not about keeping the connection.
    pub fn recv(&mut self, now: Msec) -> Option<Message> {
        let Link::Open { rpc, received, .. } = &mut self.link else { return None };
        loop {
            let message = rpc.recv();
            self.reconnect.receive_attempted(now);
            if rpc.received_bytes() != *received {
                *received = rpc.received_bytes();
                self.reconnect.activity(now);
            }
            match message? {
                Message::Request { method, params, id } if &*method == "echo" => {
                    rpc.send(&Message::Reply { result: Json::Array(params), id });
                }
                Message::Reply { id, .. } | Message::Error { id, .. }
                    if id.as_str() == Some(ECHO_ID) => {}
                message => return Some(message),
            }
        }
    }

    /// Connects, probes, sends, and notices what broke.
    pub fn run(&mut self, now: Msec) {
        match &mut self.link {
            Link::None => {}
            Link::Listening(listener) => match listener.accept() {
                Ok(stream) => {
                    log::info!(
                        target: "jsonrpc",
                        "{}: accepted connection from {}",
                        listener.name(),
                        stream.name()
                    );
                    self.install(stream);
                    self.reconnect.connected(now);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => self.end(now, error, false),
            },
            Link::Opening(stream) => match stream.connect() {
                Ok(()) => {
                    if let Link::Opening(stream) = std::mem::replace(&mut self.link, Link::None) {
                        self.install(stream);
                    }
                    self.reconnect.connected(now);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => self.end(now, error, true),
            },
            Link::Open { rpc, backlog, .. } => {
                rpc.run();
                // A peer that takes what is sent is alive, even if it says nothing.
                if rpc.backlog() < *backlog {
                    self.reconnect.activity(now);
                }
                *backlog = rpc.backlog();
                if let Some(error) = rpc.status() {
                    self.end(now, error, false);
                }
            }
        }
        match self.reconnect.run(now) {
            Some(Action::Connect) => self.connect(now),
            Some(Action::Disconnect) => {
                self.link = Link::None;
                self.reconnect.disconnected(now, Cause::Ours);
            }
            Some(Action::Probe) => {
                self.send(&Message::request("echo", Vec::new(), Json::str(ECHO_ID)));
            }
            None => {}
        }
    }

    fn end(&mut self, now: Msec, error: io::Error, attempt: bool) {
        self.link = Link::None;
        let text = strerror(&error);
        let cause = if error.kind() == io::ErrorKind::UnexpectedEof {
            Cause::Closed
        } else {
            Cause::Error(&text)
        };
        if attempt {
            self.reconnect.connect_failed(now, cause);
        } else {
            self.reconnect.disconnected(now, cause);
        }
        self.last_error = Some(error);
    }

    fn connect(&mut self, now: Msec) {
        self.link = Link::None;
        let Some(target) = self.remotes.get(self.next_remote).cloned() else {
            self.reconnect.disable(now);
            return;
        };
        self.next_remote = (self.next_remote + 1) % self.remotes.len();
        self.reconnect.set_name(target.as_str());
        self.reconnect.connecting(now);
        if Target::is_passive(&target) {
            match Listener::open(&target, Some(OVSDB_PORT), &self.reactor) {
                Ok(listener) => {
                    self.reconnect.listening(now);
                    self.link = Link::Listening(listener);
                }
                Err(error) => self.end(now, error, true),
            }
        } else {
            match Stream::open(&target, Some(OVSDB_PORT), &self.reactor) {
                Ok(stream) => {
                    self.link = Link::Opening(stream);
                    // Some connections stand at once.
                    self.reactor.wake();
                }
                Err(error) => self.end(now, error, true),
            }
        }
    }

    /// When [`Session::run`] has something to do.
    pub fn poll_at(&self, now: Msec) -> Option<Msec> {
        self.reconnect.poll_at(now)
    }

    /// Ends the connection because the peer broke the protocol.
    pub fn fail(&mut self, reason: &str) {
        warn_rl!(RL, target: "jsonrpc", "{}: {reason}", self.name());
        if let Link::Open { rpc, .. } = &mut self.link {
            rpc.set_error(Errno::PROTO);
        }
    }
}

/// A Unix socket cannot lose its peer without noticing.
fn needs_probes(remote: &str) -> bool {
    !remote.starts_with("unix:") && !remote.starts_with("punix:")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::reactor::PollLoop;

    #[test]
    fn connects_echoes_and_reconnects() {
        let clock = Clock::stopped(0);
        let mut poll = PollLoop::new(clock.clone()).unwrap();
        let reactor = poll.reactor().clone();
        let listener = Listener::open("ptcp:0:127.0.0.1", None, &reactor).unwrap();
        let remote = format!("tcp:127.0.0.1:{}", listener.bound_port().unwrap());
        let mut client = Session::open(std::slice::from_ref(&remote), true, &reactor, 0);
        let mut server: Option<Session> = None;
        let mut got = Vec::new();
        let mut requested = false;
        while got.is_empty() {
            let now = clock.now();
            client.run(now);
            if let Ok(stream) = listener.accept() {
                server = Some(Session::accepted(stream, &reactor, now));
            }
            if let Some(server) = &mut server {
                server.run(now);
                while let Some(message) = server.recv(now) {
                    got.push(message);
                }
            }
            if client.is_connected() && !requested {
                requested = true;
                client.send(&Message::notification("hello", vec![]));
            }
            assert_eq!(client.recv(now), None);
            if got.is_empty() {
                poll.poll(None).unwrap();
            }
        }
        assert_eq!(got, [Message::notification("hello", vec![])]);
        // Silence leads to a probe, which the other side answers by itself.
        clock.advance(5000);
        let now = clock.now();
        assert_eq!(client.recv(now), None);
        client.run(now);
        assert_eq!(client.reconnect().state().name(), "IDLE");
        let mut server = server.unwrap();
        while client.reconnect().state().name() == "IDLE" {
            server.run(now);
            assert_eq!(server.recv(now), None);
            client.run(now);
            assert_eq!(client.recv(now), None);
            if client.reconnect().state().name() == "IDLE" {
                poll.poll(None).unwrap();
            }
        }
        assert!(server.is_alive());
        // The end of the server's side is noticed, and a new connection follows.
        drop(server);
        let generation = client.generation();
        while client.is_connected() {
            assert_eq!(client.recv(now), None);
            client.run(now);
            if client.is_connected() {
                poll.poll(None).unwrap();
            }
        }
        clock.advance(1000);
        while client.generation() == generation {
            client.run(clock.now());
            if client.generation() == generation {
                poll.poll(None).unwrap();
            }
        }
        assert!(client.is_connected());
    }

    #[test]
    fn one_try_only() {
        let clock = Clock::stopped(0);
        let poll = PollLoop::new(clock).unwrap();
        let remotes = ["unix:/nonexistent/a".to_owned(), "foo:bar".to_owned()];
        let mut session = Session::open(&remotes, false, poll.reactor(), 0);
        for _ in 0..3 {
            session.run(0);
        }
        assert!(!session.is_alive());
        assert_eq!(
            strerror(session.last_error().unwrap()),
            "Address family not supported by protocol"
        );
    }
}
