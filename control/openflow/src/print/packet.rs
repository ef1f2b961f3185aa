//! Packets on their way to and from a controller, and packets themselves as text.

use std::fmt::Write;

use weir_flow::flow::{eth_type, ip_proto};
use weir_flow::packet::{Metadata, parse};
use weir_flow::{Flow, Mask};

use super::{PrintContext, hex_numbers};
use crate::actions;
use crate::matching::Match;
use crate::matching::match_format::DEFAULT_PRIORITY;
use crate::matching::prerequisites::{ND_NEIGHBOR_ADVERT, ND_NEIGHBOR_SOLICIT, is_nd};
use crate::messages::packet_in::{PacketIn, packet_in_reason};
use crate::messages::packet_out::PacketOut;
use crate::ofp_port::{NameMap, OfPort};
use crate::version::OfVersion;

pub(super) fn packet_in(s: &mut String, m: &PacketIn, v: OfVersion, cx: PrintContext<'_>) {
    let _ = v;
    if m.table_id != 0 {
        let _ = write!(s, " table_id={}", cx.names.table(m.table_id));
    }
    if m.cookie != u64::MAX {
        let _ = write!(s, " cookie=0x{:x}", m.cookie);
    }
    let _ = write!(
        s,
        " total_len={} {} (via {}) data_len={}",
        m.total_len,
        m.metadata.display(DEFAULT_PRIORITY, cx.names.ports),
        packet_in_reason::name(m.reason),
        m.packet.len()
    );
    let data_len = u32::try_from(m.packet.len()).unwrap_or(u32::MAX);
    match m.buffer_id {
        None => {
            s.push_str(" (unbuffered)");
            if m.total_len != data_len {
                s.push_str(" (***total_len != data_len***)");
            }
        }
        Some(id) => {
            let _ = write!(s, " buffer=0x{id:08x}");
            if m.total_len < data_len {
                s.push_str(" (***total_len < data_len***)");
            }
        }
    }
    s.push('\n');
    if !m.userdata.is_empty() {
        let _ = writeln!(s, " userdata={}", hex_arg(&m.userdata));
    }
    payload(s, &m.packet, packet_type(&m.metadata), cx);
}

/// `00.01.02`
fn hex_arg(bytes: &[u8]) -> String {
    let parts: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
    parts.join(".")
}

fn packet_type(metadata: &Match) -> u32 {
    metadata.flow.packet_type.get()
}

fn payload(s: &mut String, packet: &[u8], packet_type: u32, cx: PrintContext<'_>) {
    if cx.verbosity > 0 {
        s.push_str(&packet_to_string(packet, packet_type));
    }
    if cx.verbosity > 2 {
        s.push_str(&hex_numbers(packet));
    }
}

pub(super) fn packet_out(s: &mut String, m: &PacketOut, cx: PrintContext<'_>) {
    let _ = write!(
        s,
        " {} actions={}",
        m.metadata.display(DEFAULT_PRIORITY, cx.names.ports),
        actions::display(&m.actions, cx.names)
    );
    match m.buffer_id {
        None => {
            let _ = write!(s, " data_len={}", m.packet.len());
            if cx.verbosity > 0 && !m.packet.is_empty() {
                s.push('\n');
                payload(s, &m.packet, packet_type(&m.metadata), cx);
            }
        }
        Some(id) => {
            let _ = write!(s, " buffer=0x{id:08x}");
        }
    }
    if !s.ends_with('\n') {
        s.push('\n');
    }
}

/// Where a transport header has its checksum.
struct Checksum {
    proto: u8,
    label: &'static str,
    header_len: usize,
    at: usize,
    len: usize,
}

const fn checksum(
    proto: u8,
    label: &'static str,
    header_len: usize,
    at: usize,
    len: usize,
) -> Checksum {
    Checksum { proto, label, header_len, at, len }
}

/// What is told of checksums. That a fragment has no such header does not matter here.
const CHECKSUMS: [Checksum; 5] = [
    checksum(ip_proto::TCP, "tcp_csum", 20, 16, 2),
    checksum(ip_proto::UDP, "udp_csum", 8, 6, 2),
    checksum(ip_proto::SCTP, "sctp_csum", 12, 8, 4),
    checksum(ip_proto::ICMP, "icmp_csum", 8, 2, 2),
    checksum(ip_proto::ICMPV6, "icmp6_csum", 4, 2, 2),
];

/// A packet as text: its flow, and its transport checksum as it stands in it. Ends in a newline.
#[must_use]
pub fn packet_to_string(packet: &[u8], packet_type: u32) -> String {
    let parsed = parse(
        packet,
        &Metadata { in_port: u32::from(OfPort::NONE.0), packet_type, ..Metadata::default() },
    );
    let mut s = format_flow(&parsed.flow, None);
    // Link layer padding is no part of a header.
    let end = usize::try_from(parsed.layout.end).unwrap_or(usize::MAX).min(packet.len());
    if let Some(l4) = parsed.layout.l4().and_then(|at| packet.get(at..end)) {
        let checksum = CHECKSUMS.iter().find(|c| c.proto == parsed.layout.ip_proto);
        if let Some(c) = checksum.filter(|c| l4.len() >= c.header_len)
            && let Some(bytes) = l4.get(c.at..c.at + c.len)
        {
            let value = bytes.iter().fold(0_u32, |v, b| v << 8 | u32::from(*b));
            let _ = write!(s, " {}:{value:x}", c.label);
        }
    }
    s.push('\n');
    s
}

