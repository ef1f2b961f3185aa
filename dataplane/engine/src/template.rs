//! [`Template`]: the first bytes of a packet, to recognize others with the same projected key without
//! parsing them.
//!
//! Most packets of a burst differ from the one before in bits that no megaflow of the port looks at. Six
//! words compared under a mask show that: the mask has what the parser's decisions depend on, and the
//! bits of the port's projection where they stand on the wire.

use weir_flow::flow::ip_proto;
use weir_flow::packet::Layout;

use crate::megaflow::projection::{HOT_KEY_WORDS, Projection};

/// Words that are compared: Ethernet, IPv4 without options, and the transport header up to TCP's flags.
const WORDS: usize = 6;
const BYTES: usize = 8 * WORDS;
/// Offsets on the wire.
const ETHERTYPE: usize = 12;
const IPV4: usize = 14;
const L4: usize = 34;
const TCP_OFFSET: usize = L4 + 12;

/// A projection's bits where plain untagged IPv4 has them on the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WireMask {
    words: [u64; WORDS],
    tcp: u64,
}

impl WireMask {
    /// Of a projection, once a burst.
    #[inline]
    pub(crate) fn new(projection: &Projection) -> Self {
        let mut bytes = [0u8; BYTES];
        let mut put = |at: usize, from: &[u8]| {
            if let Some(to) = bytes.get_mut(at..at + from.len()) {
                to.copy_from_slice(from);
            }
        };
        let mut key = [[0u8; 8]; HOT_KEY_WORDS];
        for (to, from) in key.iter_mut().zip(projection.bits) {
            *to = from.to_ne_bytes();
        }
        let [mac, mac_type, _tags, addresses, rest] = key;
        let [tos, ttl, flags, flags2, ports @ ..] = rest;
        put(0, &mac);
        put(8, &mac_type[..4]);
        // What decides whether and how a packet is parsed is always compared: type, version and
        // header length, total length, fragmentation, protocol.
        put(ETHERTYPE, &[0xff, 0xff, 0xff, tos, 0xff, 0xff, 0, 0, 0x3f, 0xff, ttl, 0xff]);
        put(IPV4 + 12, &addresses);
        put(L4, &ports);
        let (chunks, _) = bytes.as_chunks::<8>();
        let mut words = [0; WORDS];
        for (to, from) in words.iter_mut().zip(chunks) {
            *to = u64::from_ne_bytes(*from);
        }
        let tcp = u64::from_ne_bytes([0, 0, 0, 0, 0, 0, 0xf0 | flags & 0x0f, flags2]);
        Self { words, tcp }
    }
}

/// See the [module documentation](self).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Template {
    words: [u64; WORDS],
    mask: [u64; WORDS],
    /// Bytes of the packet, and of its first segment.
    lens: (u32, usize),
    is_tcp: bool,
}

#[inline(always)]
fn words(data: &[u8]) -> Option<[u64; WORDS]> {
    let (chunks, _) = data.first_chunk::<BYTES>()?.as_chunks::<8>();
    let mut words = [0; WORDS];
    for (to, from) in words.iter_mut().zip(chunks) {
        *to = u64::from_ne_bytes(*from);
    }
    Some(words)
}

impl Template {
    /// Of a packet that was parsed as plain IPv4, if it is of the most common form.
    #[inline]
    pub(crate) fn new(data: &[u8], len: u32, layout: &Layout, wire: &WireMask) -> Option<Self> {
        let known = matches!(layout.ip_proto, ip_proto::TCP | ip_proto::UDP | ip_proto::SCTP);
        if layout.l3() != Some(IPV4) || layout.l4() != Some(L4) || !known {
            return None;
        }
        let is_tcp = layout.ip_proto == ip_proto::TCP;
        let mut mask = wire.words;
        if is_tcp {
            mask[TCP_OFFSET / 8] |= wire.tcp;
        }
        Some(Self { words: words(data)?, mask, lens: (len, data.len()), is_tcp })
    }

