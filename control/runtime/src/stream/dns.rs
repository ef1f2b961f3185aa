//! Host names to addresses, on a thread of their own: the system's resolver may block for long.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use super::name::HostPort;
use crate::reactor::Reactor;

/// A question under way.
#[derive(Debug)]
pub(super) struct Lookup(Receiver<io::Result<SocketAddr>>);

impl Lookup {
    /// Asks; the loop wakes up when the answer is there.
    pub(super) fn start(host_port: HostPort, reactor: &Reactor) -> io::Result<Self> {
        let (sender, receiver) = channel();
        let reactor = reactor.clone();
        std::thread::Builder::new().name("dns_resolve".into()).spawn(move || {
            // Nobody listens any more if the stream was dropped meanwhile.
            let _ = sender.send(host_port.resolve());
            reactor.wake();
        })?;
        Ok(Self(receiver))
    }

    /// The answer, or `WouldBlock`.
    pub(super) fn answer(&self) -> io::Result<SocketAddr> {
        match self.0.try_recv() {
            Ok(answer) => answer,
            Err(TryRecvError::Empty) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryRecvError::Disconnected) => Err(io::ErrorKind::NotFound.into()),
        }
    }
}