/// A whole flow as text, as in `ofproto/trace`: every field that a packet of its kind has, and of
/// its context what is not zero.
#[must_use]
pub fn format_flow(flow: &Flow, ports: Option<&NameMap>) -> String {
    let m = Match::new(flow, mask_of_packet(flow));
    m.display(DEFAULT_PRIORITY, ports).to_string()
}

/// The fields that a packet with this flow has.
fn mask_of_packet(flow: &Flow) -> Mask {
    let mut mask = Mask::CATCHALL;
    let m = &mut mask.0;
    let ones = u32::MAX.into();
    let told = |n: u32| if n == 0 { 0_u32 } else { u32::MAX };
    m.skb_priority = told(flow.skb_priority.get()).into();
    m.pkt_mark = told(flow.pkt_mark.get()).into();
    m.recirc_id = told(flow.recirc_id.get()).into();
    m.dp_hash = told(flow.dp_hash.get()).into();
    m.ct_state = told(flow.ct_state.get()).into();
    m.ct_mark = told(flow.ct_mark.get()).into();
    if flow.ct_zone.get() != 0 {
        m.ct_zone = u16::MAX.into();
    }
    if flow.ct_label != [0; 16] {
        m.ct_label = [0xff; 16];
    }
    if flow.ct_nw_proto != 0 {
        m.ct_nw_proto = 0xff;
        m.ct_tp_src = u16::MAX.into();
        m.ct_tp_dst = u16::MAX.into();
        m.ct_nw_src = told(flow.ct_nw_src.get()).into();
        m.ct_nw_dst = told(flow.ct_nw_dst.get()).into();
        if flow.ct_ipv6_src != [0; 16] {
            m.ct_ipv6_src = [0xff; 16];
        }
        if flow.ct_ipv6_dst != [0; 16] {
            m.ct_ipv6_dst = [0xff; 16];
        }
    }
    for (mask, reg) in m.regs.iter_mut().zip(flow.regs) {
        *mask = told(reg.get()).into();
    }
    if flow.metadata.get() != 0 {
        m.metadata = u64::MAX.into();
    }
    if flow.in_port.get() != u32::from(OfPort::NONE.0) {
        m.in_port = ones;
    }
    if flow.actset_output.get() != 0 && flow.actset_output.get() != u32::from(OfPort::UNSET.0) {
        m.actset_output = ones;
    }
    tunnel(m, flow);
    m.packet_type = ones;
    if flow.packet_type.get() == 0 {
        m.dl_src = [0xff; 6];
        m.dl_dst = [0xff; 6];
        m.dl_type = u16::MAX.into();
        for i in 0..flow.vlans.len() {
            m.vlans[i].tci = u16::MAX.into();
            if flow.vlans[i].tci.get() == 0 {
                break;
            }
        }
    }
    layer3(m, flow);
    mask
}

fn tunnel(m: &mut Flow, flow: &Flow) {
    if flow.tun_dst.get() == 0 && flow.tun_ipv6_dst == [0; 16] {
        return;
    }
    m.tun_id = u64::MAX.into();
    if flow.tun_dst.get() != 0 {
        m.tun_src = u32::MAX.into();
        m.tun_dst = u32::MAX.into();
    } else {
        m.tun_ipv6_src = [0xff; 16];
        m.tun_ipv6_dst = [0xff; 16];
    }
    m.tun_tos = 0xff;
    m.tun_ttl = 0xff;
    m.tun_flags = u16::MAX.into();
}

fn layer3(m: &mut Flow, flow: &Flow) {
    let dl_type = if flow.packet_type.get() == 0 {
        flow.dl_type.get()
    } else {
        (flow.packet_type.get() & 0xffff) as u16
    };
    match dl_type {
        eth_type::IPV4 => {
            m.nw_src = u32::MAX.into();
            m.nw_dst = u32::MAX.into();
        }
        eth_type::IPV6 => {
            m.ipv6_src = [0xff; 16];
            m.ipv6_dst = [0xff; 16];
            m.ipv6_label = 0x000f_ffff.into();
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
            for i in 0..flow.mpls_lse.len() {
                m.mpls_lse[i] = u32::MAX.into();
                if flow.mpls_lse[i].get() & 0x100 != 0 {
                    break;
                }
            }
            return;
        }
        eth_type::NSH => {
            m.nsh_flags = 0xff;
            m.nsh_ttl = 0x3f;
            m.nsh_mdtype = 0xff;
            m.nsh_np = 0xff;
            m.nsh_path_hdr = u32::MAX.into();
            m.nsh_context = [u32::MAX.into(); 4];
            return;
        }
        _ => return,
    }
    m.nw_frag = 3;
    m.nw_tos = 0xff;
    m.nw_ttl = 0xff;
    m.nw_proto = 0xff;
    if flow.nw_frag & weir_flow::flow::FRAG_LATER != 0 {
        return;
    }
    match flow.nw_proto {
        ip_proto::TCP | ip_proto::UDP | ip_proto::SCTP | ip_proto::ICMP | ip_proto::ICMPV6 => {
            m.tp_src = u16::MAX.into();
            m.tp_dst = u16::MAX.into();
            if flow.nw_proto == ip_proto::TCP {
                m.tcp_flags = 0x0fff.into();
            } else if is_nd(flow, &[ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT]) {
                // The reserved word and the type of the option are not told of a packet.
                m.arp_sha = [0xff; 6];
                m.arp_tha = [0xff; 6];
                m.nd_target = [0xff; 16];
            }
        }
        ip_proto::IGMP => {
            m.tp_src = u16::MAX.into();
            m.tp_dst = u16::MAX.into();
            m.nw_src = u32::MAX.into();
        }
        _ => {}
    }
}
