//! `struct ofp_match` of OpenFlow 1.0 (section 5.2.3): 40 bytes, with a word of wildcard bits.

use weir_flow::flow::{VLAN_CFI, VLAN_PCP_MASK, VLAN_VID_MASK};

use super::Match;
use super::field_access::OFP10_VLAN_NONE;
use crate::ofp_errors::OfpError;
use crate::wire::{Put, Reader};

/// Bytes of the structure.
pub const OFP10_MATCH_LEN: usize = 40;

/// `OFPFW_*`
mod wildcard {
    pub(super) const IN_PORT: u32 = 1 << 0;
    pub(super) const DL_VLAN: u32 = 1 << 1;
    pub(super) const DL_SRC: u32 = 1 << 2;
    pub(super) const DL_DST: u32 = 1 << 3;
    pub(super) const DL_TYPE: u32 = 1 << 4;
    pub(super) const NW_PROTO: u32 = 1 << 5;
    pub(super) const TP_SRC: u32 = 1 << 6;
    pub(super) const TP_DST: u32 = 1 << 7;
    pub(super) const NW_SRC_SHIFT: u32 = 8;
    pub(super) const NW_DST_SHIFT: u32 = 14;
    pub(super) const DL_VLAN_PCP: u32 = 1 << 20;
    pub(super) const NW_TOS: u32 = 1 << 21;
    pub(super) const ALL: u32 = (1 << 22) - 1;
    /// What only an Ethernet packet has, addresses of IP aside.
    pub(super) const DATA: u32 =
        NW_TOS | NW_PROTO | TP_SRC | TP_DST | DL_SRC | DL_DST | DL_TYPE | DL_VLAN | DL_VLAN_PCP;
}

/// The netmask of a wildcard bit count: 0 is exact, 32 and more ignore the address.
fn netmask(wildcards: u32, shift: u32) -> u32 {
    u32::MAX.checked_shl((wildcards >> shift) & 0x3f).unwrap_or(0)
}

/// Reads the structure. Every bit pattern is a match.
///
/// # Errors
/// `OFPBRC_BAD_LEN` when fewer than 40 bytes are left.
pub fn decode(r: &mut Reader<'_>) -> Result<Match, OfpError> {
    let w = r.u32()? & wildcard::ALL;
    let in_port = r.u16()?;
    let dl_src: [u8; 6] = r.array()?;
    let dl_dst: [u8; 6] = r.array()?;
    let dl_vlan = r.u16()?;
    let dl_vlan_pcp = r.u8()?;
    r.skip(1)?;
    let dl_type = r.u16()?;
    let nw_tos = r.u8()?;
    let nw_proto = r.u8()?;
    r.skip(2)?;
    let nw_src = r.u32()?;
    let nw_dst = r.u32()?;
    let tp_src = r.u16()?;
    let tp_dst = r.u16()?;

    let mut m = Match::catchall();
    let (flow, mask) = (&mut m.flow, &mut m.mask.0);
    let matched = |bit: u32| w & bit == 0;
    let ones16 = |bit: u32| if matched(bit) { u16::MAX } else { 0 };
    if matched(wildcard::IN_PORT) {
        mask.in_port = u32::MAX.into();
    }
    if matched(wildcard::NW_TOS) {
        mask.nw_tos = 0xfc;
    }
    if matched(wildcard::NW_PROTO) {
        mask.nw_proto = u8::MAX;
    }
    mask.nw_src = netmask(w, wildcard::NW_SRC_SHIFT).into();
    mask.nw_dst = netmask(w, wildcard::NW_DST_SHIFT).into();
    mask.tp_src = ones16(wildcard::TP_SRC).into();
    mask.tp_dst = ones16(wildcard::TP_DST).into();
    if matched(wildcard::DL_SRC) {
        mask.dl_src = [0xff; 6];
    }
    if matched(wildcard::DL_DST) {
        mask.dl_dst = [0xff; 6];
    }
    mask.dl_type = ones16(wildcard::DL_TYPE).into();
    let mut tci_mask = 0;
    if matched(wildcard::DL_VLAN_PCP) {
        tci_mask |= VLAN_PCP_MASK | VLAN_CFI;
    }
    if matched(wildcard::DL_VLAN) {
        tci_mask |= VLAN_VID_MASK | VLAN_CFI;
    }

    flow.in_port = u32::from(in_port).into();
    flow.dl_src = dl_src;
    flow.dl_dst = dl_dst;
    flow.dl_type = dl_type.into();
    flow.nw_tos = nw_tos;
    flow.nw_proto = nw_proto;
    flow.nw_src = nw_src.into();
    flow.nw_dst = nw_dst.into();
    flow.tp_src = tp_src.into();
    flow.tp_dst = tp_dst.into();
    if matched(wildcard::DL_VLAN) && dl_vlan == OFP10_VLAN_NONE {
        // "No tag", whatever priority is asked for.
        mask.vlans[0].tci = u16::MAX.into();
    } else {
        let pcp = u16::from(dl_vlan_pcp) << 13;
        flow.vlans[0].tci = ((dl_vlan & VLAN_VID_MASK) | pcp | VLAN_CFI).into();
        mask.vlans[0].tci = tci_mask.into();
    }
    let addresses = mask.nw_src.get() | mask.nw_dst.get();
    if w & wildcard::DATA != wildcard::DATA || addresses != 0 {
        m.set_default_packet_type();
    }
    m.zero_wildcarded();
    Ok(m)
}

