//! [`PolledQueue`]: a receive queue in the hands of a PMD thread, and how much of the thread it uses.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use weir_dpdk::Batch;
use weir_flow::PortNo;

use crate::counters::Counter;
use crate::pmd::fairness::{MissBucket, Misses};
use crate::pmd::history::History;
use crate::port::rx::Rx;

/// Load of a receive queue, written by the thread that polls it.
#[derive(Debug, Default)]
pub(crate) struct RxqLoad {
    /// Cycles of the interval under way.
    current: Counter,
    past: History,
    packets: Counter,
    misses: Counter,
    /// TSC cycles of the misses.
    miss_cycles: Counter,
    misses_refused: Counter,
    /// The queue is not to be polled: its port is down. Written by control threads.
    paused: AtomicBool,
}

impl RxqLoad {
    /// Ends an interval.
    fn roll(&self) {
        self.past.push(self.current.get());
        self.current.set(0);
    }

    /// TSC cycles spent on packets of this queue in the intervals that have ended, the newest first.
    pub(crate) fn cycles(&self) -> Vec<u64> {
        self.past.newest_first()
    }

    pub(crate) fn set_paused(&self, paused: bool) {
        self.paused.store(paused, Ordering::Relaxed);
    }

    /// What its packets that no megaflow matched cost.
    pub(crate) fn misses(&self) -> MissSnapshot {
        MissSnapshot {
            translated: self.misses.get(),
            cycles: self.miss_cycles.get(),
            refused: self.misses_refused.get(),
        }
    }

    /// Packets received.
    pub(crate) fn packets(&self) -> u64 {
        self.packets.get()
    }
}

/// Packets of a receive queue that no megaflow matched, or whose megaflow asks for a translation of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MissSnapshot {
    /// Packets that were translated.
    pub translated: u64,
    /// TSC cycles that took.
    pub cycles: u64,
    /// Packets that were dropped, because it would have taken too much of what others wait for.
    pub refused: u64,
}

/// See the [module documentation](self).
#[derive(Debug)]
pub(crate) struct PolledQueue {
    pub(crate) rx: Rx,
    pub(crate) port: PortNo,
    pub(crate) queue: u16,
    /// May this port's flows be in the EMC?
    pub(crate) use_emc: bool,
    pub(crate) load: Arc<RxqLoad>,
    pub(crate) bucket: MissBucket,
    /// The last look found packets.
    was_busy: bool,
    /// A kernel queue that was empty is left alone until this TSC value, longer each time.
    rest_until: u64,
    rest: u64,
}

impl PolledQueue {
    pub(crate) fn new(rx: Rx, port: PortNo, queue: u16, use_emc: bool, load: Arc<RxqLoad>) -> Self {
        let bucket = MissBucket::new();
        Self { rx, port, queue, use_emc, load, bucket, was_busy: false, rest_until: 0, rest: 0 }
    }

    /// Fills an empty batch. `now` is the TSC, `longest_rest` in its cycles.
    #[inline]
    pub(crate) fn poll(&mut self, batch: &mut Batch, now: u64, longest_rest: u64) -> usize {
        // Wrapping: the counter may start anywhere.
        if self.rest != 0 && self.rest_until.wrapping_sub(now) <= longest_rest {
            return 0;
        }
        if self.load.paused.load(Ordering::Relaxed) {
            return 0;
        }
        let n = self.rx.receive(batch);
        self.was_busy = n != 0;
        if self.rx.is_kernel() {
            self.rest = if n == 0 { (self.rest * 2).clamp(1 << 10, longest_rest) } else { 0 };
            self.rest_until = now.wrapping_add(self.rest);
        }
        n
    }

    /// Whether the last look found packets.
    #[inline]
    pub(crate) fn was_busy(&self) -> bool {
        self.was_busy
    }

    /// The thread slept: there may be packets now.
    pub(crate) fn rested(&mut self) {
        self.rest = 0;
    }

    #[inline]
    pub(crate) fn count(&self, packets: usize, cycles: u64) {
        self.load.packets.add(packets as u64);
        self.load.current.add(cycles);
    }

    /// Takes note of misses of a burst.
    pub(crate) fn count_misses(&self, misses: &Misses) {
        self.load.misses.add(misses.count);
        self.load.miss_cycles.add(misses.cycles);
        self.load.misses_refused.add(misses.refused);
    }

    pub(crate) fn roll(&self) {
        self.load.roll();
    }
}
