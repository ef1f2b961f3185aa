//! The remotes that are open, and their connections.

use std::collections::BTreeMap;
use std::io;

use weir_runtime::clock::{Msec, earlier};
use weir_runtime::jsonrpc::Session;
use weir_runtime::program::strerror;
use weir_runtime::reactor::Reactor;
use weir_runtime::stream::{Listener, OVSDB_PORT, Target};
use weir_runtime::vlog::RateLimit;
use weir_runtime::{error_rl, warn_rl};

use super::options::RemoteOptions;
use super::peer::Peer;
use super::status::RemoteStatus;
use crate::server::{Now, Server};

/// How many peers all listeners together accept.
pub(super) const MAX_PEERS: usize = 4096;
/// How many connections of one listener are accepted in one turn.
const ACCEPT_BUDGET: usize = 64;
/// After how many milliseconds an address that could not be had is tried again.
const LISTEN_RETRY: Msec = 1000;

static RL: RateLimit = RateLimit::new(1, 5);

/// See the file's head.
#[derive(Debug)]
pub struct Remotes {
    reactor: Reactor,
    remotes: BTreeMap<String, Remote>,
}

#[derive(Debug)]
struct Remote {
    options: RemoteOptions,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Active(Box<Peer>),
    Passive {
        /// None while the address cannot be had.
        listener: Option<Listener>,
        retry_at: Msec,
        peers: Vec<Peer>,
    },
}

impl Remotes {
    /// No remotes, on the loop of `reactor`.
    pub fn new(reactor: &Reactor) -> Self {
        Self { reactor: reactor.clone(), remotes: BTreeMap::new() }
    }

    /// Opens, reconfigures and closes remotes until there are those that are `wanted`.
    pub fn set(
        &mut self,
        now: Msec,
        wanted: &BTreeMap<String, RemoteOptions>,
        server: &mut Server,
    ) {
        let gone: Vec<String> =
            self.remotes.keys().filter(|name| !wanted.contains_key(*name)).cloned().collect();
        for name in gone {
            log::info!(target: "ovsdb_jsonrpc_server", "{name}: remote deconfigured");
            if let Some(mut remote) = self.remotes.remove(&name) {
                remote.close(server);
            }
        }
        for (name, &options) in wanted {
            match self.remotes.get_mut(name) {
                Some(remote) if remote.options == options => {}
                Some(remote) => remote.configure(options, now),
                None => {
                    let remote = Remote::open(name, options, now, &self.reactor);
                    self.remotes.insert(name.clone(), remote);
                }
            }
        }
    }

    /// Carries messages between the peers and the engine, and runs the engine.
    pub fn run(&mut self, now: Now, server: &mut Server) {
        let mut room = MAX_PEERS.saturating_sub(self.peer_count());
        for (name, remote) in &mut self.remotes {
            remote.accept(name, now.mono, &self.reactor, &mut room);
            for peer in remote.peers() {
                peer.run(now, server, &self.reactor);
            }
            if let Way::Passive { peers, .. } = &mut remote.way {
                peers.retain_mut(|peer| {
                    if !peer.is_alive() {
                        peer.close(server);
                    }
                    peer.is_alive()
                });
            }
        }
        server.run(now);
        for remote in self.remotes.values_mut() {
            for peer in remote.peers() {
                peer.send(server);
            }
        }
    }

    fn peer_count(&self) -> usize {
        let counts = self.remotes.values().map(|remote| match &remote.way {
            Way::Active(_) => 0,
            Way::Passive { peers, .. } => peers.len(),
        });
        counts.sum()
    }

    /// When [`Remotes::run`] has something to do, apart from the engine.
    pub fn poll_at(&self, now: Msec) -> Option<Msec> {
        self.remotes.values().fold(None, |soonest, remote| {
            earlier(
                soonest,
                match &remote.way {
                    Way::Active(peer) => peer.poll_at(now),
                    Way::Passive { listener, retry_at, peers } => {
                        let retry = listener.is_none().then_some(*retry_at);
                        peers.iter().fold(retry, |due, peer| earlier(due, peer.poll_at(now)))
                    }
                },
            )
        })
    }

