//! [`Latency`]: how long packets stay in the switch, in histograms that one thread writes and any thread
//! reads. Buckets are 64 to each power of two, so a value is known to 1.6 percent.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::counters::Counter;

/// Bits of a value that its bucket keeps besides the highest.
const SUB_BITS: u32 = 6;
const SUB: u64 = 1 << SUB_BITS;
/// Values of more bits count as the largest of these.
const MAX_BITS: u32 = 44;
const BUCKETS: usize = ((MAX_BITS - SUB_BITS + 1) as usize) << SUB_BITS;

/// A part of a packet's way that is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// From the look at a receive queue until the burst's packets were handed to their ports.
    PollToTransmit,
    /// From a packet that no megaflow matches until one is installed.
    Miss,
    /// The part of that in which the flow tables are asked.
    Translation,
}

impl Stage {
    /// All, in the order of a packet.
    pub const ALL: [Self; 3] = [Self::PollToTransmit, Self::Miss, Self::Translation];

    /// What commands call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PollToTransmit => "poll-to-transmit",
            Self::Miss => "miss",
            Self::Translation => "translation",
        }
    }
}

/// Buckets of one stage.
#[derive(Debug)]
struct Buckets(Box<[Counter]>);

fn bucket_of(value: u64) -> usize {
    let value = value.min((1 << MAX_BITS) - 1);
    let shift = (u64::BITS - value.leading_zeros()).saturating_sub(SUB_BITS + 1);
    (u64::from(shift) * SUB + (value >> shift)) as usize
}

/// The least and the greatest value of a bucket.
fn values_of(bucket: usize) -> (u64, u64) {
    let bucket = bucket as u64;
    let shift = (bucket / SUB).saturating_sub(1);
    let low = (bucket - shift * SUB) << shift;
    (low, low + (1 << shift) - 1)
}

/// See the [module documentation](self).
#[derive(Debug)]
pub(crate) struct Latency {
    stages: [Buckets; Stage::ALL.len()],
    /// One burst in how many is timed; 0 while nothing is.
    sampling: AtomicU32,
}

impl Latency {
    pub(crate) fn new() -> Self {
        let buckets = || Buckets((0..BUCKETS).map(|_| Counter::default()).collect());
        Self { stages: [buckets(), buckets(), buckets()], sampling: AtomicU32::new(0) }
    }

    pub(crate) fn set_sampling(&self, one_in: u32) {
        self.sampling.store(one_in, Ordering::Relaxed);
    }

    pub(crate) fn sampling(&self) -> u32 {
        self.sampling.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.sampling() != 0
    }

    /// Counts `packets` that took so many TSC cycles. Owner only.
    pub(crate) fn add(&self, stage: Stage, cycles: u64, packets: u64) {
        let buckets = self.stages.get(stage as usize);
        if let Some(bucket) = buckets.and_then(|b| b.0.get(bucket_of(cycles))) {
            bucket.add(packets);
        }
    }

    pub(crate) fn snapshot(&self) -> LatencySnapshot {
        let read = |stage: Stage| {
            let buckets = self.stages.get(stage as usize);
            buckets.map(|b| b.0.iter().map(Counter::get).collect()).unwrap_or_default()
        };
        LatencySnapshot(Stage::ALL.map(read))
    }
}

/// Values of a thread's histograms, by stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LatencySnapshot([Vec<u64>; Stage::ALL.len()]);

impl LatencySnapshot {
    /// What was counted since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut since = self.clone();
        for (stage, before) in since.0.iter_mut().zip(&earlier.0) {
            for (count, before) in stage.iter_mut().zip(before) {
                *count = count.saturating_sub(*before);
            }
        }
        since
    }

    /// The buckets of a stage that are not empty: the greatest TSC cycles of each and how many packets
    /// it has.
    pub fn buckets(&self, stage: Stage) -> impl Iterator<Item = (u64, u64)> {
        let counts = self.0.get(stage as usize).into_iter().flatten().enumerate();
        counts.filter(|(_, count)| **count != 0).map(|(i, count)| (values_of(i).1, *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_its_bucket_and_buckets_are_in_a_row() {
        let mut next = 0;
        for bucket in 0..BUCKETS {
            let (low, high) = values_of(bucket);
            assert_eq!(low, next, "bucket {bucket}");
            assert_eq!((bucket_of(low), bucket_of(high)), (bucket, bucket));
            assert!((high - low) * SUB <= low.max(SUB));
            next = high + 1;
        }
        assert_eq!(next, 1 << MAX_BITS);
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn packets_are_counted_by_stage() {
        let latency = Latency::new();
        latency.add(Stage::PollToTransmit, 1_000, 32);
        latency.add(Stage::Translation, 5, 1);
        let before = latency.snapshot();
        latency.add(Stage::PollToTransmit, 1_001, 2);
        latency.add(Stage::Miss, 1 << 60, 1);
        let after = latency.snapshot();
        let of = |s: &LatencySnapshot, stage| s.buckets(stage).collect::<Vec<_>>();
        assert_eq!(of(&after, Stage::PollToTransmit), [(1_007, 34)]);
        assert_eq!(of(&after, Stage::Translation), [(5, 1)]);
        let since = after.since(&before);
        assert_eq!(of(&since, Stage::PollToTransmit), [(1_007, 2)]);
        assert_eq!(of(&since, Stage::Miss), [((1 << MAX_BITS) - 1, 1)]);
        assert!(of(&since, Stage::Translation).is_empty());
    }
}
