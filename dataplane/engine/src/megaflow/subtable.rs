//! [`Subtable`]: megaflows of one ingress port, found by one hash of some words of the key.
//!
//! The words are those of the subtable's *index* mask, which every member's own mask covers: members
//! may look at more, each at other bits ("tuple merging"). The few that share the indexed bits are
//! compared one by one. No two megaflows match one packet, so the first that agrees is the one.

use std::cell::Cell;
use std::sync::Arc;

use hashbrown::HashTable;
use weir_flow::{Flow, Mask};

use crate::hash::HashKey;
use crate::megaflow::entry::Megaflow;
use crate::megaflow::mask::{InstalledMask, Key, WordPair};

/// A megaflow, and what of it can be compared without going there: the two words that tell it from most
/// of those with the same indexed bits.
#[derive(Debug)]
struct Member {
    /// Of the indexed bits. What has another one is no match, and a table that grows does not go to its
    /// megaflows.
    hash: u64,
    flow: Arc<Megaflow>,
    differs: WordPair,
    value: u64,
}

impl Member {
    fn new(index: &Mask, hash: u64, flow: Arc<Megaflow>) -> Self {
        let differs = flow.mask.beyond(index);
        let value = differs.of(flow.key_words());
        Self { hash, flow, differs, value }
    }

    #[inline]
    fn agrees(&self, hash: u64, key: Key<'_>) -> bool {
        self.hash == hash && self.differs.of(key) == self.value && self.flow.agrees(key)
    }
}

/// See the [module documentation](self).
#[derive(Debug)]
pub(crate) struct Subtable {
    /// What its members know it by.
    pub(crate) id: u32,
    index: InstalledMask,
    flows: HashTable<Member>,
    /// Look-ups it answered lately, for the order of the subtables.
    pub(crate) hits: Cell<u64>,
}

impl Subtable {
    /// An empty subtable.
    pub(crate) fn new(id: u32, index: Mask) -> Self {
        Self { id, index: InstalledMask::new(index), flows: HashTable::new(), hits: Cell::new(0) }
    }

    /// The bits that are hashed.
    pub(crate) fn index(&self) -> &Mask {
        &self.index.mask
    }

    #[inline]
    fn hash(&self, secret: &HashKey, key: Key<'_>) -> u64 {
        secret.words(self.index.of(key))
    }

    /// Of a member's key.
    fn hash_of(index: &InstalledMask, secret: &HashKey, flow: &Megaflow) -> u64 {
        secret.words(index.of(flow.key_words()))
    }

    /// The megaflow that a packet with this key hits.
    #[inline]
    pub(crate) fn find(&self, secret: &HashKey, key: Key<'_>) -> Option<&Arc<Megaflow>> {
        let hash = self.hash(secret, key);
        let found = self.flows.find(hash, |member| member.agrees(hash, key))?;
        self.hits.set(self.hits.get() + 1);
        Some(&found.flow)
    }

    /// How many members have this key's indexed bits (or those of another one with the same hash).
    pub(crate) fn crowd(&self, secret: &HashKey, key: &Flow) -> usize {
        let hash = self.hash(secret, key.words());
        let same = |m: &&Member| m.hash == hash;
        self.flows.iter_hash(hash).filter(same).count()
    }

    /// Adds a megaflow that `find` did not find, whose mask covers the index.
    pub(crate) fn insert(&mut self, secret: &HashKey, flow: Arc<Megaflow>) {
        let Self { index, flows, .. } = self;
        let hash = Self::hash_of(index, secret, &flow);
        let member = Member::new(&index.mask, hash, flow);
        flows.insert_unique(hash, member, |m| m.hash);
    }

    /// Takes this very megaflow out; false when it is not here.
    pub(crate) fn remove(&mut self, secret: &HashKey, flow: &Arc<Megaflow>) -> bool {
        let hash = Self::hash_of(&self.index, secret, flow);
        match self.flows.find_entry(hash, |m| Arc::ptr_eq(&m.flow, flow)) {
            Ok(entry) => {
                entry.remove();
                true
            }
            Err(_) => false,
        }
    }

    /// Puts `new`, which has the same match, in the place of `old`; false when that is not here.
    pub(crate) fn replace(
        &mut self,
        secret: &HashKey,
        old: &Arc<Megaflow>,
        new: &Arc<Megaflow>,
    ) -> bool {
        let hash = Self::hash_of(&self.index, secret, old);
        match self.flows.find_mut(hash, |m| Arc::ptr_eq(&m.flow, old)) {
            Some(member) => {
                member.flow = Arc::clone(new);
                true
            }
            None => false,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.flows.len()
    }

    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Arc<Megaflow>> {
        self.flows.drain().map(|member| member.flow)
    }
}
