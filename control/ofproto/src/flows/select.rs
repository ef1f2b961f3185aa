//! Which flows a request means.

use std::sync::Arc;

use weir_openflow::{Action, FlowMod, OfPort};

use super::{FlowTables, is_hidden};
use crate::table::{CompactMask, Rule};
use crate::view::INTERNAL_TABLE;

/// Group number that stands for none.
const ANY_GROUP: u32 = 0xffff_ffff;
/// Table number that stands for all.
const ALL_TABLES: u8 = 0xff;

/// What a flow must be like.
#[derive(Clone, Debug)]
pub struct Criteria<'a> {
    request: &'a FlowMod,
    /// Exactly this match and priority, not whatever lies within it.
    pub strict: bool,
    /// The switch's own flows too.
    pub hidden: bool,
}

impl<'a> Criteria<'a> {
    /// The flows that lie within a request's match.
    #[must_use]
    pub fn loose(request: &'a FlowMod) -> Self {
        Self { request, strict: false, hidden: false }
    }

    /// The flow with a request's match and priority.
    #[must_use]
    pub fn strict(request: &'a FlowMod) -> Self {
        Self { request, strict: true, hidden: false }
    }

    fn accepts(&self, rule: &Rule) -> bool {
        let r = self.request;
        (rule.cookie ^ r.cookie) & r.cookie_mask == 0
            && (self.hidden || !is_hidden(rule))
            && (r.out_port == OfPort::NONE || outputs_to(&rule.actions.list, r.out_port))
            && (r.out_group == ANY_GROUP || rule.actions.groups.contains(&r.out_group))
    }
}

impl FlowTables {
    /// The flows that meet the criteria.
    #[must_use]
    pub fn select(&self, criteria: &Criteria<'_>) -> Vec<Arc<Rule>> {
        let r = criteria.request;
        let (mask, flow) = (&r.matched.mask, &r.matched.flow);
        let one_table = |id: u8| r.table_id == ALL_TABLES || r.table_id == id;
        let visible = |id: u8| criteria.hidden || id != INTERNAL_TABLE;
        if r.cookie_mask == u64::MAX && r.cookie != 0 {
            return self.select_by_cookie(criteria);
        }
        let compact = CompactMask::new(mask);
        let tables = self.set.iter().filter(|(id, _)| one_table(*id) && visible(*id));
        let mut found: Vec<Arc<Rule>> = if criteria.strict {
            let priority = i32::from(r.priority);
            tables.filter_map(|(_, t)| t.find(&compact, flow, priority)).cloned().collect()
        } else {
            tables.flat_map(|(_, t)| t.find_loose(mask, flow)).collect()
        };
        found.retain(|rule| criteria.accepts(rule));
        found
    }

    fn select_by_cookie(&self, criteria: &Criteria<'_>) -> Vec<Arc<Rule>> {
        use crate::table::RuleId;
        let r = criteria.request;
        let compact = CompactMask::new(&r.matched.mask);
        let range = (r.cookie, RuleId(0))..=(r.cookie, RuleId(u64::MAX));
        let rules = self.by_cookie.range(range).filter_map(|(_, id)| self.by_id.get(id));
        rules
            .filter(|rule| r.table_id == ALL_TABLES || r.table_id == rule.table_id)
            .filter(|rule| {
                if criteria.strict {
                    rule.priority == i32::from(r.priority)
                        && *rule.mask == compact
                        && rule.key == compact.key(&r.matched.flow)
                } else {
                    rule.mask.within(&rule.key, &compact, &r.matched.flow)
                }
            })
            .filter(|rule| criteria.accepts(rule))
            .cloned()
            .collect()
    }
}

/// Does a list send packets to this port?
fn outputs_to(actions: &[Action], port: OfPort) -> bool {
    actions.iter().any(|a| match a {
        Action::Output { port: p, .. }
        | Action::Enqueue { port: p, .. }
        | Action::OutputTrunc { port: p, .. } => *p == port,
        Action::Controller(_) => port == OfPort::CONTROLLER,
        Action::Bundle(b) => b.dst.is_none() && b.members.contains(&port),
        Action::Clone(list) | Action::WriteActions(list) => outputs_to(list, port),
        _ => false,
    })
}
