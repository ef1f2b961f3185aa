//! `struct ofp_match` of OpenFlow 1.1 (section A.2.3): 88 bytes, wildcard bits and address masks
//! (whose one bits are ignored), and the framing that later versions put around OXM.

use weir_flow::field::id;
use weir_flow::flow::{VLAN_CFI, VLAN_PCP_MASK, VLAN_VID_MASK, eth_type, ip_proto};

use super::Match;
use super::prerequisites::is_mpls;
use crate::nxm::{self, Strictness};
use crate::ofp_errors::OfpError;
use crate::ofp_port::OfPort;
use crate::version::OfVersion;
use crate::wire::{Put, Reader};

/// Bytes of OpenFlow 1.1's match, with its header.
pub const OFPMT11_STANDARD_LENGTH: u16 = 88;
const OFPMT_STANDARD: u16 = 0;
const OFPMT_OXM: u16 = 1;

const OFPVID11_ANY: u16 = 0xfffe;
const OFPVID11_NONE: u16 = 0xffff;

/// `OFPFW11_*`
mod wildcard {
    pub(super) const IN_PORT: u32 = 1 << 0;
    pub(super) const DL_VLAN: u32 = 1 << 1;
    pub(super) const DL_VLAN_PCP: u32 = 1 << 2;
    pub(super) const DL_TYPE: u32 = 1 << 3;
    pub(super) const NW_TOS: u32 = 1 << 4;
    pub(super) const NW_PROTO: u32 = 1 << 5;
    pub(super) const TP_SRC: u32 = 1 << 6;
    pub(super) const TP_DST: u32 = 1 << 7;
    pub(super) const MPLS_LABEL: u32 = 1 << 8;
    pub(super) const MPLS_TC: u32 = 1 << 9;
}

/// Reads a match of OpenFlow 1.1 or later with its header and padding: a standard match or OXM.
///
/// # Errors
/// `OFPBMC_*` of what is wrong with it.
pub fn decode_framed(r: &mut Reader<'_>) -> Result<Match, OfpError> {
    let mut head = Reader::new(r.rest(), OfpError::OFPBMC_BAD_LEN);
    let (kind, length) = (head.u16()?, head.u16()?);
    match kind {
        OFPMT_STANDARD if length == OFPMT11_STANDARD_LENGTH => {
            let bytes =
                Reader::new(r.rest(), OfpError::OFPBMC_BAD_LEN).take(usize::from(length))?;
            r.skip(usize::from(length))?;
            decode_standard(&mut Reader::new(&bytes[4..], OfpError::OFPBMC_BAD_LEN))
        }
        OFPMT_STANDARD => Err(OfpError::OFPBMC_BAD_LEN),
        OFPMT_OXM => {
            let length = usize::from(length);
            let padded = length.next_multiple_of(8);
            let bytes = Reader::new(r.rest(), OfpError::OFPBMC_BAD_LEN).take(padded)?;
            r.skip(padded)?;
            let oxm = bytes.get(4..length).ok_or(OfpError::OFPBMC_BAD_LEN)?;
            nxm::decode_match(oxm, Strictness::Strict).map(|d| d.matched)
        }
        _ => Err(OfpError::OFPBMC_BAD_TYPE),
    }
}

/// Writes a match for OpenFlow 1.1 (standard) or later (OXM), with header and padding. Answers the
/// length without padding.
pub fn encode_framed(m: &Match, version: OfVersion, out: &mut Vec<u8>) -> usize {
    let start = out.len();
    if version <= OfVersion::V11 {
        encode_standard(m, out);
        return out.len() - start;
    }
    out.put_u16(OFPMT_OXM);
    out.put_u16(0);
    nxm::encode_match(m, Some(version), None, out);
    let len = out.len() - start;
    out.set_u16(start + 2, u16::try_from(len).unwrap_or(u16::MAX));
    out.pad_to(start, 8);
    len
}

