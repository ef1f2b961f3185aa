//! Which subtables a lookup need not ask: in a table of a thousand prefixes of all lengths nearly all
//! of them.
//!
//! * Those that the tries rule out by bits that are in the megaflow already are not even looked at
//!   ([`Skip::next`]).
//! * Those whose flows are all of another protocol, say, are passed by ([`Skip::is_absent`]).
//! * Of those with a prefix length that some flow agrees with, most have another such flow
//!   ([`Skip::is_absent`]).
//!
//! Neither the flow that is found nor the bits that are looked at differ from what asking every
//! subtable in turn comes to.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use smallvec::SmallVec;
use weir_flow::{Flow, Mask};

use super::classifier::{MAX_TRIES, TrieContext};
use super::compact::{MaskWord, add_words};
use super::hash::Hasher;
use super::place::Place;

/// Fewer subtables than these are asked one after the other.
const MIN_SUBTABLES: usize = 8;
/// Preludes that are told apart; subtables with others are always asked.
const MAX_PRELUDES: usize = 16;

/// Where the bits of [`Skip::seen`] about tries begin.
const KNOWN: usize = MAX_PRELUDES;
const SHOWN: usize = KNOWN + MAX_TRIES;

/// A set of subtables by their place in the order.
type Places = Box<[u64]>;
/// See [`Subtable::prelude`](super::subtable::Subtable::prelude).
type Prelude = Arc<[MaskWord]>;

fn no_places(n_subtables: usize) -> Places {
    vec![0; n_subtables.div_ceil(64)].into()
}

fn insert(places: &mut Places, at: usize) {
    if let Some(word) = places.get_mut(at / 64) {
        *word |= 1 << (at % 64);
    }
}

fn join(places: &mut [u64], others: &[u64]) {
    places.iter_mut().zip(others).for_each(|(p, o)| *p |= o);
}

/// The subtables of one table, by what it takes to rule them out.
#[derive(Debug)]
pub(super) struct SkipIndex {
    n_subtables: usize,
    n_tries: usize,
    /// What is looked at before any prefix, and the subtables that look at it.
    preludes: Vec<(Prelude, Places)>,
    /// Which of them each subtable has; [`MAX_PRELUDES`] for none of them.
    prelude_of: Vec<u8>,
    fields: SmallVec<[Lengths; MAX_TRIES]>,
}

/// The subtables by their prefix length in one field.
#[derive(Debug)]
struct Lengths {
    /// Those without a prefix.
    none: Places,
    /// Those with each length there is, in order.
    each: Vec<(u8, Places)>,
}

impl Lengths {
    fn new(n: usize, list: &[Place]) -> Self {
        let empty = || no_places(list.len());
        let mut by_length: BTreeMap<u8, Places> = BTreeMap::new();
        for (at, place) in list.iter().enumerate() {
            let len = place.subtable.prefix_lens().get(n).copied().unwrap_or(0);
            insert(by_length.entry(len).or_insert_with(empty), at);
        }
        let none = by_length.remove(&0).unwrap_or_else(empty);
        Self { none, each: by_length.into_iter().collect() }
    }
}

impl SkipIndex {
    pub(super) fn new(n_tries: usize, list: &[Place]) -> Self {
        let (preludes, prelude_of) = if list.len() < MIN_SUBTABLES {
            (Vec::new(), Vec::new())
        } else {
            common_preludes(list)
        };
        let fields = if preludes.is_empty() { 0 } else { n_tries };
        Self {
            n_subtables: list.len(),
            n_tries,
            preludes,
            prelude_of,
            fields: (0..fields).map(|n| Lengths::new(n, list)).collect(),
        }
    }
}

/// The preludes that most subtables have, with these, and which of them each subtable has.
fn common_preludes(list: &[Place]) -> (Vec<(Prelude, Places)>, Vec<u8>) {
    let mut members: HashMap<&Prelude, Vec<usize>> = HashMap::new();
    for (at, place) in list.iter().enumerate() {
        if let Some(prelude) = place.subtable.prelude() {
            members.entry(prelude).or_default().push(at);
        }
    }
    // One that is rare says little.
    let mut members: Vec<_> = members.into_iter().collect();
    members.sort_by_key(|(_, members)| std::cmp::Reverse(members.len()));
    members.truncate(MAX_PRELUDES);
    let mut prelude_of = vec![MAX_PRELUDES as u8; list.len()];
    let mut preludes = Vec::with_capacity(members.len());
    for (n, (prelude, members)) in (0u8..).zip(members) {
        let mut places = no_places(list.len());
        for at in members {
            insert(&mut places, at);
            if let Some(of) = prelude_of.get_mut(at) {
                *of = n;
            }
        }
        preludes.push((Arc::clone(prelude), places));
    }
    (preludes, prelude_of)
}

/// What one lookup may skip.
pub(super) struct Skip<'a> {
    index: &'a SkipIndex,
    /// Which preludes are in the megaflow, which tries were asked, whose answers are in it.
    seen: u32,
    /// The subtables to ask, once any can be skipped.
    asked: SmallVec<[u64; 32]>,
    /// Hashes of the packet under the preludes that are in the megaflow.
    hashes: [u64; MAX_PRELUDES],
    /// For each prefix field, bit `n - 1` is set if a length of `n` bits is not ruled out.
    open: [u128; MAX_TRIES],
}

