//! The exact-match cache (EMC): from the *projected* key of a hot packet straight to its megaflow.
//!
//! All megaflows of an ingress port together look at some set of bits, the port's
//! [`Projection`]. Packets that agree on these bits get the same verdict, so the cache keys on them
//! alone: 100,000 flows under a rule that looks at none of their addresses are one entry. When the
//! set of bits changes its epoch does, and older entries no longer match.
//!
//! Two possible places for each key; a full place is taken over with a chance of 1 in
//! `emc-insert-inv-prob`, so that a set of flows larger than the cache does not thrash it. A cache
//! that is too small for its traffic says so, and gets a larger one from a control thread: memory is
//! never asked for on the packet path.

use std::sync::Arc;

use crate::megaflow::entry::Megaflow;
use crate::megaflow::projection::{HOT_KEY_WORDS, WIDE_KEY_WORDS};

/// Entries of a new cache, OVS's number: half a megabyte.
pub(crate) const MIN_ENTRIES: usize = 1 << 13;
/// Entries of the largest cache: 16 megabytes.
pub(crate) const MAX_ENTRIES: usize = 1 << 18;
/// A cache grows by this factor.
const GROWTH: usize = 4;

/// One key and its megaflow: one cache line for plain keys, two for wide ones.
#[repr(C, align(64))]
#[derive(Clone, Debug)]
struct Entry<const W: usize> {
    key: [u64; W],
    /// 0 for an entry never used.
    epoch: u32,
    flow: Option<Arc<Megaflow>>,
}

const _: () = assert!(size_of::<Entry<HOT_KEY_WORDS>>() == 64);
const _: () = assert!(size_of::<Entry<WIDE_KEY_WORDS>>() == 128);

impl<const W: usize> Entry<W> {
    const EMPTY: Self = Self { key: [0; W], epoch: 0, flow: None };

    #[inline(always)]
    fn is_for(&self, epoch: u32, key: &[u64; W]) -> bool {
        let diff = self.key.iter().zip(key).fold(0, |d, (a, b)| d | (a ^ b));
        diff | u64::from(self.epoch ^ epoch) == 0
    }

    #[inline(always)]
    fn find(&self, epoch: u32, key: &[u64; W]) -> Option<&Arc<Megaflow>> {
        if self.is_for(epoch, key) { self.flow.as_ref().filter(|f| !f.is_dead()) } else { None }
    }

    /// Without a look at the megaflow, which is far away.
    fn is_free(&self, is_live: impl Fn(u32) -> bool) -> bool {
        self.flow.is_none() || !is_live(self.epoch)
    }

    fn is_void(&self, is_void: impl Fn(&Megaflow, u32) -> bool) -> bool {
        self.flow.as_ref().is_some_and(|flow| flow.is_dead() || is_void(flow, self.epoch))
    }
}

/// See the [module documentation](self).
pub(crate) struct Emc<const W: usize> {
    entries: Vec<Entry<W>>,
    mask: u64,
    /// Keys that found both their places full lately.
    crowded: usize,
    /// Where the next sweep begins.
    hand: usize,
}

impl<const W: usize> std::fmt::Debug for Emc<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emc").field("entries", &self.entries.len()).finish()
    }
}

impl<const W: usize> Emc<W> {
    /// An empty cache of this many entries, a power of two.
    pub(crate) fn new(entries: usize) -> Self {
        let n = entries.next_power_of_two().clamp(MIN_ENTRIES, MAX_ENTRIES);
        let mut entries = Vec::with_capacity(n);
        crate::huge_pages::advise(&mut entries);
        entries.resize(n, Entry::EMPTY);
        Self { mask: n as u64 - 1, entries, crowded: 0, hand: 0 }
    }

    /// How many entries would be better, if this many are too few.
    pub(crate) fn wanted(&self) -> Option<usize> {
        let mut n = self.entries.len();
        while self.crowded > n / 2 && n < MAX_ENTRIES {
            n *= GROWTH;
        }
        (n > self.entries.len()).then_some(n.min(MAX_ENTRIES))
    }