/// Reads what follows the header of a standard match.
pub(crate) fn decode_standard(r: &mut Reader<'_>) -> Result<Match, OfpError> {
    const BAD_VALUE: OfpError = OfpError::OFPBMC_BAD_VALUE;
    let in_port = r.u32()?;
    let w = r.u32()?;
    let dl_src: [u8; 6] = r.array()?;
    let dl_src_mask: [u8; 6] = r.array()?;
    let dl_dst: [u8; 6] = r.array()?;
    let dl_dst_mask: [u8; 6] = r.array()?;
    let dl_vlan = r.u16()?;
    let dl_vlan_pcp = r.u8()?;
    r.skip(1)?;
    let dl_type = r.u16()?;
    let (nw_tos, nw_proto) = (r.u8()?, r.u8()?);
    let (nw_src, nw_src_mask) = (r.u32()?, r.u32()?);
    let (nw_dst, nw_dst_mask) = (r.u32()?, r.u32()?);
    let (tp_src, tp_dst) = (r.u16()?, r.u16()?);
    let (mpls_label, mpls_tc) = (r.u32()?, r.u8()?);
    r.skip(3)?;
    let (metadata, metadata_mask) = (r.u64()?, r.u64()?);
    let matched = |bit: u32| w & bit == 0;

    let mut m = Match::catchall();
    if matched(wildcard::IN_PORT) {
        let port = OfPort::from_ofp11(in_port).ok_or(BAD_VALUE)?;
        m.set_exact(id::IN_PORT.field(), port.0.into());
    }
    m.mask.0.dl_src = dl_src_mask.map(|b| !b);
    m.mask.0.dl_dst = dl_dst_mask.map(|b| !b);
    m.flow.dl_src = dl_src;
    m.flow.dl_dst = dl_dst;
    if m.mask.0.dl_src != [0; 6] || m.mask.0.dl_dst != [0; 6] {
        m.set_default_packet_type();
    }
    if matched(wildcard::DL_VLAN) {
        let (tci, tci_mask) = match dl_vlan {
            OFPVID11_NONE => (0, u16::MAX),
            OFPVID11_ANY => (VLAN_CFI, VLAN_CFI),
            vid if vid <= VLAN_VID_MASK => (vid | VLAN_CFI, VLAN_CFI | VLAN_VID_MASK),
            _ => return Err(BAD_VALUE),
        };
        m.flow.vlans[0].tci = tci.into();
        m.mask.0.vlans[0].tci = tci_mask.into();
        if dl_vlan != OFPVID11_NONE && matched(wildcard::DL_VLAN_PCP) {
            if dl_vlan_pcp > 7 {
                return Err(BAD_VALUE);
            }
            m.flow.vlans[0].tci = (tci | u16::from(dl_vlan_pcp) << 13).into();
            m.mask.0.vlans[0].tci = (tci_mask | VLAN_PCP_MASK).into();
        }
        m.set_default_packet_type();
    }
    if matched(wildcard::DL_TYPE) {
        m.set_exact(id::DL_TYPE.field(), dl_type.into());
        m.set_default_packet_type();
    }
    let ipv4 = m.flow.dl_type.get() == eth_type::IPV4;
    let arp = matches!(m.flow.dl_type.get(), eth_type::ARP | eth_type::RARP);
    if ipv4 && matched(wildcard::NW_TOS) {
        if nw_tos & 3 != 0 {
            return Err(BAD_VALUE);
        }
        m.set_exact(id::NW_TOS.field(), nw_tos.into());
    }
    if ipv4 || arp {
        if matched(wildcard::NW_PROTO) {
            m.set_exact(id::NW_PROTO.field(), nw_proto.into());
        }
        m.mask.0.nw_src = (!nw_src_mask).into();
        m.mask.0.nw_dst = (!nw_dst_mask).into();
        m.flow.nw_src = nw_src.into();
        m.flow.nw_dst = nw_dst.into();
    }
    let proto = m.flow.nw_proto;
    let is_icmp = proto == ip_proto::ICMP;
    if ipv4 && (is_icmp || matches!(proto, ip_proto::TCP | ip_proto::UDP | ip_proto::SCTP)) {
        let ports =
            [(wildcard::TP_SRC, tp_src, id::TCP_SRC), (wildcard::TP_DST, tp_dst, id::TCP_DST)];
        for (bit, value, field) in ports {
            if matched(bit) {
                if is_icmp && value > 0xff {
                    return Err(OfpError::OFPBMC_BAD_FIELD);
                }
                m.set_exact(field.field(), value.into());
            }
        }
    }
    if is_mpls(m.flow.dl_type.get()) {
        if matched(wildcard::MPLS_LABEL) {
            m.set_exact(id::MPLS_LABEL.field(), mpls_label.into());
        }
        if matched(wildcard::MPLS_TC) {
            m.set_exact(id::MPLS_TC.field(), mpls_tc.into());
        }
    }
    m.mask.0.metadata = (!metadata_mask).into();
    m.flow.metadata = metadata.into();
    m.zero_wildcarded();
    Ok(m)
}

