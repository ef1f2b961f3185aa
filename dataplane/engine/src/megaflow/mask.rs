//! [`InstalledMask`]: a mask in the form that comparing keys needs, shared by the megaflows that have
//! it.

use weir_flow::flow::KEY_WORDS;
use weir_flow::{Flow, Mask};

use crate::megaflow::entry::Masked;

/// The words of a packet's flow; those beyond the slice are zero.
pub(crate) type Key<'a> = &'a [u64];

#[inline(always)]
fn word(key: Key<'_>, index: usize) -> u64 {
    key.get(index).copied().unwrap_or(0)
}

/// A word of a key and the bits of it that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MaskWord {
    index: usize,
    bits: u64,
}

/// Two words of a key and the bits of each that are compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WordPair {
    bits: [u64; 2],
    index: [u8; 2],
}

impl WordPair {
    /// A number that is the same for keys with the same bits.
    #[inline(always)]
    pub(crate) fn of(self, key: Key<'_>) -> u64 {
        let [a, b] = [0, 1].map(|i| word(key, usize::from(self.index[i])) & self.bits[i]);
        a ^ b.rotate_left(29)
    }
}

impl MaskWord {
    /// These bits of a key.
    #[inline(always)]
    pub(crate) fn of(self, key: Key<'_>) -> u64 {
        word(key, self.index) & self.bits
    }
}

/// See the [module documentation](self).
#[derive(Debug)]
pub(crate) struct InstalledMask {
    pub(crate) mask: Mask,
    words: Box<[MaskWord]>,
}

impl InstalledMask {
    /// `mask` must have no bits beyond the datapath key.
    pub(crate) fn new(mask: Mask) -> Self {
        let words = mask.0.words().iter().copied().enumerate().take(KEY_WORDS);
        let words = words.filter(|(_, bits)| *bits != 0);
        Self { words: words.map(|(index, bits)| MaskWord { index, bits }).collect(), mask }
    }

    /// The words of `key` under the mask, in order.
    #[inline(always)]
    pub(crate) fn of<'a>(&'a self, key: Key<'a>) -> impl Iterator<Item = u64> + 'a {
        self.words.iter().map(move |w| w.of(key))
    }

    /// The two words in which this mask has most bits that `index` lacks, and those bits.
    pub(crate) fn beyond(&self, index: &Mask) -> WordPair {
        let known = index.0.words();
        let mut pair = WordPair { bits: [0; 2], index: [0; 2] };
        for word in &self.words {
            let bits = word.bits & !known[word.index];
            let least = usize::from(pair.bits[1].count_ones() < pair.bits[0].count_ones());
            if bits.count_ones() > pair.bits[least].count_ones() {
                pair.bits[least] = bits;
                pair.index[least] = word.index as u8;
            }
        }
        pair
    }

    /// The same, kept.
    pub(crate) fn masked(&self, key: &Flow) -> Masked {
        self.of(key.words()).collect()
    }

    /// Does a key agree with the words that another one has under this mask?
    #[inline(always)]
    pub(crate) fn agrees(&self, masked: &[u64], key: Key<'_>) -> bool {
        self.of(key).zip(masked).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0
    }
}

/// Every byte that is compared in part, changed: compared not at all, or whole.
fn bytes(mask: &Mask, change: impl Fn(u8) -> u8) -> Mask {
    let mut mask = *mask;
    for word in mask.0.words_mut() {
        *word = u64::from_ne_bytes(word.to_ne_bytes().map(&change));
    }
    mask
}

/// The mask without bytes that it has in part.
pub(crate) fn floor(mask: &Mask) -> Mask {
    bytes(mask, |byte| if byte == 0xff { byte } else { 0 })
}

/// The mask with whole bytes where it has parts.
pub(crate) fn ceiling(mask: &Mask) -> Mask {
    bytes(mask, |byte| if byte == 0 { byte } else { 0xff })
}

/// Has `mask` all bits of `other`? By words: field by field takes ten times as long.
pub(crate) fn covers(mask: &Mask, other: &Mask) -> bool {
    mask.0.words().iter().zip(other.0.words()).all(|(a, b)| a & b == *b)
}

/// Are these the same bits?
pub(crate) fn same(a: &Mask, b: &Mask) -> bool {
    a.0.words() == b.0.words()
}

/// How many bits are compared.
pub(crate) fn size(mask: &Mask) -> u32 {
    mask.0.words().iter().map(|w| w.count_ones()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_lies_between_its_floor_and_its_ceiling() {
        let mut mask = Mask::CATCHALL;
        mask.0.nw_src = 0xffff_8000.into();
        mask.0.tp_dst = 0x00ff.into();
        mask.0.nw_frag = 3;
        let (low, high) = (floor(&mask), ceiling(&mask));
        assert_eq!((low.0.nw_src.get(), low.0.tp_dst.get(), low.0.nw_frag), (0xffff_0000, 0xff, 0));
        assert_eq!((high.0.nw_src.get(), high.0.tp_dst.get()), (0xffff_ff00, 0xff));
        assert!(covers(&mask, &low) && covers(&high, &mask) && !covers(&low, &mask));
        assert!(size(&low) < size(&mask) && size(&mask) < size(&high));
        assert!(same(&floor(&low), &low) && same(&ceiling(&high), &high));
    }
}
