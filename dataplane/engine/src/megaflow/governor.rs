//! [`Governor`]: under a storm of new flows a megaflow is installed at its second packet.
//!
//! Most flows of a scan, a flood or an attack on the flow tables have one packet. Installing a megaflow
//! for each costs more than translating the packet, fills the tables, and makes look-ups of all other
//! packets ask for more masks. While misses are few, every one is installed, as users expect to see.

use crate::hash::HashKey;
use weir_flow::{Flow, Mask};

/// Misses a millisecond that make a storm: 20,000 a second.
const STORM: u64 = 20;
/// Milliseconds over which they are counted.
const WINDOW_MS: u64 = 64;
/// Each bucket remembers four misses.
const BUCKETS: usize = 1 << 16;
/// One in each of a bucket's four places.
const PLACES: u64 = 0x0001_0001_0001_0001;

/// See the [module documentation](self).
#[derive(Debug)]
pub(crate) struct Governor {
    /// Four times sixteen bits of the hash of a megaflow that was asked for, in a bucket by other bits
    /// of it. A new one takes a place by chance: of flows that come in turn, more than there is
    /// room for, some are still known when they come again, and others the next time.
    buckets: Vec<u64>,
    dice: u64,
    window_began_ms: u64,
    misses: u64,
    storm: bool,
}

impl Governor {
    pub(crate) fn new() -> Self {
        let buckets = vec![0; BUCKETS];
        Self { buckets, dice: 1, window_began_ms: 0, misses: 0, storm: false }
    }

    /// Takes note of a miss. Is its megaflow to be installed?
    pub(crate) fn admits(
        &mut self,
        secret: &HashKey,
        key: &Flow,
        mask: &Mask,
        now_ms: u64,
    ) -> bool {
        let elapsed = now_ms.saturating_sub(self.window_began_ms);
        if elapsed >= WINDOW_MS {
            self.storm = self.misses > elapsed * STORM;
            (self.window_began_ms, self.misses) = (now_ms, 0);
        }
        self.misses += 1;
        if !self.storm {
            return true;
        }
        let words = key.words().iter().zip(mask.0.words()).map(|(word, bits)| word & bits);
        let hash = secret.words(words);
        // 0 is an empty place.
        let tag = (hash >> 48) | 1;
        let place = self.roll() % 4 * 16;
        let Some(bucket) = self.buckets.get_mut(hash as usize % BUCKETS) else { return true };
        if is_in(*bucket, tag) {
            return true;
        }
        *bucket = *bucket & !(0xffff << place) | tag << place;
        false
    }

    /// Xorshift.
    fn roll(&mut self) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice >> 32
    }
}

/// Is `tag`, which is odd, in one of the four places?
fn is_in(bucket: u64, tag: u64) -> bool {
    let differences = bucket ^ (tag * PLACES);
    // Places without a difference borrow from their highest bit.
    differences.wrapping_sub(PLACES) & !differences & (PLACES << 15) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_in_each_place_and_nowhere_else() {
        let bucket = 0x8001_7fff_0001_0000;
        assert!([0x8001, 0x7fff, 0x0001].iter().all(|tag| is_in(bucket, *tag)));
        assert!([0x8003, 0x7ffd, 0x0003, 0xffff].iter().all(|tag| !is_in(bucket, *tag)));
        assert!(!is_in(0, 1));
    }

    #[test]
    fn flows_that_come_in_turn_are_all_installed_soon() {
        for flows in [1_000, 100_000, 200_000] {
            let (mut governor, secret) = (Governor::new(), HashKey::random());
            let mut mask = Mask::CATCHALL;
            mask.0.nw_src = u32::MAX.into();
            governor.storm = true;
            let mut waiting: Vec<u32> = (0..flows).collect();
            let mut asked = 0;
            for _ in 0..64 {
                asked += waiting.len();
                waiting.retain(|n| {
                    let mut key = Flow::ZERO;
                    key.nw_src = (*n).into();
                    !governor.admits(&secret, &key, &mask, 0)
                });
            }
            assert!(waiting.is_empty(), "{} of {flows}", waiting.len());
            assert!(asked <= flows as usize * 6, "{asked} for {flows}");
        }
    }

    #[test]
    fn in_a_storm_only_what_comes_again_is_installed() {
        let (mut governor, secret) = (Governor::new(), HashKey::random());
        let mut mask = Mask::CATCHALL;
        mask.0.nw_src = u32::MAX.into();
        let mut admits = |n: u32, now_ms| {
            let mut key = Flow::ZERO;
            key.nw_src = n.into();
            key.nw_dst = (n ^ now_ms as u32).into();
            governor.admits(&secret, &key, &mask, now_ms)
        };
        // 1 ms apart is no storm.
        assert!((1000..2000).all(|n| admits(n, u64::from(n))));
        // A thousand in each is.
        let mut admitted = 0;
        for n in 0..200_000u32 {
            admitted += u32::from(admits(n, 2000 + u64::from(n) / 1000));
        }
        assert!((1_000..80_000).contains(&admitted), "{admitted}");
        assert!(admits(199_999, 2200));
        // And over again.
        assert!((0..100).all(|n| admits(n, 10_000 + u64::from(n))));
    }
}
