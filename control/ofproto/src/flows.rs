//! [`FlowTables`]: the flows of a bridge as the control side holds them, with the indexes that
//! flow-mods, time-outs and statistics need. Readers see a [`TableSet`] published from it.
//!
//! | file | is |
//! | --- | --- |
//! | `flow_mod.rs` | adding, changing and deleting flows |
//! | `group_mod.rs` | the same for groups, with the flows that use them |
//! | `expire.rs` | time-outs |
//! | `evict.rs` | what goes when a table is full |
//! | `select.rs` | which flows a request means |
//! | `check.rs` | actions the switch does not take |
//! | `undo.rs` | several flow-mods as one change |

mod check;
mod evict;
mod expire;
mod flow_mod;
mod group_mod;
mod select;
mod undo;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::config::TableConfig;
use crate::table::rule::flag;
use crate::table::{PrefixField, Rule, RuleId};
use crate::view::{BridgeShared, INTERNAL_TABLE, TableMiss, TableSet};

pub use check::{check_for, check_for_packet, packet_match};
pub use select::Criteria;

/// Why a flow went away (`OFPRR_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the specification's names")]
pub enum RemovalReason {
    IdleTimeout = 0,
    HardTimeout = 1,
    Delete = 2,
    GroupDelete = 3,
    MeterDelete = 4,
    Eviction = 5,
}

/// Something that happened to a flow, for whoever is to be told.
#[derive(Clone, Debug)]
pub enum FlowEvent {
    /// It went away.
    Removed {
        /// The flow.
        rule: Arc<Rule>,
        /// Why.
        reason: RemovalReason,
        /// When, in monotonic milliseconds.
        at_ms: u64,
    },
    /// It is new, or takes the place of one with the same match and priority.
    Added(Arc<Rule>),
    /// Its actions or cookie changed.
    Modified(Arc<Rule>),
}

/// Default prefix fields of a table.
pub const DEFAULT_PREFIXES: [&str; 4] = ["ip_dst", "ip_src", "ipv6_dst", "ipv6_src"];

/// Most events kept until somebody takes them; older ones are forgotten beyond that.
const MAX_EVENTS: usize = 1 << 20;

/// See the [module documentation](self).
#[derive(Debug)]
pub struct FlowTables {
    set: TableSet,
    /// Does the published set lag behind?
    dirty: bool,
    by_id: HashMap<RuleId, Arc<Rule>>,
    /// Flows with a cookie that is not zero.
    by_cookie: BTreeSet<(u64, RuleId)>,
    /// Flows that use a group.
    by_group: BTreeSet<(u32, RuleId)>,
    /// Flows that may time out.
    timed: HashSet<RuleId>,
    limits: HashMap<u8, Limit>,
    default_prefixes: Vec<PrefixField>,
    next_id: u64,
    /// The time of the request being executed.
    now_ms: u64,
    events: Vec<FlowEvent>,
    journal: Option<undo::Journal>,
}

#[derive(Clone, Copy, Debug)]
struct Limit {
    max_flows: usize,
    evict: bool,
}

impl Default for FlowTables {
    fn default() -> Self {
        Self::new()
    }
}

impl FlowTables {
    /// No flow at all.
    #[must_use]
    pub fn new() -> Self {
        Self {
            set: TableSet::default(),
            dirty: false,
            by_id: HashMap::new(),
            by_cookie: BTreeSet::new(),
            by_group: BTreeSet::new(),
            timed: HashSet::new(),
            limits: HashMap::new(),
            default_prefixes: prefix_fields(&DEFAULT_PREFIXES),
            next_id: 1,
            now_ms: 0,
            events: Vec::new(),
            journal: None,
        }
    }

    /// The flows as the next published version will have them.
    #[must_use]
    pub fn set(&self) -> &TableSet {
        &self.set
    }

    /// Number of flows, hidden ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Is there no flow?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Takes the events since the last call.
    pub fn take_events(&mut self) -> Vec<FlowEvent> {
        std::mem::take(&mut self.events)
    }

    /// Makes changes visible to translation. True if there were any.
    pub fn publish(&mut self, to: &BridgeShared) -> bool {
        if !std::mem::take(&mut self.dirty) {
            return false;
        }
        self.set.version += 1;
        self.set.iter().for_each(|(_, table)| table.prepare());
        to.tables.publish(self.set.clone());
        to.forwarding_changed.bump();
        true
    }

