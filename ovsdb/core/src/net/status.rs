//! What is known about a remote: the column `status` of `Manager` and its like.

use std::sync::Arc;

use crate::datum::Datum;

/// See the file's head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteStatus {
    /// Whether a peer is connected.
    pub is_connected: bool,
    /// The state of an active connection.
    pub state: Option<&'static str>,
    /// Seconds since the connection was made.
    pub sec_since_connect: Option<i64>,
    /// Seconds since the connection was lost.
    pub sec_since_disconnect: Option<i64>,
    /// The port on which a passive remote listens.
    pub bound_port: Option<u16>,
    /// How many peers are connected.
    pub n_connections: usize,
    /// Locks that the peer has.
    pub locks_held: Vec<Arc<str>>,
    /// Locks that the peer waits for.
    pub locks_waiting: Vec<Arc<str>>,
    /// Locks that were taken away from the peer.
    pub locks_lost: Vec<Arc<str>>,
}

impl RemoteStatus {
    /// The value of the column `status`.
    pub fn to_datum(&self) -> Datum {
        let mut pairs: Vec<(&str, String)> = Vec::new();
        if let Some(state) = self.state {
            pairs.push(("state", state.into()));
        }
        for (key, seconds) in [
            ("sec_since_connect", self.sec_since_connect),
            ("sec_since_disconnect", self.sec_since_disconnect),
        ] {
            if let Some(seconds) = seconds {
                pairs.push((key, seconds.to_string()));
            }
        }
        for (key, names) in [
            ("locks_held", &self.locks_held),
            ("locks_waiting", &self.locks_waiting),
            ("locks_lost", &self.locks_lost),
        ] {
            if !names.is_empty() {
                pairs.push((key, names.join(" ")));
            }
        }
        if self.n_connections > 1 {
            pairs.push(("n_connections", self.n_connections.to_string()));
        }
        if let Some(port) = self.bound_port.filter(|port| *port != 0) {
            pairs.push(("bound_port", port.to_string()));
        }
        Datum::map(pairs)
    }
}
