//! [`Classifier`]: the flows of one table, searched by tuple space: one [`Subtable`] for each mask,
//! highest priority first.
//!
//! It is a persistent value: a clone shares everything and costs a few reference counts, so a table
//! version is a clone, and readers keep theirs for as long as they like.
//!
//! Soundness (a security boundary): a lookup adds to `wc` every bit of the packet its result
//! depends on. The property test below checks it against a linear scan.

use std::sync::{Arc, OnceLock};

use smallvec::SmallVec;
use weir_flow::{Flow, Mask};

use super::compact::{CompactMask, PrefixField};
use super::conjunction::{self, SoftMatch};
use super::place::{Place, Rough};
use super::rule::Rule;
use super::skip::{Skip, SkipIndex};
use super::subtable::{FEW, Subtable};
use super::trie::{Trie, TrieMatch};

/// Most fields of a table that can have a trie.
pub const MAX_TRIES: usize = 4;

#[derive(Clone, Debug)]
struct FieldTrie {
    field: PrefixField,
    trie: Trie,
}

/// See the [module documentation](self).
#[derive(Clone, Debug, Default)]
pub struct Classifier {
    subtables: Arc<Subtables>,
    tries: SmallVec<[FieldTrie; MAX_TRIES]>,
    n_flows: usize,
}

#[derive(Clone, Debug, Default)]
struct Subtables {
    /// By the highest priority of each, descending.
    list: Vec<Place>,
    /// Void when the members of the list or their order change; see [`Classifier::prepare`].
    skips: OnceLock<Arc<SkipIndex>>,
}

impl Subtables {
    /// The list, to be changed in its order or members.
    fn rearranged(&mut self) -> &mut Vec<Place> {
        self.skips.take();
        &mut self.list
    }
}

/// The trie results of one lookup, computed when first needed.
pub(super) struct TrieContext<'a> {
    tries: &'a [FieldTrie],
    results: [Option<TrieMatch>; MAX_TRIES],
}

impl TrieContext<'_> {
    /// Does `wc` have the bits that show what is known of the table's `n`th prefix field?
    pub(super) fn is_shown(&self, n: usize, wc: &Mask) -> bool {
        match (self.known(n), self.tries.get(n)) {
            (Some(result), Some(t)) => t.field.has_prefix(wc, result.n_bits),
            _ => false,
        }
    }

    /// What is known of the table's `n`th prefix field, if it was asked already.
    pub(super) fn known(&self, n: usize) -> Option<TrieMatch> {
        self.results.get(n).copied().flatten()
    }

    /// Do the tries show that no flow of a subtable with these prefix lengths agrees with the
    /// packet? `fields` are those of the stage at hand. Adds the bits that show it to `wc`.
    pub(super) fn rules_out(
        &mut self,
        prefix_lens: &[u8],
        fields: u16,
        flow: &Flow,
        wc: &mut Mask,
    ) -> bool {
        if fields == 0 {
            return false;
        }
        let asked = |n: usize, len: u8, t: &FieldTrie| {
            len > 0 && fields >> n & 1 != 0 && t.field.is_in(flow)
        };
        // What is known already costs nothing.
        for (n, ((t, result), len)) in
            self.tries.iter().zip(&self.results).zip(prefix_lens).enumerate()
        {
            if let Some(m) = result
                && asked(n, *len, t)
                && !m.has(*len)
                && t.field.has_prefix(wc, m.n_bits)
            {
                return true;
            }
        }
        let each = self.tries.iter().zip(&mut self.results).zip(prefix_lens).enumerate();
        for (n, ((t, result), len)) in each {
            if !asked(n, *len, t) {
                continue;
            }
            let m =
                result.get_or_insert_with(|| t.trie.lookup(t.field.value(flow), t.field.width()));
            // Only where it does not cost more bits than looking into the subtable would.
            if !m.has(*len) && (m.n_bits <= *len || t.field.has_prefix(wc, m.n_bits)) {
                t.field.add_prefix(wc, m.n_bits);
                return true;
            }
        }
        false
    }
}

impl Classifier {
    /// An empty table with tries over the named fields (at most [`MAX_TRIES`], others are ignored).
    #[must_use]
    pub fn new(prefix_fields: &[PrefixField]) -> Self {
        let mut c = Self::default();
        c.set_prefix_fields(prefix_fields);
        c
    }

