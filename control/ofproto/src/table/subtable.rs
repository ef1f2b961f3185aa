//! A subtable: all flows of a table that have one mask, found by hashing a packet's bits under it.
//!
//! A lookup goes stage by stage (metadata, L2, L3, L4). After each one it knows whether any flow
//! agrees so far; if none does, only the bits of the stages looked at end up in the megaflow.

use std::sync::Arc;

use smallvec::SmallVec;
use weir_flow::Mask;
use weir_flow::flow::{Flow, WORDS};

use super::classifier::TrieContext;
use super::compact::{CompactMask, MaskWord, N_STAGES, PrefixField, add_words, stage_bits};
use super::hash::{BuildIdentity, Hasher};
use super::rule::Rule;
use super::trie::Trie;

/// Flows with one hash of the key, highest priority first.
pub(super) type Bucket = SmallVec<[Arc<Rule>; 1]>;
type Index = imbl::GenericHashMap<u64, Bucket, BuildIdentity, imbl::shared_ptr::DefaultSharedPtr>;
/// So few hashes are gone through to tidy [`Hashes`].
pub(super) const FEW: usize = 32;

type Counts = imbl::GenericHashMap<u64, u32, BuildIdentity, imbl::shared_ptr::DefaultSharedPtr>;

/// The words of one stage, and how many flows there are for each hash up to and including it. The
/// last stage has no counts: the flows themselves are found then.
#[derive(Clone, Debug)]
struct Stage {
    words: Arc<[MaskWord]>,
    /// Which of the prefix fields lie in this stage.
    fields: u16,
    counts: Counts,
    hashes: Hashes,
}

/// What can be said of the hashes of one stage without looking them up.
#[derive(Clone, Copy, Debug, Default)]
struct Hashes {
    /// A bit for each. Those that went may have left theirs.
    bits: u64,
    /// The hash, if there is only one.
    only: Option<u64>,
}

impl Hashes {
    fn bit(hash: u64) -> u64 {
        1 << (hash >> 58)
    }

    fn add(&mut self, hash: u64) {
        self.only = (self.bits == 0 || self.only == Some(hash)).then_some(hash);
        self.bits |= Self::bit(hash);
    }

    /// Starts anew after some went, unless too many are left to go through.
    fn tidy<'h>(&mut self, left: usize, hashes: impl Iterator<Item = &'h u64>) {
        if left <= FEW {
            *self = Self::default();
            hashes.for_each(|h| self.add(*h));
        }
    }

    /// Is it there? `None` if that must be looked up.
    #[inline]
    fn has(&self, hash: u64) -> Option<bool> {
        match self.only {
            Some(only) => Some(only == hash),
            None => (self.bits & Self::bit(hash) == 0).then_some(false),
        }
    }
}

impl Stage {
    #[inline]
    fn has(&self, hash: u64) -> bool {
        self.hashes.has(hash).unwrap_or_else(|| self.counts.contains_key(&hash))
    }

    fn add(&mut self, hash: u64) {
        *self.counts.entry(hash).or_insert(0) += 1;
        self.hashes.add(hash);
    }

    fn remove(&mut self, hash: u64) {
        if let Some(n) = self.counts.get_mut(&hash) {
            *n -= 1;
            if *n == 0 {
                self.counts.remove(&hash);
                self.hashes.tidy(self.counts.len(), self.counts.keys());
            }
        }
    }
}

/// See the [module documentation](self).
#[derive(Clone, Debug)]
pub struct Subtable {
    mask: Arc<CompactMask>,
    stages: SmallVec<[Stage; 2]>,
    /// Prefix length of each of the table's prefix fields; 0 if the mask is no prefix there.
    prefix_lens: SmallVec<[u8; 4]>,
    flows: Index,
    hashes: Hashes,
    n_flows: usize,
    /// How many flows have each priority, to know the highest.
    priorities: imbl::OrdMap<i32, u32>,
    /// The transport ports of all flows, if the last stage has ports.
    ports: Option<PortTrie>,
    /// The stage that has all the prefix fields, if one has, and the words of those before it.
    prelude: Option<(usize, Arc<[MaskWord]>)>,
}

#[derive(Clone, Debug)]
struct PortTrie {
    trie: Trie,
    /// Bits of source and destination port that are matched.
    bits: u32,
    /// Leading bits of the pair that hold all of them.
    n_bits: u8,
    /// What else the last stage has.
    others: Arc<[MaskWord]>,
}

fn ports_of(flow: &Flow) -> u32 {
    u32::from(flow.tp_src.get()) << 16 | u32::from(flow.tp_dst.get())
}

