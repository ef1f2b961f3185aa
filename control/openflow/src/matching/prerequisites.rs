//! Prerequisites of fields: what else a flow must match for a field to be meaningful
//! (ovs-fields(7); OpenFlow 1.3 section 7.2.3.6).

use weir_flow::Flow;
use weir_flow::field::{Field, Prereq};
use weir_flow::flow::{FRAG_LATER, PT_ETH, VLAN_CFI, eth_type, ip_proto};

use super::Match;

/// Neighbour solicitation (RFC 4861).
pub const ND_NEIGHBOR_SOLICIT: u16 = 135;
/// Neighbour advertisement (RFC 4861).
pub const ND_NEIGHBOR_ADVERT: u16 = 136;

const CS_NEW: u32 = 0x01;
const CS_ESTABLISHED: u32 = 0x02;
const CS_RELATED: u32 = 0x04;
const CS_REPLY_DIR: u32 = 0x08;
const CS_INVALID: u32 = 0x10;
const CS_TRACKED: u32 = 0x20;
const CS_NAT: u32 = 0xc0;

/// The Ethernet type, wherever it comes from: a packet type of the Ethertype namespace counts.
#[must_use]
pub fn dl_type(flow: &Flow) -> u16 {
    let packet_type = flow.packet_type.get();
    if packet_type == PT_ETH {
        flow.dl_type.get()
    } else if packet_type >> 16 == 1 {
        u16::try_from(packet_type & 0xffff).unwrap_or(0)
    } else {
        0
    }
}

/// Is it one of the two MPLS Ethernet types?
#[must_use]
pub fn is_mpls(ethertype: u16) -> bool {
    matches!(ethertype, eth_type::MPLS | eth_type::MPLS_MCAST)
}

/// Is it one of the two VLAN Ethernet types?
#[must_use]
pub fn is_vlan(ethertype: u16) -> bool {
    matches!(ethertype, eth_type::VLAN_8021Q | eth_type::VLAN_8021AD)
}

fn is_ip_any(flow: &Flow) -> bool {
    matches!(dl_type(flow), eth_type::IPV4 | eth_type::IPV6)
}

fn is_icmpv6(flow: &Flow) -> bool {
    dl_type(flow) == eth_type::IPV6 && flow.nw_proto == ip_proto::ICMPV6
}

/// Is it a neighbour discovery packet of one of these types?
pub(crate) fn is_nd(flow: &Flow, types: &[u16]) -> bool {
    is_icmpv6(flow) && flow.tp_dst.get() == 0 && types.contains(&flow.tp_src.get())
}

/// Does the flow say that a connection tracking entry stands behind the packet? A match must have
/// at least one bit that implies one, or exclude invalid packets.
#[must_use]
pub fn is_ct_valid(flow: &Flow, mask: Option<&Flow>) -> bool {
    let state = flow.ct_state.get();
    match mask {
        Some(mask) => {
            state & (CS_NEW | CS_ESTABLISHED | CS_RELATED | CS_REPLY_DIR | CS_NAT) != 0
                || (state & CS_TRACKED != 0
                    && mask.ct_state.get() & CS_INVALID != 0
                    && state & CS_INVALID == 0)
        }
        None => state & (CS_NEW | CS_ESTABLISHED | CS_REPLY_DIR) != 0,
    }
}

/// Does the flow satisfy the field's prerequisites? `mask` is given when `flow` is a match's.
#[must_use]
pub fn are_ok(field: &Field, flow: &Flow, mask: Option<&Flow>) -> bool {
    let l4 = |proto| is_ip_any(flow) && flow.nw_proto == proto && flow.nw_frag & FRAG_LATER == 0;
    match field.prereq {
        Prereq::None => true,
        Prereq::Ethernet => flow.packet_type.get() == PT_ETH,
        Prereq::Arp => matches!(dl_type(flow), eth_type::ARP | eth_type::RARP),
        Prereq::VlanVid => {
            flow.packet_type.get() == PT_ETH && flow.vlans[0].tci.get() & VLAN_CFI != 0
        }
        Prereq::Ipv4 => dl_type(flow) == eth_type::IPV4,
        Prereq::Ipv6 => dl_type(flow) == eth_type::IPV6,
        Prereq::IpAny => is_ip_any(flow),
        Prereq::Mpls => is_mpls(dl_type(flow)),
        Prereq::Tcp => l4(ip_proto::TCP),
        Prereq::Udp => l4(ip_proto::UDP),
        Prereq::Sctp => l4(ip_proto::SCTP),
        Prereq::Icmpv4 => dl_type(flow) == eth_type::IPV4 && flow.nw_proto == ip_proto::ICMP,
        Prereq::Icmpv6 => is_icmpv6(flow),
        Prereq::Nd => is_nd(flow, &[ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT]),
        Prereq::NdSolicit => is_nd(flow, &[ND_NEIGHBOR_SOLICIT]),
        Prereq::NdAdvert => is_nd(flow, &[ND_NEIGHBOR_ADVERT]),
        Prereq::Nsh => dl_type(flow) == eth_type::NSH,
        Prereq::Ct => is_ct_valid(flow, mask),
    }
}

impl Match {
    /// Does the match satisfy the field's prerequisites?
    #[must_use]
    pub fn prereqs_ok(&self, field: &Field) -> bool {
        are_ok(field, &self.flow, Some(&self.mask.0))
    }
}
