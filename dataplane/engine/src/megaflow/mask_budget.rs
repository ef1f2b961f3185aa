//! Which mask a new megaflow is installed with.
//!
//! Each mask costs every later look-up one probe, and whoever sends packets can make the tables ask
//! for many. A megaflow may always be *narrower* than its translation needs: so up to a budget each
//! wanted mask gets a subtable, and beyond it megaflows share the narrowest one. The price is more
//! megaflows, never slower look-ups.

use weir_flow::Mask;

/// Masks of one ingress port that get subtables of their own.
pub(crate) const MASK_BUDGET: usize = 64;

/// Are these the same bits? By words: field by field takes ten times as long.
pub(crate) fn same(a: &Mask, b: &Mask) -> bool {
    a.0.words() == b.0.words()
}

/// The mask to install with, at least as narrow as `wanted`. `present` are the port's masks.
pub(crate) fn choose<'a>(
    present: impl ExactSizeIterator<Item = &'a Mask> + Clone,
    wanted: &Mask,
) -> Mask {
    if present.len() < MASK_BUDGET || present.clone().any(|m| same(m, wanted)) {
        return *wanted;
    }
    let bits = |m: &Mask| m.0.words().iter().map(|w| w.count_ones()).sum::<u32>();
    if let Some(mask) = present.clone().filter(|m| m.covers(wanted)).min_by_key(|m| bits(m)) {
        return *mask;
    }
    let mut all = *wanted;
    for mask in present {
        all.add(mask);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(bits: u32) -> Mask {
        let mut mask = Mask::CATCHALL;
        mask.0.nw_src = (u32::MAX.checked_shl(32 - bits).unwrap_or(0)).into();
        mask
    }

    #[test]
    fn beyond_the_budget_masks_are_shared_and_only_ever_narrower() {
        let mut present: Vec<Mask> = Vec::new();
        for i in 0..1000u32 {
            let mut wanted = prefix(1 + i % 31);
            wanted.0.tp_dst = ((1u32 << (i / 31 % 16)) as u16).into();
            let mask = choose(present.iter(), &wanted);
            assert!(mask.covers(&wanted));
            if !present.contains(&mask) {
                present.push(mask);
            }
        }
        assert!(present.len() < MASK_BUDGET + 31 + 16, "{}", present.len());
    }
}
