//! Unique flow identifiers: 128 bits that are the same for the same match, run after run.

use weir_flow::flow::KEY_WORDS;
use weir_flow::{Flow, Mask};

const SEEDS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f];

const fn mix(hash: u64, word: u64) -> u64 {
    let product = (hash ^ word) as u128 * 0xff51_afd7_ed55_8ccd_u128;
    ((product as u64) ^ ((product >> 64) as u64)).rotate_left(29).wrapping_add(0x5255_6c45)
}

/// Identifier of the megaflow with this key and mask (bits of the key outside the mask, and words
/// beyond the datapath key, do not count).
#[must_use]
pub fn ufid(key: &Flow, mask: &Mask) -> u128 {
    let half = |seed: u64| {
        let mut hash = seed;
        let words = key.words().iter().zip(mask.0.words()).take(KEY_WORDS).enumerate();
        for (i, (k, m)) in words.filter(|(_, (_, m))| **m != 0) {
            // In wire order, so that the identifier does not depend on the machine.
            hash = mix(hash, u64::from_be(k & m));
            hash = mix(hash, u64::from_be(*m) ^ (i as u64) << 56);
        }
        mix(hash, seed)
    };
    u128::from(half(SEEDS[0])) << 64 | u128::from(half(SEEDS[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcarded_bits_do_not_count_and_all_others_do() {
        let mut key = Flow::ZERO;
        key.in_port = 1.into();
        key.nw_src = 0x0a00_0001.into();
        let mut mask = Mask::CATCHALL;
        mask.0.in_port = u32::MAX.into();
        let id = ufid(&key, &mask);
        let mut other = key;
        other.nw_src = 0x0a00_0002.into();
        assert_eq!(id, ufid(&other, &mask));
        mask.0.nw_src = 0xffff_ff00.into();
        assert_ne!(id, ufid(&key, &mask));
        assert_eq!(ufid(&key, &mask), ufid(&other, &mask));
        other.in_port = 2.into();
        assert_ne!(ufid(&key, &mask), ufid(&other, &mask));
    }
}