impl<'a> Skip<'a> {
    pub(super) fn new(index: &'a SkipIndex) -> Self {
        Self {
            index,
            seen: 0,
            asked: SmallVec::new(),
            hashes: [0; MAX_PRELUDES],
            open: [0; MAX_TRIES],
        }
    }

    /// Takes note of what has been looked at by now.
    pub(super) fn update(&mut self, tries: &TrieContext<'_>, flow: &Flow, wc: &Mask) {
        let mut seen = self.seen;
        let words = wc.0.words();
        let preludes = self.index.preludes.iter().enumerate();
        let preludes = preludes.skip((seen | !0 << MAX_PRELUDES).trailing_ones() as usize);
        for (n, (prelude, _)) in preludes {
            let bit = 1 << n;
            if seen & bit == 0
                && prelude.iter().all(|w| words[usize::from(w.at)] & w.bits == w.bits)
            {
                seen |= bit;
                let mut h = Hasher::new();
                prelude.iter().for_each(|w| h.add(flow.words()[usize::from(w.at)] & w.bits));
                self.hashes[n] = h.finish();
            }
        }
        if self.index.preludes.is_empty() || seen == 0 {
            return;
        }
        for n in 0..self.index.n_tries {
            let (known, shown) = (1 << (KNOWN + n), 1 << (SHOWN + n));
            if seen & shown == 0 && tries.known(n).is_some() {
                seen |= known;
                if tries.is_shown(n, wc) {
                    seen |= shown;
                }
            }
        }
        if seen != self.seen {
            self.seen = seen;
            self.find(tries);
        }
    }

    fn find(&mut self, tries: &TrieContext<'_>) {
        let Self { index, seen, asked, open, .. } = self;
        let is_shown = |n: usize| *seen >> (SHOWN + n) & 1 != 0;
        for (n, open) in open.iter_mut().enumerate() {
            // What would cost more bits than a look into the subtable does not rule it out.
            let costly = |bits: u8| {
                let shorter = u32::from(bits).saturating_sub(1);
                !u128::MAX.checked_shl(shorter).unwrap_or(0)
            };
            *open = match tries.known(n) {
                Some(result) if is_shown(n) => result.lengths(),
                Some(result) => result.lengths() | costly(result.n_bits),
                None => 0,
            };
        }
        asked.clear();
        if *seen >> SHOWN == 0 {
            return;
        }
        asked.resize(index.n_subtables.div_ceil(64), u64::MAX);
        for (n, lengths) in index.fields.iter().enumerate() {
            let Some(result) = tries.known(n).filter(|_| is_shown(n)) else { continue };
            let mut left: SmallVec<[u64; 32]> = SmallVec::from_slice(&lengths.none);
            for (_, set) in lengths.each.iter().filter(|(len, _)| result.has(*len)) {
                join(&mut left, set);
            }
            asked.iter_mut().zip(&left).for_each(|(a, l)| *a &= l);
        }
        let mut other: SmallVec<[u64; 32]> = SmallVec::from_elem(u64::MAX, asked.len());
        let preludes = index.preludes.iter().enumerate();
        for (_, (_, set)) in preludes.filter(|(n, _)| *seen >> n & 1 != 0) {
            other.iter_mut().zip(set).for_each(|(o, s)| *o &= !s);
        }
        join(asked, &other);
    }

    /// Is it certain that the subtable at this place has no flow for the packet's prefixes? Adds the
    /// bits that asking it would add, then.
    #[inline]
    pub(super) fn is_absent(
        &mut self,
        at: usize,
        place: &Place,
        tries: &TrieContext<'_>,
        flow: &Flow,
        wc: &mut Mask,
    ) -> bool {
        let Some(prelude) = self.index.prelude_of.get(at).map(|n| usize::from(*n)) else {
            return false;
        };
        let rough = &place.rough;
        if prelude >= MAX_PRELUDES || self.seen >> prelude & 1 == 0 {
            return false;
        }
        let Some(hash) = rough.prelude else { return false };
        if Some(&hash) != self.hashes.get(prelude) {
            // Of another protocol, say; the megaflow has the bits that show it.
            return true;
        }
        let certain = rough
            .lengths
            .iter()
            .zip(&self.open)
            .all(|(len, open)| *len == 0 || open >> (len - 1) & 1 != 0);
        if !certain || rough.may_have(flow) {
            return false;
        }
        let known = wc.0.words();
        if rough.words.iter().any(|w| w.bits & !known[usize::from(w.at)] != 0) {
            add_words(&rough.words, wc);
            self.update(tries, flow, wc);
        }
        true
    }

    /// The first subtable from `at` on that must be asked.
    #[inline]
    pub(super) fn next(&self, at: usize) -> usize {
        let mut word = at / 64;
        let Some(first) = self.asked.get(word) else { return at };
        let mut left = first & u64::MAX << (at % 64);
        while left == 0 {
            word += 1;
            let Some(asked) = self.asked.get(word) else { return self.index.n_subtables };
            left = *asked;
        }
        word * 64 + left.trailing_zeros() as usize
    }
}
