//! [`Credits`]: everything that is told of the packets of a megaflow: flows, tables, patch ports,
//! learned addresses. Translation collects them, the engine passes counters on through them.

use std::sync::Arc;

use weir_flow::slowpath::Credit;
use weir_protocols::mac_learning::Sighting;

use super::learn::{LearnSink, Learned};
use super::recirc::RecircHandle;
use crate::groups::Counters;
use crate::table::RuleStats;
use crate::table::hash::Hasher;
use crate::view::{BridgeShared, BundleId, PatchCounters};

/// One receiver of a megaflow's counters.
#[derive(Debug)]
pub enum CreditEntry {
    /// A flow that was executed.
    Rule {
        /// Its counters.
        stats: Arc<RuleStats>,
    },
    /// A lookup in a table.
    Table {
        /// The bridge.
        bridge: Arc<BridgeShared>,
        /// The table.
        id: u8,
        /// Did a flow match?
        found: bool,
    },
    /// A group or one of its buckets.
    Group {
        /// Its counters.
        counters: Arc<Counters>,
    },
    /// A patch port that was crossed.
    Patch {
        /// The end the packets left.
        from: Arc<PatchCounters>,
        /// The end they came to.
        to: Arc<PatchCounters>,
    },
    /// A station that was seen.
    Mac {
        /// The bridge.
        bridge: Arc<BridgeShared>,
        /// Who and where.
        seen: Sighting<BundleId>,
    },
    /// A flow whose timeouts shrink when a connection ends.
    FinTimeout {
        /// The flow.
        stats: Arc<RuleStats>,
        /// Seconds, 0 to leave it.
        idle: u16,
        /// Seconds, 0 to leave it.
        hard: u16,
    },
    /// A flow that is learned, kept alive by the packets that taught it.
    Learn {
        /// Who learns.
        sink: Arc<dyn LearnSink>,
        /// The flow.
        learned: Arc<Learned>,
    },
}

/// See the [module documentation](self).
#[derive(Debug)]
pub struct Credits {
    entries: Box<[CreditEntry]>,
    /// Recirculation identifiers that the megaflow's actions name: they live as long as it does.
    _recirculations: Box<[Arc<RecircHandle>]>,
}

/// TCP flags that end a connection.
const FIN_RST: u16 = 0x001 | 0x004;

impl Credits {
    /// A set of receivers.
    #[must_use]
    pub fn new(entries: Vec<CreditEntry>, recirculations: Vec<Arc<RecircHandle>>) -> Self {
        Self { entries: entries.into(), _recirculations: recirculations.into() }
    }

    /// The receivers.
    #[must_use]
    pub fn entries(&self) -> &[CreditEntry] {
        &self.entries
    }
}

impl Credit for Credits {
    fn credit(&self, packets: u64, bytes: u64, used_ms: u64, tcp_flags: u16) {
        if packets == 0 {
            return;
        }
        for entry in &self.entries {
            match entry {
                // Flows that need not count do so all the same.
                CreditEntry::Rule { stats } => stats.credit(packets, bytes, used_ms),
                CreditEntry::Table { bridge, id, found } => {
                    if let Some(c) = bridge.counters.get(usize::from(*id)) {
                        c.credit(packets, *found);
                    }
                }
                CreditEntry::Group { counters } => counters.credit(packets, bytes),
                CreditEntry::Patch { from, to } => {
                    from.credit_tx(packets, bytes);
                    to.credit_rx(packets, bytes);
                }
                CreditEntry::Mac { bridge, seen } => {
                    bridge.see_station(seen, used_ms);
                }
                CreditEntry::FinTimeout { stats, idle, hard } => {
                    if tcp_flags & FIN_RST != 0 {
                        stats.reduce_timeouts(*idle, *hard);
                    }
                }
                CreditEntry::Learn { sink, learned } => sink.learn(learned, used_ms),
            }
        }
    }

    /// By where they are, so it holds while one of the sets compared does.
    fn receivers(&self) -> u64 {
        let mut h = Hasher::new();
        for entry in &self.entries {
            let (kind, who) = match entry {
                CreditEntry::Rule { stats } => (1, Arc::as_ptr(stats) as usize),
                CreditEntry::Table { bridge, id, found } => (
                    2 + (u64::from(*id) << 8) + (u64::from(*found) << 16),
                    Arc::as_ptr(bridge) as usize,
                ),
                CreditEntry::Patch { from, .. } => (3, Arc::as_ptr(from) as usize),
                CreditEntry::Mac { bridge, seen } => {
                    let port = u64::from(seen.port.0) << 8;
                    (4 + port, Arc::as_ptr(bridge) as usize)
                }
                CreditEntry::FinTimeout { stats, .. } => (5, Arc::as_ptr(stats) as usize),
                CreditEntry::Learn { .. } => (6, 0),
                CreditEntry::Group { counters } => (7, Arc::as_ptr(counters) as usize),
            };
            h.add(kind);
            h.add(who as u64);
        }
        h.finish()
    }
}
