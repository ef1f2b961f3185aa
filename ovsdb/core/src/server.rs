//! The server engine: databases, sessions and their requests, without sockets or clocks.
//!
//! The caller opens a session for each connection, hands in its messages with
//! [`Server::handle`], calls [`Server::run`] after a round of messages and at
//! [`Server::poll_at`], and sends what [`Server::next_message`] gives. What is promised:
//!
//! - updates of a session's monitors come before the reply to its own transaction;
//! - a transaction that asked for `durable` is answered after its record is on the disk; one sync
//!   serves all that came in one round;
//! - a session that does not take its messages is not sent more updates; what it missed is merged,
//!   at most one entry a row.
//!
//! | file | is |
//! | --- | --- |
//! | `server/databases.rs` | adding, removing, converting, compacting; `_Server` |
//! | `server/methods.rs` | one function for each JSON-RPC method |
//! | `server/transactions.rs` | executing, waiting, writing down, answering |
//! | `server/monitors.rs` | the monitor methods |
//! | `server/locks.rs` | who owns which lock |

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use uuid::Uuid;
use weir_jsonrpc::{Json, Message};

use crate::monitor::Monitor;

mod databases;
mod locks;
mod methods;
mod monitors;
#[cfg(test)]
mod tests;
mod transactions;

pub use databases::{Db, Model};
pub use locks::Standing;

use locks::Locks;
use transactions::{Parked, Waiting};

/// The most messages that may wait for a session. One that has more is closed.
pub const MAX_OUTGOING: usize = 100_000;
/// The most transactions of one session that may wait.
pub const MAX_WAITING: usize = 1024;
/// The most monitors of one session.
pub const MAX_MONITORS: usize = 4096;

/// A moment, as the caller's clock shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Now {
    /// Milliseconds on a clock that never goes back.
    pub mono: i64,
    /// Milliseconds since 1970, UTC.
    pub wall: i64,
}

/// A connection of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub(crate) u64);

#[derive(Debug, Default)]
struct Session {
    outgoing: VecDeque<Message>,
    monitors: Vec<Monitor>,
    read_only: bool,
    change_aware: bool,
    /// Why the caller has to close the connection.
    close: Option<String>,
}

/// A server.
#[derive(Debug)]
pub struct Server {
    uuid: Uuid,
    databases: BTreeMap<Arc<str>, Db>,
    sessions: BTreeMap<SessionId, Session>,
    next_session: u64,
    locks: Locks,
    /// Transactions that wait for a condition, in the order they came.
    waiting: Vec<Waiting>,
    /// Transactions that wait for the disk.
    parked: Vec<Parked>,
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

impl Server {
    /// A server with no database but `_Server`.
    pub fn new() -> Self {
        let mut server = Self {
            uuid: Uuid::new_v4(),
            databases: BTreeMap::new(),
            sessions: BTreeMap::new(),
            next_session: 1,
            locks: Locks::default(),
            waiting: Vec::new(),
            parked: Vec::new(),
        };
        server.add_server_database();
        server
    }

    /// What `get_server_id` answers.
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// A client has connected.
    pub fn session_open(&mut self) -> SessionId {
        let id = SessionId(self.next_session);
        self.next_session += 1;
        self.sessions.insert(id, Session::default());
        id
    }

    /// A client has gone. Its monitors, locks and waiting transactions go with it; a transaction
    /// that already committed stays.
    pub fn session_close(&mut self, id: SessionId) {
        self.sessions.remove(&id);
        self.waiting.retain(|waiting| waiting.session != Some(id));
        self.parked.retain(|parked| parked.session != id);
        for (name, _) in self.locks.of(id) {
            self.unlock(id, &name);
        }
    }

