//! A persistent prefix trie over one field of a table's flows.
//!
//! It answers, for a packet's value, which prefix lengths have a flow that the value agrees with,
//! and how many leading bits of the value were enough to know that. A subtable that matches a
//! prefix length without such a flow is skipped, and the megaflow needs only those leading bits.
//!
//! Values are left-aligned in 128 bits, so one trie serves IPv4 and IPv6.

use std::sync::Arc;

/// See the [module documentation](self). Clones share everything.
#[derive(Clone, Debug, Default)]
pub struct Trie {
    root: Option<Arc<Node>>,
}

/// Bits from the parent's end on, the parent's bits shifted out.
#[derive(Clone, Debug)]
struct Node {
    /// Left-aligned; bits at and after `n_bits` are zero.
    prefix: u128,
    n_bits: u8,
    /// Flows whose prefix ends here.
    n_flows: u32,
    edges: [Option<Arc<Self>>; 2],
}

/// What a lookup found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrieMatch {
    /// Bit `n - 1` is set if a flow with a prefix of `n` bits agrees with the value.
    lengths: u128,
    /// Leading bits that decide the above.
    pub n_bits: u8,
}

impl TrieMatch {
    /// Bit `n - 1` is set if a flow with a prefix of `n` bits was met.
    #[must_use]
    pub fn lengths(&self) -> u128 {
        self.lengths
    }

    /// Has a flow with this prefix length (1 to 128) been met?
    #[must_use]
    pub fn has(&self, prefix_len: u8) -> bool {
        prefix_len > 0 && self.lengths >> (prefix_len - 1) & 1 != 0
    }
}

/// The first `n` bits, left-aligned.
fn head(value: u128, n: u8) -> u128 {
    if n == 0 { 0 } else { value & (u128::MAX << (128 - u32::from(n.min(128)))) }
}

/// The value without its first `n` bits.
fn tail(value: u128, n: u8) -> u128 {
    value.checked_shl(u32::from(n)).unwrap_or(0)
}

fn top_bit(value: u128) -> usize {
    usize::from(value >> 127 != 0)
}

impl Node {
    fn leaf(value: u128, n_bits: u8) -> Self {
        Self { prefix: head(value, n_bits), n_bits, n_flows: 1, edges: [None, None] }
    }

    /// How many leading bits of `value` (at most `n_bits` and ours) agree with this node.
    fn common(&self, value: u128, n_bits: u8) -> u8 {
        let differ = (self.prefix ^ value).leading_zeros();
        (differ.min(128) as u8).min(self.n_bits).min(n_bits)
    }

    fn is_leaf(&self) -> bool {
        self.edges.iter().all(Option::is_none)
    }
}

impl Trie {
    /// Is there no flow?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// Counts a flow with the first `n_bits` (1 to 128) bits of `value`.
    pub fn insert(&mut self, value: u128, n_bits: u8) {
        insert(&mut self.root, value, n_bits);
    }

    /// Takes back one [`Trie::insert`]. False if there was none.
    pub fn remove(&mut self, value: u128, n_bits: u8) -> bool {
        remove(&mut self.root, value, n_bits)
    }

    /// Looks up a value of `width` bits.
    #[must_use]
    pub fn lookup(&self, value: u128, width: u8) -> TrieMatch {
        let (mut rest, mut at, mut lengths) = (value, 0u8, 0u128);
        let mut edge = self.root.as_deref();
        let mut last: Option<&Node> = None;
        while let Some(node) = edge {
            let same = node.common(rest, width - at);
            at += same;
            if same < node.n_bits {
                // The first bit that differs is part of what was looked at.
                return TrieMatch { lengths, n_bits: (at + 1).min(width) };
            }
            if node.n_flows > 0 && at > 0 {
                lengths |= 1 << (at - 1);
            }
            if at >= width {
                return TrieMatch { lengths, n_bits: width };
            }
            rest = tail(rest, same);
            last = Some(node);
            edge = node.edges[top_bit(rest)].as_deref();
        }
        // Nothing longer here: the next bit matters only if the other branch has something.
        let looked = if last.is_none_or(Node::is_leaf) { at } else { at + 1 };
        TrieMatch { lengths, n_bits: looked }
    }
}

