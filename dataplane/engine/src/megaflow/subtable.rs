//! [`Subtable`]: the megaflows of one ingress port that share a mask, found by one hash of the masked
//! words.

use std::cell::Cell;
use std::sync::Arc;

use hashbrown::HashTable;
use weir_flow::flow::KEY_WORDS;
use weir_flow::{Flow, Mask};

use crate::hash::HashKey;
use crate::megaflow::entry::{Masked, Megaflow};

/// See the [module documentation](self).
#[derive(Debug)]
pub(crate) struct Subtable {
    /// Which words of a key to look at, and which of their bits; no bits are zero words.
    words: Box<[(usize, u64)]>,
    pub(crate) mask: Arc<Mask>,
    flows: HashTable<Arc<Megaflow>>,
    /// Look-ups it answered lately, for the order of the subtables.
    pub(crate) hits: Cell<u64>,
}

/// The words of a packet's flow; those beyond the slice are zero.
pub(crate) type Key<'a> = &'a [u64];

#[inline(always)]
fn word(key: Key<'_>, index: usize) -> u64 {
    key.get(index).copied().unwrap_or(0)
}

impl Subtable {
    /// An empty subtable for `mask`, which must have no bits beyond the datapath key.
    pub(crate) fn new(mask: Mask) -> Self {
        let words = mask.0.words().iter().copied().enumerate().take(KEY_WORDS);
        Self {
            words: words.filter(|(_, m)| *m != 0).collect(),
            mask: Arc::new(mask),
            flows: HashTable::new(),
            hits: Cell::new(0),
        }
    }

    #[inline]
    fn hash(&self, secret: &HashKey, key: Key<'_>) -> u64 {
        let step = |hash, &(i, mask): &(usize, u64)| secret.step(hash, word(key, i) & mask);
        self.words.iter().fold(secret.start(), step)
    }

    fn hash_masked(secret: &HashKey, masked: &[u64]) -> u64 {
        masked.iter().fold(secret.start(), |hash, &w| secret.step(hash, w))
    }

    #[inline]
    fn agrees(&self, flow: &Megaflow, key: Key<'_>) -> bool {
        let it = self.words.iter().zip(&flow.masked);
        it.fold(0, |diff, (&(i, mask), &w)| diff | ((word(key, i) & mask) ^ w)) == 0
    }

    /// The megaflow that a packet with this key hits.
    #[inline]
    pub(crate) fn find(&self, secret: &HashKey, key: Key<'_>) -> Option<&Arc<Megaflow>> {
        let hash = self.hash(secret, key);
        let found = self.flows.find(hash, |flow| self.agrees(flow, key));
        if found.is_some() {
            self.hits.set(self.hits.get() + 1);
        }
        found
    }

    /// The words of `key` that a megaflow of this subtable compares.
    pub(crate) fn masked(&self, key: &Flow) -> Masked {
        self.words.iter().map(|&(i, mask)| word(key.words(), i) & mask).collect()
    }

    /// Adds a megaflow that `find` did not find.
    pub(crate) fn insert(&mut self, secret: &HashKey, flow: Arc<Megaflow>) {
        let hash = Self::hash_masked(secret, &flow.masked);
        self.flows.insert_unique(hash, flow, |f| Self::hash_masked(secret, &f.masked));
    }

    /// Takes this very megaflow out; false when it is not here.
    pub(crate) fn remove(&mut self, secret: &HashKey, flow: &Arc<Megaflow>) -> bool {
        let hash = Self::hash_masked(secret, &flow.masked);
        match self.flows.find_entry(hash, |f| Arc::ptr_eq(f, flow)) {
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
        new: Arc<Megaflow>,
    ) -> bool {
        let hash = Self::hash_masked(secret, &old.masked);
        match self.flows.find_mut(hash, |f| Arc::ptr_eq(f, old)) {
            Some(place) => {
                *place = new;
                true
            }
            None => false,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.flows.len()
    }

    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Arc<Megaflow>> {
        self.flows.drain()
    }
}
