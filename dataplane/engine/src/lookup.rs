//! From packets to megaflows, in tiers:
//!
//! 1. *run*: a packet whose projected key equals its predecessor's shares the verdict (and is not even
//!    parsed where runs are long, see `template`);
//! 2. *EMC* (`cache::emc`): projected key to megaflow, one hash, mostly one cache line (plain IPv6,
//!    whose keys are longer, has one of its own);
//! 3. *megaflow table* (`megaflow::table`): one probe per subtable of the ingress port, of which masks
//!    share few;
//! 4. the slow path, which installs what it decides.

use std::sync::Arc;

use weir_dpdk::{Batch, MbufRef};
use weir_flow::Flow;
use weir_flow::flow::{HOT_WORDS, WIDE_WORDS};
use weir_flow::packet::{Shape, parse_hot_segmented, parse_wide};
use weir_flow::slowpath::Translation;

use crate::cache::emc::{AnyEmc, Emc, MIN_ENTRIES};
use crate::hash::HashKey;
use crate::megaflow::entry::Megaflow;
use crate::megaflow::governor::Governor;
use crate::megaflow::projection::{HOT_KEY_WORDS, Projection, WIDE_KEY_WORDS};
use crate::megaflow::table::{Found, MegaflowTable};
use crate::template::{Template, WireMask};

/// Most packets of a burst.
pub(crate) const BURST: usize = weir_dpdk::MAX_BURST;

/// Most megaflows of [`Lookup::fresh`].
const MAX_FRESH: usize = 2 * BURST;

/// What a packet's key is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shaped {
    /// Plain IPv4.
    Plain,
    /// Plain IPv6.
    Wide,
    /// The full parser must look at it: it has no key here.
    Full,
}

/// Packets in a row that have the same projected key, or one packet that needs the full parser.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    key: [u64; HOT_KEY_WORDS],
    hash: u64,
    /// Bytes of the packets.
    pub(crate) bytes: u64,
    /// Union of the words that hold TCP flags.
    flags_word: u64,
    pub(crate) packets: u32,
    pub(crate) shape: Shaped,
}

impl Run {
    const EMPTY: Self = Self {
        key: [0; HOT_KEY_WORDS],
        hash: 0,
        bytes: 0,
        flags_word: 0,
        packets: 0,
        shape: Shaped::Full,
    };

    /// Union of the packets' TCP flags.
    #[inline(always)]
    pub(crate) fn tcp_flags(&self) -> u16 {
        (u64::from_be(self.flags_word) >> 32) as u16
    }
}

/// The runs of a burst, in order.
#[derive(Debug)]
pub(crate) struct Runs {
    runs: [Run; BURST],
    /// The keys of wide runs, in the same places; the others' are void.
    wide: [[u64; WIDE_KEY_WORDS]; BURST],
    len: usize,
    /// Were runs so long that templates are worth making?
    long: bool,
}

impl Runs {
    pub(crate) const fn new() -> Self {
        Self { runs: [Run::EMPTY; BURST], wide: [[0; WIDE_KEY_WORDS]; BURST], len: 0, long: false }
    }

    #[inline(always)]
    pub(crate) fn as_slice(&self) -> &[Run] {
        self.runs.get(..self.len).unwrap_or_default()
    }
}

/// Which tier answered how often, for one burst.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hits {
    /// Packets.
    pub(crate) emc: u64,
    /// Packets.
    pub(crate) megaflow: u64,
    /// Subtables asked for the packets of `megaflow`.
    pub(crate) probes: u64,
}

/// What the EMC is to learn after a burst.
#[derive(Debug)]
pub(crate) struct Lesson {
    run: u8,
    flow: Arc<Megaflow>,
}

/// One thread's caches. See the [module documentation](self).
#[derive(Debug)]
pub(crate) struct Lookup {
    pub(crate) table: MegaflowTable,
    emc: Emc<HOT_KEY_WORDS>,
    wide: Emc<WIDE_KEY_WORDS>,
    secret: HashKey,
    /// What was installed since the burst's runs were looked up.
    fresh: Vec<Arc<Megaflow>>,
    governor: Governor,
}

impl Lookup {
    pub(crate) fn new() -> Self {
        let secret = HashKey::random();
        Self {
            table: MegaflowTable::new(secret),
            emc: Emc::new(MIN_ENTRIES),
            wide: Emc::new(MIN_ENTRIES),
            secret,
            fresh: Vec::with_capacity(MAX_FRESH),
            governor: Governor::new(),
        }
    }