fn insert(edge: &mut Option<Arc<Node>>, value: u128, n_bits: u8) {
    let Some(node) = edge else {
        *edge = Some(Arc::new(Node::leaf(value, n_bits)));
        return;
    };
    let node = Arc::make_mut(node);
    let same = node.common(value, n_bits);
    if same < node.n_bits {
        // Split the node where the prefixes part.
        let lower = Node {
            prefix: tail(node.prefix, same),
            n_bits: node.n_bits - same,
            n_flows: node.n_flows,
            edges: std::mem::take(&mut node.edges),
        };
        node.prefix = head(node.prefix, same);
        node.n_bits = same;
        node.n_flows = 0;
        let side = top_bit(lower.prefix);
        node.edges[side] = Some(Arc::new(lower));
    }
    if same == n_bits {
        node.n_flows += 1;
    } else {
        let rest = tail(value, same);
        insert(&mut node.edges[top_bit(rest)], rest, n_bits - same);
    }
}

fn remove(edge: &mut Option<Arc<Node>>, value: u128, n_bits: u8) -> bool {
    let Some(arc) = edge else { return false };
    let same = arc.common(value, n_bits);
    if same < arc.n_bits || (same == n_bits && arc.n_flows == 0) {
        return false;
    }
    let node = Arc::make_mut(arc);
    if same == n_bits {
        node.n_flows -= 1;
    } else {
        let rest = tail(value, same);
        if !remove(&mut node.edges[top_bit(rest)], rest, n_bits - same) {
            return false;
        }
    }
    if node.n_flows == 0 {
        match &mut node.edges {
            [None, None] => *edge = None,
            // A node without flows and with one child is merged with it.
            [one @ Some(_), None] | [None, one @ Some(_)] => {
                if let Some(child) = one.take() {
                    let prefix =
                        node.prefix | child.prefix.checked_shr(u32::from(node.n_bits)).unwrap_or(0);
                    let merged = Node {
                        prefix,
                        n_bits: node.n_bits + child.n_bits,
                        n_flows: child.n_flows,
                        edges: child.edges.clone(),
                    };
                    *edge = Some(Arc::new(merged));
                }
            }
            [Some(_), Some(_)] => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn left(v: u32) -> u128 {
        u128::from(v) << 96
    }

    #[test]
    fn bits_looked_at() {
        let mut t = Trie::default();
        assert_eq!(t.lookup(left(0x0a000001), 32).n_bits, 0);
        t.insert(left(0x0a000000), 8);
        let m = t.lookup(left(0x0a000001), 32);
        assert!(m.has(8) && !m.has(16) && m.n_bits == 8);
        // 0x0b differs from 0x0a in the eighth bit.
        assert_eq!(t.lookup(left(0x0b000001), 32), TrieMatch { lengths: 0, n_bits: 8 });
        assert_eq!(t.lookup(left(0x8a000001), 32).n_bits, 1);
        t.insert(left(0x0a010000), 16);
        assert_eq!(t.lookup(left(0x0a800000), 32).n_bits, 9);
        assert!(t.remove(left(0x0a010000), 16) && !t.remove(left(0x0a010000), 16));
        assert_eq!(t.lookup(left(0x0a800000), 32).n_bits, 8);
    }

    proptest! {
        /// Against the definition, over a small space of 8-bit values.
        #[test]
        fn agrees_with_a_list_of_prefixes(
            ops in prop::collection::vec((any::<bool>(), any::<u8>(), 1u8..=8), 0..60),
        ) {
            let mut t = Trie::default();
            let mut list: Vec<(u8, u8)> = Vec::new();
            for (add, v, n) in ops {
                let wide = u128::from(v) << 120;
                let v = v & (0xffu16 << (8 - n)) as u8;
                if add {
                    t.insert(wide, n);
                    list.push((v, n));
                } else {
                    let at = list.iter().position(|p| *p == (v, n));
                    prop_assert_eq!(t.remove(wide, n), at.is_some());
                    if let Some(at) = at { list.swap_remove(at); }
                }
            }
            prop_assert_eq!(t.is_empty(), list.is_empty());
            for v in 0..=255u8 {
                let m = t.lookup(u128::from(v) << 120, 8);
                for n in 1..=8u8 {
                    let has = list.contains(&((v & (0xffu16 << (8 - n)) as u8), n));
                    prop_assert_eq!(m.has(n), has);
                }
                // Every value that agrees in the bits looked at gets the same answer.
                for w in 0..=255u8 {
                    if u32::from(m.n_bits) <= (v ^ w).leading_zeros() {
                        prop_assert_eq!(t.lookup(u128::from(w) << 120, 8), m);
                    }
                }
            }
        }
    }
}
