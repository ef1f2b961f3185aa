//! [`PerfMeter`]: measures a thread's iterations. Costs a branch an iteration while it is off.

use std::sync::Arc;

use crate::pmd::perf::PerfShared;
use crate::pmd::perf::rows::Row;
use crate::pmd::perf::watch::Watch;
use crate::pmd::stats::PmdCounters;

/// Counters of the thread as they were when the iteration began.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    packets: u64,
    batches: u64,
    upcalls: u64,
    upcall_cycles: u64,
}

impl Before {
    fn read(counters: &PmdCounters) -> Self {
        Self {
            packets: counters.rx_packets.get(),
            batches: counters.rx_batches.get(),
            upcalls: counters.upcalls.get() + counters.slow_upcalls.get(),
            upcall_cycles: counters.upcall_cycles.get(),
        }
    }
}

/// See the [module documentation](self).
#[derive(Debug)]
pub(crate) struct PerfMeter {
    on: bool,
    shared: Arc<PerfShared>,
    before: Before,
    /// Iterations that were measured.
    number: u64,
    /// The millisecond under way.
    millisecond: Row,
    /// Packets in the fullest queue of a guest in this iteration.
    queue_length: u64,
    pub(crate) watch: Watch,
}

impl PerfMeter {
    pub(crate) fn new(shared: Arc<PerfShared>, core: u32) -> Self {
        Self {
            on: false,
            shared,
            before: Before::default(),
            number: 0,
            millisecond: Row::default(),
            queue_length: 0,
            watch: Watch::new(core),
        }
    }

    /// Begins or ends measuring, between two iterations.
    pub(crate) fn set(&mut self, on: bool, counters: &PmdCounters) {
        self.on = on;
        self.before = Before::read(counters);
        self.millisecond = Row::default();
        self.watch.forget();
    }

    #[inline(always)]
    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    /// Takes note of how full a guest's queue was.
    pub(crate) fn saw_queue(&mut self, packets: u64) {
        self.queue_length = self.queue_length.max(packets);
    }

    /// Measures the iteration that ends now.
    pub(crate) fn end_iteration(&mut self, cycles: u64, now_ms: u64, counters: &PmdCounters) {
        let now = Before::read(counters);
        let before = std::mem::replace(&mut self.before, now);
        let row = Row {
            number: self.number,
            iterations: 1,
            cycles,
            packets: now.packets.wrapping_sub(before.packets),
            batches: now.batches.wrapping_sub(before.batches),
            queue_length: std::mem::take(&mut self.queue_length),
            upcalls: now.upcalls.wrapping_sub(before.upcalls),
            upcall_cycles: now.upcall_cycles.wrapping_sub(before.upcall_cycles),
        };
        self.number += 1;
        self.count(&row);
        self.shared.iterations.push(&row);
        if self.millisecond.number != now_ms {
            if self.millisecond.iterations != 0 {
                self.shared.milliseconds.push(&self.millisecond);
            }
            self.millisecond = Row { number: now_ms, ..Row::default() };
        }
        self.millisecond = Row { number: now_ms, ..self.millisecond.plus(&row) };
        self.watch.look(&row, &self.shared.iterations);
    }

    fn count(&self, row: &Row) {
        let histograms = &self.shared.histograms;
        histograms.cycles.add(row.cycles);
        histograms.packets.add(row.packets);
        if let Some(cycles) = row.cycles.checked_div(row.packets) {
            histograms.cycles_per_packet.add(cycles);
            self.shared.totals.busy_cycles.add(row.cycles);
        }
        if let Some(packets) = row.packets.checked_div(row.batches) {
            histograms.packets_per_batch.add(packets);
        }
        histograms.queue_length.add(row.queue_length);
        histograms.upcalls.add(row.upcalls);
        if let Some(cycles) = row.upcall_cycles.checked_div(row.upcalls) {
            histograms.cycles_per_upcall.add(cycles);
        }
        self.shared.totals.iterations.add(1);
        self.shared.totals.all.add(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iterations_become_histograms_rows_and_milliseconds() {
        let shared = Arc::new(PerfShared::new());
        let counters = PmdCounters::default();
        counters.rx_packets.add(1_000);
        let mut meter = PerfMeter::new(Arc::clone(&shared), 1);
        meter.set(true, &counters);
        meter.end_iteration(600, 7, &counters);
        counters.rx_packets.add(40);
        counters.rx_batches.add(2);
        counters.upcalls.add(2);
        counters.upcall_cycles.add(3_000);
        meter.saw_queue(300);
        meter.saw_queue(20);
        meter.end_iteration(8_000, 7, &counters);
        meter.end_iteration(900, 8, &counters);

        let snapshot = shared.snapshot();
        assert_eq!((snapshot.iterations, snapshot.busy_cycles), (3, 8_000));
        assert_eq!((snapshot.total.packets, snapshot.total.cycles), (40, 9_500));
        let filled = |h: &crate::pmd::perf::HistogramSnapshot| {
            h.bins().filter(|(_, n)| *n != 0).map(|(w, n)| (w.unwrap(), n)).collect::<Vec<_>>()
        };
        let h = &snapshot.histograms;
        assert_eq!(filled(&h.cycles), [(716, 1), (1_025, 1), (8_857, 1)]);
        assert_eq!(filled(&h.packets), [(0, 2), (45, 1)]);
        assert_eq!(filled(&h.cycles_per_packet), [(1_096, 1)]);
        assert_eq!(filled(&h.packets_per_batch), [(20, 1)]);
        assert_eq!(filled(&h.queue_length), [(0, 2), (332, 1)]);
        assert_eq!(filled(&h.upcalls), [(0, 2), (2, 1)]);
        assert_eq!(filled(&h.cycles_per_upcall), [(1_584, 1)]);

        let rows = shared.iterations.newest_first(9);
        assert_eq!(rows.iter().map(|row| row.cycles).collect::<Vec<_>>(), [900, 8_000, 600]);
        let [millisecond] = shared.milliseconds.newest_first(9)[..] else { panic!() };
        assert_eq!((millisecond.number, millisecond.iterations), (7, 2));
        assert_eq!((millisecond.cycles, millisecond.packets), (8_600, 40));

        // What happened while it was off is nobody's.
        meter.set(false, &counters);
        counters.rx_packets.add(99);
        meter.set(true, &counters);
        meter.end_iteration(600, 9, &counters);
        assert_eq!(shared.snapshot().since(&snapshot).total.packets, 0);
    }
}
