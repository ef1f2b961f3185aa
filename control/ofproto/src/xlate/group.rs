//! The `group` action. Each bucket is executed on a copy of the packet.

use std::collections::HashSet;
use std::sync::Arc;

use weir_flow::action::HashAlgorithm;
use weir_openflow::OfPort;
use weir_openflow::actions::action::HashFields;
use weir_openflow::matching::field_access;
use weir_openflow::messages::group::{self, GroupProps, GroupType, group_id};

use super::actions::Next;
use super::credit::CreditEntry;
use super::ctx::Ctx;
use super::select::{hash_fields, mix};
use super::trace::NodeKind;
use super::{action_set, fields};
use crate::groups::{Group, Selection};

/// Longest chain of groups that watch one another.
const MAX_WATCHES: u32 = 128;

/// What a select group picked.
enum Pick {
    /// The bucket at this place.
    Bucket(usize),
    Nothing,
    /// The packet is recirculated first, for the datapath's hash or for what a popped label hid.
    Later,
}

impl Ctx<'_> {
    /// Executes a group on the packet, which is the same afterwards.
    pub(super) fn group(&mut self, id: u32, last: bool) -> Next {
        if !self.may_resubmit() {
            return Next::On;
        }
        // A lookup like any other: chains that fork end.
        self.resubmits += 1;
        let Some(group) = self.tables.groups.get(id).cloned() else {
            self.note(NodeKind::Warning, || format!("output to nonexistent group {id}"));
            return Next::Stop;
        };
        match group.kind {
            GroupType::All | GroupType::Indirect => self.all(&group, last),
            GroupType::FastFailover => {
                let mut buckets = group.buckets.iter();
                let live = buckets.position(|b| self.is_live_or_report(&b.config));
                self.report_choice(&group, live);
                self.chosen(&group, live, last);
            }
            GroupType::Select => {
                let pick = self.pick(&group);
                let bucket = match pick {
                    Pick::Bucket(at) => Some(at),
                    Pick::Nothing | Pick::Later => None,
                };
                self.report_choice(&group, bucket);
                if matches!(pick, Pick::Later) {
                    return Next::Again;
                }
                self.chosen(&group, bucket, last);
            }
            GroupType::Unknown(_) => {}
        }
        Next::On
    }

    fn all(&mut self, group: &Group, last: bool) {
        for i in 0..group.buckets.len() {
            self.bucket(group, i, last && i + 1 == group.buckets.len());
        }
        self.credit_group(group);
    }

    fn chosen(&mut self, group: &Group, at: Option<usize>, last: bool) {
        if let Some(at) = at {
            self.bucket(group, at, last);
            self.credit_group(group);
        }
    }

    fn credit_group(&mut self, group: &Group) {
        self.credits.push(CreditEntry::Group { counters: group.counters.clone() });
    }

    fn report_choice(&mut self, group: &Group, at: Option<usize>) {
        let bucket = at.and_then(|at| group.buckets.get(at));
        self.note(NodeKind::Detail, || match bucket {
            Some(b) => format!("using bucket {}", b.config.bucket_id),
            None => "no live bucket".to_owned(),
        });
    }

    /// Executes a bucket on a copy of the packet.
    fn bucket(&mut self, group: &Group, at: usize, last: bool) {
        let Some(bucket) = group.buckets.get(at) else { return };
        self.credits.push(CreditEntry::Group { counters: bucket.counters.clone() });
        let number = bucket.config.bucket_id;
        self.enter(NodeKind::Bucket, |_| format!("bucket {number}"));
        let (flow, was_mpls) = (self.flow, self.was_mpls);
        let in_bucket = std::mem::replace(&mut self.in_bucket, true);
        self.depth += 1;
        self.run(&action_set::ordered(&bucket.config.actions), last);
        self.depth -= 1;
        if self.error.is_none() && self.freezing.is_some() {
            // Only the copy is recirculated.
            let stack = (self.stack.clone(), self.stack_bytes);
            let action_set = self.action_set.clone();
            self.finish_freezing();
            (self.stack, self.stack_bytes) = stack;
            self.action_set = action_set;
        }
        self.in_bucket = in_bucket;
        (self.flow, self.was_mpls) = (flow, was_mpls);
        self.exit = false;
        self.leave();
    }

    /// Is the bucket live? It is said if not.
    fn is_live_or_report(&mut self, b: &group::Bucket) -> bool {
        let live = self.is_live(b, 0, &mut HashSet::new());
        if !live {
            self.report_dead(b);
        }
        live
    }

    /// Does what the bucket watches live? A group lives while one of its buckets does; one that was
    /// looked at already (it is in `seen`) adds nothing new.
    fn is_live(&mut self, b: &group::Bucket, depth: u32, seen: &mut HashSet<u32>) -> bool {
        if depth >= MAX_WATCHES {
            self.note(NodeKind::Error, || format!("bucket chaining exceeded {MAX_WATCHES} links"));
            return false;
        }
        let watches_port = b.watch_port != OfPort::NONE;
        let watches_group = b.watch_group != group_id::ANY;
        if !watches_port && !watches_group {
            return true;
        }
        if watches_port && self.bridge.ports.get(&b.watch_port).is_some_and(|p| p.up) {
            return true;
        }
        if !watches_group || !seen.insert(b.watch_group) {
            return false;
        }
        let group = self.tables.groups.get(b.watch_group).map(Arc::clone);
        let Some(group) = group else { return false };
        group.buckets.iter().any(|b| {
            let live = self.is_live(&b.config, depth + 1, seen);
            if !live {
                self.report_dead(&b.config);
            }
            live
        })
    }

    fn report_dead(&mut self, b: &group::Bucket) {
        self.note(NodeKind::Detail, || {
            let mut why = Vec::new();
            if b.watch_port != OfPort::NONE {
                why.push(format!("port {}", b.watch_port));
            }
            if b.watch_group != group_id::ANY {
                // As it always was: a group is called a port.
                why.push(format!("port {}", b.watch_group));
            }
            format!("bucket {}: not live due to {}", b.bucket_id, why.join(" and "))
        });
    }

    fn pick(&mut self, group: &Group) -> Pick {
        if self.was_mpls {
            self.freeze();
            return Pick::Later;
        }
        let at = match &group.selection {
            Selection::DpHash { algorithm, basis, slots } => {
                return self.pick_by_datapath(group, *algorithm, *basis, slots);
            }
            Selection::SymmetricL4 => {
                let hash = hash_fields(HashFields::SymmetricL4, &self.flow, &mut self.wc, 0);
                self.best_live(group, u64::from(hash))
            }
            Selection::Fields => {
                let hash = self.hash_of_fields(&group.props);
                self.best_live(group, hash)
            }
        };
        at.map_or(Pick::Nothing, Pick::Bucket)
    }

    /// By the datapath's hash of the packet, once the datapath has computed it. Whether it has is part
    /// of what a recirculation identifier stands for, so it is known without a look at the hash.
    fn pick_by_datapath(
        &mut self,
        group: &Group,
        algorithm: HashAlgorithm,
        basis: u32,
        slots: &[u16],
    ) -> Pick {
        if !self.hashed {
            self.freeze();
            self.hash_wanted = Some((algorithm, basis));
            return Pick::Later;
        }
        let hash = self.flow.dp_hash.get();
        let mask = u32::try_from(slots.len().saturating_sub(1)).unwrap_or(0);
        self.wc.0.dp_hash = (self.wc.0.dp_hash.get() | mask).into();
        // Neighbours of a dead bucket's slots belong to all others in proportion.
        for i in 0..=mask {
            let slot = usize::try_from(hash.wrapping_add(i) & mask).unwrap_or(0);
            let at = usize::from(slots.get(slot).copied().unwrap_or(0));
            let Some(bucket) = group.buckets.get(at) else { continue };
            if self.is_live(&bucket.config, 0, &mut HashSet::new()) {
                return Pick::Bucket(at);
            }
        }
        Pick::Nothing
    }

    /// The live bucket with the highest score for a hash: when one dies or is added, only packets
    /// that were or will be its own move.
    fn best_live(&mut self, group: &Group, hash: u64) -> Option<usize> {
        let mut best = None;
        for (i, bucket) in group.buckets.iter().enumerate() {
            let b = &bucket.config;
            if b.weight == 0 {
                self.report_dead(b);
                continue;
            }
            if !self.is_live_or_report(b) {
                continue;
            }
            let random = mix(hash.rotate_left(32) ^ u64::from(b.bucket_id)) & 0xffff;
            let score = random * u64::from(b.weight);
            self.note(NodeKind::Detail, || format!("bucket {}: score {score}", b.bucket_id));
            if best.is_none_or(|(most, _)| score >= most) {
                best = Some((score, i));
            }
        }
        best.map(|(_, at)| at)
    }

    /// A hash of the fields that a group names, those that the packet has.
    fn hash_of_fields(&mut self, props: &GroupProps) -> u64 {
        let mut hash = mix(props.selection_method_param);
        for (id, mask) in &props.fields {
            let field = id.field();
            if !fields::prerequisites(field, &self.flow, &mut self.wc) {
                continue;
            }
            let mask = mask.as_u128();
            fields::examine(field, &mut self.wc, mask);
            let value = field_access::get(field, &self.flow) & mask;
            for word in [value as u64, (value >> 64) as u64] {
                hash = mix(hash.rotate_left(17) ^ word);
            }
        }
        hash
    }
}
