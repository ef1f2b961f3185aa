//! The exact-match cache (EMC): from the *projected* key of a hot packet straight to its megaflow.
//!
//! All megaflows of an ingress port together look at some set of bits, the port's
//! [`Projection`]. Packets that agree on these bits get the same verdict, so the cache keys on them
//! alone: 100,000 flows under a rule that looks at none of their addresses are one entry. When the
//! set of bits changes its epoch does, and older entries no longer match.
//!
//! Two possible places for each key; a full place is taken over with a chance of 1 in
//! `emc-insert-inv-prob`, so that a set of flows larger than the cache does not thrash it.

use std::sync::Arc;

use crate::hash::HashKey;
use crate::megaflow::entry::Megaflow;
use crate::megaflow::table::{HOT_KEY_WORDS, Projection};

/// Entries of the cache, OVS's number.
pub(crate) const EMC_ENTRIES: usize = 1 << 13;

/// One key and its megaflow, one cache line.
#[repr(C, align(64))]
#[derive(Clone, Debug)]
struct Entry {
    key: [u64; HOT_KEY_WORDS],
    /// 0 for an entry never used.
    epoch: u32,
    flow: Option<Arc<Megaflow>>,
}

const _: () = assert!(size_of::<Entry>() == 64);

impl Entry {
    const EMPTY: Self = Self { key: [0; HOT_KEY_WORDS], epoch: 0, flow: None };

    #[inline(always)]
    fn is_for(&self, epoch: u32, key: &[u64; HOT_KEY_WORDS]) -> bool {
        let diff = self.key.iter().zip(key).fold(0, |d, (a, b)| d | (a ^ b));
        diff | u64::from(self.epoch ^ epoch) == 0
    }

    #[inline(always)]
    fn find(&self, epoch: u32, key: &[u64; HOT_KEY_WORDS]) -> Option<&Arc<Megaflow>> {
        if self.is_for(epoch, key) { self.flow.as_ref().filter(|f| !f.is_dead()) } else { None }
    }

    fn is_free(&self) -> bool {
        self.flow.as_ref().is_none_or(|flow| flow.is_dead())
    }
}

/// See the [module documentation](self).
pub(crate) struct Emc {
    entries: Box<[Entry]>,
    mask: u64,
}

impl std::fmt::Debug for Emc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emc").field("entries", &self.entries.len()).finish()
    }
}

impl Emc {
    /// An empty cache of [`EMC_ENTRIES`].
    pub(crate) fn new() -> Self {
        let entries = vec![Entry::EMPTY; EMC_ENTRIES].into_boxed_slice();
        Self { mask: EMC_ENTRIES as u64 - 1, entries }
    }

    #[inline(always)]
    fn places(&self, hash: u64) -> [usize; 2] {
        [(hash & self.mask) as usize, ((hash >> 32) & self.mask) as usize]
    }

    /// Asks the CPU for the place where a key with this hash most likely is.
    #[inline(always)]
    pub(crate) fn prefetch(&self, hash: u64) {
        if let Some(entry) = self.entries.get(self.places(hash)[0]) {
            crate::prefetch::read(entry);
        }
    }

    /// The megaflow of packets with this projected key.
    #[inline(always)]
    pub(crate) fn find(
        &self,
        hash: u64,
        epoch: u32,
        key: &[u64; HOT_KEY_WORDS],
    ) -> Option<&Arc<Megaflow>> {
        let [first, second] = self.places(hash);
        match self.entries.get(first)?.find(epoch, key) {
            Some(flow) => Some(flow),
            None => self.entries.get(second)?.find(epoch, key),
        }
    }

    /// Remembers a megaflow. A free place is taken always, a full one when `may_evict`.
    pub(crate) fn insert(
        &mut self,
        hash: u64,
        projection: &Projection,
        key: &[u64; HOT_KEY_WORDS],
        flow: &Arc<Megaflow>,
        may_evict: bool,
    ) {
        let epoch = projection.epoch;
        let places = self.places(hash);
        let same = places.iter().copied().find(|&i| self.entries[i].is_for(epoch, key));
        let free = places.iter().copied().find(|&i| self.entries[i].is_free());
        let victim = || may_evict.then(|| places[(hash >> 63) as usize]);
        if let Some(place) = same.or(free).or_else(victim) {
            self.entries[place] = Entry { key: *key, epoch, flow: Some(Arc::clone(flow)) };
        }
    }

    /// Forgets everything, and frees the megaflows it kept alive.
    pub(crate) fn clear(&mut self) {
        self.entries.fill(Entry::EMPTY);
    }

    /// Lets go of dead megaflows among a part of the entries; `turn` counts the calls.
    pub(crate) fn sweep(&mut self, turn: usize) {
        const PART: usize = 1024;
        let parts = self.entries.len().div_ceil(PART).max(1);
        let start = turn % parts * PART;
        for entry in self.entries.iter_mut().skip(start).take(PART) {
            if entry.flow.is_some() && entry.is_free() {
                *entry = Entry::EMPTY;
            }
        }
    }

    /// The hash of a projected key.
    #[inline(always)]
    pub(crate) fn hash(secret: &HashKey, epoch: u32, key: &[u64; HOT_KEY_WORDS]) -> u64 {
        secret.hot(key, epoch)
    }
}
