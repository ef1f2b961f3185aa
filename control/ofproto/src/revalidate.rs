//! Revalidation: passes over all megaflows that pass their statistics on, remove those nobody uses,
//! and bring those up to date that the tables now treat differently.

use weir_flow::action::{Action, Userspace};
use weir_flow::slowpath::{Credit as _, Datapath, FlowStats, MegaflowView, Revalidation};

use crate::Switch;
use crate::xlate::ctx::Tracing;
use crate::xlate::output::PacketInState;
use crate::xlate::{Outcome, Start};

/// Limits of the megaflow tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most megaflows (`other_config:flow-limit`).
    pub flow_limit: usize,
    /// Milliseconds without a packet until a megaflow goes (`other_config:max-idle`).
    pub max_idle_ms: u64,
    /// Milliseconds between two passes (`other_config:max-revalidator`).
    pub max_revalidator_ms: u64,
    /// Packets a second of megaflows worth revalidating while passes take long
    /// (`other_config:min-revalidate-pps`); 0 for any.
    pub min_pps: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { flow_limit: 200_000, max_idle_ms: 10_000, max_revalidator_ms: 500, min_pps: 5 }
    }
}

impl Limits {
    /// Is it worth asking the tables about this megaflow again, when the last pass took `dump_ms`? One
    /// that has few packets is made anew sooner than all are revalidated.
    fn is_worth_it(&self, view: &MegaflowView<'_>, dump_ms: u64, now_ms: u64) -> bool {
        let used = view.credited.used_ms;
        if self.min_pps == 0 || used == 0 || dump_ms < self.max_revalidator_ms / 2 {
            return true;
        }
        let packets = view.stats.packets.saturating_sub(view.credited.packets).max(1);
        now_ms.saturating_sub(used) / packets < 1000 / self.min_pps
    }
}

/// Idle time allowed while there are more megaflows than the limit.
const CROWDED_IDLE_MS: u64 = 100;
/// The adaptive limit never goes below this.
const MIN_FLOW_LIMIT: usize = 1000;

/// What the passes found, for `upcall/show`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Megaflows at the last pass.
    pub n_flows: usize,
    /// Moving average of that.
    pub avg_flows: usize,
    /// Most ever.
    pub max_flows: usize,
    /// The limit in force: lower than configured while passes take too long.
    pub flow_limit: usize,
    /// How long the last pass took, in milliseconds.
    pub dump_ms: u64,
    /// Megaflows removed for idleness, since the start.
    pub idled: u64,
    /// Megaflows removed because the tables changed.
    pub invalidated: u64,
    /// Megaflows whose actions or receivers of statistics were replaced.
    pub replaced: u64,
}

/// See the [module documentation](self).
#[derive(Debug, Default)]
pub struct Revalidator {
    /// The state of the tables that all megaflows are known to agree with.
    generation: Option<u64>,
    summary: Summary,
}

impl Revalidator {
    /// A revalidator that has seen nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What the passes found.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// Makes one pass. The caller, who has the clock, tells [`Revalidator::took`] how long it took.
    pub fn pass(&mut self, switch: &Switch, datapath: &dyn Datapath, limits: &Limits, now_ms: u64) {
        let n_flows = datapath.n_flows();
        self.count(n_flows, limits);
        // Read before the first megaflow is looked at: what changes later is for the next pass.
        let generation = switch.generation();
        let stale = self.generation != Some(generation);
        let crowded = n_flows > self.summary.flow_limit;
        // By the limit as configured: that passes take long must not make all flows misses.
        let flooded = n_flows > 2 * limits.flow_limit;
        let max_idle = if crowded { CROWDED_IDLE_MS } else { limits.max_idle_ms };
        let guard = weir_rcu::pin();
        let dump_ms = self.summary.dump_ms;
        let summary = &mut self.summary;
        datapath.visit(&mut |view| {
            let used = view.stats.used_ms.max(view.created_ms);
            if flooded || now_ms.saturating_sub(used) > max_idle {
                summary.idled += 1;
                return Revalidation::Delete;
            }
            if !stale {
                return keep(view);
            }
            if !limits.is_worth_it(view, dump_ms, now_ms) {
                summary.invalidated += 1;
                return Revalidation::Delete;
            }
            let outcome =
                switch.translate_key(&guard, view.key, Start::Ingress, now_ms, false, Tracing::Off);
            if !view.mask.datapath().covers(&outcome.mask) {
                summary.invalidated += 1;
                return Revalidation::Delete;
            }
            if view.credit.receivers() == outcome.credits.receivers()
                && same_actions(view.actions, &outcome.actions)
            {
                return keep(view);
            }
            summary.replaced += 1;
            replace(view, outcome)
        });
        drop(guard);
        self.generation = Some(generation);
    }

