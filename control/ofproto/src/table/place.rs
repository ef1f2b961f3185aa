//! [`Place`]: a subtable in its table's order, with what a lookup needs to know of it before it goes
//! there.

use std::sync::Arc;

use smallvec::SmallVec;
use weir_flow::Flow;

use super::classifier::MAX_TRIES;
use super::compact::MaskWord;
use super::hash::Hasher;
use super::subtable::Subtable;

/// See the [module documentation](self).
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The highest priority of its flows; the order is by that.
    pub(super) max_priority: i32,
    pub(super) rough: Rough,
    pub(super) subtable: Arc<Subtable>,
}

impl Place {
    pub(super) fn new(subtable: Subtable) -> Self {
        Self { max_priority: i32::MIN, rough: Rough::of(&subtable), subtable: Arc::new(subtable) }
    }
}

/// Which prefixes a subtable has, roughly: its flows' bits in the stage of the prefix fields.
#[derive(Clone, Debug, Default)]
pub(super) struct Rough {
    /// The hash of the stages before, if all flows have the same.
    pub(super) prelude: Option<u64>,
    /// A bit for each hash of the words. Flows that went may have left theirs.
    bits: u64,
    /// The words of the stage.
    pub(super) words: SmallVec<[MaskWord; 2]>,
    /// Its prefix lengths.
    pub(super) lengths: [u8; MAX_TRIES],
}

impl Rough {
    /// Of a subtable as it is.
    pub(super) fn of(subtable: &Subtable) -> Self {
        let mut rough = Self::default();
        let Some(stage) = subtable.prefix_stage() else {
            // Nothing is ever certain about it.
            rough.bits = u64::MAX;
            return rough;
        };
        for (to, len) in rough.lengths.iter_mut().zip(subtable.prefix_lens()) {
            *to = *len;
        }
        rough.words = stage.iter().copied().collect();
        for rule in subtable.iter() {
            rough.bits |= rough.bit(&subtable.mask().flow(&rule.key));
        }
        rough.prelude = subtable.prelude_hash();
        rough
    }

    /// Takes note of a flow that was added.
    pub(super) fn add(&mut self, subtable: &Subtable, flow: &Flow) {
        self.prelude = subtable.prelude_hash();
        self.bits |= self.bit(flow);
    }

    fn bit(&self, flow: &Flow) -> u64 {
        let mut h = Hasher::new();
        let words = flow.words();
        self.words.iter().for_each(|w| h.add(words[usize::from(w.at)] & w.bits));
        1 << (h.finish() >> 58)
    }

    /// May there be a flow that agrees with the packet in these words?
    #[inline]
    pub(super) fn may_have(&self, flow: &Flow) -> bool {
        self.bits & self.bit(flow) != 0
    }
}
