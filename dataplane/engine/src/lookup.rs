//! From packets to megaflows, in tiers:
//!
//! 1. *run*: a packet whose projected key equals its predecessor's shares the verdict;
//! 2. *EMC* (`cache::emc`): projected key to megaflow, one hash, mostly one cache line;
//! 3. *megaflow table* (`megaflow::table`): one probe per mask of the ingress port;
//! 4. the slow path, which installs what it decides.

use std::sync::Arc;

use weir_dpdk::Batch;
use weir_flow::Flow;
use weir_flow::flow::HOT_WORDS;
use weir_flow::packet::{Shape, parse_hot_segmented};
use weir_flow::slowpath::Translation;

use crate::cache::emc::{Emc, MIN_ENTRIES};
use crate::hash::HashKey;
use crate::megaflow::entry::Megaflow;
use crate::megaflow::table::{Found, HOT_KEY_WORDS, MegaflowTable, Projection};

/// Most packets of a burst.
pub(crate) const BURST: usize = weir_dpdk::MAX_BURST;

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
    /// Not a plain IPv4 packet: `key` is void.
    pub(crate) full: bool,
}

impl Run {
    const EMPTY: Self =
        Self { key: [0; HOT_KEY_WORDS], hash: 0, bytes: 0, flags_word: 0, packets: 0, full: true };

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
    len: usize,
}

impl Runs {
    pub(crate) const fn new() -> Self {
        Self { runs: [Run::EMPTY; BURST], len: 0 }
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
    emc: Emc,
    secret: HashKey,
}

impl Lookup {
    pub(crate) fn new() -> Self {
        let secret = HashKey::random();
        Self { table: MegaflowTable::new(secret), emc: Emc::new(MIN_ENTRIES), secret }
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
        for (i, packet) in batch.iter().enumerate() {
            batch.prefetch_data(i + AHEAD);
            let len = packet.len();
            let shape = parse_hot_segmented(packet.data(), len as usize, in_port, &mut words);
            let full = matches!(shape, Shape::Full);
            let [_, words @ ..] = &words;
            let mut key = [0; HOT_KEY_WORDS];
            let mut differs = 0;
            let last = n.wrapping_sub(1);
            if let Some(run) = runs.runs.get_mut(last) {
                for w in 0..HOT_KEY_WORDS {
                    key[w] = words[w] & projection.bits[w];
                    differs |= key[w] ^ run.key[w];
                }
                if differs == 0 && !full && !run.full {
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
            let hash = Emc::hash(&self.secret, projection.epoch, &key);
            if !full {
                self.emc.prefetch(hash);
            }
            if let Some(run) = runs.runs.get_mut(n) {
                *run = Run {
                    key,
                    hash,
                    bytes: u64::from(len),
                    flags_word: if full { 0 } else { words[HOT_KEY_WORDS - 1] },
                    packets: 1,
                    full,
                };
                n += 1;
            }
        }
        runs.len = n;
    }

    /// Finds the megaflows of a burst's hot runs. Runs without one, and those that need the full
    /// parser, get `None`.
    #[inline]
    pub(crate) fn find_runs<'a>(
        &'a self,
        runs: &[Run],
        in_port: u32,
        projection: &Projection,
        use_emc: bool,
        found: &mut [Option<&'a Megaflow>; BURST],
        lessons: &mut Vec<Lesson>,
    ) -> Hits {
        let mut hits = Hits::default();
        for ((i, run), found) in runs.iter().enumerate().zip(found.iter_mut()) {
            if run.full {
                *found = None;
                continue;
            }
            let packets = u64::from(run.packets);
            if let Some(flow) = self.emc.find(run.hash, projection.epoch, &run.key) {
                crate::prefetch::read(&**flow);
                hits.emc += packets;
                *found = Some(flow);
                continue;
            }
            // All megaflows of the port look at projected bits only, so these words do.
            let mut words = [0; HOT_WORDS];
            words[0] = (u64::from(in_port) << 32).to_be();
            words[1..].copy_from_slice(&run.key);
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
        runs: &[Run],
        projection: &Projection,
        lessons: &mut Vec<Lesson>,
        mut may_evict: impl FnMut() -> bool,
    ) {
        for lesson in lessons.drain(..) {
            if let Some(run) = runs.get(usize::from(lesson.run)) {
                self.emc.insert(run.hash, projection, &run.key, &lesson.flow, may_evict());
            }
        }
    }

    /// The megaflow of a packet by its whole flow.
    pub(crate) fn find(&self, flow: &Flow) -> Found<'_> {
        self.table.find(flow.in_port.get(), flow.words())
    }

    /// Installs a megaflow that [`Lookup::find`] did not find.
    pub(crate) fn install(&mut self, key: &Flow, t: &Translation, now_ms: u64) -> Arc<Megaflow> {
        let in_port = key.in_port.get();
        let before = self.table.projection(in_port).map(|p| p.epoch);
        let flow = self.table.install(key, t, now_ms);
        if before != self.table.projection(in_port).map(|p| p.epoch) && before.is_some() {
            // Entries of the epoch gone by would only be in the way.
            self.emc.clear();
        }
        flow
    }

    /// Housekeeping, about once a second.
    pub(crate) fn maintain(&mut self) {
        if self.table.maintain() {
            self.emc.clear();
        }
    }

    /// A little housekeeping, many times a second.
    pub(crate) fn sweep(&mut self) {
        self.emc.sweep();
    }

    /// How many entries the EMC should have, if it has too few.
    pub(crate) fn wanted_emc(&mut self) -> Option<usize> {
        self.emc.wanted()
    }

    /// Takes another EMC into use and gives the old one back, to be freed elsewhere.
    pub(crate) fn replace_emc(&mut self, emc: Emc) -> Emc {
        std::mem::replace(&mut self.emc, emc)
    }

    /// Frees the megaflows that only the EMC keeps.
    pub(crate) fn forget(&mut self) {
        self.emc.clear();
    }
}
