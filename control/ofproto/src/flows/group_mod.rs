//! Group-mods (OpenFlow 1.3 section 6.4, 1.5 section 7.3.4.3).

use std::sync::Arc;

use weir_openflow::OfpError;
use weir_openflow::messages::group::{GroupCommand, GroupMod, group_id};

use super::{FlowTables, RemovalReason};
use crate::groups::{Bucket, Group, buckets};
use crate::table::{Rule, RuleId};

impl FlowTables {
    /// Executes a group-mod. Nothing is changed if there is an error.
    ///
    /// # Errors
    /// `OFPGMFC_INVALID_GROUP` for a number that no group may have, `OFPGMFC_GROUP_EXISTS`,
    /// `OFPGMFC_UNKNOWN_GROUP`, those of [`buckets`], and those of actions that the switch does not
    /// take.
    pub fn group_mod(&mut self, gm: &GroupMod, now_ms: u64) -> Result<(), OfpError> {
        self.now_ms = now_ms;
        for bucket in &gm.buckets {
            super::check::bucket(&bucket.actions)?;
        }
        let old = self.set.groups.get(gm.group_id).cloned();
        match gm.command {
            GroupCommand::Add => match old {
                Some(_) => Err(OfpError::OFPGMFC_GROUP_EXISTS),
                None => self.add_group(gm, now_ms),
            },
            GroupCommand::Modify => {
                let old = old.ok_or(OfpError::OFPGMFC_UNKNOWN_GROUP)?;
                self.add_group(gm, old.created_ms)
            }
            GroupCommand::AddOrMod => self.add_group(gm, old.map_or(now_ms, |old| old.created_ms)),
            GroupCommand::Delete => {
                self.delete_groups(gm.group_id);
                Ok(())
            }
            GroupCommand::InsertBucket => {
                let old = old.ok_or(OfpError::OFPGMFC_UNKNOWN_GROUP)?;
                let all = buckets::insert(&old.buckets, &gm.buckets, gm.command_bucket_id)?;
                self.change_buckets(&old, all);
                Ok(())
            }
            GroupCommand::RemoveBucket => {
                let old = old.ok_or(OfpError::OFPGMFC_UNKNOWN_GROUP)?;
                let rest = buckets::remove(&old.buckets, gm.command_bucket_id)?;
                self.change_buckets(&old, rest);
                Ok(())
            }
        }
    }

    fn add_group(&mut self, gm: &GroupMod, created_ms: u64) -> Result<(), OfpError> {
        if gm.group_id > group_id::MAX {
            return Err(OfpError::OFPGMFC_INVALID_GROUP);
        }
        let buckets = gm.buckets.iter().cloned().map(Bucket::from).collect();
        let group = Group::new(gm.group_id, gm.kind, gm.props.clone(), buckets, created_ms);
        self.set.groups.put(group);
        self.dirty = true;
        Ok(())
    }

    /// Buckets that stay keep their counters; the group's own begin anew, as with any change.
    fn change_buckets(&mut self, old: &Group, buckets: Vec<Bucket>) {
        let group = Group::new(old.id, old.kind, old.props.clone(), buckets, old.created_ms);
        self.set.groups.put(group);
        self.dirty = true;
    }

    /// Deletes a group or all, with the flows that use them. One that is not there is deleted
    /// already.
    fn delete_groups(&mut self, which: u32) {
        let ids: Vec<u32> = self.set.groups.select(which).map(|g| g.id).collect();
        for id in ids {
            for rule in self.users_of_group(id).cloned().collect::<Vec<_>>() {
                self.remove(&rule, RemovalReason::GroupDelete);
            }
            self.set.groups.remove(id);
            self.dirty = true;
        }
    }

    /// The flows that use a group.
    fn users_of_group(&self, id: u32) -> impl Iterator<Item = &Arc<Rule>> {
        let range = (id, RuleId(0))..=(id, RuleId(u64::MAX));
        self.by_group.range(range).filter_map(|(_, rule)| self.by_id.get(rule))
    }

