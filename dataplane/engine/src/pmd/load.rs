//! [`PmdLoad`]: how busy a PMD thread was in each of the last intervals, and with what.

use crate::counters::Counter;
use crate::pmd::history::History;

/// Cycles of a thread by interval. The thread writes.
#[derive(Debug, Default)]
pub(crate) struct PmdLoad {
    busy: History,
    overhead: History,
    /// TSC cycles that the last interval took; 0 before one has ended.
    interval: Counter,
}

/// A thread's load as others see it; the newest interval first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadSnapshot {
    /// TSC cycles of an interval; 0 before one has ended.
    pub interval: u64,
    /// TSC cycles of iterations with packets.
    pub busy: Vec<u64>,
    /// Those of them spent on no queue's packets.
    pub overhead: Vec<u64>,
}

/// The thread's own side: counts until an interval ends.
#[derive(Debug)]
pub(crate) struct LoadMeter {
    since: u64,
    busy: u64,
    queues: u64,
}

impl PmdLoad {
    pub(crate) fn snapshot(&self) -> LoadSnapshot {
        LoadSnapshot {
            interval: self.interval.get(),
            busy: self.busy.newest_first(),
            overhead: self.overhead.newest_first(),
        }
    }
}

impl LoadMeter {
    pub(crate) fn new(tsc: u64) -> Self {
        Self { since: tsc, busy: 0, queues: 0 }
    }

    /// Counts an iteration with packets and how much of it the queues' packets took, in TSC cycles.
    #[inline(always)]
    pub(crate) fn busy(&mut self, cycles: u64, queues: u64) {
        self.busy += cycles;
        self.queues += queues;
    }

    /// Ends an interval.
    pub(crate) fn roll(&mut self, tsc: u64, load: &PmdLoad) {
        load.busy.push(self.busy);
        load.overhead.push(self.busy.saturating_sub(self.queues));
        load.interval.set(tsc.wrapping_sub(self.since));
        *self = Self::new(tsc);
    }
}

impl LoadSnapshot {
    /// Was the thread busy for at least `percent` of each ten seconds of the last minute?
    #[must_use]
    pub fn is_over(&self, percent: u64) -> bool {
        let whole = self.interval.saturating_mul(2);
        let minute = self.busy.len() >= crate::pmd::history::INTERVALS;
        let over = |pair: &[u64]| pair.iter().sum::<u64>() * 100 >= percent * whole;
        minute && whole != 0 && self.busy.chunks(2).all(over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_divided_into_queues_and_overhead() {
        let (load, mut meter) = (PmdLoad::default(), LoadMeter::new(100));
        assert_eq!(load.snapshot(), LoadSnapshot::default());
        meter.busy(60, 50);
        meter.busy(20, 20);
        meter.roll(200, &load);
        meter.roll(310, &load);
        let snapshot = load.snapshot();
        assert_eq!((snapshot.busy, snapshot.overhead), (vec![0, 80], vec![0, 10]));
        assert_eq!(snapshot.interval, 110);
    }

    #[test]
    fn over_the_threshold_is_for_a_whole_minute() {
        let of =
            |busy: &[u64]| LoadSnapshot { interval: 100, busy: busy.to_vec(), overhead: vec![] };
        assert!(!of(&[100; 11]).is_over(95), "not yet a minute");
        assert!(of(&[95; 12]).is_over(95));
        let mut busy = [95; 12];
        busy[5] = 94;
        assert!(!of(&busy).is_over(95), "ten seconds below");
        busy[4] = 96;
        assert!(of(&busy).is_over(95), "not below over ten seconds");
        assert!(of(&[0; 12]).is_over(0));
        assert!(!LoadSnapshot { interval: 0, ..of(&[0; 12]) }.is_over(0));
    }
}
