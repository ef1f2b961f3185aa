//! Neighbour discovery: solicitations and advertisements (RFC 4861 sections 4.3, 4.4, 4.6.1).

use super::cursor::Cursor;
use crate::flow::Flow;

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
