//! Time-outs of flows.

use super::{FlowTables, RemovalReason};
use crate::table::Rule;

impl FlowTables {
    /// Removes the flows whose time is over. Called about once a second, after the counters of
    /// megaflows have been passed on.
    pub fn expire(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        let due = self.timed.iter().filter_map(|id| self.by_id.get(id)).filter_map(|rule| {
            let reason = due(rule, now_ms)?;
            Some((rule.clone(), reason))
        });
        for (rule, reason) in due.collect::<Vec<_>>() {
            self.remove(&rule, reason);
        }
    }

    /// Might any flow time out?
    #[must_use]
    pub fn has_timed(&self) -> bool {
        !self.timed.is_empty()
    }
}

fn due(rule: &Rule, now_ms: u64) -> Option<RemovalReason> {
    let (idle, hard) = rule.stats.timeouts();
    let over = |since: u64, secs: u16| secs != 0 && now_ms >= since + u64::from(secs) * 1000;
    if over(rule.fresh_ms(), hard) {
        Some(RemovalReason::HardTimeout)
    } else if over(rule.stats.used_ms(), idle) {
        Some(RemovalReason::IdleTimeout)
    } else {
        None
    }
}
