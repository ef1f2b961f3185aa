//! Matches in little room: a subtable keeps one [`CompactMask`], its flows keep only the words of
//! the match that the mask has a bit in. 100,000 flows would otherwise be 150 MB of zeros.

use std::sync::LazyLock;

use smallvec::SmallVec;
use weir_flow::field::Prereq;
use weir_flow::flow::{Flow, WORDS, eth_type};
use weir_flow::{Field, FieldId, Mask};

use super::hash::Hasher;

/// Number of stages a lookup is cut into; see [`stage_bits`].
pub const N_STAGES: usize = 4;

/// The words of a match that its mask has a bit in.
pub type Key = SmallVec<[u64; 4]>;

/// A word of the flow record and the bits of it that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MaskWord {
    /// Index into [`Flow::words`].
    pub at: u8,
    /// Bits that are compared.
    pub bits: u64,
}

/// The words of a mask that are not zero, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompactMask {
    words: Box<[MaskWord]>,
    hash: u64,
}

impl CompactMask {
    /// Compacts a mask.
    #[must_use]
    pub fn new(mask: &Mask) -> Self {
        let words: Box<[_]> = (0..=u8::MAX)
            .zip(mask.0.words())
            .filter(|(_, bits)| **bits != 0)
            .map(|(at, bits)| MaskWord { at, bits: *bits })
            .collect();
        let mut h = Hasher::new();
        for w in &words {
            h.add(u64::from(w.at));
            h.add(w.bits);
        }
        Self { hash: h.finish(), words }
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> &[MaskWord] {
        &self.words
    }

    /// A hash of the mask.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The whole mask.
    #[must_use]
    pub fn expand(&self) -> Mask {
        let mut mask = Mask::CATCHALL;
        self.add_to(&mut mask);
        mask
    }

    /// Adds this mask's bits to another one.
    #[inline]
    pub fn add_to(&self, mask: &mut Mask) {
        add_words(&self.words, mask);
    }

    /// The flow's words under this mask.
    #[must_use]
    pub fn key(&self, flow: &Flow) -> Key {
        let words = flow.words();
        self.words.iter().map(|w| words[usize::from(w.at)] & w.bits).collect()
    }

    /// The flow that `key` stands for, other bits zero.
    #[must_use]
    pub fn flow(&self, key: &[u64]) -> Flow {
        let mut flow = Flow::ZERO;
        for (w, v) in self.words.iter().zip(key) {
            flow.words_mut()[usize::from(w.at)] = *v;
        }
        flow
    }

    /// Does `flow` agree with `key` under this mask?
    #[inline]
    #[must_use]
    pub fn matches(&self, key: &[u64], flow: &Flow) -> bool {
        let words = flow.words();
        self.words.iter().zip(key).all(|(w, v)| words[usize::from(w.at)] & w.bits == *v)
    }

    /// Does `key` agree with `value` on every bit of `mask`, all of which this mask has? False if
    /// this mask lacks one of them: then some packet of `key` does not agree.
    #[must_use]
    pub fn within(&self, key: &[u64], mask: &Self, value: &Flow) -> bool {
        let mut own = self.words.iter().zip(key);
        mask.words.iter().all(|m| {
            let Some((w, v)) = own.by_ref().find(|(w, _)| w.at >= m.at) else { return false };
            w.at == m.at
                && w.bits & m.bits == m.bits
                && (*v ^ value.words()[usize::from(m.at)]) & m.bits == 0
        })
    }

    /// Could one packet agree with both matches?
    #[must_use]
    pub fn overlaps(&self, key: &[u64], mask: &Self, value: &Flow) -> bool {
        let values = value.words();
        let bits = mask.expand();
        self.words.iter().zip(key).all(|(w, v)| {
            let at = usize::from(w.at);
            (*v ^ values[at]) & w.bits & bits.0.words()[at] == 0
        })
    }
}

/// Adds the bits of `words` to `mask`.
#[inline]
pub fn add_words(words: &[MaskWord], mask: &mut Mask) {
    let to = mask.0.words_mut();
    for w in words {
        to[usize::from(w.at)] |= w.bits;
    }
}

/// The bits of the flow record that each stage of a lookup may look at: metadata, L2, L3, L4. A
/// stage is only looked at when the ones before it have left a candidate.
#[must_use]
pub fn stage_bits() -> &'static [[u64; WORDS]; N_STAGES] {
    static BITS: LazyLock<[[u64; WORDS]; N_STAGES]> = LazyLock::new(|| {
        let mut stages = [[0; WORDS]; N_STAGES];
        let mut l2 = Flow::ZERO;
        l2.dl_dst = [0xff; 6];
        l2.dl_src = [0xff; 6];
        l2.dl_type = u16::MAX.into();
        for v in &mut l2.vlans {
            v.tci = u16::MAX.into();
            v.tpid = u16::MAX.into();
        }
        l2.mpls_lse = [u32::MAX.into(); 3];
        let mut l4 = Flow::ZERO;
        l4.tp_src = u16::MAX.into();
        l4.tp_dst = u16::MAX.into();
        l4.ct_tp_src = u16::MAX.into();
        l4.ct_tp_dst = u16::MAX.into();
        l4.nd_reserved = u32::MAX.into();
        l4.tcp_flags = u16::MAX.into();
        l4.nd_target = [0xff; 16];
        l4.arp_sha = [0xff; 6];
        l4.arp_tha = [0xff; 6];
        l4.nd_options_type = 0xff;
        l4.nsh_flags = 0xff;
        l4.nsh_ttl = 0xff;
        l4.nsh_mdtype = 0xff;
        l4.nsh_np = 0xff;
        l4.nsh_path_hdr = u32::MAX.into();
        l4.nsh_context = [u32::MAX.into(); 4];
        let mut l3 = Flow::ZERO;
        l3.nw_frag = 0xff;
        l3.nw_proto = 0xff;
        l3.nw_tos = 0xff;
        l3.nw_ttl = 0xff;
        l3.nw_src = u32::MAX.into();
        l3.nw_dst = u32::MAX.into();
        l3.ipv6_src = [0xff; 16];
        l3.ipv6_dst = [0xff; 16];
        l3.ipv6_label = u32::MAX.into();
        l3.ct_nw_src = u32::MAX.into();
        l3.ct_nw_dst = u32::MAX.into();
        l3.ct_ipv6_src = [0xff; 16];
        l3.ct_ipv6_dst = [0xff; 16];
        for at in 0..WORDS {
            let [meta, s2, s3, s4] = &mut stages;
            s2[at] = l2.words()[at];
            s3[at] = l3.words()[at];
            s4[at] = l4.words()[at];
            meta[at] = !(s2[at] | s3[at] | s4[at]);
        }
        stages
    });
    &BITS
}

