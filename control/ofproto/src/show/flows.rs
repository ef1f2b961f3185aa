//! Flows: `bridge/dump-flows`, `ofproto/list`.

use std::sync::Arc;

use weir_openflow::actions::{display, format::Names};

use crate::Switch;
use crate::table::Rule;
use crate::{Bridge, view::TableSet};

/// `bridge/dump-flows BRIDGE`: all flows, the switch's own ones too.
#[must_use]
pub fn dump(bridge: &Bridge, now_ms: u64) -> String {
    let set: TableSet = bridge.lock().flows.set().clone();
    let mut out = String::new();
    for (id, table) in set.iter() {
        for rule in table.iter() {
            if id != 0 {
                out.push_str(&format!("table_id={id}, "));
            }
            out.push_str(&line(rule, now_ms));
            out.push('\n');
        }
    }
    out
}

fn line(rule: &Arc<Rule>, now_ms: u64) -> String {
    let (packets, bytes) = rule.stats.counts();
    let age = now_ms.saturating_sub(rule.created_ms) / 1000;
    let mut matched = rule.to_match().to_string();
    if !matched.is_empty() {
        matched.insert(0, ',');
    }
    format!(
        "duration={age}s, n_packets={packets}, n_bytes={bytes}, priority={}{matched},actions={}",
        rule.priority,
        display(&rule.actions.list, Names::default())
    )
}

/// `ofproto/list`
#[must_use]
pub fn list(switch: &Switch) -> String {
    switch.names().iter().map(|n| format!("{n}\n")).collect()
}