impl Subtable {
    /// An empty subtable for a mask, in a table with these prefix fields.
    #[must_use]
    pub fn new(mask: Arc<CompactMask>, fields: &[PrefixField]) -> Self {
        let full = mask.expand();
        let mut stages: SmallVec<[Stage; 2]> = SmallVec::new();
        let mut last = 0;
        for (n, bits) in stage_bits().iter().enumerate() {
            let words: Arc<[_]> = mask.words().iter().filter_map(|w| within(*w, bits)).collect();
            if !words.is_empty() {
                let fields = fields_in(fields, &words);
                stages.push(Stage {
                    words,
                    fields,
                    counts: Counts::default(),
                    hashes: Hashes::default(),
                });
                last = n;
            }
        }
        let bits = ports_of(&full.0);
        let has_ports = last == N_STAGES - 1 && bits != 0;
        let ports = stages.last().filter(|_| has_ports).map(|stage| {
            let mut others = Mask::CATCHALL;
            add_words(&stage.words, &mut others);
            others.0.tp_src = 0.into();
            others.0.tp_dst = 0.into();
            PortTrie {
                trie: Trie::default(),
                bits,
                n_bits: (32 - bits.trailing_zeros()) as u8,
                others: CompactMask::new(&others).words().into(),
            }
        });
        let prefix_lens: SmallVec<[u8; 4]> = fields.iter().map(|f| f.prefix_len(&full)).collect();
        Self {
            prelude: prelude(&stages, &prefix_lens),
            prefix_lens,
            mask,
            stages,
            flows: Index::default(),
            hashes: Hashes::default(),
            n_flows: 0,
            priorities: imbl::OrdMap::new(),
            ports,
        }
    }

    /// The mask of all its flows.
    #[must_use]
    pub fn mask(&self) -> &Arc<CompactMask> {
        &self.mask
    }

    /// Prefix lengths, in the order of the table's prefix fields.
    #[must_use]
    pub fn prefix_lens(&self) -> &[u8] {
        &self.prefix_lens
    }

    /// What is looked at before any prefix. Without one, prefixes are in several stages or nowhere.
    pub(super) fn prelude(&self) -> Option<&Arc<[MaskWord]>> {
        self.prelude.as_ref().map(|(_, words)| words)
    }

    /// The hash of all flows under [`Subtable::prelude`], if they have the same.
    pub(super) fn prelude_hash(&self) -> Option<u64> {
        match self.prelude.as_ref()?.0 {
            0 => Some(Hasher::new().finish()),
            at => self.stages.get(at - 1)?.hashes.only,
        }
    }

    /// The words of the stage that comes after [`Subtable::prelude`].
    pub(super) fn prefix_stage(&self) -> Option<&[MaskWord]> {
        self.stages.get(self.prelude.as_ref()?.0).map(|stage| &*stage.words)
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

    /// Highest priority of its flows.
    #[must_use]
    pub fn max_priority(&self) -> i32 {
        self.priorities.get_max().map_or(i32::MIN, |(p, _)| *p)
    }

    /// The flow with this key and priority.
    #[must_use]
    pub fn find(&self, key: &[u64], priority: i32) -> Option<&Arc<Rule>> {
        let bucket = self.flows.get(&self.hash_key(key))?;
        bucket.iter().find(|r| r.priority == priority && r.key.as_slice() == key)
    }

    /// All flows, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.flows.values().flatten()
    }

    /// Adds a flow with this subtable's mask. Returns the one it takes the place of.
    pub fn insert(&mut self, rule: Arc<Rule>) -> Option<Arc<Rule>> {
        let flow = self.mask.flow(&rule.key);
        let hash = self.hash_key(&rule.key);
        self.hashes.add(hash);
        let bucket = self.flows.entry(hash).or_default();
        if let Some(old) =
            bucket.iter_mut().find(|r| r.priority == rule.priority && r.key == rule.key)
        {
            return Some(std::mem::replace(old, rule));
        }
        let at = bucket.partition_point(|r| r.priority >= rule.priority);
        *self.priorities.entry(rule.priority).or_insert(0) += 1;
        bucket.insert(at, rule);
        self.n_flows += 1;
        let mut h = Hasher::new();
        if let Some((_, stages)) = self.stages.split_last_mut() {
            for stage in stages {
                hash_words(&mut h, &stage.words, &flow);
                stage.add(h.finish());
            }
        }
        if let Some(ports) = &mut self.ports {
            ports.trie.insert(u128::from(ports_of(&flow)) << 96, ports.n_bits);
        }
        None
    }