    /// Has a packet the same key? Answers its TCP flags where a flow's word has them.
    #[inline(always)]
    pub(crate) fn matches(&self, data: &[u8], len: u32) -> Option<u64> {
        let words = words(data)?;
        let pairs = words.iter().zip(&self.words).zip(&self.mask);
        let differs = pairs.fold(0, |differs, ((a, b), mask)| differs | (a ^ b) & mask);
        if differs != 0 || self.lens != (len, data.len()) {
            return None;
        }
        // The last two bytes are data offset and flags; in a flow's word flags come third.
        let flags = u64::from_be(words[WORDS - 1]) & 0x0fff;
        Some(if self.is_tcp { (flags << 32).to_be() } else { 0 })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use weir_flow::Mask;
    use weir_flow::flow::HOT_WORDS;
    use weir_flow::packet::{Shape, hot_tcp_flags, parse_hot};

    use super::*;

    /// Plain frames and ones that are not, all alike.
    fn frame(proto: u8, edits: &[(usize, u8)], len: usize) -> Vec<u8> {
        let mut f = vec![0; 64];
        f[..12].copy_from_slice(&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]);
        f[ETHERTYPE] = 0x08;
        (f[14], f[17], f[22], f[23]) = (0x45, 46, 64, proto);
        f[26..38].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2, 0, 80, 1, 0]);
        f[TCP_OFFSET] = 0x50;
        for (at, value) in edits {
            f[at % 64] ^= value;
        }
        f.truncate(len);
        f
    }

    /// One bit, or some, of one byte.
    fn edit() -> impl Strategy<Value = (usize, u8)> {
        (12usize..50, prop_oneof![4 => (0u32..8).prop_map(|n| 1 << n), 1 => any::<u8>()])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        /// What a template says is what parsing both packets says.
        #[test]
        fn a_match_is_an_equal_key(
            proto in prop::sample::select(vec![6u8, 6, 17, 17, 132, 1]),
            first in prop::collection::vec(edit(), 0..2),
            second in prop::collection::vec(edit(), 0..3),
            lens in (58usize..=64, 40usize..=64, 0u8..4),
            bits in any::<[u64; 5]>(),
            whole in any::<[bool; 5]>(),
        ) {
            let mut mask = Mask::CATCHALL;
            for (n, (bits, whole)) in bits.iter().zip(whole).enumerate() {
                mask.0.words_mut()[n + 1] = if whole { u64::MAX } else { *bits & 0x0f0f };
            }
            let mut projection = Projection::empty(1);
            projection.add(&mask);
            let wire = WireMask::new(&projection);
            let a = frame(proto, &first, lens.0);
            let both: Vec<_> = first.iter().chain(&second).copied().collect();
            let b = frame(proto, &both, if lens.2 > 0 { lens.0 } else { lens.1 });
            let (mut wa, mut wb) = ([0; HOT_WORDS], [0; HOT_WORDS]);
            let Shape::Hot(layout) = parse_hot(&a, 1, &mut wa) else { return Ok(()) };
            let template = Template::new(&a, a.len() as u32, &layout, &wire);
            let Some(template) = template else { return Ok(()) };
            let matched = template.matches(&b, b.len() as u32);
            let parsed = matches!(parse_hot(&b, 1, &mut wb), Shape::Hot(_));
            let key = |w: &[u64; HOT_WORDS]| -> Vec<u64> {
                w[1..].iter().zip(projection.bits).map(|(w, bits)| w & bits).collect()
            };
            if let Some(flags) = matched {
                prop_assert!(parsed, "{:x?} then {:x?}", a, b);
                prop_assert_eq!(key(&wa), key(&wb));
                prop_assert_eq!((u64::from_be(flags) >> 32) as u16, hot_tcp_flags(&wb));
            } else if a == b {
                prop_assert!(false, "{:x?} is not itself", a);
            }
        }
    }
}