    /// Sets what a table does with packets that no flow matches.
    pub fn set_miss(&mut self, table: u8, miss: TableMiss) {
        if self.set.miss(table) != miss
            && let Some(m) = Arc::make_mut(&mut self.set.miss).get_mut(usize::from(table))
        {
            *m = miss;
            self.dirty = true;
        }
    }

    /// Takes over table settings from the configuration.
    pub fn configure(&mut self, tables: &[TableConfig]) {
        self.limits.clear();
        for t in tables {
            if let Some(max_flows) = t.flow_limit {
                self.limits.insert(t.id, Limit { max_flows, evict: t.evict });
            }
        }
        for id in 0..INTERNAL_TABLE {
            let own = tables.iter().find(|t| t.id == id).and_then(|t| t.prefixes.as_ref());
            if self.set.get(id).is_none() && own.is_none() {
                continue;
            }
            let fields = own.map_or_else(|| self.default_prefixes.clone(), |p| prefix_fields(p));
            if let Some(t) = self.set.get_mut(id) {
                t.set_prefix_fields(&fields);
            }
            self.dirty = true;
        }
        self.evict_all_excess();
    }

    /// Most flows of a table, if there is a limit.
    #[must_use]
    pub fn flow_limit(&self, table: u8) -> Option<usize> {
        self.limits.get(&table).map(|l| l.max_flows)
    }

    /// Puts a flow in its place; returns the one that was there.
    fn put(&mut self, mut rule: Arc<Rule>) -> Option<Arc<Rule>> {
        let fresh = self.set.get(rule.table_id).is_none();
        let table = self.set.get_mut(rule.table_id)?;
        if fresh {
            table.set_prefix_fields(&self.default_prefixes);
        }
        if let Some(shared) = table.shared_mask(&rule.mask)
            && !Arc::ptr_eq(shared, &rule.mask)
        {
            Arc::make_mut(&mut rule).mask = shared.clone();
        }
        let old = table.insert(rule.clone());
        if let Some(old) = &old {
            self.unindex(old);
        }
        if rule.cookie != 0 {
            self.by_cookie.insert((rule.cookie, rule.id));
        }
        self.by_group.extend(rule.actions.groups.iter().map(|g| (*g, rule.id)));
        if may_time_out(&rule) {
            self.timed.insert(rule.id);
        }
        self.by_id.insert(rule.id, rule.clone());
        self.dirty = true;
        self.note_step(|| undo::Step::Put { rule, old: old.clone() });
        old
    }

    /// Takes a flow out.
    fn take(&mut self, rule: &Rule) -> Option<Arc<Rule>> {
        let removed = self.set.get_mut(rule.table_id)?.remove(rule)?;
        self.unindex(&removed);
        self.dirty = true;
        self.note_step(|| undo::Step::Taken(removed.clone()));
        Some(removed)
    }

    fn unindex(&mut self, rule: &Rule) {
        self.by_id.remove(&rule.id);
        self.by_cookie.remove(&(rule.cookie, rule.id));
        for group in &rule.actions.groups {
            self.by_group.remove(&(*group, rule.id));
        }
        self.timed.remove(&rule.id);
    }

    fn remove(&mut self, rule: &Rule, reason: RemovalReason) {
        if let Some(rule) = self.take(rule) {
            self.tell(FlowEvent::Removed { rule, reason, at_ms: self.now_ms });
        }
    }

    fn tell(&mut self, event: FlowEvent) {
        if self.events.len() >= MAX_EVENTS && self.journal.is_none() {
            self.events.clear();
        }
        self.events.push(event);
    }

    fn new_id(&mut self) -> RuleId {
        let id = RuleId(self.next_id);
        self.next_id += 1;
        id
    }
}

fn may_time_out(rule: &Rule) -> bool {
    use weir_openflow::Action;
    rule.stats.timeouts() != (0, 0)
        || rule.actions.list.iter().any(|a| matches!(a, Action::FinTimeout { .. }))
}

fn prefix_fields<S: AsRef<str>>(names: &[S]) -> Vec<PrefixField> {
    names.iter().filter_map(|n| PrefixField::by_name(n.as_ref())).collect()
}

/// Is the flow one of the switch's own?
fn is_hidden(rule: &Rule) -> bool {
    rule.flags & flag::HIDDEN != 0
}

#[cfg(test)]
mod tests;