/// Writes the structure. What it cannot say is left out: the caller chose a format that can.
pub fn encode(m: &Match, out: &mut Vec<u8>) {
    let (flow, mask) = (&m.flow, &m.mask.0);
    let mut w = 0;
    let mut wild = |bit: u32, is_wild: bool| w |= if is_wild { bit } else { 0 };
    wild(wildcard::IN_PORT, mask.in_port.get() == 0);
    wild(wildcard::DL_TYPE, mask.dl_type.get() == 0);
    wild(wildcard::NW_PROTO, mask.nw_proto == 0);
    wild(wildcard::NW_TOS, mask.nw_tos & 0xfc == 0);
    wild(wildcard::TP_SRC, mask.tp_src.get() == 0);
    wild(wildcard::TP_DST, mask.tp_dst.get() == 0);
    wild(wildcard::DL_SRC, mask.dl_src == [0; 6]);
    wild(wildcard::DL_DST, mask.dl_dst == [0; 6]);
    // Of a mask that is no prefix, the shortest prefix that has all its bits.
    wild(mask.nw_src.get().trailing_zeros() << wildcard::NW_SRC_SHIFT, true);
    wild(mask.nw_dst.get().trailing_zeros() << wildcard::NW_DST_SHIFT, true);
    let (tci, tci_mask) = (flow.vlans[0].tci.get(), mask.vlans[0].tci.get());
    let (mut dl_vlan, mut pcp) = (0, 0);
    if tci_mask == 0 {
        wild(wildcard::DL_VLAN | wildcard::DL_VLAN_PCP, true);
    } else if tci_mask & VLAN_CFI != 0 && tci & VLAN_CFI == 0 {
        dl_vlan = OFP10_VLAN_NONE;
    } else {
        if tci_mask & VLAN_VID_MASK == 0 {
            wild(wildcard::DL_VLAN, true);
        } else {
            dl_vlan = tci & VLAN_VID_MASK;
        }
        if tci_mask & VLAN_PCP_MASK == 0 {
            wild(wildcard::DL_VLAN_PCP, true);
        } else {
            pcp = tci.to_be_bytes()[0] >> 5;
        }
    }
    out.put_u32(w);
    out.put_u16(u16::try_from(flow.in_port.get() & 0xffff).unwrap_or(0));
    out.extend_from_slice(&flow.dl_src);
    out.extend_from_slice(&flow.dl_dst);
    out.put_u16(dl_vlan);
    out.put_u8(pcp);
    out.put_zeros(1);
    out.put_u16(flow.dl_type.get());
    out.put_u8(flow.nw_tos & 0xfc);
    out.put_u8(flow.nw_proto);
    out.put_zeros(2);
    out.put_u32(flow.nw_src.get());
    out.put_u32(flow.nw_dst.get());
    out.put_u16(flow.tp_src.get());
    out.put_u16(flow.tp_dst.get());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_decoded_encodes_to_the_same_match(bytes in prop::collection::vec(any::<u8>(), 40)) {
            let read = |b: &[u8]| decode(&mut Reader::new(b, OfpError::OFPBRC_BAD_LEN)).unwrap();
            let m = read(&bytes);
            let mut out = Vec::new();
            encode(&m, &mut out);
            prop_assert_eq!(out.len(), OFP10_MATCH_LEN);
            prop_assert_eq!(read(&out), m);
        }
    }
}
