//! [`Rule`]: one OpenFlow flow. Immutable once in a table, but for its counters: a change makes a
//! new rule that shares the counters with the old one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};

use weir_flow::Flow;
use weir_openflow::{Action, Actions, Match};

use super::compact::{CompactMask, Key};

/// Tells flows apart over their whole life; a modified flow keeps its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(pub u64);

/// Membership of a flow in a conjunctive match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConjunctionClause {
    /// Conjunction identifier.
    pub id: u32,
    /// Which clause this flow fulfils, from 0.
    pub clause: u8,
    /// How many clauses there are, 2 to 64.
    pub n_clauses: u8,
}

/// The actions of a flow and what is derived from them.
#[derive(Debug, Default)]
pub struct RuleActions {
    /// The actions.
    pub list: Actions,
    /// The conjunctions the flow is part of; such a flow does nothing else.
    pub conjunctions: Vec<ConjunctionClause>,
    /// The groups it uses, each once.
    pub groups: Vec<u32>,
}

impl RuleActions {
    /// Derives what is derived.
    #[must_use]
    pub fn new(list: Actions) -> Self {
        let conjunctions = list
            .iter()
            .filter_map(|a| match *a {
                Action::Conjunction { id, clause, n_clauses } => {
                    Some(ConjunctionClause { id, clause, n_clauses })
                }
                _ => None,
            })
            .collect();
        let mut groups = Vec::new();
        gather_groups(&list, &mut groups);
        groups.sort_unstable();
        groups.dedup();
        Self { list, conjunctions, groups }
    }
}

fn gather_groups(list: &[Action], groups: &mut Vec<u32>) {
    for action in list {
        match action {
            Action::Group(id) => groups.push(*id),
            Action::Clone(inner) | Action::WriteActions(inner) => gather_groups(inner, groups),
            _ => {}
        }
    }
}

/// Flags of a flow, as `OFPFF_*` of OpenFlow 1.3 numbers them.
pub mod flag {
    /// Send flow-removed.
    pub const SEND_FLOW_REM: u16 = 1;
    /// Refuse a flow that overlaps another of the same priority.
    pub const CHECK_OVERLAP: u16 = 2;
    /// Zero the counters.
    pub const RESET_COUNTS: u16 = 4;
    /// Do not count packets.
    pub const NO_PKT_COUNTS: u16 = 8;
    /// Do not count bytes.
    pub const NO_BYT_COUNTS: u16 = 16;
    /// Not visible to controllers, not theirs to delete.
    pub const HIDDEN: u16 = 1 << 15;
}

/// Counters and timers of a flow, shared by its modified versions and by megaflows' credits.
#[derive(Debug)]
pub struct RuleStats {
    counts: Arc<Counts>,
    renewed_ms: AtomicU64,
    idle_timeout: AtomicU16,
    hard_timeout: AtomicU16,
}

/// What megaflows credit: it stays the same when another flow takes the place of this one, so that
/// the packets which megaflows still owe are the new flow's.
#[derive(Debug)]
struct Counts {
    packets: AtomicU64,
    bytes: AtomicU64,
    used_ms: AtomicU64,
}

impl RuleStats {
    /// Zero counters.
    #[must_use]
    pub fn new(now_ms: u64, idle_timeout: u16, hard_timeout: u16) -> Self {
        let counts = Counts {
            packets: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            used_ms: AtomicU64::new(now_ms),
        };
        Self {
            counts: Arc::new(counts),
            renewed_ms: AtomicU64::new(0),
            idle_timeout: AtomicU16::new(idle_timeout),
            hard_timeout: AtomicU16::new(hard_timeout),
        }
    }

    /// The counters of a flow that takes the place of this one: they go on. With `reset` only the
    /// time of the last packet does.
    #[must_use]
    pub fn successor(&self, idle_timeout: u16, hard_timeout: u16, reset: bool) -> Self {
        let mut new = Self::new(self.used_ms(), idle_timeout, hard_timeout);
        if !reset {
            new.counts = self.counts.clone();
        }
        new
    }

    /// Adds packets and bytes; `used_ms` only ever grows.
    pub fn credit(&self, packets: u64, bytes: u64, used_ms: u64) {
        self.counts.packets.fetch_add(packets, Ordering::Relaxed);
        self.counts.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.counts.used_ms.fetch_max(used_ms, Ordering::Relaxed);
    }

    /// Packets and bytes.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        let c = &self.counts;
        (c.packets.load(Ordering::Relaxed), c.bytes.load(Ordering::Relaxed))
    }

    /// When the last packet came, or the first flow in this place was made.
    #[must_use]
    pub fn used_ms(&self) -> u64 {
        self.counts.used_ms.load(Ordering::Relaxed)
    }

    /// The flow was learned once more: the hard timeout starts anew.
    pub fn renew(&self, now_ms: u64) {
        self.renewed_ms.fetch_max(now_ms, Ordering::Relaxed);
    }

    /// Zeroes packets and bytes.
    pub fn reset(&self) {
        self.counts.packets.store(0, Ordering::Relaxed);
        self.counts.bytes.store(0, Ordering::Relaxed);
    }

    /// Idle and hard timeout in seconds, 0 for none.
    #[must_use]
    pub fn timeouts(&self) -> (u16, u16) {
        (self.idle_timeout.load(Ordering::Relaxed), self.hard_timeout.load(Ordering::Relaxed))
    }

    /// Lowers the timeouts (0 leaves one as it is): the `fin_timeout` action.
    pub fn reduce_timeouts(&self, idle: u16, hard: u16) {
        for (timer, new) in [(&self.idle_timeout, idle), (&self.hard_timeout, hard)] {
            let old = timer.load(Ordering::Relaxed);
            if new != 0 && (old == 0 || new < old) {
                timer.store(new, Ordering::Relaxed);
            }
        }
    }
}

/// See the [module documentation](self).
#[derive(Clone, Debug)]
pub struct Rule {
    /// Which flow it is.
    pub id: RuleId,
    /// Its table.
    pub table_id: u8,
    /// Its priority: 0 to 65535, hidden flows may have more.
    pub priority: i32,
    /// Its mask, shared with all flows of the subtable.
    pub mask: Arc<CompactMask>,
    /// Its values.
    pub key: Key,
    /// Opaque to the switch.
    pub cookie: u64,
    /// See [`flag`].
    pub flags: u16,
    /// Order of eviction, lowest first.
    pub importance: u16,
    /// What it does.
    pub actions: Arc<RuleActions>,
    /// When it was made, in monotonic milliseconds.
    pub created_ms: u64,
    /// When it was last changed by a flow-mod.
    pub modified_ms: u64,
    /// Counters.
    pub stats: Arc<RuleStats>,
}

impl Rule {
    /// Does it match a packet with this flow?
    #[must_use]
    pub fn matches(&self, flow: &Flow) -> bool {
        self.mask.matches(&self.key, flow)
    }

    /// When the hard timeout began.
    #[must_use]
    pub fn fresh_ms(&self) -> u64 {
        self.modified_ms.max(self.stats.renewed_ms.load(Ordering::Relaxed))
    }

    /// Its match, written out.
    #[must_use]
    pub fn to_match(&self) -> Match {
        Match::new(&self.mask.flow(&self.key), self.mask.expand())
    }

    /// Is it hidden from controllers?
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.flags & flag::HIDDEN != 0
    }

    /// The same flow for every reader: same match, priority and table?
    #[must_use]
    pub fn same_place(&self, other: &Self) -> bool {
        self.table_id == other.table_id
            && self.priority == other.priority
            && self.key == other.key
            && *self.mask == *other.mask
    }
}
