//! [`Projection`]: the bits that some megaflow of a port looks at ("project before hashing", see
//! `cache::emc`).

use weir_flow::Mask;
use weir_flow::flow::{HOT_WORDS, WIDE_WORDS};

use crate::megaflow::mask::ceiling;

/// Words of a hot packet that differ between packets of one port: all but the first.
pub(crate) const HOT_KEY_WORDS: usize = HOT_WORDS - 1;
/// The same of packets that take [`WIDE_WORDS`].
pub(crate) const WIDE_KEY_WORDS: usize = WIDE_WORDS - 1;

/// Additions between two rounds of housekeeping that are taken bit by bit; later ones come in whole
/// bytes, since each one makes void what was learned before.
const FEW_ADDITIONS: u32 = 4;

/// The bits of hot packets that some megaflow of a port looks at, or more, and the version of that
/// set: what was learned under another version is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Projection {
    pub(crate) bits: [u64; WIDE_KEY_WORDS],
    pub(crate) epoch: u32,
    additions: u32,
}

fn bits(mask: &Mask) -> [u64; WIDE_KEY_WORDS] {
    let words = mask.0.words();
    std::array::from_fn(|i| words[i + 1])
}

impl Projection {
    /// For ports without megaflows: all packets differ, none is known.
    pub(crate) const NOTHING: Self =
        Self { bits: [u64::MAX; WIDE_KEY_WORDS], epoch: 0, additions: 0 };

    /// For a port that is about to get its first megaflow.
    pub(crate) const fn empty(epoch: u32) -> Self {
        Self { bits: [0; WIDE_KEY_WORDS], epoch, additions: 0 }
    }

    /// Takes a mask in. True if that takes more bits than before; the caller gives a new epoch.
    pub(crate) fn add(&mut self, mask: &Mask) -> bool {
        let new = bits(mask);
        if self.bits.iter().zip(new).all(|(old, new)| new & !old == 0) {
            return false;
        }
        self.additions += 1;
        let new = if self.additions > FEW_ADDITIONS { bits(&ceiling(mask)) } else { new };
        self.bits = std::array::from_fn(|i| self.bits[i] | new[i]);
        true
    }

    /// Leaves what `masks` look at, unless bits were added lately. True if that takes fewer bits than
    /// before.
    pub(crate) fn tidy<'m>(&mut self, masks: impl Iterator<Item = &'m Mask>) -> bool {
        if std::mem::take(&mut self.additions) != 0 {
            return false;
        }
        let mut wanted = [0; WIDE_KEY_WORDS];
        for mask in masks {
            let new = bits(mask);
            wanted = std::array::from_fn(|i| wanted[i] | new[i]);
        }
        let changes = wanted != self.bits;
        self.bits = wanted;
        changes
    }
}