    /// Forgets half of what speaks for a larger cache. To be called once a second.
    pub(crate) fn calm(&mut self) {
        self.crowded /= 2;
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
    pub(crate) fn find(&self, hash: u64, epoch: u32, key: &[u64; W]) -> Option<&Arc<Megaflow>> {
        let [first, second] = self.places(hash);
        match self.entries.get(first)?.find(epoch, key) {
            Some(flow) => Some(flow),
            None => self.entries.get(second)?.find(epoch, key),
        }
    }

    /// Remembers a megaflow. A free place is taken always, a full one when `may_evict`. Places are
    /// free, too, whose epoch no projection has any more.
    pub(crate) fn insert(
        &mut self,
        hash: u64,
        epoch: u32,
        key: &[u64; W],
        flow: &Arc<Megaflow>,
        may_evict: bool,
        is_live: impl Fn(u32) -> bool,
    ) {
        let places = self.places(hash);
        let same = places.iter().copied().find(|&i| self.entries[i].is_for(epoch, key));
        let free = places.iter().copied().find(|&i| self.entries[i].is_free(&is_live));
        if same.or(free).is_none() {
            self.crowded += 1;
        }
        let victim = || may_evict.then(|| places[(hash >> 63) as usize]);
        if let Some(place) = same.or(free).or_else(victim) {
            self.entries[place] = Entry { key: *key, epoch, flow: Some(Arc::clone(flow)) };
        }
    }

    /// Forgets everything, and frees the megaflows it kept alive.
    pub(crate) fn clear(&mut self) {
        self.entries.fill(Entry::EMPTY);
    }

    /// Lets go of dead megaflows, and of void knowledge, among the next few entries.
    pub(crate) fn sweep(&mut self, is_void: impl Fn(&Megaflow, u32) -> bool) {
        const FEW: usize = 16;
        let start = self.hand & self.mask as usize;
        self.hand = start + FEW;
        for entry in self.entries.iter_mut().skip(start).take(FEW) {
            if entry.is_void(&is_void) {
                *entry = Entry::EMPTY;
            }
        }
    }
}

/// A cache of whichever kind, on its way to or from a thread.
#[derive(Debug)]
pub(crate) enum AnyEmc {
    Plain(Emc<HOT_KEY_WORDS>),
    Wide(Emc<WIDE_KEY_WORDS>),
}

#[cfg(test)]
mod tests {
    use weir_flow::slowpath::{Credit, Translation};
    use weir_flow::{Flow, Mask};

    use super::*;
    use crate::hash::HashKey;
    use crate::megaflow::mask::InstalledMask;

    #[derive(Debug)]
    struct Nobody;

    impl Credit for Nobody {
        fn credit(&self, _packets: u64, _bytes: u64, _used_ms: u64, _tcp_flags: u16) {}

        fn receivers(&self) -> u64 {
            0
        }
    }

    fn megaflow() -> Arc<Megaflow> {
        let t = Translation {
            mask: Mask::CATCHALL,
            actions: Arc::new([]),
            drop_reason: None,
            slow: weir_flow::action::SlowReasons::default(),
            credit: Arc::new(Nobody),
        };
        let mask = Arc::new(InstalledMask::new(Mask::CATCHALL));
        Arc::new(Megaflow::new(&Flow::ZERO, mask, 0, Arc::clone(&t.actions), &t, 1))
    }

    #[test]
    fn a_hit_is_the_flow_of_this_key_and_epoch_while_it_lives() {
        let secret = HashKey::random();
        let mut emc = Emc::new(MIN_ENTRIES);
        let flows: Vec<_> = (0..20_000).map(|_| megaflow()).collect();
        let key = |i: usize| [i as u64, 1, 2, 3, 4];
        let find = |emc: &Emc<HOT_KEY_WORDS>, epoch, i| {
            emc.find(secret.hot(&key(i), epoch), epoch, &key(i)).cloned()
        };
        for (i, flow) in flows.iter().enumerate() {
            emc.insert(secret.hot(&key(i), 7), 7, &key(i), flow, false, |_| true);
        }
        let mut hits = 0;
        for (i, flow) in flows.iter().enumerate() {
            if let Some(found) = find(&emc, 7, i) {
                assert!(Arc::ptr_eq(&found, flow));
                hits += 1;
            }
            assert!(find(&emc, 8, i).is_none());
        }
        assert!(hits > MIN_ENTRIES / 2 && hits <= MIN_ENTRIES, "{hits}");
        assert_eq!(emc.wanted(), Some(MIN_ENTRIES * 4));
        for (i, flow) in flows.iter().enumerate() {
            emc.insert(secret.hot(&key(i), 8), 8, &key(i), flow, false, |epoch| epoch != 7);
        }
        assert!(find(&emc, 8, 0).is_some() && find(&emc, 7, 0).is_none());
        flows.iter().for_each(|flow| flow.bury());
        assert!((0..20_000).all(|i| find(&emc, 7, i).or_else(|| find(&emc, 8, i)).is_none()));
        (0..MIN_ENTRIES / 16).for_each(|_| emc.sweep(|_, _| false));
        assert!(flows.iter().all(|flow| Arc::strong_count(flow) == 1));
    }
}
