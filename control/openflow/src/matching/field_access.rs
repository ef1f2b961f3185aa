//! Reading and writing one field of a flow or a match, as OpenFlow sees the field.
//!
//! The field table says where a field's bits are. What is special about a few fields (OpenFlow 1.2's
//! VLAN VID with its presence bit, 32-bit port numbers, ICMP types that fill a port's place, ...)
//! stands here, once.

use weir_flow::field::{Field, Format, Place, id};
use weir_flow::flow::{VLAN_CFI, VLAN_VID_MASK};
use weir_flow::{FieldId, Flow};

use super::{FieldValue, Match, TunMetadataMatch};
use crate::ofp_port::OfPort;

/// OpenFlow 1.0's `dl_vlan` for "no VLAN tag".
pub const OFP10_VLAN_NONE: u16 = 0xffff;

/// Bits that a value of the field can have (0 for `tun_metadataN`, whose bits are all valid).
#[must_use]
pub fn valid_bits(field: &Field) -> u128 {
    match field.id {
        id::VLAN_VID => u128::from(VLAN_CFI | VLAN_VID_MASK),
        id::NW_TOS => 0xfc,
        id::ARP_OP => 0xff,
        id::CT_STATE => 0xff,
        _ => field.all_ones(),
    }
}

/// Can a packet have this value of the field?
#[must_use]
pub fn is_value_valid(field: &Field, value: &FieldValue) -> bool {
    if matches!(field.place, Place::TunMetadata) {
        return true;
    }
    if field.format == Format::OfPort {
        return u32::try_from(value.as_u128()).is_ok_and(|n| OfPort::from_ofp11(n).is_some());
    }
    value.as_u128() & !valid_bits(field) == 0
}

/// Can the field be matched under this mask?
#[must_use]
pub fn is_mask_valid(field: &Field, mask: &FieldValue) -> bool {
    field.maskable || mask.is_zero() || mask.is_all_ones()
}

/// Where the mask of a field that is wider in the record than on the wire must be whole.
fn whole_cell(field: FieldId) -> Option<fn(&mut Flow, bool)> {
    match field {
        id::IN_PORT | id::IN_PORT_OXM => {
            Some(|f, one| f.in_port = if one { u32::MAX } else { 0 }.into())
        }
        id::ACTSET_OUTPUT => Some(|f, one| f.actset_output = if one { u32::MAX } else { 0 }.into()),
        id::ICMP_TYPE | id::ICMPV6_TYPE => {
            Some(|f, one| f.tp_src = if one { u16::MAX } else { 0 }.into())
        }
        id::ICMP_CODE | id::ICMPV6_CODE => {
            Some(|f, one| f.tp_dst = if one { u16::MAX } else { 0 }.into())
        }
        _ => None,
    }
}

/// Reads the field as OpenFlow writes it. `tun_metadataN` reads as zero: its place in the record is
/// the TLV map's business.
#[must_use]
pub fn get(field: &Field, flow: &Flow) -> u128 {
    match field.id {
        id::IN_PORT_OXM => port_to_ofp11(flow.in_port.get()),
        id::ACTSET_OUTPUT => port_to_ofp11(flow.actset_output.get()),
        id::VLAN_VID => u128::from(flow.vlans[0].tci.get() & (VLAN_CFI | VLAN_VID_MASK)),
        _ => field.get(flow) & valid_bits(field),
    }
}

fn port_to_ofp11(n: u32) -> u128 {
    OfPort(u16::try_from(n & 0xffff).unwrap_or(0)).to_ofp11().into()
}

/// Writes bits of the field into a flow (a packet's, not a match's mask). Setting a VLAN identifier
/// or priority makes the tag present.
pub fn set_masked(field: &Field, flow: &mut Flow, value: u128, mask: u128) {
    let mask = mask & valid_bits(field);
    match field.id {
        id::IN_PORT_OXM | id::ACTSET_OUTPUT => {
            let number = (get(field, flow) & !mask) | (value & mask);
            if let Some(port) = u32::try_from(number).ok().and_then(OfPort::from_ofp11) {
                field.set(flow, port.0.into());
            }
        }
        id::DL_VLAN if value & 0xffff == u128::from(OFP10_VLAN_NONE) => {
            flow.vlans[0].tci = 0.into();
        }
        id::VLAN_VID => {
            let tci = u128::from(flow.vlans[0].tci.get());
            let new = (tci & !mask) | (value & mask);
            flow.vlans[0].tci = u16::try_from(new & 0xffff).unwrap_or(0).into();
        }
        id::DL_VLAN | id::DL_VLAN_PCP | id::VLAN_PCP => {
            field.set_masked(flow, value, mask);
            let tci = flow.vlans[0].tci.get() | VLAN_CFI;
            flow.vlans[0].tci = tci.into();
        }
        id::ICMP_TYPE | id::ICMPV6_TYPE => {
            let new = (get(field, flow) & !mask) | (value & mask);
            flow.tp_src = u16::try_from(new & 0xff).unwrap_or(0).into();
        }
        id::ICMP_CODE | id::ICMPV6_CODE => {
            let new = (get(field, flow) & !mask) | (value & mask);
            flow.tp_dst = u16::try_from(new & 0xff).unwrap_or(0).into();
        }
        _ => field.set_masked(flow, value, mask),
    }
}

