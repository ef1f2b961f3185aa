//! Meters: token buckets that all threads share (OpenFlow 1.3 section 5.7).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use weir_rcu::{Guard, Rcu};

/// Thousandths of a packet, or of a kilobit.
const SCALE: u64 = 1000;
/// Most bands of a meter.
pub const MAX_BANDS: usize = 8;

/// A drop band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// Packets, or kilobits, a second.
    pub rate: u32,
    /// Packets, or kilobits, that may come at once; 0 for one second's worth.
    pub burst: u32,
}

/// What a meter measures and where it begins to drop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterConfig {
    /// Count packets; else kilobits.
    pub packets: bool,
    /// At most [`MAX_BANDS`]; others are ignored.
    pub bands: Vec<Band>,
}

/// Counters of a meter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeterStats {
    /// Packets that came.
    pub packets_in: u64,
    /// Bytes that came.
    pub bytes_in: u64,
    /// Packets and bytes each band dropped.
    pub bands: Vec<(u64, u64)>,
}

#[derive(Debug)]
struct Bucket {
    band: Band,
    /// In [`SCALE`]ths.
    level: u64,
    dropped: (u64, u64),
}

#[derive(Debug)]
struct State {
    last_ms: u64,
    packets_in: u64,
    bytes_in: u64,
    buckets: Vec<Bucket>,
}

/// One meter. Its lock is held for a few additions; only packets of metered flows take it.
#[derive(Debug)]
struct Meter {
    packets: bool,
    state: Mutex<State>,
}

impl Band {
    fn capacity(&self) -> u64 {
        let burst = if self.burst == 0 { self.rate } else { self.burst };
        // One packet or kilobit must fit, or nothing would ever pass.
        u64::from(burst.max(1)) * SCALE
    }
}

impl Meter {
    fn new(config: &MeterConfig, now_ms: u64) -> Self {
        let bucket = |&band: &Band| Bucket { level: band.capacity(), band, dropped: (0, 0) };
        Self {
            packets: config.packets,
            state: Mutex::new(State {
                last_ms: now_ms,
                packets_in: 0,
                bytes_in: 0,
                buckets: config.bands.iter().take(MAX_BANDS).map(bucket).collect(),
            }),
        }
    }

    fn admits(&self, bytes: u32, now_ms: u64) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = now_ms.saturating_sub(state.last_ms);
        state.last_ms = state.last_ms.max(now_ms);
        state.packets_in += 1;
        state.bytes_in += u64::from(bytes);
        // A packet, or its kilobits: bits are thousandths of them.
        let cost = if self.packets { SCALE } else { u64::from(bytes) * 8 };
        let mut worst: Option<&mut Bucket> = None;
        for bucket in &mut state.buckets {
            let gain = elapsed.saturating_mul(u64::from(bucket.band.rate));
            bucket.level = bucket.level.saturating_add(gain).min(bucket.band.capacity());
            if let Some(level) = bucket.level.checked_sub(cost) {
                bucket.level = level;
            } else if worst.as_ref().is_none_or(|w| w.band.rate < bucket.band.rate) {
                worst = Some(bucket);
            }
        }
        // Of the bands that are exceeded the one with the highest rate takes effect.
        match worst {
            Some(bucket) => {
                bucket.dropped.0 += 1;
                bucket.dropped.1 += u64::from(bytes);
                false
            }
            None => true,
        }
    }

    fn stats(&self) -> MeterStats {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        MeterStats {
            packets_in: state.packets_in,
            bytes_in: state.bytes_in,
            bands: state.buckets.iter().map(|b| b.dropped).collect(),
        }
    }
}

/// All meters of a datapath, by number.
#[derive(Debug)]
pub(crate) struct Meters {
    table: Rcu<BTreeMap<u32, Arc<Meter>>>,
    /// Writers, one at a time.
    writing: Mutex<()>,
}

impl Meters {
    pub(crate) fn new() -> Self {
        Self { table: Rcu::new(BTreeMap::new()), writing: Mutex::new(()) }
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<u32, Arc<Meter>>)) {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut table = self.table.load(&weir_rcu::pin()).clone();
        change(&mut table);
        self.table.publish(table);
    }

    /// Adds a meter or replaces one; its counters start at zero.
    pub(crate) fn set(&self, id: u32, config: &MeterConfig, now_ms: u64) {
        self.change(|table| {
            table.insert(id, Arc::new(Meter::new(config, now_ms)));
        });
    }

    /// Removes a meter; answers its last counters.
    pub(crate) fn remove(&self, id: u32) -> Option<MeterStats> {
        let mut last = None;
        self.change(|table| last = table.remove(&id).map(|m| m.stats()));
        last
    }

    pub(crate) fn stats(&self, id: u32) -> Option<MeterStats> {
        self.table.load(&weir_rcu::pin()).get(&id).map(|m| m.stats())
    }

    /// May a packet pass? One whose meter is gone may.
    pub(crate) fn admits(&self, guard: &Guard, id: u32, bytes: u32, now_ms: u64) -> bool {
        self.table.load(guard).get(&id).is_none_or(|meter| meter.admits(bytes, now_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_lets_its_burst_and_then_its_rate_pass() {
        let config = MeterConfig { packets: true, bands: vec![Band { rate: 10, burst: 5 }] };
        let meter = Meter::new(&config, 1000);
        let passed = (0..20).filter(|_| meter.admits(100, 1000)).count();
        assert_eq!(passed, 5);
        // A tenth of a second is one packet.
        assert!(!meter.admits(100, 1099));
        assert!(meter.admits(100, 1100));
        assert!(!meter.admits(100, 1100));
        assert_eq!(meter.stats().bands, [(17, 1700)]);
        assert_eq!(meter.stats().packets_in, 23);
    }

    #[test]
    fn kilobits_count_bytes_and_missing_meters_let_pass() {
        let meters = Meters::new();
        let config = MeterConfig { packets: false, bands: vec![Band { rate: 8, burst: 8 }] };
        meters.set(1, &config, 0);
        let guard = weir_rcu::pin();
        assert!(meters.admits(&guard, 1, 1000, 0));
        assert!(!meters.admits(&guard, 1, 1, 0));
        assert!(meters.admits(&guard, 2, 1, 0));
        assert_eq!(meters.remove(1).map(|s| s.bands), Some(vec![(1, 1)]));
    }
}
