//! The hash of the flow caches: multiply and fold, keyed by secrets drawn at start, so that a peer
//! who chooses packets cannot choose collisions.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// The secrets of one set of tables.
#[derive(Clone, Copy)]
pub(crate) struct HashKey([u64; 4]);

impl std::fmt::Debug for HashKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HashKey(secret)")
    }
}

#[inline(always)]
const fn fold(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    (product as u64) ^ ((product >> 64) as u64)
}

impl HashKey {
    /// Fresh secrets.
    pub(crate) fn random() -> Self {
        let state = RandomState::new();
        // Odd, so that no multiplier is zero.
        Self([0u64, 1, 2, 3].map(|i| state.hash_one(i) | 1))
    }

    /// Hash of the words that describe a hot packet besides port and recirculation, which `salt`
    /// stands for.
    #[inline(always)]
    pub(crate) const fn hot(&self, w: &[u64; 5], salt: u32) -> u64 {
        let [a, b, c, d] = self.0;
        let x = fold(w[0] ^ a, w[1] ^ b);
        let y = fold(w[3] ^ c, w[4] ^ d);
        fold(x ^ w[2] ^ d, y ^ b ^ salt as u64)
    }

    /// The same for packets that take ten words.
    #[inline(always)]
    pub(crate) const fn wide(&self, w: &[u64; 10], salt: u32) -> u64 {
        let [w0, w1, w2, w3, w4, w5, w6, w7, w8, w9] = *w;
        let [a, b, c, d] = self.0;
        let x = fold(w5 ^ b, w6 ^ c);
        let y = fold(w7 ^ d, w8 ^ a);
        fold(self.hot(&[w0, w1, w2, w3, w4], salt) ^ x ^ c, y ^ w9 ^ d)
    }

    /// Hash of some words in which no multiplication waits for another.
    #[inline(always)]
    pub(crate) fn words(&self, words: impl Iterator<Item = u64>) -> u64 {
        let [a, b, c, d] = self.0;
        let lanes = words.zip(0u32..).fold(c, |sum, (word, n)| {
            sum.wrapping_add(fold(word ^ a.rotate_left(7 * n), b.rotate_left(11 * n) | 1))
        });
        fold(lanes ^ d, b)
    }

    /// Adds one word to a running hash.
    #[inline(always)]
    pub(crate) const fn step(&self, hash: u64, word: u64) -> u64 {
        fold(hash ^ self.0[0], word ^ self.0[1])
    }

    /// Where a running hash starts.
    #[inline(always)]
    pub(crate) const fn start(&self) -> u64 {
        self.0[2]
    }
}

/// For maps by port number, which nobody outside chooses.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PortHasher(u64);

impl Hasher for PortHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|b| self.write_u32(u32::from(*b)));
    }

    #[inline]
    fn write_u32(&mut self, n: u32) {
        // The golden ratio spreads numbers in a row over the upper bits, too.
        self.0 = (self.0 ^ u64::from(n)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_counts_and_buckets_fill_evenly() {
        let key = HashKey::random();
        let base = [1, 2, 3, 4, 5];
        for i in 0..5 {
            let mut other = base;
            other[i] ^= 1 << 40;
            assert_ne!(key.hot(&base, 7), key.hot(&other, 7), "word {i}");
        }
        let base: [u64; 10] = std::array::from_fn(|i| i as u64);
        for i in 0..10 {
            let mut other = base;
            other[i] ^= 1 << 40;
            assert_ne!(key.wide(&base, 7), key.wide(&other, 7), "word {i}");
        }
        for i in 0..10 {
            let mut other = base;
            other.swap(i, (i + 1) % 10);
            let of = |words: [u64; 10]| key.words(words.into_iter());
            assert_ne!(of(base), of(other), "word {i}");
        }
        let mut buckets = [0u32; 64];
        for i in 0..6400u64 {
            let h = key.words([7, i << 32, i & 1].into_iter());
            buckets[(h >> 58) as usize] += 1;
        }
        assert!(buckets.iter().all(|&n| (50..170).contains(&n)), "{buckets:?}");
        let mut buckets = [0u32; 64];
        for i in 0..6400u64 {
            let h = key.hot(&[0, 0, 0, i << 32, 0], 1);
            buckets[(h & 63) as usize] += 1;
        }
        assert!(buckets.iter().all(|&n| (50..170).contains(&n)), "{buckets:?}");
    }
}