    /// Parses and projects the packets of a burst from one port, and divides it into runs.
    #[inline]
    pub(crate) fn divide(
        &self,
        batch: &Batch,
        in_port: u32,
        projection: &Projection,
        runs: &mut Runs,
    ) {
        const AHEAD: usize = 4;
        for i in 0..AHEAD {
            batch.prefetch_data(i);
        }
        let mut n = 0usize;
        let mut words = [0; HOT_WORDS];
        let wire = runs.long.then(|| WireMask::new(projection));
        // The packet that the last run began with.
        let mut template: Option<Template> = None;
        for (i, packet) in batch.iter().enumerate() {
            batch.prefetch_data(i + AHEAD);
            let len = packet.len();
            if let Some(known) = &template
                && let Some(flags_word) = known.matches(packet.data(), len)
                && let Some(run) = runs.runs.get_mut(n.wrapping_sub(1))
            {
                run.packets += 1;
                run.bytes += u64::from(len);
                run.flags_word |= flags_word;
                continue;
            }
            let shape = parse_hot_segmented(packet.data(), len as usize, in_port, &mut words);
            let Shape::Hot(layout) = shape else {
                n = self.divide_further(packet, in_port, projection, runs, n);
                template = None;
                continue;
            };
            let [_, words @ ..] = &words;
            let mut key = [0; HOT_KEY_WORDS];
            let mut differs = 0;
            let last = n.wrapping_sub(1);
            if let Some(run) = runs.runs.get_mut(last) {
                for w in 0..HOT_KEY_WORDS {
                    key[w] = words[w] & projection.bits[w];
                    differs |= key[w] ^ run.key[w];
                }
                if differs == 0 && run.shape == Shaped::Plain {
                    run.packets += 1;
                    run.bytes += u64::from(len);
                    run.flags_word |= words[HOT_KEY_WORDS - 1];
                    continue;
                }
            } else {
                for w in 0..HOT_KEY_WORDS {
                    key[w] = words[w] & projection.bits[w];
                }
            }
            let hash = self.secret.hot(&key, projection.epoch);
            self.emc.prefetch(hash);
            if let Some(run) = runs.runs.get_mut(n) {
                *run = Run {
                    key,
                    hash,
                    bytes: u64::from(len),
                    flags_word: words[HOT_KEY_WORDS - 1],
                    packets: 1,
                    shape: Shaped::Plain,
                };
                n += 1;
            }
            template = wire.as_ref().and_then(|w| Template::new(packet.data(), len, &layout, w));
        }
        runs.len = n;
        runs.long = 4 * n <= batch.len();
    }

    /// Adds a packet that is not plain IPv4 to the first `n` runs; answers how many there are then.
    fn divide_further(
        &self,
        packet: &MbufRef,
        in_port: u32,
        projection: &Projection,
        runs: &mut Runs,
        n: usize,
    ) -> usize {
        let len = packet.len();
        let mut words = [0; WIDE_WORDS];
        let wide = parse_wide(packet.data(), len as usize, in_port, &mut words).is_some();
        let [_, words @ ..] = &words;
        let bytes = u64::from(len);
        let flags_word = words[HOT_KEY_WORDS - 1];
        let mut new = Run { bytes, packets: 1, ..Run::EMPTY };
        if wide {
            let last = n.wrapping_sub(1);
            // Word by word: comparing arrays is a call.
            let (mut key, mut differs) = ([0; WIDE_KEY_WORDS], 0);
            let other = runs.wide.get(last).copied().unwrap_or_default();
            for w in 0..WIDE_KEY_WORDS {
                key[w] = words[w] & projection.bits[w];
                differs |= key[w] ^ other[w];
            }
            if let Some(run) = runs.runs.get_mut(last)
                && run.shape == Shaped::Wide
                && differs == 0
            {
                run.packets += 1;
                run.bytes += bytes;
                run.flags_word |= flags_word;
                return n;
            }
            let hash = self.secret.wide(&key, projection.epoch);
            self.wide.prefetch(hash);
            if let Some(place) = runs.wide.get_mut(n) {
                *place = key;
            }
            new = Run { hash, flags_word, shape: Shaped::Wide, ..new };
        }
        let Some(place) = runs.runs.get_mut(n) else {
            return n;
        };
        *place = new;
        n + 1
    }

