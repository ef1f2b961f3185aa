//! A stream and the OpenFlow connection it carries.

use std::io;

use weir_ofproto::bridge::BridgeState;
use weir_ofproto::connection::{ConnId, ConnStatus};
use weir_runtime::program::strerror;
use weir_runtime::stream::Stream;

/// Most bytes taken from a stream before others get their turn.
const READ_BUDGET: usize = 256 << 10;

/// See the [module documentation](self).
#[derive(Debug)]
pub(super) struct Link {
    pub(super) stream: Stream,
    pub(super) id: ConnId,
    /// Nothing more will come.
    pub(super) ended: bool,
}

/// Why a link ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// The peer closed it in order.
    Closed,
    /// An error, in words.
    Error(String),
}

impl Link {
    pub(super) fn new(stream: Stream, id: ConnId) -> Self {
        Self { stream, id, ended: false }
    }

    /// Moves what came in to the connection. Says how many bytes, or why the link ended.
    pub(super) fn receive(&mut self, state: &mut BridgeState) -> Result<usize, Ended> {
        let Some(conn) = state.conns.get_mut(self.id) else { return Err(Ended::Closed) };
        let mut buffer = [0; 16 << 10];
        let mut total = 0;
        while conn.wants_input() {
            if total >= READ_BUDGET {
                self.stream.try_again();
                break;
            }
            match self.stream.recv(&mut buffer) {
                Ok(0) => return Err(Ended::Closed),
                Ok(n) => {
                    conn.receive(&buffer[..n]);
                    total += n;
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Ended::Error(strerror(&e))),
            }
        }
        Ok(total)
    }

    /// Moves the connection's output to the stream. Says why the link ended, if it did.
    pub(super) fn transmit(&mut self, state: &mut BridgeState) -> Result<(), Ended> {
        let Some(conn) = state.conns.get_mut(self.id) else { return Err(Ended::Closed) };
        while let Some(bytes) = conn.output() {
            match self.stream.send(bytes) {
                Ok(n) => conn.sent(n),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Ended::Error(strerror(&e))),
            }
        }
        match conn.status() {
            ConnStatus::Closing(why) => Err(Ended::Error(why.clone())),
            _ => Ok(()),
        }
    }
}
