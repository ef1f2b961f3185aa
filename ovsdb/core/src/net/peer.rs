//! One connection: carries messages between a JSON-RPC session and the engine.

use weir_runtime::clock::Msec;
use weir_runtime::jsonrpc::Session;
use weir_runtime::reactor::Reactor;

use super::options::RemoteOptions;
use super::status::RemoteStatus;
use crate::server::{Now, Server, SessionId, Standing};

/// How many messages of one peer are handled before the others get their turn.
const BUDGET: usize = 10;
/// While more bytes than this wait to be sent, the engine keeps the rest, which it merges.
const MAX_BACKLOG: usize = 1 << 20;

/// See the file's head.
#[derive(Debug)]
pub(super) struct Peer {
    session: Session,
    /// The engine's side, while the peer is connected, and the connection it belongs to.
    engine: Option<(SessionId, u64)>,
    read_only: bool,
}

impl Peer {
    pub(super) fn new(session: Session, options: RemoteOptions, now: Msec) -> Self {
        let mut peer = Self { session, engine: None, read_only: false };
        peer.configure(options, now);
        peer
    }

    pub(super) fn configure(&mut self, options: RemoteOptions, _now: Msec) {
        let reconnect = self.session.reconnect_mut();
        reconnect.set_backoff(0, options.max_backoff);
        reconnect.set_probe_interval(options.probe_interval);
        self.read_only = options.read_only;
    }

    /// Whether the connection stands or will be tried again.
    pub(super) fn is_alive(&self) -> bool {
        self.session.is_alive()
    }

    pub(super) fn is_connected(&self) -> bool {
        self.session.is_connected()
    }

    /// Breaks the connection, so that the peer connects anew, or so that this side does.
    pub(super) fn reconnect(&mut self, now: Msec) {
        self.session.force_reconnect(now);
    }

    /// Takes in what the peer sent.
    pub(super) fn run(&mut self, now: Now, server: &mut Server, reactor: &Reactor) {
        self.session.run(now.mono);
        self.follow_connection(server);
        let Some((id, _)) = self.engine else { return };
        server.set_read_only(id, self.read_only);
        self.send(server);
        let mut handled = 0;
        while self.session.backlog() == 0 && server.wants_input(id) {
            if handled == BUDGET {
                reactor.wake();
                break;
            }
            let Some(message) = self.session.recv(now.mono) else { break };
            server.handle(now, id, message);
            self.send(server);
            handled += 1;
        }
    }

    /// Sends what the engine has for the peer, and ends the connection if the engine says so.
    pub(super) fn send(&mut self, server: &mut Server) {
        let Some((id, _)) = self.engine else { return };
        if let Some(reason) = server.must_close(id) {
            let reason = reason.to_owned();
            self.session.fail(&reason);
            return;
        }
        while self.session.backlog() < MAX_BACKLOG
            && let Some(message) = server.next_message(id)
        {
            self.session.send(&message);
        }
    }

    /// Opens and closes the engine's side along with the connection.
    fn follow_connection(&mut self, server: &mut Server) {
        let current = self.session.is_connected().then(|| self.session.generation());
        if self.engine.map(|(_, generation)| generation) == current {
            return;
        }
        self.close(server);
        self.engine = current.map(|generation| (server.session_open(), generation));
    }

    /// Closes the engine's side.
    pub(super) fn close(&mut self, server: &mut Server) {
        if let Some((id, _)) = self.engine.take() {
            server.session_close(id);
        }
    }

    pub(super) fn poll_at(&self, now: Msec) -> Option<Msec> {
        self.session.poll_at(now)
    }

    pub(super) fn status(&self, now: Msec, server: &Server) -> RemoteStatus {
        let reconnect = self.session.reconnect();
        let stats = reconnect.stats();
        let since = |then: Option<Msec>| then.map(|then| (now - then) / 1000);
        let mut status = RemoteStatus {
            is_connected: self.is_connected(),
            state: Some(reconnect.state().name()),
            sec_since_connect: since(stats.last_connected),
            sec_since_disconnect: since(stats.last_disconnected),
            n_connections: usize::from(self.is_connected()),
            ..RemoteStatus::default()
        };
        if let Some((id, _)) = self.engine {
            for (name, standing) in server.locks_of(id) {
                let names = match standing {
                    Standing::Owner => &mut status.locks_held,
                    Standing::Waiting => &mut status.locks_waiting,
                    Standing::Lost => &mut status.locks_lost,
                };
                names.push(name);
            }
        }
        status
    }
}
