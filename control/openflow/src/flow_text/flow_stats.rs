//! [`FlowStats`]: a flow as a switch reports it, and its line in `dump-flows`.

use std::fmt;
use std::time::Duration;

use super::FlowModFlags;
use crate::actions::format::Names;
use crate::actions::{Actions, display};
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

impl FlowStats {
    /// The flow's line in `dump-flows`; without `stats` it says nothing that changes by itself.
    #[must_use]
    pub fn display<'a>(&'a self, names: Names<'a>, stats: bool) -> FlowStatsText<'a> {
        FlowStatsText { flow: self, names, stats }
    }
}

/// See [`FlowStats::display`].
#[derive(Debug)]
pub struct FlowStatsText<'a> {
    flow: &'a FlowStats,
    names: Names<'a>,
    stats: bool,
}

/// A duration in seconds: whole ones, or with three decimals, or with nine where three say too
/// little.
#[must_use]
pub fn format_duration(d: Duration) -> String {
    match (d.as_secs(), d.subsec_nanos()) {
        (s, 0) => format!("{s}s"),
        (s, n) if n.is_multiple_of(1_000_000) => format!("{s}.{:03}s", n / 1_000_000),
        (s, n) => format!("{s}.{n:09}s"),
    }
}

impl fmt::Display for FlowStatsText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flow = self.flow;
        f.write_str(" ")?;
        if self.stats || flow.cookie != 0 {
            write!(f, "cookie=0x{:x}, ", flow.cookie)?;
        }
        if self.stats {
            write!(f, "duration={}, ", format_duration(flow.duration))?;
        }
        if self.stats || flow.table_id != 0 || self.names.has_table(flow.table_id) {
            write!(f, "table={}, ", self.names.table(flow.table_id))?;
        }
        if self.stats {
            write!(f, "n_packets={}, n_bytes={}, ", flow.packet_count, flow.byte_count)?;
        }
        if flow.idle_timeout != 0 {
            write!(f, "idle_timeout={}, ", flow.idle_timeout)?;
        }
        if flow.hard_timeout != 0 {
            write!(f, "hard_timeout={}, ", flow.hard_timeout)?;
        }
        f.write_str(&flow.flags.words(" "))?;
        if flow.importance != 0 {
            write!(f, "importance={}, ", flow.importance)?;
        }
        if self.stats {
            if let Some(age) = flow.idle_age {
                write!(f, "idle_age={age}, ")?;
            }
            if let Some(age) = flow.hard_age.filter(|a| u64::from(*a) != flow.duration.as_secs()) {
                write!(f, "hard_age={age}, ")?;
            }
        }
        let matched = flow.matched.display(flow.priority, self.names.ports).to_string();
        if !matched.is_empty() {
            write!(f, "{matched} ")?;
        }
        write!(f, "actions={}", display(&flow.actions, self.names))
    }
}
