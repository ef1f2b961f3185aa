//! [`FlowStats`]: a flow as a switch reports it, and its line in `dump-flows`.

use std::time::Duration;

use super::FlowModFlags;
use crate::actions::Actions;
use crate::matching::Match;

/// One flow of a flow statistics reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowStats {
    /// The match.
    pub matched: Match,
    /// The flow's cookie.
    pub cookie: u64,
    /// Its table.
    pub table_id: u8,
    /// Its priority.
    pub priority: u16,
    /// Seconds without a packet until it goes away; 0 is never.
    pub idle_timeout: u16,
    /// Seconds until it goes away; 0 is never.
    pub hard_timeout: u16,
    /// How long it has been there.
    pub duration: Duration,
    /// Seconds since the last packet, when known.
    pub idle_age: Option<u32>,
    /// Seconds since it was changed, when known.
    pub hard_age: Option<u32>,
    /// Packets that it handled; all ones when unknown.
    pub packet_count: u64,
    /// Bytes that it handled; all ones when unknown.
    pub byte_count: u64,
    /// Flags.
    pub flags: FlowModFlags,
    /// See [`crate::flow_text::FlowMod::importance`].
    pub importance: u16,
    /// What it does.
    pub actions: Actions,
}
