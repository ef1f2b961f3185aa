//! Conjunctive matches: a set of flows of one priority stands for the product of their clauses
//! (ovs-fields(7), "Conjunctive Match Fields").

use std::sync::Arc;

use smallvec::SmallVec;
use weir_flow::Flow;

use super::rule::Rule;

/// A flow with `conjunction` actions that a packet agrees with, and the flows behind it in its
/// bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct SoftMatch<'a> {
    rule: &'a Arc<Rule>,
    rest: &'a [Arc<Rule>],
}

impl<'a> SoftMatch<'a> {
    /// `rest` begins with `rule`.
    pub(super) fn new(rule: &'a Arc<Rule>, rest: &'a [Arc<Rule>]) -> Self {
        Self { rule, rest: rest.get(1..).unwrap_or_default() }
    }

    pub(super) fn rule(&self) -> &'a Arc<Rule> {
        self.rule
    }

    pub(super) fn priority(&self) -> i32 {
        self.rule.priority
    }

    /// Goes to the flow of next lower priority with the same match. False if there is none.
    pub(super) fn descend(&mut self, flow: &Flow) -> bool {
        while let [next, rest @ ..] = self.rest {
            self.rest = rest;
            if next.matches(flow) {
                self.rule = next;
                return true;
            }
        }
        false
    }
}

/// The identifier of a conjunction all of whose clauses are fulfilled by flows of this priority.
pub(super) fn complete(soft: &[SoftMatch<'_>], priority: i32) -> Option<u32> {
    let mut seen: SmallVec<[(u32, u8, u64); 8]> = SmallVec::new();
    let of_priority = soft.iter().filter(|s| s.priority() == priority);
    for c in of_priority.flat_map(|s| &s.rule.actions.conjunctions) {
        let bit = 1u64.checked_shl(u32::from(c.clause)).unwrap_or(0);
        let at = seen.iter().position(|(id, n, _)| (*id, *n) == (c.id, c.n_clauses));
        let at = at.unwrap_or_else(|| {
            seen.push((c.id, c.n_clauses, 0));
            seen.len() - 1
        });
        if let Some((_, _, bits)) = seen.get_mut(at) {
            *bits |= bit;
            let all = u64::MAX.checked_shr(64 - u32::from(c.n_clauses)).unwrap_or(0);
            if *bits & all == all {
                return Some(c.id);
            }
        }
    }
    None
}
