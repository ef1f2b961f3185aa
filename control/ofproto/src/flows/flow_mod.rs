//! Flow-mods (OpenFlow 1.0 section 4.6, 1.5 section 6.4).

use std::sync::Arc;

use weir_openflow::flow_text::flow_mod::FlowModCommand;
use weir_openflow::{FlowMod, OfpError};

use super::{Criteria, FlowEvent, FlowTables, RemovalReason};
use crate::table::rule::flag;
use crate::table::{CompactMask, Rule, RuleActions, RuleStats};
use crate::view::INTERNAL_TABLE;
use crate::xlate::learn::Learned;

/// Table number that leaves the choice to the switch.
const ANY_TABLE: u8 = 0xff;

impl FlowTables {
    /// Executes a flow-mod. Nothing is changed if there is an error.
    ///
    /// # Errors
    /// `OFPBRC_EPERM` for the switch's own table, `OFPFMFC_OVERLAP` with `check_overlap`,
    /// `OFPFMFC_TABLE_FULL`, those of [`super::check_for`], and `OFPBMC_BAD_FIELD` for tunnel
    /// metadata that is not mapped.
    pub fn flow_mod(&mut self, fm: &FlowMod, now_ms: u64) -> Result<(), OfpError> {
        self.now_ms = now_ms;
        if fm.table_id == INTERNAL_TABLE {
            return Err(OfpError::OFPBRC_EPERM);
        }
        if !fm.matched.tun_metadata.is_empty() {
            return Err(OfpError::OFPBMC_BAD_FIELD);
        }
        match fm.command {
            FlowModCommand::Add => {
                let fm = self.checked(fm)?;
                self.add(&fm, now_ms)
            }
            FlowModCommand::Modify => {
                let fm = self.checked(fm)?;
                let found = self.select(&Criteria::loose(&fm));
                self.modify(&fm, found, now_ms)
            }
            FlowModCommand::ModifyStrict => {
                let fm = self.checked(fm)?;
                let found = self.select(&Criteria::strict(&fm));
                self.modify(&fm, found, now_ms)
            }
            FlowModCommand::Delete => {
                self.delete(self.select(&Criteria::loose(fm)));
                Ok(())
            }
            FlowModCommand::DeleteStrict => {
                self.delete(self.select(&Criteria::strict(fm)));
                Ok(())
            }
        }
    }

    /// Adds one of the switch's own flows: hidden, of any priority, in any table.
    pub fn add_hidden(&mut self, table_id: u8, priority: i32, fm: &FlowMod, now_ms: u64) {
        let mut rule = self.build(fm, now_ms);
        rule.table_id = table_id;
        rule.priority = priority;
        rule.flags |= flag::HIDDEN;
        self.put(Arc::new(rule));
    }

    /// Removes the switch's own flows of a priority from a table.
    pub fn remove_hidden(&mut self, table_id: u8, priority: i32) {
        let Some(table) = self.set.get(table_id) else { return };
        let own = table.iter().filter(|r| r.is_hidden() && r.priority == priority);
        for rule in own.cloned().collect::<Vec<_>>() {
            self.take(&rule);
        }
    }

    fn add(&mut self, fm: &FlowMod, now_ms: u64) -> Result<(), OfpError> {
        let mut rule = self.build(fm, now_ms);
        let table = self.set.get(rule.table_id);
        let old = table.and_then(|t| {
            t.find(&rule.mask, &fm.matched.flow, rule.priority).filter(|r| !r.is_hidden()).cloned()
        });
        if let Some(old) = old {
            let reset = rule.flags & flag::RESET_COUNTS != 0;
            let stats = old.stats.successor(fm.idle_timeout, fm.hard_timeout, reset);
            rule.stats = Arc::new(stats);
            rule.id = old.id;
        } else {
            let overlap = rule.flags & flag::CHECK_OVERLAP != 0
                && table.is_some_and(|t| t.overlaps(&rule.mask, &fm.matched.flow, rule.priority));
            if overlap {
                return Err(OfpError::OFPFMFC_OVERLAP);
            }
            self.make_room(rule.table_id)?;
        }
        let rule = Arc::new(rule);
        self.put(rule.clone());
        self.tell(FlowEvent::Added(rule));
        Ok(())
    }

    fn build(&mut self, fm: &FlowMod, now_ms: u64) -> Rule {
        let mask = CompactMask::new(&fm.matched.mask);
        Rule {
            id: self.new_id(),
            table_id: if fm.table_id == ANY_TABLE { 0 } else { fm.table_id },
            priority: i32::from(fm.priority),
            key: mask.key(&fm.matched.flow),
            mask: Arc::new(mask),
            cookie: fm.new_cookie.unwrap_or(0),
            flags: fm.flags.0,
            importance: fm.importance,
            actions: Arc::new(RuleActions::new(fm.actions.clone())),
            created_ms: now_ms,
            modified_ms: now_ms,
            stats: Arc::new(RuleStats::new(now_ms, fm.idle_timeout, fm.hard_timeout)),
        }
    }