    /// Changes the fields with tries. Costs a rebuild of the table if they differ.
    pub fn set_prefix_fields(&mut self, fields: &[PrefixField]) {
        let fields = &fields[..fields.len().min(MAX_TRIES)];
        if self.tries.iter().map(|t| t.field).eq(fields.iter().copied()) {
            return;
        }
        let old = std::mem::take(self);
        let empty = |f: &PrefixField| FieldTrie { field: *f, trie: Trie::default() };
        self.tries = fields.iter().map(empty).collect();
        for rule in old.iter() {
            self.insert(rule.clone());
        }
    }

    /// Number of flows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.n_flows
    }

    /// Has it no flow?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.n_flows == 0
    }

    /// The subtables, highest priority first.
    pub fn subtables(&self) -> impl ExactSizeIterator<Item = &Arc<Subtable>> {
        self.subtables.list.iter().map(|p| &p.subtable)
    }

    /// All flows.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.subtables().flat_map(|s| s.iter())
    }

    /// The flow with exactly this match and priority.
    #[must_use]
    pub fn find(&self, mask: &CompactMask, flow: &Flow, priority: i32) -> Option<&Arc<Rule>> {
        let place = self.subtables.list.get(self.position(mask)?)?;
        place.subtable.find(&mask.key(flow), priority)
    }

    /// Flows whose match is within the given one: each packet they match agrees with it.
    pub fn find_loose(&self, mask: &Mask, flow: &Flow) -> Vec<Arc<Rule>> {
        let mask = CompactMask::new(mask);
        let mut found = Vec::new();
        for s in self.subtables() {
            if !s.mask().expand().covers(&mask.expand()) {
                continue;
            }
            found.extend(s.iter().filter(|r| s.mask().within(&r.key, &mask, flow)).cloned());
        }
        found
    }

    /// Is there a flow of this priority, not hidden, that some packet of the given match also
    /// agrees with?
    #[must_use]
    pub fn overlaps(&self, mask: &CompactMask, flow: &Flow, priority: i32) -> bool {
        let above = self.subtables.list.iter().take_while(|p| p.max_priority >= priority);
        above.map(|p| &p.subtable).any(|s| {
            s.iter().any(|r| r.priority == priority && s.mask().overlaps(&r.key, mask, flow))
        })
    }

    /// The mask that flows with an equal one share, if there are any.
    #[must_use]
    pub fn shared_mask(&self, mask: &CompactMask) -> Option<&Arc<CompactMask>> {
        self.subtables.list.get(self.position(mask)?).map(|p| p.subtable.mask())
    }

    /// Adds a flow, and returns the one with the same match and priority that it replaces.
    pub fn insert(&mut self, mut rule: Arc<Rule>) -> Option<Arc<Rule>> {
        let known = self.position(&rule.mask);
        let subtables = Arc::make_mut(&mut self.subtables);
        let at = known.unwrap_or_else(|| {
            let fields: SmallVec<[PrefixField; MAX_TRIES]> =
                self.tries.iter().map(|t| t.field).collect();
            let list = subtables.rearranged();
            list.push(Place::new(Subtable::new(rule.mask.clone(), &fields)));
            list.len() - 1
        });
        let Place { max_priority, rough, subtable } = subtables.list.get_mut(at)?;
        let subtable = Arc::make_mut(subtable);
        if !Arc::ptr_eq(&rule.mask, subtable.mask()) {
            // All flows of a subtable share one mask.
            Arc::make_mut(&mut rule).mask = subtable.mask().clone();
        }
        let priority = rule.priority;
        let flow = subtable.mask().flow(&rule.key);
        let replaced = subtable.insert(rule);
        if replaced.is_none() {
            rough.add(subtable, &flow);
            self.n_flows += 1;
            for (t, len) in self.tries.iter_mut().zip(subtable.prefix_lens()) {
                if *len > 0 {
                    t.trie.insert(t.field.value(&flow), *len);
                }
            }
        }
        if priority > *max_priority {
            *max_priority = priority;
            subtables.rearranged().sort_by_key(|p| std::cmp::Reverse(p.max_priority));
        }
        replaced
    }

    /// Removes the flow with this flow's match and priority.
    pub fn remove(&mut self, rule: &Rule) -> Option<Arc<Rule>> {
        let at = self.position(&rule.mask)?;
        let subtables = Arc::make_mut(&mut self.subtables);
        let Place { max_priority, rough, subtable } = subtables.list.get_mut(at)?;
        let subtable = Arc::make_mut(subtable);
        let removed = subtable.remove(&rule.key, rule.priority)?;
        self.n_flows -= 1;
        let flow = subtable.mask().flow(&rule.key);
        for (t, len) in self.tries.iter_mut().zip(subtable.prefix_lens()) {
            if *len > 0 {
                t.trie.remove(t.field.value(&flow), *len);
            }
        }
        if subtable.is_empty() {
            subtables.rearranged().remove(at);
            return Some(removed);
        }
        if subtable.len() <= FEW {
            *rough = Rough::of(subtable);
        }
        if subtable.max_priority() < *max_priority {
            *max_priority = subtable.max_priority();
            subtables.rearranged().sort_by_key(|p| std::cmp::Reverse(p.max_priority));
        }
        Some(removed)
    }

    fn position(&self, mask: &CompactMask) -> Option<usize> {
        let hash = mask.hash();
        self.subtables().position(|s| s.mask().hash() == hash && **s.mask() == *mask)
    }

    /// The flow of highest priority that matches the packet. Adds to `wc` every bit the answer
    /// depends on.
    #[must_use]
    pub fn lookup(&self, flow: &Flow, wc: &mut Mask) -> Option<&Arc<Rule>> {
        let (hard, mut soft) = self.search(flow, wc, true);
        if soft.is_empty() {
            return hard;
        }
        // Conjunctive matches: try the highest priority first, then what is below it.
        let mut hard = hard;
        loop {
            let floor = hard.map_or(i32::MIN, |r| r.priority);
            soft.retain(|s| s.priority() > floor);
            let Some(top) = soft.iter().map(SoftMatch::priority).max() else { return hard };
            if let Some(id) = conjunction::complete(&soft, top) {
                let mut with_id = *flow;
                with_id.conj_id = id.into();
                if let (Some(rule), _) = self.search(&with_id, wc, false) {
                    return Some(rule);
                }
            }
            let mut below = SmallVec::<[SoftMatch<'_>; 8]>::new();
            for mut s in soft.drain(..) {
                if s.priority() == top && !s.descend(flow) {
                    continue;
                }
                let rule = s.rule();
                if !rule.actions.conjunctions.is_empty() {
                    below.push(s);
                } else if hard.is_none_or(|h| rule.priority > h.priority) {
                    hard = Some(rule);
                }
            }
            soft = below;
        }
    }

    fn search<'a>(
        &'a self,
        flow: &Flow,
        wc: &mut Mask,
        conjunctive: bool,
    ) -> (Option<&'a Arc<Rule>>, SmallVec<[SoftMatch<'a>; 8]>) {
        self.walk(flow, wc, conjunctive, Skip::new(self.skips()))
    }

    fn skips(&self) -> &SkipIndex {
        let Subtables { list, skips } = &*self.subtables;
        skips.get_or_init(|| Arc::new(SkipIndex::new(self.tries.len(), list)))
    }

    /// Makes what lookups need besides the flows, so that no packet has to wait for it. To be called
    /// before the table is published.
    pub fn prepare(&self) {
        self.skips();
    }

    /// One walk over the subtables: the best plain flow, and the conjunctive ones above it.
    fn walk<'a>(
        &'a self,
        flow: &Flow,
        wc: &mut Mask,
        conjunctive: bool,
        mut skip: Skip<'_>,
    ) -> (Option<&'a Arc<Rule>>, SmallVec<[SoftMatch<'a>; 8]>) {
        let list = &self.subtables.list;
        let mut tries = TrieContext { tries: &self.tries, results: [None; MAX_TRIES] };
        let mut hard: Option<&Arc<Rule>> = None;
        let mut soft = SmallVec::new();
        let mut next = 0;
        while let Some(place) = list.get(next) {
            let floor = hard.map_or(i32::MIN, |r| r.priority);
            if place.max_priority <= floor {
                break;
            }
            if skip.is_absent(next, place, &tries, flow, wc) {
                next = skip.next(next + 1);
                continue;
            }
            if let Some((bucket, at)) = place.subtable.lookup(flow, wc, &mut tries)
                && let Some(rule) = bucket.get(at).filter(|r| r.priority > floor)
            {
                if rule.actions.conjunctions.is_empty() {
                    hard = Some(rule);
                } else if conjunctive {
                    soft.push(SoftMatch::new(rule, &bucket[at..]));
                }
            }
            skip.update(&tries, flow, wc);
            next = skip.next(next + 1);
        }
        (hard, soft)
    }
}

#[cfg(test)]
mod tests;
