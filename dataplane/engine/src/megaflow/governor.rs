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
/// Misses that are remembered.
const REMEMBERED: usize = 1 << 18;

/// See the [module documentation](self).
#[derive(Debug)]
pub(crate) struct Governor {
    /// Sixteen bits of the hash of a megaflow that was asked for, at a place by other bits of it.
    tags: Vec<u16>,
    window_began_ms: u64,
    misses: u64,
    storm: bool,
}

impl Governor {
    pub(crate) fn new() -> Self {
        Self { tags: vec![0; REMEMBERED], window_began_ms: 0, misses: 0, storm: false }
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
        let tag = (hash >> 48) as u16 | 1;
        match self.tags.get_mut(hash as usize % REMEMBERED) {
            Some(place) => std::mem::replace(place, tag) == tag,
            None => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