/// A field whose prefixes can be kept in a trie: where it is in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrefixField {
    /// The field.
    pub field: FieldId,
}

impl PrefixField {
    /// The field by name, if prefixes of it can be kept.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        let field = Field::by_name(name)?;
        let able = ["nw_src", "nw_dst", "ipv6_src", "ipv6_dst", "tun_src", "tun_dst", "tun_id"];
        let able = able.contains(&field.name.as_str())
            || matches!(field.name.as_str(), "tun_ipv6_src" | "tun_ipv6_dst");
        able.then_some(Self { field: field.id })
    }

    fn row(&self) -> &'static Field {
        self.field.field()
    }

    /// Does the packet have the field? Its place in the record may hold another one: ARP's
    /// addresses stand where IPv4's do.
    #[must_use]
    pub fn is_in(&self, flow: &Flow) -> bool {
        match self.row().prereq {
            Prereq::Ipv4 => flow.dl_type.get() == eth_type::IPV4,
            Prereq::Ipv6 => flow.dl_type.get() == eth_type::IPV6,
            _ => true,
        }
    }

    /// Bits of the field.
    #[must_use]
    pub fn width(&self) -> u8 {
        self.row().bits.min(128) as u8
    }

    /// The field's value, left-aligned.
    #[must_use]
    pub fn value(&self, flow: &Flow) -> u128 {
        self.row().get(flow) << (128 - u32::from(self.width()))
    }

    /// The field's prefix length under a mask: 0 if it is wildcarded or not a prefix.
    #[must_use]
    pub fn prefix_len(&self, mask: &Mask) -> u8 {
        let ones = self.value(&mask.0).leading_ones() as u8;
        let all = self.value(&mask.0).count_ones() as u8;
        if ones == all { ones } else { 0 }
    }

    /// Adds the field's first `n` bits to a mask.
    pub fn add_prefix(&self, mask: &mut Mask, n: u8) {
        let old = self.row().get(&mask.0);
        self.row().set(&mut mask.0, old | self.prefix(n));
    }

    /// Does a mask have the field's first `n` bits?
    #[must_use]
    pub fn has_prefix(&self, mask: &Mask, n: u8) -> bool {
        let want = self.prefix(n);
        self.row().get(&mask.0) & want == want
    }

    fn prefix(&self, n: u8) -> u128 {
        let n = n.min(self.width());
        let all = self.row().all_ones();
        // Nothing is left of an IPv6 address behind its 128 bits.
        all & !all.checked_shr(u32::from(n)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_cover_every_bit_once() {
        for at in 0..WORDS {
            let sum: u32 = stage_bits().iter().map(|s| s[at].count_ones()).sum();
            assert_eq!(sum, 64, "word {at}");
        }
    }

    #[test]
    fn keys_match_what_they_came_from() {
        let mut flow = Flow::ZERO;
        flow.nw_src = 0x0a01_0203.into();
        flow.dl_type = 0x0800.into();
        let mut mask = Mask::CATCHALL;
        mask.0.nw_src = 0xffff_0000.into();
        mask.0.dl_type = 0xffff.into();
        let compact = CompactMask::new(&mask);
        let key = compact.key(&flow);
        assert_eq!(compact.expand(), mask);
        assert_eq!(compact.flow(&key), mask.apply(&flow));
        assert!(compact.matches(&key, &flow));
        let mut looser = Mask::CATCHALL;
        looser.0.nw_src = 0xff00_0000.into();
        assert!(compact.within(&key, &CompactMask::new(&looser), &flow));
        looser.0.nw_dst = 0xff00_0000.into();
        assert!(!compact.within(&key, &CompactMask::new(&looser), &flow));
        assert!(compact.overlaps(&key, &CompactMask::new(&looser), &flow));
        let nw_src = PrefixField::by_name("nw_src").unwrap();
        assert_eq!(nw_src.prefix_len(&mask), 16);
        assert!(nw_src.has_prefix(&mask, 16) && !nw_src.has_prefix(&mask, 17));
    }

    #[test]
    fn prefixes_go_up_to_the_whole_field() {
        for name in ["nw_src", "ipv6_dst"] {
            let field = PrefixField::by_name(name).unwrap();
            for n in 0..=field.width() {
                let mut mask = Mask::CATCHALL;
                field.add_prefix(&mut mask, n);
                assert_eq!(field.prefix_len(&mask), n, "{name}");
                assert!(field.has_prefix(&mask, n), "{name}");
                assert!(n == field.width() || !field.has_prefix(&mask, n + 1), "{name}/{n}");
            }
        }
    }
}
