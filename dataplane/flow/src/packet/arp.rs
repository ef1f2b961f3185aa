//! ARP and RARP for IPv4 on Ethernet (RFC 826, RFC 903).

use super::cursor::Cursor;
use crate::flow::Flow;

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
