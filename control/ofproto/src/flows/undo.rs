//! Several flow-mods and group-mods as one change: all of them, or none (a bundle, OpenFlow 1.4 section 6.8).
//! Readers see none of it before it is published; what an error makes undone is written down while
//! it is done, so that the cost does not depend on the size of the tables.

use std::sync::Arc;

use super::FlowTables;
use crate::groups::GroupTable;
use crate::table::{Rule, RuleStats};

/// What was done since [`FlowTables::begin`].
#[derive(Debug, Default)]
pub(super) struct Journal {
    steps: Vec<Step>,
    /// The groups as they were.
    groups: GroupTable,
    /// Counters to be zeroed, which cannot be undone.
    resets: Vec<Arc<RuleStats>>,
    events: usize,
}

/// One change of the tables.
#[derive(Debug)]
pub(super) enum Step {
    /// A flow came, and the one in its place went.
    Put { rule: Arc<Rule>, old: Option<Arc<Rule>> },
    /// A flow went.
    Taken(Arc<Rule>),
}

impl FlowTables {
    /// From here on changes can be undone.
    pub fn begin(&mut self) {
        let groups = self.set.groups.clone();
        self.journal = Some(Journal { groups, events: self.events.len(), ..Journal::default() });
    }

    /// The changes since [`FlowTables::begin`] are to stay.
    pub fn commit(&mut self) {
        for stats in self.journal.take().into_iter().flat_map(|j| j.resets) {
            stats.reset();
        }
    }

    /// Undoes the changes since [`FlowTables::begin`].
    pub fn roll_back(&mut self) {
        let Some(journal) = self.journal.take() else { return };
        for step in journal.steps.into_iter().rev() {
            match step {
                Step::Put { rule, old } => {
                    self.take(&rule);
                    if let Some(old) = old {
                        self.put(old);
                    }
                }
                Step::Taken(rule) => {
                    self.put(rule);
                }
            }
        }
        self.set.groups = journal.groups;
        self.events.truncate(journal.events);
    }

    pub(super) fn note_step(&mut self, step: impl FnOnce() -> Step) {
        if let Some(journal) = &mut self.journal {
            journal.steps.push(step());
        }
    }

    /// Zeroes the counters of a flow, once it is certain.
    pub(super) fn reset_counts(&mut self, stats: &Arc<RuleStats>) {
        match &mut self.journal {
            Some(journal) => journal.resets.push(stats.clone()),
            None => stats.reset(),
        }
    }
}
