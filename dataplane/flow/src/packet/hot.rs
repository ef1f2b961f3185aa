//! The packet path's parsers: the first [`HOT_WORDS`] words of the flow of a plain IPv4 packet, the
//! first [`WIDE_WORDS`] of that of a plain IPv6 packet.
//!
//! Most packets are IP without MPLS, fragments, extension headers or more than one VLAN tag. For
//! these they give exactly what [`super::parse`] gives, in a few dozen cycles; for all others they
//! ask for that.

use super::ethernet::is_vlan;
use super::ipv4::{IPV4_LEN, MORE_FRAGMENTS, OFFSET_MASK};
use super::ipv6::IPV6_LEN;
use super::l4::{ICMP_LEN, SCTP_LEN, TCP_FLAGS, TCP_LEN, UDP_LEN};
use super::layout::Layout;
use super::nd;
use crate::flow::{HOT_WORDS, VLAN_CFI, WIDE_WORDS, eth_type, ip_proto};

/// What [`parse_hot`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The words describe the packet completely: all others of its flow are zero.
    Hot(Layout),
    /// The full parser must look at the packet; the words hold nothing of use.
    Full,
}

/// Parses a packet that came in at `in_port` (and was not recirculated) into the first words of its
/// flow, if it is a plain IPv4 packet.
#[inline]
pub fn parse_hot(packet: &[u8], in_port: u32, words: &mut [u64; HOT_WORDS]) -> Shape {
    parse_hot_segmented(packet, packet.len(), in_port, words)
}

/// [`parse_hot`] for a packet of `total_len` bytes of which the first segment is at hand.
#[inline(always)]
pub fn parse_hot_segmented(
    packet: &[u8],
    total_len: usize,
    in_port: u32,
    words: &mut [u64; HOT_WORDS],
) -> Shape {
    try_hot(packet, total_len, in_port, words).map_or(Shape::Full, Shape::Hot)
}

/// `tcp_flags` among the words.
#[inline(always)]
#[must_use]
pub fn hot_tcp_flags(words: &[u64; HOT_WORDS]) -> u16 {
    (u64::from_be(words[5]) >> 32) as u16
}

#[inline(always)]
fn try_hot(
    packet: &[u8],
    total_len: usize,
    in_port: u32,
    words: &mut [u64; HOT_WORDS],
) -> Option<Layout> {
    let ethernet = ethernet(packet, eth_type::IPV4)?;
    let (l3, ip) = (ethernet.l3, ethernet.payload);
    let h: &[u8; IPV4_LEN] = ip.first_chunk()?;
    let header_len = usize::from(h[0] & 0x0f) * 4;
    let ip_len = usize::from(u16::from_be_bytes([h[2], h[3]]));
    let flags_offset = u16::from_be_bytes([h[6], h[7]]);
    if header_len < IPV4_LEN
        || ip_len < header_len
        || ip_len > total_len.saturating_sub(l3)
        || flags_offset & (MORE_FRAGMENTS | OFFSET_MASK) != 0
    {
        return None;
    }
    let proto = h[9];
    let l4 = ip.get(header_len..)?;
    let l4_len = ip_len - header_len;
    let (flags, ports) = match proto {
        ip_proto::ICMP if l4_len >= ICMP_LEN => {
            let &[kind, code, ..] = l4.first_chunk::<ICMP_LEN>()?;
            (0, u32::from(kind) << 16 | u32::from(code))
        }
        _ => transport(proto, l4, l4_len)?,
    };
    ethernet.write(in_port, eth_type::IPV4, proto, words);
    words[4] = u64::from_ne_bytes(*h.last_chunk()?);
    words[5] = word5(h[1], h[8], flags, ports);
    // Both offsets are below 14 + 4 + 60.
    Some(Layout::ipv4(l3 as u16, (l3 + header_len) as u16, (l3 + ip_len) as u32, proto))
}

