//! Where a new megaflow goes, and with which mask.
//!
//! Each subtable costs every look-up one probe, and whoever sends packets can make the tables ask for
//! many masks. So masks share subtables: a megaflow goes to the one that indexes the whole bytes of
//! its mask, or, when there are many already, to one that indexes fewer. Where too many would share
//! their indexed bits, the megaflow is *narrowed* to whole bytes, which is always right and only
//! means more megaflows. Neither the number of subtables nor that of compared members can be driven
//! up from outside.

use weir_flow::flow::KEY_WORDS;
use weir_flow::{Flow, Mask};

use crate::hash::HashKey;
use crate::megaflow::mask::{ceiling, covers, floor, same, size};
use crate::megaflow::subtable::Subtable;

/// Subtables that masks may ask for.
pub(crate) const SUBTABLES: usize = 32;
/// More of them, for narrowed megaflows.
const SUBTABLES_NARROWED: usize = 8;
/// Members with the same indexed bits.
pub(crate) const CROWD: usize = 8;

/// The answer: the mask to install with, at least as narrow as was wanted, and the subtable.
#[derive(Debug)]
pub(crate) struct Placement {
    pub(crate) mask: Mask,
    pub(crate) at: At,
}

/// A subtable that there is, by its place, or one that is to be made, by its index.
#[derive(Debug)]
pub(crate) enum At {
    Place(usize),
    New(Box<Mask>),
}

/// Finds a place for a megaflow among a port's subtables.
pub(crate) fn place(
    secret: &HashKey,
    subtables: &[Subtable],
    key: &Flow,
    wanted: &Mask,
) -> Placement {
    if let Some(at) = shared(secret, subtables, key, wanted, &floor(wanted), SUBTABLES) {
        return Placement { mask: *wanted, at };
    }
    let limit = SUBTABLES + SUBTABLES_NARROWED;
    let mut mask = ceiling(wanted).datapath();
    if let Some(at) = shared(secret, subtables, key, &mask, &mask, limit) {
        return Placement { mask, at };
    }
    // One that tells all packets apart, of which there is one at most.
    mask.0.words_mut().iter_mut().take(KEY_WORDS).for_each(|word| *word = u64::MAX);
    let at = subtables.iter().position(|s| same(s.index(), &mask));
    Placement { mask, at: at.map_or_else(|| At::New(Box::new(mask)), At::Place) }
}

/// A place that has room: the subtable with this index, a new one, or the narrowest of the others.
fn shared(
    secret: &HashKey,
    subtables: &[Subtable],
    key: &Flow,
    mask: &Mask,
    index: &Mask,
    limit: usize,
) -> Option<At> {
    let has_room = |s: &Subtable| s.crowd(secret, key) < CROWD;
    if let Some(at) = subtables.iter().position(|s| same(s.index(), index)) {
        // Nothing is left to tell apart: there is one member at most.
        let whole = same(mask, index);
        return (whole || subtables.get(at).is_some_and(has_room)).then_some(At::Place(at));
    }
    if subtables.len() < limit {
        return Some(At::New(Box::new(*index)));
    }
    let covered = subtables.iter().enumerate().filter(|(_, s)| covers(mask, s.index()));
    let narrowest = covered.max_by_key(|(_, s)| size(s.index()));
    narrowest.filter(|(_, s)| has_room(s)).map(|(at, _)| At::Place(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_share_subtables_and_are_only_ever_narrowed() {
        let secret = HashKey::random();
        let mut subtables: Vec<Subtable> = Vec::new();
        let key = Flow::ZERO;
        for i in 0..5000u32 {
            let mut wanted = Mask::CATCHALL;
            wanted.0.nw_src = u32::MAX.checked_shl(31 - i % 32).unwrap_or(0).into();
            wanted.0.nw_dst = u32::MAX.checked_shl(31 - i / 32 % 32).unwrap_or(0).into();
            wanted.0.tp_dst = (u16::MAX << (i % 16)).into();
            wanted.0.tp_src = (u16::MAX << (i / 128 % 16)).into();
            let Placement { mask, at } = place(&secret, &subtables, &key, &wanted);
            assert!(covers(&mask, &wanted));
            match at {
                At::Place(at) => assert!(covers(&mask, subtables[at].index())),
                At::New(index) => {
                    assert!(covers(&mask, &index));
                    subtables.push(Subtable::new(i, *index));
                }
            }
        }
        assert!(subtables.len() <= SUBTABLES + SUBTABLES_NARROWED + 1, "{}", subtables.len());
    }
}
