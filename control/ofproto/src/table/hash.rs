//! The hash of the tables' indexes: multiply and fold, seeded once a process, so that nobody who
//! sends packets or flows can choose what collides.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0x5745_4952u32) | 1);

/// Hashes a sequence of words.
#[derive(Clone, Copy, Debug)]
pub struct Hasher(u64);

impl Hasher {
    /// The hash of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self(*SEED)
    }

    /// Adds a word.
    #[inline]
    pub fn add(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (product as u64) ^ (product >> 64) as u64 ^ self.0.rotate_left(23);
    }

    /// The hash so far.
    #[inline]
    #[must_use]
    pub fn finish(self) -> u64 {
        let x = self.0 ^ (self.0 >> 32);
        x.wrapping_mul(0xd6e8_feb8_6659_fd93) ^ (x >> 29)
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

/// Passes a `u64` that is already a hash through.
#[derive(Clone, Copy, Debug, Default)]
pub struct Identity(u64);

impl std::hash::Hasher for Identity {
    fn write(&mut self, bytes: &[u8]) {
        for b in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*b);
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// [`std::hash::BuildHasher`] of [`Identity`].
pub type BuildIdentity = std::hash::BuildHasherDefault<Identity>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_spread() {
        let set: std::collections::HashSet<u64> = (0..100_000u64)
            .map(|n| {
                let mut h = Hasher::new();
                h.add(n << 32);
                h.add(n & 7);
                h.finish() & 0xf_ffff
            })
            .collect();
        // 100,000 balls in 1,048,576 boxes fill about 95,400 of them.
        assert!(set.len() > 94_000, "{}", set.len());
    }
}