    /// Removes the flow with this key and priority.
    pub fn remove(&mut self, key: &[u64], priority: i32) -> Option<Arc<Rule>> {
        let hash = self.hash_key(key);
        let bucket = self.flows.get_mut(&hash)?;
        let at = bucket.iter().position(|r| r.priority == priority && r.key.as_slice() == key)?;
        let rule = bucket.remove(at);
        if bucket.is_empty() {
            self.flows.remove(&hash);
            self.hashes.tidy(self.flows.len(), self.flows.keys());
        }
        self.n_flows -= 1;
        count_down(&mut self.priorities, priority);
        let flow = self.mask.flow(key);
        let mut h = Hasher::new();
        if let Some((_, stages)) = self.stages.split_last_mut() {
            for stage in stages {
                hash_words(&mut h, &stage.words, &flow);
                stage.remove(h.finish());
            }
        }
        if let Some(ports) = &mut self.ports {
            ports.trie.remove(u128::from(ports_of(&flow)) << 96, ports.n_bits);
        }
        Some(rule)
    }

    /// The flows that agree with `flow`, highest priority first; empty if none does. Adds to `wc`
    /// every bit that was needed to know.
    pub(super) fn lookup<'a>(
        &'a self,
        flow: &Flow,
        wc: &mut Mask,
        tries: &mut TrieContext<'_>,
    ) -> Option<(&'a Bucket, usize)> {
        let mut h = Hasher::new();
        let Some((last, before)) = self.stages.split_last() else {
            // The catch-all mask: every packet agrees, nothing is looked at.
            return self.flows.get(&h.finish()).map(|b| (b, 0));
        };
        for (n, stage) in before.iter().enumerate() {
            if tries.rules_out(&self.prefix_lens, stage.fields, flow, wc) {
                self.add_stages(n, wc);
                return None;
            }
            hash_words(&mut h, &stage.words, flow);
            if !stage.has(h.finish()) {
                self.add_stages(n + 1, wc);
                return None;
            }
        }
        if tries.rules_out(&self.prefix_lens, last.fields, flow, wc) {
            self.add_stages(before.len(), wc);
            return None;
        }
        hash_words(&mut h, &last.words, flow);
        let hash = h.finish();
        let bucket = (self.hashes.has(hash) != Some(false)).then(|| self.flows.get(&hash));
        let found = bucket.flatten().and_then(|bucket| {
            let at = bucket.iter().position(|r| self.mask.matches(&r.key, flow))?;
            Some((bucket, at))
        });
        if found.is_none()
            && let Some(ports) = &self.ports
        {
            let value = ports_of(flow) & ports.bits;
            let m = ports.trie.lookup(u128::from(value) << 96, ports.n_bits);
            let looked = ports.bits & !u32::MAX.checked_shr(u32::from(m.n_bits)).unwrap_or(0);
            wc.0.tp_src = (wc.0.tp_src.get() | (looked >> 16) as u16).into();
            wc.0.tp_dst = (wc.0.tp_dst.get() | looked as u16).into();
            add_words(&ports.others, wc);
            self.add_stages(before.len(), wc);
            return None;
        }
        self.mask.add_to(wc);
        found
    }

    fn add_stages(&self, n: usize, wc: &mut Mask) {
        for stage in self.stages.iter().take(n) {
            add_words(&stage.words, wc);
        }
    }

    /// The hash that [`Subtable::lookup`] computes for a packet with this key.
    fn hash_key(&self, key: &[u64]) -> u64 {
        let flow = self.mask.flow(key);
        let mut h = Hasher::new();
        for stage in &self.stages {
            hash_words(&mut h, &stage.words, &flow);
        }
        h.finish()
    }
}

#[inline]
fn hash_words(h: &mut Hasher, words: &[MaskWord], flow: &Flow) {
    let values = flow.words();
    for w in words {
        h.add(values[usize::from(w.at)] & w.bits);
    }
}

fn within(word: MaskWord, bits: &[u64; WORDS]) -> Option<MaskWord> {
    let bits = word.bits & bits[usize::from(word.at)];
    (bits != 0).then_some(MaskWord { bits, ..word })
}

fn fields_in(fields: &[PrefixField], words: &[MaskWord]) -> u16 {
    let mut bits = Mask::CATCHALL;
    add_words(words, &mut bits);
    fields.iter().enumerate().filter(|(_, f)| f.value(&bits.0) != 0).map(|(n, _)| 1 << n).sum()
}

fn prelude(stages: &[Stage], prefix_lens: &[u8]) -> Option<(usize, Arc<[MaskWord]>)> {
    let wanted: u16 = prefix_lens.iter().enumerate().map(|(n, l)| u16::from(*l > 0) << n).sum();
    let at = stages.iter().position(|s| s.fields & wanted != 0)?;
    let all = stages.get(at).is_some_and(|s| s.fields & wanted == wanted);
    let words = stages.iter().take(at).flat_map(|s| s.words.iter().copied());
    all.then(|| (at, words.collect()))
}

fn count_down(map: &mut imbl::OrdMap<i32, u32>, priority: i32) {
    if let Some(n) = map.get_mut(&priority) {
        *n -= 1;
        if *n == 0 {
            map.remove(&priority);
        }
    }
}
