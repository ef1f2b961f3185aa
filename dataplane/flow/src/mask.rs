//! [`Mask`]: which bits of a [`Flow`] matter. A one bit is compared, a zero bit is wildcarded.
//!
//! Megaflow masks are a security boundary: a mask with a bit missing lets a cached verdict apply to
//! packets the tables treat differently. Whoever reads a bit of the flow to decide something sets
//! that bit here ("un-wildcards" it); no function of this file ever clears one.

use crate::flow::{Flow, KEY_WORDS, WORDS};

/// See the [module documentation](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Mask(pub Flow);

impl Mask {
    /// Matches everything.
    pub const CATCHALL: Self = Self(Flow::ZERO);

    /// Compares every bit.
    #[must_use]
    pub fn exact() -> Self {
        let mut m = Self::CATCHALL;
        m.0.words_mut().fill(u64::MAX);
        m
    }

    /// Adds every bit of `other`.
    pub fn add(&mut self, other: &Self) {
        for (a, b) in self.0.words_mut().iter_mut().zip(other.0.words()) {
            *a |= b;
        }
    }

    /// Is every bit of `other` also in this mask, so that this one is at least as narrow?
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.0.words().iter().zip(other.0.words()).all(|(a, b)| a & b == *b)
    }

    /// The flow with every wildcarded bit zeroed.
    #[must_use]
    pub fn apply(&self, flow: &Flow) -> Flow {
        let mut out = Flow::ZERO;
        let it = flow.words().iter().zip(self.0.words());
        for (o, (f, m)) in out.words_mut().iter_mut().zip(it) {
            *o = f & m;
        }
        out
    }

    /// Do `a` and `b` agree on every bit that matters?
    #[must_use]
    pub fn agrees(&self, a: &Flow, b: &Flow) -> bool {
        let it = a.words().iter().zip(b.words());
        it.zip(self.0.words()).all(|((x, y), m)| (x ^ y) & m == 0)
    }

    /// This mask without the words that a datapath key has not: what a megaflow compares. The
    /// pipeline's registers start from constants, so their bits need no comparing.
    #[must_use]
    pub fn datapath(&self) -> Self {
        let mut m = *self;
        m.0.words_mut()[KEY_WORDS..].fill(0);
        m
    }

    /// Is every bit wildcarded?
    #[must_use]
    pub fn is_catchall(&self) -> bool {
        self.0.words().iter().all(|w| *w == 0)
    }

    /// Index one past the last word with a bit set: how much of a flow this mask can look at.
    #[must_use]
    pub fn extent(&self) -> usize {
        (0..WORDS).rev().find(|&i| self.0.words()[i] != 0).map_or(0, |i| i + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apply_keeps_only_masked_bits_and_agrees_ignores_the_rest() {
        let mut a = Flow::ZERO;
        a.nw_src = 0x0a010203.into();
        a.dl_type = 0x0800.into();
        let mut b = a;
        b.nw_src = 0x0a0102ff.into();
        let mut m = Mask::CATCHALL;
        m.0.nw_src = 0xffffff00.into();
        assert!(m.agrees(&a, &b));
        assert_eq!(m.apply(&a), m.apply(&b));
        m.0.nw_src = 0xffffffff.into();
        assert!(!m.agrees(&a, &b));
        assert!(Mask::exact().covers(&m) && !m.covers(&Mask::exact()));
        assert_eq!(m.extent(), 5);
    }
}
