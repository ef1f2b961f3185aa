//! [`Registry`]: the control side's list of all megaflows.
//!
//! A thread tells of each megaflow it installs, replaces or takes out by an event; the registry
//! follows the events, and passes the last packets of what is gone on to its credit. It never touches
//! a thread's table.

use std::collections::HashMap;
use std::sync::Arc;

use weir_flow::Flow;
use weir_flow::slowpath::{FlowStats, MegaflowView};

use crate::megaflow::entry::{Megaflow, give_credit};

/// What happened to a thread's megaflows.
#[derive(Debug)]
pub(crate) enum FlowEvent {
    Installed(Arc<Megaflow>),
    /// It is out of the table and its counters are final.
    Retired(Arc<Megaflow>),
    /// The new one goes on counting where the old one, now final, ended.
    Replaced {
        old: Arc<Megaflow>,
        new: Arc<Megaflow>,
    },
}

/// A megaflow that is in its thread's table as far as the events tell.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) flow: Arc<Megaflow>,
    /// Counters passed on so far.
    pub(crate) credited: FlowStats,
}

/// The megaflows of one thread.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    records: HashMap<usize, Record>,
}

fn id(flow: &Arc<Megaflow>) -> usize {
    Arc::as_ptr(flow).addr()
}

impl Registry {
    pub(crate) fn apply(&mut self, event: FlowEvent) {
        match event {
            FlowEvent::Installed(flow) => {
                self.records.insert(id(&flow), Record { flow, credited: FlowStats::default() });
            }
            FlowEvent::Retired(flow) => self.settle(&flow),
            FlowEvent::Replaced { old, new } => {
                self.settle(&old);
                self.records.insert(id(&new), Record { flow: new, credited: old.stats() });
            }
        }
    }

    /// Passes on the last packets of a megaflow.
    fn settle(&mut self, flow: &Arc<Megaflow>) {
        if let Some(record) = self.records.remove(&id(flow)) {
            give_credit(&flow.credit, &record.credited, &flow.stats());
        }
    }

    pub(crate) fn records(&mut self) -> impl Iterator<Item = &mut Record> {
        self.records.values_mut()
    }
}

impl Record {
    /// What visitors get; `key` is the megaflow's.
    pub(crate) fn view<'a>(&'a self, core: Option<u32>, key: &'a Flow) -> MegaflowView<'a> {
        let flow = &*self.flow;
        MegaflowView {
            ufid: flow.ufid,
            core,
            key,
            mask: &flow.mask.mask,
            actions: &flow.actions,
            slow: flow.slow,
            stats: flow.stats(),
            created_ms: flow.created_ms,
            credited: self.credited,
            credit: &flow.credit,
        }
    }
}