    /// Breaks all connections; active ones are opened again.
    pub fn reconnect(&mut self, now: Msec) {
        for remote in self.remotes.values_mut() {
            for peer in remote.peers() {
                peer.reconnect(now);
            }
        }
    }

    /// What is known about a remote.
    pub fn status(&self, now: Msec, name: &str, server: &Server) -> Option<RemoteStatus> {
        Some(match &self.remotes.get(name)?.way {
            Way::Active(peer) => peer.status(now, server),
            Way::Passive { listener, peers, .. } => RemoteStatus {
                is_connected: !peers.is_empty(),
                bound_port: listener.as_ref().and_then(Listener::bound_port),
                n_connections: peers.len(),
                sec_since_connect: Some(0),
                sec_since_disconnect: Some(0),
                ..RemoteStatus::default()
            },
        })
    }

    /// Ends all connections.
    pub fn close(&mut self, server: &mut Server) {
        for remote in self.remotes.values_mut() {
            remote.close(server);
        }
        self.remotes.clear();
    }
}

impl Remote {
    fn open(name: &str, options: RemoteOptions, now: Msec, reactor: &Reactor) -> Self {
        let way = if Target::is_passive(name) {
            Way::Passive { listener: None, retry_at: now, peers: Vec::new() }
        } else {
            let session = Session::open(&[name.to_owned()], true, reactor, now);
            Way::Active(Box::new(Peer::new(session, options, now)))
        };
        let mut remote = Self { options, way };
        remote.listen(name, now, reactor);
        remote
    }

    fn configure(&mut self, options: RemoteOptions, now: Msec) {
        self.options = options;
        for peer in self.peers() {
            peer.configure(options, now);
        }
    }

    fn peers(&mut self) -> impl Iterator<Item = &mut Peer> {
        let (one, many) = match &mut self.way {
            Way::Active(peer) => (Some(&mut **peer), &mut [][..]),
            Way::Passive { peers, .. } => (None, peers.as_mut_slice()),
        };
        one.into_iter().chain(many)
    }

    fn listen(&mut self, name: &str, now: Msec, reactor: &Reactor) {
        let Way::Passive { listener, retry_at, .. } = &mut self.way else { return };
        if listener.is_some() || now < *retry_at {
            return;
        }
        match Listener::open(name, Some(OVSDB_PORT), reactor) {
            Ok(opened) => *listener = Some(opened),
            Err(error) => {
                *retry_at = now + LISTEN_RETRY;
                let text = strerror(&error);
                error_rl!(RL, target: "ovsdb_jsonrpc_server", "{name}: listen failed: {text}");
            }
        }
    }

    fn accept(&mut self, name: &str, now: Msec, reactor: &Reactor, room: &mut usize) {
        self.listen(name, now, reactor);
        let options = self.options;
        let Way::Passive { listener: Some(listener), peers, .. } = &mut self.way else { return };
        for _ in 0..ACCEPT_BUDGET {
            match listener.accept() {
                Ok(stream) if *room == 0 => {
                    let peer = stream.name();
                    warn_rl!(
                        RL,
                        target: "ovsdb_jsonrpc_server",
                        "{name}: refused {peer}: {MAX_PEERS} peers are connected"
                    );
                }
                Ok(stream) => {
                    *room -= 1;
                    let session = Session::accepted(stream, reactor, now);
                    peers.push(Peer::new(session, options, now));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => {
                    let text = strerror(&error);
                    warn_rl!(RL, target: "ovsdb_jsonrpc_server", "{name}: accept failed: {text}");
                    return;
                }
            }
        }
        reactor.wake();
    }

    fn close(&mut self, server: &mut Server) {
        for peer in self.peers() {
            peer.close(server);
        }
    }
}