    /// Lets a session only read, or also write.
    pub fn set_read_only(&mut self, id: SessionId, read_only: bool) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.read_only = read_only;
        }
    }

    /// Why the connection of a session has to be closed, if so. The messages that still wait for
    /// it are of no interest to anyone.
    pub fn must_close(&self, id: SessionId) -> Option<&str> {
        self.sessions.get(&id)?.close.as_deref()
    }

    /// Should the caller read more messages of this session now? Not while it has messages to
    /// take, so that a client cannot make the server hold more than it reads.
    pub fn wants_input(&self, id: SessionId) -> bool {
        self.sessions
            .get(&id)
            .is_some_and(|session| session.outgoing.is_empty() && session.close.is_none())
    }

    /// The next message to send to a session.
    pub fn next_message(&mut self, id: SessionId) -> Option<Message> {
        self.sessions.get_mut(&id)?.outgoing.pop_front()
    }

    /// The number of messages that wait for a session.
    pub fn backlog(&self, id: SessionId) -> usize {
        self.sessions.get(&id).map_or(0, |session| session.outgoing.len())
    }

    /// The sessions that have messages to take or are to be closed.
    pub fn ready_sessions(&self) -> impl Iterator<Item = SessionId> {
        let is_ready = |session: &Session| !session.outgoing.is_empty() || session.close.is_some();
        self.sessions.iter().filter(move |(_, session)| is_ready(session)).map(|(id, _)| *id)
    }

    /// The locks that a session asked for: `ovsdb-server(5)` shows their number in
    /// `Manager.status`.
    pub fn locks_of(&self, id: SessionId) -> Vec<(Arc<str>, Standing)> {
        self.locks.of(id)
    }

    /// Takes in a message of a session.
    pub fn handle(&mut self, now: Now, id: SessionId, message: Message) {
        match message {
            Message::Request { method, params, id: request } => {
                self.request(now, id, &method, params, request);
            }
            Message::Notification { method, params } if &*method == "cancel" => {
                if let [request] = params.as_slice() {
                    self.cancel(id, request);
                }
            }
            Message::Notification { .. } => {}
            // The answer to a probe.
            Message::Reply { id: Json::Str(request), .. } if &*request == "echo" => {}
            Message::Reply { .. } | Message::Error { .. } => {
                self.close(id, "received unexpected reply message");
            }
        }
    }

    /// Does what is due: tries waiting transactions again, syncs the disk, sends updates to
    /// sessions that have taken all their messages, compacts logs that have grown.
    pub fn run(&mut self, now: Now) {
        self.run_waiting(now);
        self.run_parked();
        self.flush_idle_sessions();
        self.run_compaction(now);
    }

    /// When [`Server::run`] has something to do: at once (a time in the past), later, or only
    /// after the next message (`None`).
    pub fn poll_at(&self) -> Option<i64> {
        if !self.parked.is_empty() || self.has_due_work() {
            return Some(i64::MIN);
        }
        let timeouts = self.waiting.iter().filter_map(Waiting::deadline);
        timeouts.chain(self.databases.values().filter_map(Db::compaction_at)).min()
    }

    /// Numbers for `memory/show`.
    pub fn usage(&self) -> Vec<(&'static str, usize)> {
        let databases = self.databases.values();
        let sessions = self.sessions.values();
        vec![
            ("cells", databases.clone().map(|db| db.database().cells()).sum()),
            ("monitors", sessions.clone().map(|session| session.monitors.len()).sum()),
            ("sessions", self.sessions.len()),
            ("triggers", self.waiting.len() + self.parked.len()),
            ("txn-history", databases.map(|db| db.history().len()).sum()),
            ("backlog", sessions.map(|session| session.outgoing.len()).sum()),
        ]
    }

    fn close(&mut self, id: SessionId, why: &str) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.close.get_or_insert_with(|| why.to_owned());
        }
    }

    /// Queues a message, after the updates that have to come before it.
    fn send(&mut self, id: SessionId, message: Message) {
        self.flush(id);
        self.notify(id, message);
    }

    /// Queues a message at once.
    fn notify(&mut self, id: SessionId, message: Message) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.outgoing.len() >= MAX_OUTGOING {
            session.outgoing.clear();
            self.close(id, "too many messages not taken");
        } else {
            session.outgoing.push_back(message);
        }
    }
}
