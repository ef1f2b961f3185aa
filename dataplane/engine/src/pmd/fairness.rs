//! [`Fairness`]: what the misses of one port may cost the other ports of its thread.
//!
//! A miss costs as much as a hundred hits, and whoever sends packets decides how many there are. So each
//! port has a bucket of TSC cycles that a share of the thread's time flows into and its misses take
//! from. While another port, whose own bucket is not empty, has more packets waiting than a burst
//! holds, packets that would be misses are dropped when the bucket is empty. While nobody else has to
//! wait, or only those whose misses take more than their share, nothing is bounded.

use weir_dpdk::tsc_hz;
use weir_flow::PortNo;

/// Part of the thread's time that the misses of a port may take, in percent, when nothing else is said.
pub(crate) const DEFAULT_SHARE: u32 = 5;

/// A port that left packets behind, and when.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    port: PortNo,
    at: u64,
}

/// Which ports of a thread have packets waiting.
#[derive(Debug)]
pub(crate) struct Fairness {
    /// Cycles that flow into a bucket for each 1,024 that pass.
    rate: u64,
    /// Cycles that a port counts as waiting after it was seen to.
    memory: u64,
    /// Most cycles that a bucket may hold.
    depth: u64,
    /// The two ports that were seen to wait last, the latest first.
    last: [Option<Waiting>; 2],
}

impl Fairness {
    /// With this share of the time in percent; 100 bounds nothing.
    pub(crate) fn new(share: u32) -> Self {
        Self::at(tsc_hz(), share)
    }

    fn at(hz: u64, share: u32) -> Self {
        let rate = u64::from(share.min(100)) * 1024 / 100;
        // 20 ms of flow: a few hundred misses are always free.
        Self { rate, memory: hz / 500, depth: hz / 50 * rate / 1024, last: [None; 2] }
    }

    /// Takes note of a port whose queue filled a burst, and so may have more.
    #[inline]
    pub(crate) fn saw_waiting(&mut self, port: PortNo, bucket: &MissBucket, at: u64) {
        if bucket.cycles < 0 {
            return;
        }
        let now = Some(Waiting { port, at });
        match self.last {
            [Some(latest), _] if latest.port != port => self.last = [now, Some(latest)],
            [_, other] => self.last = [now, other],
        }
    }

    /// May others have to wait for this port?
    #[inline]
    fn is_contended(&self, port: PortNo, now: u64) -> bool {
        let other = self.last.iter().flatten().find(|waiting| waiting.port != port);
        other.is_some_and(|waiting| now.wrapping_sub(waiting.at) < self.memory)
    }

    /// Cycles that misses of the next burst may take.
    #[inline]
    pub(crate) fn allowance(&self, port: PortNo, bucket: &mut MissBucket, now: u64) -> i64 {
        if self.rate == 1024 {
            return i64::MAX;
        }
        let passed = now.wrapping_sub(bucket.filled_at);
        bucket.filled_at = now;
        let flow =
            (u128::from(passed) * u128::from(self.rate) / 1024).min(self.depth.into()) as i64;
        bucket.cycles =
            (bucket.cycles + flow / bucket.sharers).min(self.depth as i64 / bucket.sharers);
        if self.is_contended(port, now) { bucket.cycles } else { i64::MAX }
    }

    /// Misses took this many cycles.
    pub(crate) fn charge(&self, bucket: &mut MissBucket, cycles: u64) {
        let empty = -(self.depth as i64) / bucket.sharers;
        bucket.cycles = bucket.cycles.saturating_sub_unsigned(cycles).max(empty);
    }
}

/// What a queue's misses may cost.
#[derive(Debug)]
pub(crate) struct MissBucket {
    cycles: i64,
    /// TSC when it was filled last.
    filled_at: u64,
    /// Queues of the same port on the same thread, this one included.
    sharers: i64,
}

impl MissBucket {
    pub(crate) const fn new() -> Self {
        Self { cycles: 0, filled_at: 0, sharers: 1 }
    }

    /// The port has so many queues on this thread now.
    pub(crate) fn share_with(&mut self, queues: usize) {
        self.sharers = queues.max(1) as i64;
    }
}

/// The misses of one burst.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Misses {
    /// Cycles they may still take.
    pub(crate) allowance: i64,
    /// Cycles they took.
    pub(crate) cycles: u64,
    /// Packets translated.
    pub(crate) count: u64,
    /// Packets dropped because no cycles were left.
    pub(crate) refused: u64,
}

impl Misses {
    #[inline]
    pub(crate) const fn with(allowance: i64) -> Self {
        Self { allowance, cycles: 0, count: 0, refused: 0 }
    }

    /// May another packet be translated? Counts it if not.
    #[inline]
    pub(crate) fn admit(&mut self) -> bool {
        let admitted = self.allowance > 0;
        self.refused += u64::from(!admitted);
        admitted
    }

    /// One was, in this many cycles.
    #[inline]
    pub(crate) fn charge(&mut self, cycles: u64) {
        self.count += 1;
        self.cycles += cycles;
        self.allowance = self.allowance.saturating_sub_unsigned(cycles);
    }

    /// Were there any?
    #[inline]
    pub(crate) const fn any(&self) -> bool {
        self.count | self.refused != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HZ: u64 = 1_000_000_000;

    /// A second in which port 1 has misses of 3,000 cycles as often as it may and port 2 fills bursts, if
    /// it is `busy`, after misses that left so much in its bucket. Answers the cycles of port 1's misses.
    fn second(share: u32, queues: usize, busy: Option<i64>) -> u64 {
        let mut fairness = Fairness::at(HZ, share);
        let mut buckets: Vec<_> = (0..queues).map(|_| MissBucket::new()).collect();
        buckets.iter_mut().for_each(|b| b.share_with(queues));
        let (mut now, end, mut spent) = (5 * HZ, 6 * HZ, 0);
        while now < end {
            if let Some(left) = busy {
                now += 3_000;
                let bucket = MissBucket { cycles: left, ..MissBucket::new() };
                fairness.saw_waiting(PortNo(2), &bucket, now);
            }
            for bucket in &mut buckets {
                let mut misses = Misses::with(fairness.allowance(PortNo(1), bucket, now));
                for _ in 0..32 {
                    if misses.admit() {
                        misses.charge(3_000);
                    }
                }
                fairness.charge(bucket, misses.cycles);
                now += misses.cycles + 500;
                spent += misses.cycles;
                fairness.saw_waiting(PortNo(1), bucket, now);
            }
        }
        spent
    }

    #[test]
    fn misses_have_their_share_while_others_wait() {
        let percent = |share, queues, busy| second(share, queues, busy) * 100 / HZ;
        assert_eq!(percent(10, 1, Some(1)), 10);
        assert_eq!(percent(10, 4, Some(1)), 10);
        assert_eq!(percent(30, 1, Some(1)), 30);
        assert!(percent(10, 1, None) > 95);
        assert!(percent(100, 1, Some(1)) > 90);
        // The other one's misses take more than their share, too.
        assert!(percent(10, 1, Some(-1)) > 90);
    }

    #[test]
    fn what_was_refused_is_counted() {
        let mut misses = Misses::with(5_000);
        assert!(!misses.any() && misses.admit());
        misses.charge(3_000);
        assert!(misses.admit());
        misses.charge(3_000);
        assert!(!misses.admit() && misses.any());
        assert_eq!((misses.count, misses.cycles, misses.refused), (2, 6_000, 1));
    }
}