    /// How many flows use a group.
    #[must_use]
    pub fn group_ref_count(&self, id: u32) -> u32 {
        u32::try_from(self.users_of_group(id).count()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::FlowEvent;
    use weir_openflow::messages::group::{self, GroupProps, GroupType, bucket_id};
    use weir_openflow::{Action, FlowMod, OfPort};

    fn group_mod(command: GroupCommand, id: u32) -> GroupMod {
        let bucket = group::Bucket {
            bucket_id: 0,
            weight: 0,
            watch_port: OfPort::NONE,
            watch_group: group_id::ANY,
            actions: vec![Action::Output { port: OfPort(1), max_len: 0 }],
        };
        GroupMod {
            command,
            kind: GroupType::All,
            group_id: id,
            command_bucket_id: bucket_id::ALL,
            buckets: vec![bucket],
            props: GroupProps::default(),
        }
    }

    fn flow(priority: u16, actions: Vec<Action>) -> FlowMod {
        FlowMod { priority, actions, ..FlowMod::default() }
    }

    #[test]
    fn flows_go_with_their_group() {
        let mut t = FlowTables::new();
        let nested = Action::WriteActions(vec![Action::Group(5)]);
        let uses = [flow(1, vec![Action::Group(5), Action::Group(5)]), flow(2, vec![nested])];
        assert_eq!(t.flow_mod(&uses[0], 0), Err(OfpError::OFPBAC_BAD_OUT_GROUP));
        assert_eq!(t.flow_mod(&uses[1], 0), Err(OfpError::OFPBAC_BAD_OUT_GROUP));
        t.group_mod(&group_mod(GroupCommand::Add, 5), 0).unwrap();
        for fm in &uses {
            t.flow_mod(fm, 0).unwrap();
        }
        t.flow_mod(&flow(3, vec![]), 0).unwrap();
        assert_eq!(t.group_ref_count(5), 2);
        // A flow that no longer uses the group stays when it goes.
        t.flow_mod(&flow(2, vec![]), 0).unwrap();
        assert_eq!(t.group_ref_count(5), 1);
        t.take_events();
        t.group_mod(&group_mod(GroupCommand::Delete, 5), 0).unwrap();
        let gone: Vec<_> = t
            .take_events()
            .into_iter()
            .map(|e| match e {
                FlowEvent::Removed { rule, reason, .. } => (rule.priority, reason),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(gone, [(1, RemovalReason::GroupDelete)]);
        assert!(t.len() == 2 && t.set().groups.is_empty() && t.by_group.is_empty());
    }

    #[test]
    fn commands_fail_as_the_specification_says() {
        let mut t = FlowTables::new();
        let mut run = |command, id| t.group_mod(&group_mod(command, id), 0);
        assert_eq!(run(GroupCommand::Modify, 1), Err(OfpError::OFPGMFC_UNKNOWN_GROUP));
        assert_eq!(run(GroupCommand::InsertBucket, 1), Err(OfpError::OFPGMFC_UNKNOWN_GROUP));
        assert_eq!(run(GroupCommand::Add, 0xffff_ff01), Err(OfpError::OFPGMFC_INVALID_GROUP));
        assert_eq!(run(GroupCommand::AddOrMod, 1), Ok(()));
        assert_eq!(run(GroupCommand::Add, 1), Err(OfpError::OFPGMFC_GROUP_EXISTS));
        assert_eq!(run(GroupCommand::AddOrMod, 1), Ok(()));
        assert_eq!(run(GroupCommand::Add, 0xffff_ff00), Ok(()));
        assert_eq!(run(GroupCommand::Delete, 77), Ok(()));
        assert_eq!(run(GroupCommand::Delete, group_id::ALL), Ok(()));
        assert!(t.set().groups.is_empty());
    }

    #[test]
    fn a_change_keeps_the_age_and_the_counters_of_buckets_that_stay() {
        let mut t = FlowTables::new();
        t.group_mod(&group_mod(GroupCommand::Add, 1), 10).unwrap();
        let credit = |t: &FlowTables| {
            let g = t.set().groups.get(1).unwrap();
            g.counters.credit(3, 300);
            g.buckets[0].counters.credit(3, 300);
        };
        credit(&t);
        let mut insert = group_mod(GroupCommand::InsertBucket, 1);
        insert.command_bucket_id = bucket_id::LAST;
        insert.buckets[0].bucket_id = 9;
        t.group_mod(&insert, 20).unwrap();
        let stats = t.set().groups.get(1).unwrap().stats(0, 1010);
        assert_eq!((stats.packet_count, stats.buckets), (0, vec![(3, 300), (0, 0)]));
        assert_eq!(stats.duration.unwrap().to_string(), "1s");
        t.group_mod(&group_mod(GroupCommand::Modify, 1), 20).unwrap();
        assert_eq!(t.set().groups.get(1).unwrap().stats(0, 10).buckets, [(0, 0)]);
    }
}