    /// Removes all megaflows (`revalidator/purge`).
    pub fn purge(&mut self, datapath: &dyn Datapath) {
        datapath.visit(&mut |_| Revalidation::Delete);
    }

    /// Takes note of how long a pass took, and adapts the limit to it.
    pub fn took(&mut self, ms: u64, limits: &Limits) {
        let s = &mut self.summary;
        s.dump_ms = ms;
        let ms = usize::try_from(ms.max(1)).unwrap_or(usize::MAX);
        if ms > 2000 {
            s.flow_limit /= ms / 1000;
        } else if ms > 1300 {
            s.flow_limit = s.flow_limit * 3 / 4;
        } else if ms < 1000 && s.n_flows > 2000 && s.flow_limit < s.n_flows * 1000 / ms {
            s.flow_limit += 1000;
        }
        s.flow_limit = s.flow_limit.max(MIN_FLOW_LIMIT).min(limits.flow_limit);
    }

    fn count(&mut self, n_flows: usize, limits: &Limits) {
        let s = &mut self.summary;
        if s.flow_limit == 0 {
            s.flow_limit = limits.flow_limit;
        }
        s.n_flows = n_flows;
        s.avg_flows = (s.avg_flows + n_flows) / 2;
        s.max_flows = s.max_flows.max(n_flows);
    }
}

/// It stays: its new packets are passed on.
fn keep(view: &MegaflowView<'_>) -> Revalidation {
    give(view);
    Revalidation::Keep { credited: view.stats }
}

fn give(view: &MegaflowView<'_>) {
    let (old, new): (&FlowStats, &FlowStats) = (&view.credited, &view.stats);
    let packets = new.packets.saturating_sub(old.packets);
    let bytes = new.bytes.saturating_sub(old.bytes);
    if packets > 0 {
        view.credit.credit(packets, bytes, new.used_ms, new.tcp_flags);
    }
}

/// New actions under the old mask, which is at least as narrow as need be.
fn replace(view: &MegaflowView<'_>, outcome: Outcome) -> Revalidation {
    let mut translation = outcome.into_translation();
    translation.mask = *view.mask;
    Revalidation::Replace(Box::new(translation))
}

/// Do two lists do the same?
#[must_use]
pub fn same_actions(a: &[Action], b: &[Action]) -> bool {
    weir_flow::action::same_actions(a, b, &same_userspace)
}

fn same_userspace(a: &Userspace, b: &Userspace) -> bool {
    match (a, b) {
        (Userspace::Controller(x), Userspace::Controller(y)) => {
            let states =
                (x.state.downcast_ref::<PacketInState>(), y.state.downcast_ref::<PacketInState>());
            (x.reason, x.rule_cookie, x.table_id, x.controller_id, x.max_len, x.recirc_id)
                == (y.reason, y.rule_cookie, y.table_id, y.controller_id, y.max_len, y.recirc_id)
                && states.0 == states.1
        }
        (Userspace::SlowPath(x), Userspace::SlowPath(y)) => x == y,
        (Userspace::Sample(x), Userspace::Sample(y)) => (x.kind, &x.text) == (y.kind, &y.text),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
