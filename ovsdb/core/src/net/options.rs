//! How a remote is to be served.

use weir_runtime::clock::Msec;
use weir_runtime::reconnect::{DEFAULT_MAX_BACKOFF, DEFAULT_PROBE_INTERVAL};

/// See the file's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteOptions {
    /// The longest wait between attempts to connect, in milliseconds.
    pub max_backoff: Msec,
    /// The silence after which a peer is probed, in milliseconds; 0 for never.
    pub probe_interval: Msec,
    /// Peers may not write.
    pub read_only: bool,
}

impl RemoteOptions {
    /// What `target` gets unless told otherwise: a Unix socket needs no probes.
    pub fn default_for(target: &str) -> Self {
        let is_local = target.starts_with("unix:") || target.starts_with("punix:");
        Self {
            max_backoff: DEFAULT_MAX_BACKOFF,
            probe_interval: if is_local { 0 } else { DEFAULT_PROBE_INTERVAL },
            read_only: false,
        }
    }
}
