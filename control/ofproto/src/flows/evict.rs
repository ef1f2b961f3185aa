//! What goes when a table has more flows than it may.

use std::sync::Arc;

use weir_openflow::OfpError;

use super::{FlowTables, RemovalReason, is_hidden};
use crate::table::{Classifier, Rule};

impl FlowTables {
    /// Makes room for one more flow in a table.
    ///
    /// # Errors
    /// `OFPFMFC_TABLE_FULL` when the table is full and does not evict, or has nothing to evict.
    pub(super) fn make_room(&mut self, table: u8) -> Result<(), OfpError> {
        let Some(limit) = self.limits.get(&table).copied() else { return Ok(()) };
        while self.set.get(table).map_or(0, Classifier::len) >= limit.max_flows {
            if !limit.evict || !self.evict_one(table) {
                return Err(OfpError::OFPFMFC_TABLE_FULL);
            }
        }
        Ok(())
    }

    /// After the limits were lowered: evicts where the policy allows it.
    pub(super) fn evict_all_excess(&mut self) {
        let limits: Vec<_> = self.limits.iter().map(|(id, l)| (*id, *l)).collect();
        for (table, limit) in limits.into_iter().filter(|(_, l)| l.evict) {
            while self.set.get(table).map_or(0, Classifier::len) > limit.max_flows {
                if !self.evict_one(table) {
                    break;
                }
            }
        }
    }

    /// Evicts the flow of least importance, and of those the one that would time out first.
    fn evict_one(&mut self, table: u8) -> bool {
        let Some(t) = self.set.get(table) else { return false };
        let candidates = t.iter().filter(|r| !is_hidden(r) && r.stats.timeouts() != (0, 0));
        let Some(victim) = candidates.min_by_key(|r| eviction_order(r)).cloned() else {
            return false;
        };
        self.remove(&victim, RemovalReason::Eviction);
        true
    }
}

/// Importance first, then the time at which the flow would go by itself.
fn eviction_order(rule: &Arc<Rule>) -> (u16, u64) {
    let (idle, hard) = rule.stats.timeouts();
    let due = |from: u64, secs: u16| match secs {
        0 => u64::MAX,
        s => from + u64::from(s) * 1000,
    };
    (rule.importance, due(rule.stats.used_ms(), idle).min(due(rule.fresh_ms(), hard)))
}
