//! [`History`]: what a thread counted in the intervals gone by, one ring of counters that it writes and
//! any thread reads.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::counters::Counter;

/// Intervals that are remembered.
pub(crate) const INTERVALS: usize = 12;
/// Milliseconds of an interval.
pub(crate) const INTERVAL_MS: u64 = 5000;

/// See the [module documentation](self).
#[derive(Debug, Default)]
pub(crate) struct History {
    slots: [Counter; INTERVALS],
    /// Intervals that have ended.
    ended: AtomicUsize,
}

impl History {
    /// Ends an interval in which `value` was counted. Owner only.
    pub(crate) fn push(&self, value: u64) {
        let ended = self.ended.load(Ordering::Relaxed);
        if let Some(slot) = self.slots.get(ended % INTERVALS) {
            slot.set(value);
        }
        self.ended.store(ended.wrapping_add(1), Ordering::Release);
    }

    /// The intervals, the last that has ended first.
    pub(crate) fn newest_first(&self) -> Vec<u64> {
        let ended = self.ended.load(Ordering::Acquire);
        let slot = |back: usize| self.slots.get((ended - back) % INTERVALS).map_or(0, Counter::get);
        (1..=ended.min(INTERVALS)).map(slot).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_the_last_minute() {
        let history = History::default();
        assert!(history.newest_first().is_empty());
        (1..=3).for_each(|n| history.push(n));
        assert_eq!(history.newest_first(), [3, 2, 1]);
        (4..=20).for_each(|n| history.push(n));
        assert_eq!(history.newest_first(), [20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9]);
    }
}