pub(crate) fn encode_standard(m: &Match, out: &mut Vec<u8>) {
    let (flow, mask) = (&m.flow, &m.mask.0);
    let start = out.len();
    out.put_u16(OFPMT_STANDARD);
    out.put_u16(OFPMT11_STANDARD_LENGTH);
    let mut w = 0;
    let mut wild = |bit: u32, is_wild: bool| {
        w |= if is_wild { bit } else { 0 };
        is_wild
    };
    let in_port = if wild(wildcard::IN_PORT, mask.in_port.get() == 0) {
        0
    } else {
        OfPort(u16::try_from(flow.in_port.get() & 0xffff).unwrap_or(0)).to_ofp11()
    };
    let (tci, tci_mask) = (flow.vlans[0].tci.get(), mask.vlans[0].tci.get());
    let (mut dl_vlan, mut pcp) = (0, 0);
    if tci_mask == 0 {
        wild(wildcard::DL_VLAN | wildcard::DL_VLAN_PCP, true);
    } else if tci_mask & VLAN_CFI != 0 && tci & VLAN_CFI == 0 {
        dl_vlan = OFPVID11_NONE;
        wild(wildcard::DL_VLAN_PCP, true);
    } else {
        dl_vlan = if tci_mask & VLAN_VID_MASK == 0 { OFPVID11_ANY } else { tci & VLAN_VID_MASK };
        if !wild(wildcard::DL_VLAN_PCP, tci_mask & VLAN_PCP_MASK == 0) {
            pcp = tci.to_be_bytes()[0] >> 5;
        }
    }
    wild(wildcard::DL_TYPE, mask.dl_type.get() == 0);
    wild(wildcard::NW_TOS, mask.nw_tos & 0xfc == 0);
    wild(wildcard::NW_PROTO, mask.nw_proto == 0);
    wild(wildcard::TP_SRC, mask.tp_src.get() == 0);
    wild(wildcard::TP_DST, mask.tp_dst.get() == 0);
    wild(wildcard::MPLS_LABEL, m.is_all_wild(id::MPLS_LABEL.field()));
    wild(wildcard::MPLS_TC, m.is_all_wild(id::MPLS_TC.field()));
    out.put_u32(in_port);
    out.put_u32(w);
    out.extend_from_slice(&flow.dl_src);
    out.extend(mask.dl_src.map(|b| !b));
    out.extend_from_slice(&flow.dl_dst);
    out.extend(mask.dl_dst.map(|b| !b));
    out.put_u16(dl_vlan);
    out.put_u8(pcp);
    out.put_zeros(1);
    out.put_u16(flow.dl_type.get());
    out.put_u8(flow.nw_tos & 0xfc);
    out.put_u8(flow.nw_proto);
    out.put_u32(flow.nw_src.get());
    out.put_u32(!mask.nw_src.get());
    out.put_u32(flow.nw_dst.get());
    out.put_u32(!mask.nw_dst.get());
    out.put_u16(flow.tp_src.get());
    out.put_u16(flow.tp_dst.get());
    let lse = flow.mpls_lse[0].get();
    out.put_u32(lse >> 12);
    out.put_u8(u8::try_from(lse >> 9 & 7).unwrap_or(0));
    out.put_zeros(3);
    out.put_u64(flow.metadata.get());
    out.put_u64(!mask.metadata.get());
    debug_assert_eq!(out.len() - start, usize::from(OFPMT11_STANDARD_LENGTH));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_decoded_encodes_to_the_same_match(bytes in prop::collection::vec(any::<u8>(), 84)) {
            let mut framed = vec![0, 0, 0, 88];
            framed.extend(bytes);
            let read = |b: &[u8]| decode_framed(&mut Reader::new(b, OfpError::OFPBRC_BAD_LEN));
            if let Ok(m) = read(&framed) {
                let mut out = Vec::new();
                encode_framed(&m, OfVersion::V11, &mut out);
                prop_assert_eq!(read(&out).unwrap(), m);
            }
        }
    }
}