/// Writes the whole field into a flow.
pub fn set(field: &Field, flow: &mut Flow, value: u128) {
    set_masked(field, flow, value, u128::MAX);
}

/// The value of the field in a flow.
#[must_use]
pub fn value(field: &Field, flow: &Flow) -> FieldValue {
    FieldValue::of(field, get(field, flow))
}

impl Match {
    /// The value and the mask of a field. An exact mask is all ones in every byte.
    #[must_use]
    pub fn get(&self, field: &Field) -> (FieldValue, FieldValue) {
        let n = usize::from(field.bytes);
        if matches!(field.place, Place::TunMetadata) {
            return match self.tun_metadata.get(&field.index) {
                None => (FieldValue::zero(n), FieldValue::zero(n)),
                Some(t) if !t.is_masked => (t.value.resized(n), FieldValue::ones(n)),
                Some(t) => (t.value.resized(n), t.mask.resized(n)),
            };
        }
        let raw = self.mask_bits(field);
        let valid = valid_bits(field);
        // Of the 16 bits of tun_flags OpenFlow sees one; it is never matched "exactly".
        let exact = raw == valid && field.id != id::TUN_FLAGS;
        let mask = if exact { FieldValue::ones(n) } else { FieldValue::of(field, raw) };
        let value = if raw == 0 { 0 } else { get(field, &self.flow) };
        (FieldValue::of(field, value), mask)
    }

    fn mask_bits(&self, field: &Field) -> u128 {
        let m = &self.mask.0;
        match field.id {
            id::IN_PORT_OXM => u128::from(m.in_port.get()),
            id::ACTSET_OUTPUT => u128::from(m.actset_output.get()),
            id::VLAN_VID => u128::from(m.vlans[0].tci.get() & (VLAN_CFI | VLAN_VID_MASK)),
            _ => field.get(m) & valid_bits(field),
        }
    }

    /// Is no bit of the field matched?
    #[must_use]
    pub fn is_all_wild(&self, field: &Field) -> bool {
        if matches!(field.place, Place::TunMetadata) {
            !self.tun_metadata.contains_key(&field.index)
        } else {
            self.mask_bits(field) == 0
        }
    }

    /// Matches the field under a mask; bits that the field has not are ignored. A mask of zero
    /// stops matching the field (but matches the presence of `tun_metadataN`).
    pub fn set(&mut self, field: &Field, value: &FieldValue, mask: &FieldValue) {
        if matches!(field.place, Place::TunMetadata) {
            let value = value.and(mask);
            let len = crate::nxm::entry::wire_len(field, &value, mask);
            let whole = mask.is_all_ones();
            let mask = if whole { FieldValue::ones(len) } else { mask.resized(len) };
            let value = value.resized(len);
            let is_masked = !whole;
            let matched = TunMetadataMatch { value, mask, is_masked };
            self.tun_metadata.insert(field.index, matched);
            return;
        }
        let (v, m) = (value.as_u128(), mask.as_u128());
        let valid = valid_bits(field);
        if let Some(fill) = whole_cell(field.id) {
            fill(&mut self.mask.0, m != 0);
            fill(&mut self.flow, false);
            if m != 0 {
                set(field, &mut self.flow, v);
            }
            return;
        }
        match field.id {
            id::VLAN_VID | id::DL_VLAN | id::DL_VLAN_PCP | id::VLAN_PCP => {
                self.set_vlan(field, v, m);
            }
            _ => {
                field.set(&mut self.mask.0, m & valid);
                field.set(&mut self.flow, v & m & valid);
            }
        }
    }