/// Parses a packet of `total_len` bytes, of which the first segment is at hand, that came in at
/// `in_port` (and was not recirculated) into the first words of its flow, if it is a plain IPv6
/// packet. All other words of its flow are zero then.
#[inline]
pub fn parse_wide(
    packet: &[u8],
    total_len: usize,
    in_port: u32,
    words: &mut [u64; WIDE_WORDS],
) -> Option<Layout> {
    let ethernet = ethernet(packet, eth_type::IPV6)?;
    let (l3, ip) = (ethernet.l3, ethernet.payload);
    let (h, l4) = ip.split_first_chunk::<IPV6_LEN>()?;
    let l4_len = usize::from(u16::from_be_bytes([h[4], h[5]]));
    if IPV6_LEN + l4_len > total_len.saturating_sub(l3) {
        return None;
    }
    let proto = h[6];
    let (flags, ports) = match proto {
        ip_proto::ICMPV6 if l4_len >= ICMP_LEN => {
            let &[kind, code, ..] = l4.first_chunk::<ICMP_LEN>()?;
            // Neighbor discovery has fields of its own.
            if matches!(kind, nd::SOLICIT | nd::ADVERT) && code == 0 {
                return None;
            }
            (0, u32::from(kind) << 16 | u32::from(code))
        }
        _ => transport(proto, l4, l4_len)?,
    };
    let first = u32::from_be_bytes(*h.first_chunk()?);
    let (start, rest) = words.split_first_chunk_mut::<HOT_WORDS>()?;
    ethernet.write(in_port, eth_type::IPV6, proto, start);
    start[4] = 0;
    start[5] = word5((first >> 20) as u8, h[7], flags, ports);
    let (addresses, label) = rest.split_first_chunk_mut::<4>()?;
    let (pairs, _) = h.get(8..)?.as_chunks::<8>();
    for (word, bytes) in addresses.iter_mut().zip(pairs) {
        *word = u64::from_ne_bytes(*bytes);
    }
    *label.first_mut()? = (u64::from(first & 0x000f_ffff) << 32).to_be();
    // Both offsets are below 14 + 4 + 40.
    Some(Layout::ipv6(l3 as u16, (l3 + IPV6_LEN) as u16, (l3 + IPV6_LEN + l4_len) as u32, proto))
}

/// An Ethernet header with at most one tag, and what it carries.
struct Ethernet<'a> {
    w1: u64,
    w2: u64,
    vlan: u32,
    l3: usize,
    payload: &'a [u8],
}

/// The Ethernet header of a packet of this type.
#[inline(always)]
fn ethernet(packet: &[u8], ty: u16) -> Option<Ethernet<'_>> {
    let mac = packet.first_chunk::<16>()?;
    let w1 = u64::from_ne_bytes(*mac.first_chunk()?);
    let w2 = u64::from_ne_bytes(*mac.last_chunk()?);
    let outer = u64::from_be(w2) as u32;
    let tpid = (outer >> 16) as u16;
    if tpid == ty {
        return Some(Ethernet { w1, w2, vlan: 0, l3: 14, payload: packet.get(14..)? });
    }
    if !is_vlan(tpid) {
        return None;
    }
    let (inner, payload) = packet.get(16..)?.split_first_chunk::<2>()?;
    if u16::from_be_bytes(*inner) != ty {
        return None;
    }
    Some(Ethernet { w1, w2, vlan: outer | VLAN_CFI as u32, l3: 18, payload })
}

impl Ethernet<'_> {
    /// Writes the words up to the tags.
    #[inline(always)]
    fn write(&self, in_port: u32, ty: u16, proto: u8, words: &mut [u64; HOT_WORDS]) {
        const TYPE_FRAG_PROTO: u64 = 0xffff_ffff;
        let after_mac = u64::from(ty) << 16 | u64::from(proto);
        words[0] = (u64::from(in_port) << 32).to_be();
        words[1] = self.w1;
        words[2] = self.w2 & (!TYPE_FRAG_PROTO).to_be() | after_mac.to_be();
        words[3] = (u64::from(self.vlan) << 32).to_be();
    }
}

/// TCP flags and both ports of a transport header, if it is sound.
#[inline(always)]
fn transport(proto: u8, l4: &[u8], l4_len: usize) -> Option<(u16, u32)> {
    Some(match proto {
        ip_proto::TCP => {
            let t: &[u8; TCP_LEN] = l4.first_chunk()?;
            let tcp_len = usize::from(t[12] >> 4) * 4;
            if tcp_len < TCP_LEN || tcp_len > l4_len {
                return None;
            }
            let flags = u16::from_be_bytes([t[12], t[13]]) & TCP_FLAGS;
            (flags, u32::from_be_bytes(*t.first_chunk()?))
        }
        ip_proto::UDP if l4_len >= UDP_LEN => {
            (0, u32::from_be_bytes(*l4.first_chunk::<UDP_LEN>()?.first_chunk()?))
        }
        ip_proto::SCTP if l4_len >= SCTP_LEN => {
            (0, u32::from_be_bytes(*l4.first_chunk::<SCTP_LEN>()?.first_chunk()?))
        }
        _ => return None,
    })
}

/// The word with TOS, TTL, TCP flags and ports.
#[inline(always)]
fn word5(tos: u8, ttl: u8, flags: u16, ports: u32) -> u64 {
    (u64::from(tos) << 56 | u64::from(ttl) << 48 | u64::from(flags) << 32 | u64::from(ports))
        .to_be()
}
