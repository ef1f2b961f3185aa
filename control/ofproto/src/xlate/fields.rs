//! Reading and writing fields during translation, with the bits that such access un-wildcards.

use weir_flow::Mask;
use weir_flow::field::{Field, Place, Prereq, id};
use weir_flow::flow::{FRAG_LATER, Flow, VLAN_CFI, eth_type, ip_proto};
use weir_openflow::matching::{FieldValue, Subfield, field_access};

use super::{mpls, vlan};

/// `n` low bits set.
#[must_use]
pub fn low_bits(n: u16) -> u128 {
    if n >= 128 { u128::MAX } else { (1u128 << n) - 1 }
}

/// Adds bits of a field to a mask.
pub fn examine(field: &Field, wc: &mut Mask, bits: u128) {
    if bits == 0 {
        return;
    }
    let tci = wc.0.vlans[0].tci.get();
    match field.id {
        // The bit that says "there is a tag" always goes along.
        id::VLAN_VID => {
            wc.0.vlans[0].tci = (tci | VLAN_CFI | (bits as u16 & 0x1fff)).into();
        }
        id::DL_VLAN => wc.0.vlans[0].tci = (tci | 0x1fff).into(),
        id::VLAN_TCI | id::DL_VLAN_PCP | id::VLAN_PCP => {
            let old = field.get(&wc.0);
            field.set(&mut wc.0, old | bits);
            wc.0.vlans[0].tci = (wc.0.vlans[0].tci.get() | VLAN_CFI).into();
        }
        id::IN_PORT | id::IN_PORT_OXM => wc.0.in_port = u32::MAX.into(),
        id::ACTSET_OUTPUT => wc.0.actset_output = u32::MAX.into(),
        _ => {
            let old = field.get(&wc.0);
            field.set(&mut wc.0, old | bits);
        }
    }
}

/// Reads some bits.
#[must_use]
pub fn read(sub: &Subfield, flow: &Flow) -> u128 {
    field_access::get(sub.field.field(), flow) >> sub.ofs & low_bits(sub.n_bits)
}

/// Writes some bits.
pub fn write(sub: &Subfield, flow: &mut Flow, wc: &mut Mask, value: u128) {
    let mask = low_bits(sub.n_bits) << sub.ofs;
    write_masked(sub.field.field(), flow, wc, value << sub.ofs & mask, mask);
}

/// Writes the bits of a field that are set in `mask`. Adds to `wc` the tags that go from sight.
pub fn write_masked(field: &Field, flow: &mut Flow, wc: &mut Mask, value: u128, mask: u128) {
    let n_vlans = flow.n_vlans();
    field_access::set_masked(field, flow, value, mask);
    if flow.n_vlans() < n_vlans {
        vlan::exact(wc, 0, n_vlans);
    }
    vlan::fix_tpid(flow);
}

/// Adds the bits of a subfield to a mask.
pub fn examine_sub(sub: &Subfield, wc: &mut Mask) {
    examine(sub.field.field(), wc, low_bits(sub.n_bits) << sub.ofs);
}

/// A value of a subfield, as many bytes as its bits need.
#[must_use]
pub fn value_of(sub: &Subfield, value: u128) -> FieldValue {
    FieldValue::from_u128(value, usize::from(sub.n_bits).div_ceil(8))
}

/// Does the packet have the headers in which this field makes sense? Adds to `wc` what was looked
/// at to know.
pub fn prerequisites(field: &Field, flow: &Flow, wc: &mut Mask) -> bool {
    if matches!(field.place, Place::TunMetadata) {
        return false;
    }
    let dl_type = flow.dl_type.get();
    match field.prereq {
        Prereq::None | Prereq::Ethernet => true,
        Prereq::Arp => matches!(dl_type, eth_type::ARP | eth_type::RARP),
        Prereq::Ipv4 => dl_type == eth_type::IPV4,
        Prereq::Ipv6 => dl_type == eth_type::IPV6,
        Prereq::IpAny => flow.is_ip_any(),
        Prereq::Mpls => mpls::is_mpls(dl_type),
        Prereq::Nsh => dl_type == eth_type::NSH,
        Prereq::VlanVid => {
            wc.0.vlans[0].tci = (wc.0.vlans[0].tci.get() | VLAN_CFI).into();
            flow.vlans[0].tci.get() & VLAN_CFI != 0
        }
        Prereq::Tcp => transport(flow, wc, &[ip_proto::TCP]),
        Prereq::Udp => transport(flow, wc, &[ip_proto::UDP]),
        Prereq::Sctp => transport(flow, wc, &[ip_proto::SCTP]),
        Prereq::Icmpv4 => dl_type == eth_type::IPV4 && transport(flow, wc, &[ip_proto::ICMP]),
        Prereq::Icmpv6 => dl_type == eth_type::IPV6 && transport(flow, wc, &[ip_proto::ICMPV6]),
        Prereq::Nd => neighbour(flow, wc, &[135, 136]),
        Prereq::NdSolicit => neighbour(flow, wc, &[135]),
        Prereq::NdAdvert => neighbour(flow, wc, &[136]),
        // Connection tracking state is only ever read.
        Prereq::Ct => false,
    }
}

fn transport(flow: &Flow, wc: &mut Mask, protocols: &[u8]) -> bool {
    if !flow.is_ip_any() || flow.nw_frag & FRAG_LATER != 0 {
        return false;
    }
    wc.0.nw_proto = 0xff;
    protocols.contains(&flow.nw_proto)
}

fn neighbour(flow: &Flow, wc: &mut Mask, types: &[u16]) -> bool {
    if flow.dl_type.get() != eth_type::IPV6 || !transport(flow, wc, &[ip_proto::ICMPV6]) {
        return false;
    }
    wc.0.tp_src = 0xff.into();
    wc.0.tp_dst = 0xff.into();
    flow.tp_dst.get() == 0 && types.contains(&flow.tp_src.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subfields_read_back_what_was_written() {
        let mut flow = Flow::ZERO;
        for f in Field::all().iter().filter(|f| f.writable && f.bits <= 128) {
            if matches!(f.id, id::IN_PORT_OXM | id::ACTSET_OUTPUT | id::DL_VLAN) {
                continue;
            }
            let n = (f.bits / 2).max(1);
            let sub = Subfield { field: f.id, ofs: f.bits - n, n_bits: n };
            let value = low_bits(n) & field_access::valid_bits(f) >> sub.ofs;
            write(&sub, &mut flow, &mut Mask::default(), value);
            assert_eq!(read(&sub, &flow), value, "{}", f.name);
        }
    }

    #[test]
    fn every_bit_examined_is_a_bit_of_the_record() {
        for f in Field::all().iter().filter(|f| f.bits <= 128) {
            let mut wc = Mask::CATCHALL;
            examine(f, &mut wc, field_access::valid_bits(f));
            assert!(!wc.is_catchall(), "{}", f.name);
        }
    }
}
