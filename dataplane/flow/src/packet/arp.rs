//! ARP and RARP for IPv4 on Ethernet (RFC 826, RFC 903).

use super::cursor::Cursor;
use super::layout::Layout;
use super::rewrite::{blend, field};
use crate::flow::{Flow, eth_type};

/// Length of an ARP packet with Ethernet and IPv4 addresses.
pub(super) const ARP_LEN: usize = 28;
/// Hardware Ethernet, protocol IPv4, lengths 6 and 4.
pub(super) const ETHERNET_IPV4: [u8; 6] = [0, 1, 8, 0, 6, 4];

/// Reads an ARP packet. `None` if it is cut short or not for IPv4 on Ethernet; the flow then has
/// no ARP fields. Opcodes above 255 are not in a flow: its other fields are, the opcode is 0.
pub(super) fn parse(c: &mut Cursor<'_>, flow: &mut Flow) -> Option<()> {
    let arp: &[u8; ARP_LEN] = c.take()?;
    let (kind, rest) = arp.split_first_chunk::<6>()?;
    if *kind != ETHERNET_IPV4 {
        return None;
    }
    let (op, rest) = rest.split_first_chunk::<2>()?;
    let (sha, rest) = rest.split_first_chunk::<6>()?;
    let (spa, rest) = rest.split_first_chunk::<4>()?;
    let (tha, tpa) = rest.split_first_chunk::<6>()?;
    if let [0, op] = *op {
        flow.nw_proto = op;
    }
    flow.arp_sha = *sha;
    flow.nw_src = (*spa).into();
    flow.arp_tha = *tha;
    flow.nw_dst = (*tpa.first_chunk::<4>()?).into();
    Some(())
}

/// Rewrites opcode and addresses.
pub(super) fn set(packet: &mut [u8], layout: &Layout, value: &Flow, mask: &Flow) -> Option<()> {
    if !matches!(layout.eth_type, eth_type::ARP | eth_type::RARP) {
        return None;
    }
    let arp: &mut [u8; ARP_LEN] = field(packet, layout.l3()?, layout.end as usize)?;
    let (kind, rest) = arp.split_first_chunk_mut::<6>()?;
    if *kind != ETHERNET_IPV4 {
        return None;
    }
    let (op, rest) = rest.split_first_chunk_mut::<2>()?;
    let (sha, rest) = rest.split_first_chunk_mut::<6>()?;
    let (spa, rest) = rest.split_first_chunk_mut::<4>()?;
    let (tha, rest) = rest.split_first_chunk_mut::<6>()?;
    let tpa = rest.first_chunk_mut::<4>()?;
    if mask.nw_proto != 0 {
        // A flow knows opcodes up to 255 only.
        blend(op, [0, value.nw_proto], [0xff, mask.nw_proto]);
    }
    blend(sha, value.arp_sha, mask.arp_sha);
    blend(spa, value.nw_src.to_bytes(), mask.nw_src.to_bytes());
    blend(tha, value.arp_tha, mask.arp_tha);
    blend(tpa, value.nw_dst.to_bytes(), mask.nw_dst.to_bytes());
    Some(())
}
