//! Neighbour discovery: solicitations and advertisements (RFC 4861 sections 4.3, 4.4, 4.6.1).

use super::cursor::Cursor;
use super::l4::{self, ICMP_LEN};
use super::layout::Layout;
use super::rewrite::L4Checksum;
use crate::flow::{Flow, ip_proto};

/// ICMPv6 type of a neighbour solicitation.
pub(super) const SOLICIT: u8 = 135;
/// ICMPv6 type of a neighbour advertisement.
pub(super) const ADVERT: u8 = 136;
/// Option: source link layer address.
pub(super) const SOURCE_LLA: u8 = 1;
/// Option: target link layer address.
pub(super) const TARGET_LLA: u8 = 2;
/// Length of a link layer address option for Ethernet.
pub(super) const LLA_LEN: usize = 8;

/// Reads what follows the 8 bytes of type, code, checksum and reserved field. Options that are cut
/// short or of length 0 end the packet. If an address option comes twice, neither target nor
/// addresses are believed.
pub(super) fn parse(c: &mut Cursor<'_>, reserved: [u8; 4], flow: &mut Flow) {
    flow.nd_reserved = reserved.into();
    let Some(target) = c.take::<16>() else { return };
    flow.nd_target = *target;
    while let Some(&[kind, units, mac @ ..]) = c.peek::<LLA_LEN>() {
        let len = usize::from(units) * 8;
        if len == 0 || len > c.left() {
            return;
        }
        let slot = match kind {
            SOURCE_LLA if len == LLA_LEN => Some(&mut flow.arp_sha),
            TARGET_LLA if len == LLA_LEN => Some(&mut flow.arp_tha),
            _ => None,
        };
        if let Some(slot) = slot {
            if *slot != [0; 6] {
                flow.nd_target = [0; 16];
                flow.arp_sha = [0; 6];
                flow.arp_tha = [0; 6];
                return;
            }
            *slot = mac;
            if flow.nd_options_type == 0 {
                flow.nd_options_type = kind;
            }
        }
        if c.skip(len).is_none() {
            return;
        }
    }
}

/// Rewrites reserved field, target, and the link layer address options there are; the type is that
/// of the first of these.
pub(super) fn set(
    packet: &mut [u8],
    layout: &Layout,
    value: &Flow,
    mask: &Flow,
    l4: L4Checksum,
) -> Option<()> {
    let mut message = l4::Segment::of(packet, layout, ip_proto::ICMPV6)?;
    let &mut [kind, code, ..] = message.field::<ICMP_LEN>(0)?;
    if !matches!(kind, SOLICIT | ADVERT) || code != 0 {
        return None;
    }
    message.field::<16>(8)?;
    message.set(4, value.nd_reserved.to_bytes(), mask.nd_reserved.to_bytes(), l4)?;
    message.set(8, value.nd_target, mask.nd_target, l4)?;

    let (mut at, mut first) = (24, true);
    while let Some(&mut [kind, units, ..]) = message.field::<LLA_LEN>(at) {
        let len = usize::from(units) * 8;
        if len == 0 || message.field_len() < at + len {
            break;
        }
        let mac = match kind {
            SOURCE_LLA if len == LLA_LEN => Some((value.arp_sha, mask.arp_sha)),
            TARGET_LLA if len == LLA_LEN => Some((value.arp_tha, mask.arp_tha)),
            _ => None,
        };
        if let Some((value_mac, mask_mac)) = mac {
            message.set(at + 2, value_mac, mask_mac, l4)?;
            if first {
                let types = [value, mask].map(|f| [f.nd_options_type, 0]);
                message.set(at, types[0], types[1], l4)?;
                first = false;
            }
        }
        at += len;
    }
    Some(())
}