    fn set_vlan(&mut self, field: &Field, value: u128, mask: u128) {
        let low16 = |n: u128| u16::try_from(n & 0xffff).unwrap_or(0);
        let (value, mask) = (low16(value), low16(mask));
        let old_tci = self.flow.vlans[0].tci.get();
        let old_mask = self.mask.0.vlans[0].tci.get();
        let present = VLAN_CFI | VLAN_VID_MASK;
        let pcp_bits = weir_flow::flow::VLAN_PCP_MASK;
        let (bits, tci, tci_mask) = match field.id {
            // OpenFlow 1.2: the value carries the presence bit itself.
            id::VLAN_VID => (present, value, mask & present),
            id::DL_VLAN if mask == 0 => (VLAN_VID_MASK, 0, 0),
            id::DL_VLAN if value == OFP10_VLAN_NONE => (u16::MAX, 0, u16::MAX),
            id::DL_VLAN => (present, (value & VLAN_VID_MASK) | VLAN_CFI, present),
            _ if mask == 0 => (pcp_bits, 0, 0),
            _ => (pcp_bits | VLAN_CFI, (value & 7) << 13 | VLAN_CFI, pcp_bits | VLAN_CFI),
        };
        let mut new_mask = (old_mask & !bits) | (tci_mask & bits);
        if new_mask == VLAN_CFI && matches!(field.id, id::DL_VLAN | id::DL_VLAN_PCP | id::VLAN_PCP)
        {
            new_mask = 0;
        }
        let new_tci = ((old_tci & !bits) | (tci & bits)) & new_mask;
        self.mask.0.vlans[0].tci = new_mask.into();
        self.flow.vlans[0].tci = new_tci.into();
    }

    /// Matches the field exactly.
    pub fn set_exact(&mut self, field: &Field, value: u128) {
        let ones = FieldValue::ones(usize::from(field.bytes));
        self.set(field, &FieldValue::of(field, value), &ones);
    }

    /// Matches Ethernet packets only, unless another packet type is matched already.
    pub fn set_default_packet_type(&mut self) {
        if self.mask.0.packet_type.get() == 0 {
            self.mask.0.packet_type = u32::MAX.into();
            self.flow.packet_type = weir_flow::flow::PT_ETH.into();
        }
    }

    /// Are Ethernet packets, and no others, matched?
    #[must_use]
    pub fn has_default_packet_type(&self) -> bool {
        self.mask.0.packet_type.get() == u32::MAX
            && self.flow.packet_type.get() == weir_flow::flow::PT_ETH
    }

    /// A field with a prerequisite is one of an Ethernet packet.
    pub fn add_ethernet_prereq(&mut self, field: &Field) {
        if field.prereq != weir_flow::field::Prereq::None {
            self.set_default_packet_type();
        }
    }

    /// Zeroes the bits of the flow that are not matched.
    pub fn zero_wildcarded(&mut self) {
        self.flow = self.mask.apply(&self.flow);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(name: &str, value: u128, mask: Option<u128>) -> Match {
        let field = Field::by_name(name).unwrap();
        let n = usize::from(field.bytes);
        let mask = mask.map_or_else(|| FieldValue::ones(n), |m| FieldValue::of(field, m));
        let mut m = Match::catchall();
        m.set(field, &FieldValue::of(field, value), &mask);
        m
    }

    #[test]
    fn what_is_set_reads_back() {
        for field in Field::all() {
            let n = usize::from(field.bytes);
            let value = FieldValue::of(field, if field.id == id::NW_TOS { 4 } else { 1 });
            let mut m = Match::catchall();
            m.set(field, &value, &FieldValue::ones(n));
            let (read, mask) = m.get(field);
            assert_eq!(read, value, "{}", field.name);
            assert!(mask.is_all_ones() || field.id == id::TUN_FLAGS, "{}", field.name);
            assert!(!m.is_all_wild(field));
            if !matches!(field.place, Place::TunMetadata) {
                m.set(field, &FieldValue::zero(n), &FieldValue::zero(n));
                let left = m.mask.0.vlans[0].tci.get();
                assert!(m.is_catchall() || left == VLAN_CFI, "{} {m:?}", field.name);
            }
        }
    }

    #[test]
    fn vlan_semantics() {
        assert_eq!(matched("dl_vlan", 5, None).flow.vlans[0].tci.get(), 0x1005);
        assert_eq!(matched("dl_vlan", 5, None).mask.0.vlans[0].tci.get(), 0x1fff);
        assert_eq!(matched("dl_vlan", 0xffff, None).mask.0.vlans[0].tci.get(), 0xffff);
        assert_eq!(matched("dl_vlan_pcp", 5, None).mask.0.vlans[0].tci.get(), 0xf000);
        assert_eq!(matched("vlan_vid", 0x1000, Some(0x1000)).mask.0.vlans[0].tci.get(), 0x1000);
    }

    #[test]
    fn ports_have_16_bits_inside() {
        let m = matched("in_port_oxm", 0xffff_fffe, None);
        assert_eq!(m.flow.in_port.get(), 0xfffe);
        assert_eq!(m.mask.0.in_port.get(), u32::MAX);
        assert_eq!(m, matched("in_port", 0xfffe, None));
    }
}