    /// Finds the megaflows of a burst's runs. Runs without one, and those that need the full parser,
    /// get `None`.
    #[inline]
    pub(crate) fn find_runs<'a>(
        &'a self,
        runs: &Runs,
        in_port: u32,
        projection: &Projection,
        use_emc: bool,
        found: &mut [Option<&'a Megaflow>; BURST],
        lessons: &mut Vec<Lesson>,
    ) -> Hits {
        let mut hits = Hits::default();
        let epoch = projection.epoch;
        for ((i, run), found) in runs.as_slice().iter().enumerate().zip(found.iter_mut()) {
            let known = match run.shape {
                Shaped::Plain => self.emc.find(run.hash, epoch, &run.key),
                Shaped::Wide => {
                    runs.wide.get(i).and_then(|key| self.wide.find(run.hash, epoch, key))
                }
                Shaped::Full => {
                    *found = None;
                    continue;
                }
            };
            let packets = u64::from(run.packets);
            if let Some(flow) = known {
                crate::prefetch::read(&**flow);
                hits.emc += packets;
                *found = Some(flow);
                continue;
            }
            // All megaflows of the port look at projected bits only, so these words do.
            let mut words = [0; WIDE_WORDS];
            words[0] = (u64::from(in_port) << 32).to_be();
            match (run.shape, runs.wide.get(i)) {
                (Shaped::Wide, Some(key)) => words[1..].copy_from_slice(key),
                _ => words[1..HOT_WORDS].copy_from_slice(&run.key),
            }
            let answer = self.table.find(in_port, &words);
            if let Some(flow) = answer.flow {
                hits.megaflow += packets;
                hits.probes += u64::from(answer.probes) * packets;
                if use_emc {
                    lessons.push(Lesson { run: i as u8, flow: Arc::clone(flow) });
                }
            }
            *found = answer.flow.map(|flow| &**flow);
        }
        hits
    }

    /// Puts into the EMC what a burst taught. `may_evict` is asked for each lesson.
    #[inline]
    pub(crate) fn learn(
        &mut self,
        runs: &Runs,
        projection: &Projection,
        lessons: &mut Vec<Lesson>,
        mut may_evict: impl FnMut() -> bool,
    ) {
        let epoch = projection.epoch;
        let table = &self.table;
        let live = |epoch| table.is_live(epoch);
        for Lesson { run: i, flow } in lessons.drain(..) {
            let i = usize::from(i);
            let (Some(run), Some(key)) = (runs.as_slice().get(i), runs.wide.get(i)) else {
                continue;
            };
            if run.shape == Shaped::Wide {
                self.wide.insert(run.hash, epoch, key, &flow, may_evict(), live);
            } else {
                self.emc.insert(run.hash, epoch, &run.key, &flow, may_evict(), live);
            }
        }
    }

    /// The megaflow of a packet by its whole flow.
    pub(crate) fn find(&self, flow: &Flow) -> Found<'_> {
        self.table.find(flow.in_port.get(), flow.words())
    }

    /// The same for a packet of a run that [`Lookup::find_runs`] did not find: only what was installed
    /// since can match it.
    pub(crate) fn find_again(&self, flow: &Flow) -> Found<'_> {
        if self.fresh.len() == MAX_FRESH {
            return self.find(flow);
        }
        let flow = self.fresh.iter().find(|fresh| fresh.agrees(flow.words()));
        Found { flow, probes: 1 }
    }

    /// Is it clear that [`Lookup::find_again`] finds nothing, whatever the packet?
    pub(crate) fn is_certain_miss(&self) -> bool {
        self.fresh.is_empty()
    }

    /// Begins a burst.
    #[inline(always)]
    pub(crate) fn begin(&mut self) {
        self.fresh.clear();
    }

    /// Is the megaflow of a miss to be installed now? See [`Governor`].
    pub(crate) fn admits(&mut self, key: &Flow, t: &Translation, now_ms: u64) -> bool {
        self.governor.admits(&self.secret, key, &t.mask, now_ms)
    }

    /// Installs a megaflow that [`Lookup::find`] did not find.
    pub(crate) fn install(&mut self, key: &Flow, t: &Translation, now_ms: u64) -> Arc<Megaflow> {
        let flow = self.table.install(key, t, now_ms);
        if self.fresh.len() < MAX_FRESH {
            self.fresh.push(Arc::clone(&flow));
        }
        flow
    }

    /// Housekeeping, about once a second.
    pub(crate) fn maintain(&mut self) {
        self.table.maintain();
        self.emc.calm();
        self.wide.calm();
    }

    /// A little housekeeping, many times a second.
    pub(crate) fn sweep(&mut self) {
        let table = &self.table;
        let void = |flow: &Megaflow, epoch| table.is_void(flow, epoch);
        self.emc.sweep(void);
        self.wide.sweep(void);
    }

    /// How many entries each EMC should have, if it has too few.
    pub(crate) fn wanted_emc(&self) -> [Option<usize>; 2] {
        [self.emc.wanted(), self.wide.wanted()]
    }

    /// Takes another EMC into use and gives the old one back, to be freed elsewhere.
    pub(crate) fn replace_emc(&mut self, emc: AnyEmc) -> AnyEmc {
        match emc {
            AnyEmc::Plain(emc) => AnyEmc::Plain(std::mem::replace(&mut self.emc, emc)),
            AnyEmc::Wide(emc) => AnyEmc::Wide(std::mem::replace(&mut self.wide, emc)),
        }
    }

    /// Frees the megaflows that only the EMC keeps.
    pub(crate) fn forget(&mut self) {
        self.emc.clear();
        self.wide.clear();
    }
}