    /// Changes the actions of flows. Without any, a request that does not ask for cookies adds the
    /// flow (OpenFlow 1.0 and 1.1: the decoder leaves `new_cookie` empty where it must not).
    fn modify(&mut self, fm: &FlowMod, found: Vec<Arc<Rule>>, now_ms: u64) -> Result<(), OfpError> {
        if found.is_empty() {
            let may_add = fm.new_cookie.is_some() && fm.cookie_mask == 0;
            return if may_add { self.add(fm, now_ms) } else { Ok(()) };
        }
        let actions = Arc::new(RuleActions::new(fm.actions.clone()));
        for old in found {
            let mut rule = (*old).clone();
            rule.actions = actions.clone();
            rule.modified_ms = now_ms;
            if fm.modify_cookie
                && let Some(cookie) = fm.new_cookie
            {
                rule.cookie = cookie;
            }
            if fm.flags.0 & flag::RESET_COUNTS != 0 {
                self.reset_counts(&rule.stats);
            }
            let rule = Arc::new(rule);
            self.put(rule.clone());
            self.tell(FlowEvent::Modified(rule));
        }
        Ok(())
    }

    fn delete(&mut self, found: Vec<Arc<Rule>>) {
        for rule in found {
            self.remove(&rule, RemovalReason::Delete);
        }
    }

    /// Adds a flow that a packet taught, or keeps it alive if it is there. True if the tables
    /// changed.
    ///
    /// # Errors
    /// As [`FlowTables::flow_mod`]; `OFPFMFC_TABLE_FULL` when the limit of the `learn` action is
    /// reached.
    pub fn learn(&mut self, l: &Learned, now_ms: u64) -> Result<bool, OfpError> {
        if l.table_id >= INTERNAL_TABLE {
            return Err(OfpError::OFPBRC_EPERM);
        }
        let mut actions = l.actions.clone();
        super::check_for(&l.matching, l.table_id, &mut actions, &self.set.groups)?;
        if let Some(old) = self.learned(l) {
            // What teaches a flow is no packet of it: only the hard timeout starts anew.
            old.stats.renew(now_ms);
            return Ok(false);
        }
        if !self.has_room_to_learn(l) {
            return Err(OfpError::OFPFMFC_TABLE_FULL);
        }
        // A flow that is there keeps its age and its timeouts.
        let fm = FlowMod {
            command: FlowModCommand::ModifyStrict,
            matched: l.matching.clone(),
            priority: l.priority,
            new_cookie: Some(l.cookie),
            modify_cookie: true,
            table_id: l.table_id,
            idle_timeout: l.idle_timeout,
            hard_timeout: l.hard_timeout,
            actions,
            flags: weir_openflow::flow_text::flow_mod::FlowModFlags(l.flags),
            ..FlowMod::default()
        };
        self.flow_mod(&fm, now_ms)?;
        Ok(true)
    }

    /// The very flow that a packet taught, if it is there.
    fn learned(&self, l: &Learned) -> Option<&Arc<Rule>> {
        let mask = CompactMask::new(&l.matching.mask);
        let table = self.set.get(l.table_id)?;
        let old = table.find(&mask, &l.matching.flow, i32::from(l.priority))?;
        let mut actions = l.actions.clone();
        super::check_for(&l.matching, l.table_id, &mut actions, &self.set.groups).ok()?;
        (old.actions.list == actions && old.cookie == l.cookie).then_some(old)
    }

    /// Is the limit of a `learn` action not reached, or the flow there already? One that would take
    /// another's place is one more.
    #[must_use]
    pub fn has_room_to_learn(&self, l: &Learned) -> bool {
        if l.limit == 0 || self.learned(l).is_some() {
            return true;
        }
        let Some(table) = self.set.get(l.table_id) else { return true };
        let limit = usize::try_from(l.limit).unwrap_or(usize::MAX);
        table.iter().filter(|r| r.cookie == l.cookie).take(limit).count() < limit
    }

    /// The flow-mod with its actions checked.
    fn checked(&self, fm: &FlowMod) -> Result<FlowMod, OfpError> {
        let mut fm = fm.clone();
        let table = if fm.table_id == ANY_TABLE { 0 } else { fm.table_id };
        super::check_for(&fm.matched, table, &mut fm.actions, &self.set.groups)?;
        Ok(fm)
    }
}
