//! The text of one packet's flow, and of a megaflow's match.

use weir_flow::flow::{FRAG_LATER, eth_type, ip_proto};
use weir_flow::{Flow, Mask};
use weir_openflow::{Match, NameMap};

/// A packet's flow: every field the packet has; of its metadata only what is not zero.
#[must_use]
pub fn packet(flow: &Flow, names: Option<&NameMap>) -> String {
    Match::new(flow, packet_mask(flow)).display(0x8000, names).to_string()
}

/// A megaflow's match, from the bits that translation examined.
#[must_use]
pub fn megaflow(key: &Flow, examined: &Mask, names: Option<&NameMap>) -> String {
    let mut mask = *examined;
    for v in &mut mask.0.vlans {
        v.tpid = 0.into();
    }
    Match::new(key, mask).display(0x8000, names).to_string()
}

/// The fields that a packet with this flow has.
#[must_use]
pub fn packet_mask(flow: &Flow) -> Mask {
    let mut mask = Mask::CATCHALL;
    let m = &mut mask.0;
    let all = u32::MAX;
    if flow.in_port.get() != 0 {
        m.in_port = all.into();
    }
    for (value, bits) in [
        (flow.recirc_id, &mut m.recirc_id),
        (flow.dp_hash, &mut m.dp_hash),
        (flow.skb_priority, &mut m.skb_priority),
        (flow.pkt_mark, &mut m.pkt_mark),
        (flow.ct_state, &mut m.ct_state),
        (flow.ct_mark, &mut m.ct_mark),
        (flow.conj_id, &mut m.conj_id),
        (flow.tun_src, &mut m.tun_src),
        (flow.tun_dst, &mut m.tun_dst),
    ] {
        *bits = if value.get() == 0 { 0 } else { all }.into();
    }
    for (value, bits) in flow.regs.iter().zip(&mut m.regs) {
        *bits = if value.get() == 0 { 0 } else { all }.into();
    }
    if flow.metadata.get() != 0 {
        m.metadata = u64::MAX.into();
    }
    if flow.tun_id.get() != 0 {
        m.tun_id = u64::MAX.into();
    }
    if flow.ct_zone.get() != 0 {
        m.ct_zone = u16::MAX.into();
    }
    if flow.ct_label != [0; 16] {
        m.ct_label = [0xff; 16];
    }
    m.dl_dst = [0xff; 6];
    m.dl_src = [0xff; 6];
    m.dl_type = u16::MAX.into();
    // The tag that is not there is shown, one behind it is not.
    let n = flow.n_vlans();
    for v in m.vlans.iter_mut().take(n + 1) {
        v.tci = u16::MAX.into();
        v.tpid = u16::MAX.into();
    }
    network(flow, m);
    mask
}

fn network(flow: &Flow, m: &mut Flow) {
    match flow.dl_type.get() {
        eth_type::IPV4 => {
            m.nw_src = u32::MAX.into();
            m.nw_dst = u32::MAX.into();
        }
        eth_type::IPV6 => {
            m.ipv6_src = [0xff; 16];
            m.ipv6_dst = [0xff; 16];
            m.ipv6_label = u32::MAX.into();
            if flow.nw_proto == ip_proto::ICMPV6 && matches!(flow.tp_src.get(), 135 | 136) {
                m.nd_target = [0xff; 16];
                m.arp_sha = [0xff; 6];
                m.arp_tha = [0xff; 6];
            }
        }
        eth_type::ARP | eth_type::RARP => {
            m.nw_src = u32::MAX.into();
            m.nw_dst = u32::MAX.into();
            m.nw_proto = 0xff;
            m.arp_sha = [0xff; 6];
            m.arp_tha = [0xff; 6];
            return;
        }
        eth_type::MPLS | eth_type::MPLS_MCAST => {
            for (value, bits) in flow.mpls_lse.iter().zip(&mut m.mpls_lse) {
                *bits = u32::MAX.into();
                if value.get() & 0x100 != 0 {
                    break;
                }
            }
            return;
        }
        _ => return,
    }
    m.nw_frag = 3;
    m.nw_tos = 0xff;
    m.nw_ttl = 0xff;
    m.nw_proto = 0xff;
    let has_ports = matches!(
        flow.nw_proto,
        ip_proto::ICMP
            | ip_proto::ICMPV6
            | ip_proto::TCP
            | ip_proto::UDP
            | ip_proto::SCTP
            | ip_proto::IGMP
    );
    if flow.nw_frag & FRAG_LATER == 0 && has_ports {
        m.tp_src = u16::MAX.into();
        m.tp_dst = u16::MAX.into();
        if flow.nw_proto == ip_proto::TCP {
            m.tcp_flags = 0x0fff.into();
        }
    }
}
