//! The packet path's parser: the first [`HOT_WORDS`] words of the flow of a plain IPv4 packet.
//!
//! Most packets are IPv4 without MPLS, fragments or more than one VLAN tag. For these it gives
//! exactly what [`super::parse`] gives, in a few dozen cycles; for all others it asks for that.

use super::ethernet::is_vlan;
use super::ipv4::{IPV4_LEN, MORE_FRAGMENTS, OFFSET_MASK};
use super::l4::{ICMP_LEN, SCTP_LEN, TCP_FLAGS, TCP_LEN, UDP_LEN};
use super::layout::Layout;
use crate::flow::{HOT_WORDS, VLAN_CFI, eth_type, ip_proto};

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
    let mac = packet.first_chunk::<16>()?;
    let w1 = u64::from_ne_bytes(*mac.first_chunk()?);
    let w2 = u64::from_ne_bytes(*mac.last_chunk()?);
    let outer = u64::from_be(w2) as u32;
    let tpid = (outer >> 16) as u16;
    let (vlan, l3, ip) = if tpid == eth_type::IPV4 {
        (0, 14, packet.get(14..)?)
    } else if is_vlan(tpid) {
        let (inner, ip) = packet.get(16..)?.split_first_chunk::<2>()?;
        if u16::from_be_bytes(*inner) != eth_type::IPV4 {
            return None;
        }
        (outer | VLAN_CFI as u32, 18, ip)
    } else {
        return None;
    };

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
        ip_proto::ICMP if l4_len >= ICMP_LEN => {
            let &[kind, code, ..] = l4.first_chunk::<ICMP_LEN>()?;
            (0, u32::from(kind) << 16 | u32::from(code))
        }
        _ => return None,
    };

    const TYPE_FRAG_PROTO: u64 = 0xffff_ffff;
    let after_mac = u64::from(eth_type::IPV4) << 16 | u64::from(proto);
    words[0] = (u64::from(in_port) << 32).to_be();
    words[1] = w1;
    words[2] = w2 & (!TYPE_FRAG_PROTO).to_be() | after_mac.to_be();
    words[3] = (u64::from(vlan) << 32).to_be();
    words[4] = u64::from_ne_bytes(*h.last_chunk()?);
    words[5] =
        (u64::from(h[1]) << 56 | u64::from(h[8]) << 48 | u64::from(flags) << 32 | u64::from(ports))
            .to_be();
    // Both offsets are below 14 + 4 + 60.
    Some(Layout::ipv4(l3 as u16, (l3 + header_len) as u16, (l3 + ip_len) as u32, proto))
}
