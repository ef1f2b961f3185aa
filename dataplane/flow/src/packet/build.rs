//! Composes a packet from a flow: for `netdev-dummy/receive`, `compose-packet`, `ofproto/trace
//! -generate` and tests. Parsing the packet gives the flow back.
//!
//! What a flow does not tell is as Open vSwitch has it: IP identification 0, TCP sequence numbers 0,
//! no SCTP checksum, and a payload of the bytes 0, 1, 2 and so on where a payload makes sense.

use super::arp::ETHERNET_IPV4;
use super::{checksum, ethernet, ipv4, ipv6, mpls, nd};
use crate::flow::{FRAG_ANY, FRAG_LATER, Flow, VLAN_CFI, eth_type, ip_proto};

/// Length of the payload that [`compose`] adds.
pub const PAYLOAD_LEN: u8 = 64;

/// TCP flags of segments without payload: FIN, SYN, RST.
const NO_PAYLOAD: u16 = 0x007;
/// Fragment offset of later fragments, in units of 8 bytes.
const LATER_OFFSET: u16 = 100;

/// The requested length is less than that of the headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too small packet len")]
pub struct TooSmall;

/// Composes an Ethernet frame with a payload of [`PAYLOAD_LEN`] bytes.
#[must_use]
pub fn compose(flow: &Flow) -> Vec<u8> {
    let payload: Vec<u8> = (0..PAYLOAD_LEN).collect();
    frame(flow, Payload::Optional(&payload))
}

/// Composes an Ethernet frame of `len` bytes, whose payload is zero.
///
/// # Errors
/// The headers alone are longer than that.
pub fn compose_with_len(flow: &Flow, len: usize) -> Result<Vec<u8>, TooSmall> {
    let headers = frame(flow, Payload::Forced(&[])).len();
    let payload = vec![0; len.checked_sub(headers).ok_or(TooSmall)?];
    Ok(frame(flow, Payload::Forced(&payload)))
}

/// What goes behind the headers.
#[derive(Clone, Copy)]
enum Payload<'a> {
    /// This, in packets that usually have a payload.
    Optional(&'a [u8]),
    /// This in any case.
    Forced(&'a [u8]),
}

impl<'a> Payload<'a> {
    /// Payload of a packet that usually has some.
    fn usual(self) -> &'a [u8] {
        match self {
            Self::Optional(bytes) | Self::Forced(bytes) => bytes,
        }
    }

    /// Payload of a packet that usually has none.
    fn unusual(self) -> &'a [u8] {
        match self {
            Self::Optional(_) => &[],
            Self::Forced(bytes) => bytes,
        }
    }
}

fn frame(flow: &Flow, payload: Payload<'_>) -> Vec<u8> {
    let mut p = Vec::with_capacity(128 + payload.usual().len());
    p.extend(flow.dl_dst);
    p.extend(flow.dl_src);
    for vlan in flow.vlans.iter().take(flow.n_vlans()) {
        p.extend(vlan.tpid.to_bytes());
        p.extend((vlan.tci.get() & !VLAN_CFI).to_be_bytes());
    }
    match flow.dl_type.get() {
        // A length instead of a type.
        eth_type::NONE => p.extend((ethernet::ETH_LEN as u16).to_be_bytes()),
        ty => p.extend(ty.to_be_bytes()),
    }
    match flow.dl_type.get() {
        eth_type::IPV4 => ipv4_packet(flow, payload, &mut p),
        eth_type::IPV6 => ipv6_packet(flow, payload, &mut p),
        ty => {
            match ty {
                eth_type::ARP | eth_type::RARP => arp(flow, &mut p),
                eth_type::MPLS | eth_type::MPLS_MCAST => labels(flow, &mut p),
                eth_type::NSH => nsh(flow, &mut p),
                _ => {}
            }
            p.extend(payload.unusual());
        }
    }
    p
}

fn arp(flow: &Flow, p: &mut Vec<u8>) {
    p.extend(ETHERNET_IPV4);
    p.extend([0, flow.nw_proto]);
    p.extend(flow.arp_sha);
    p.extend(flow.nw_src.to_bytes());
    p.extend(flow.arp_tha);
    p.extend(flow.nw_dst.to_bytes());
}

fn labels(flow: &Flow, p: &mut Vec<u8>) {
    for lse in flow.mpls_lse {
        p.extend(lse.to_bytes());
        if lse.get() & mpls::BOS != 0 {
            break;
        }
    }
}

fn nsh(flow: &Flow, p: &mut Vec<u8>) {
    let units = if flow.nsh_mdtype == 1 { 6 } else { 2 };
    let first = u16::from(flow.nsh_flags & 3) << 12 | u16::from(flow.nsh_ttl & 63) << 6 | units;
    p.extend(first.to_be_bytes());
    p.extend([flow.nsh_mdtype, flow.nsh_np]);
    p.extend(flow.nsh_path_hdr.to_bytes());
    if flow.nsh_mdtype == 1 {
        p.extend(flow.nsh_context.iter().flat_map(|c| c.to_bytes()));
    }
}

fn ipv4_packet(flow: &Flow, payload: Payload<'_>, p: &mut Vec<u8>) {
    let mut addresses = [0; 8];
    addresses[..4].copy_from_slice(&flow.nw_src.to_bytes());
    addresses[4..].copy_from_slice(&flow.nw_dst.to_bytes());
    let carried = carried(flow, &addresses, payload);
    let len = u16::try_from(ipv4::IPV4_LEN + carried.len()).unwrap_or(u16::MAX);
    let frag = match flow.nw_frag & (FRAG_ANY | FRAG_LATER) {
        0 => 0,
        FRAG_ANY => ipv4::MORE_FRAGMENTS,
        _ => ipv4::MORE_FRAGMENTS | LATER_OFFSET,
    };
    let mut h = [0; ipv4::IPV4_LEN];
    h[0] = 0x45;
    h[1] = flow.nw_tos;
    h[2..4].copy_from_slice(&len.to_be_bytes());
    h[6..8].copy_from_slice(&frag.to_be_bytes());
    h[8] = flow.nw_ttl;
    h[9] = flow.nw_proto;
    h[12..].copy_from_slice(&addresses);
    let sum = checksum::checksum(&h);
    h[10..12].copy_from_slice(&sum.to_be_bytes());
    p.extend(h);
    p.extend(carried);
}

fn ipv6_packet(flow: &Flow, payload: Payload<'_>, p: &mut Vec<u8>) {
    let mut addresses = [0; 32];
    addresses[..16].copy_from_slice(&flow.ipv6_src);
    addresses[16..].copy_from_slice(&flow.ipv6_dst);
    let mut carried = carried(flow, &addresses, payload);
    let mut next = flow.nw_proto;
    if flow.nw_frag & FRAG_ANY != 0 {
        const MORE: u16 = 1;
        let later = flow.nw_frag & FRAG_LATER != 0;
        let offset = if later { LATER_OFFSET << 3 | MORE } else { MORE };
        let [o0, o1] = offset.to_be_bytes();
        carried.splice(0..0, [next, 0, o0, o1, 0, 0, 0, 0]);
        next = ipv6::FRAGMENT;
    }
    let first = 6 << 28 | u32::from(flow.nw_tos) << 20 | flow.ipv6_label.get() & 0xf_ffff;
    p.extend(first.to_be_bytes());
    p.extend(u16::try_from(carried.len()).unwrap_or(u16::MAX).to_be_bytes());
    p.extend([next, flow.nw_ttl]);
    p.extend(addresses);
    p.extend(carried);
}

/// What an IP packet carries: transport header and payload, with its checksum.
fn carried(flow: &Flow, addresses: &[u8], payload: Payload<'_>) -> Vec<u8> {
    if flow.nw_frag & FRAG_LATER != 0 {
        return payload.unusual().to_vec();
    }
    let mut t = Vec::new();
    let sum_at = match flow.nw_proto {
        ip_proto::TCP => {
            let flags = flow.tcp_flags.get() & 0xfff;
            ports(flow, &mut t);
            t.extend([0; 8]);
            t.extend((5 << 12 | flags).to_be_bytes());
            t.extend([0; 6]);
            let with = flags & NO_PAYLOAD == 0;
            t.extend(if with { payload.usual() } else { payload.unusual() });
            Some(16)
        }
        ip_proto::UDP => {
            ports(flow, &mut t);
            let len = u16::try_from(8 + payload.usual().len()).unwrap_or(u16::MAX);
            t.extend(len.to_be_bytes());
            t.extend([0; 2]);
            t.extend(payload.usual());
            Some(6)
        }
        ip_proto::SCTP => {
            ports(flow, &mut t);
            t.extend([0; 8]);
            t.extend(payload.unusual());
            None
        }
        ip_proto::ICMP => {
            type_code(flow, &mut t);
            t.extend([0; 4]);
            t.extend(payload.usual());
            Some(2)
        }
        ip_proto::IGMP => {
            type_code(flow, &mut t);
            t.extend([0; 4]);
            t.extend(payload.unusual());
            Some(2)
        }
        ip_proto::ICMPV6 => {
            icmpv6(flow, payload, &mut t);
            Some(2)
        }
        _ => {
            t.extend(payload.unusual());
            None
        }
    };
    if let Some(field) = sum_at.and_then(|at| t.get(at..at + 2).map(|_| at..at + 2)) {
        let covered = match flow.nw_proto {
            ip_proto::ICMP | ip_proto::IGMP => 0,
            proto => checksum::pseudo_header(addresses, &[], proto, t.len() as u32),
        };
        let sum = match !checksum::fold(checksum::add(covered, &t)) {
            0 if flow.nw_proto == ip_proto::UDP => 0xffff,
            sum => sum,
        };
        t[field].copy_from_slice(&sum.to_be_bytes());
    }
    t
}

fn ports(flow: &Flow, t: &mut Vec<u8>) {
    t.extend(flow.tp_src.to_bytes());
    t.extend(flow.tp_dst.to_bytes());
}

/// Type, code, and room for the checksum.
fn type_code(flow: &Flow, t: &mut Vec<u8>) {
    t.extend([flow.tp_src.get() as u8, flow.tp_dst.get() as u8, 0, 0]);
}

fn icmpv6(flow: &Flow, payload: Payload<'_>, t: &mut Vec<u8>) {
    type_code(flow, t);
    t.extend(flow.nd_reserved.to_bytes());
    let kind = flow.tp_src.get() as u8;
    if !matches!(kind, nd::SOLICIT | nd::ADVERT) || flow.tp_dst.get() != 0 {
        return t.extend(payload.usual());
    }
    t.extend(flow.nd_target);
    let mut options = [(nd::SOURCE_LLA, flow.arp_sha), (nd::TARGET_LLA, flow.arp_tha)];
    if flow.nd_options_type == nd::TARGET_LLA {
        options.reverse();
    }
    for (kind, mac) in options {
        if mac != [0; 6] || kind == flow.nd_options_type {
            t.extend([kind, 1]);
            t.extend(mac);
        }
    }
    t.extend(payload.unusual());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::odp::parse_key;
    use crate::packet::{Metadata, parse, plausible};

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// Packets that `netdev-dummy/receive` of Open vSwitch 3.1 made of the text, or, with a
    /// length, of the text and `--len`.
    const OBSERVED: &[(&str, Option<usize>, &str)] = &[
        (
            "in_port(1),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=6,tos=16,ttl=64,frag=no),tcp(src=8,dst=80),tcp_flags(syn)",
            None,
            "50540000000750540000000508004510002800000000400666be0a0000010a000002000800500000000000000000500200009b880000",
        ),
        (
            "in_port(1),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=6,tos=16,ttl=64,frag=no),tcp(src=8,dst=80),tcp_flags(ack)",
            Some(60),
            "50540000000750540000000508004510002e00000000400666b80a0000010a000002000800500000000000000000501000009b740000000000000000",
        ),
        (
            "in_port(1),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x0806),arp(op=1)",
            Some(64),
            "50540000000750540000000508060001080006040001000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
        ),
        (
            "in_port(1),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x86dd),ipv6(src=fe80::1,dst=fe80::2,label=0,proto=58,tclass=0,hlimit=64,frag=no),icmpv6(type=135,code=0),nd(target=fe80::9,sll=50:54:00:00:00:05)",
            None,
            "50540000000750540000000586dd6000000000203a40fe800000000000000000000000000001fe80000000000000000000000000000287002bbc00000000fe8000000000000000000000000000090101505400000005",
        ),
        (
            "in_port(1),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x86dd),ipv6(src=fe80::1,dst=fe80::2,label=0,proto=58,tclass=0,hlimit=64,frag=no),icmpv6(type=136,code=0),nd(target=fe80::9)",
            None,
            "50540000000750540000000586dd6000000000183a40fe800000000000000000000000000001fe8000000000000000000000000000028800 7c1e00000000fe800000000000000000000000000009",
        ),
        (
            "in_port(1),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=132,tos=16,ttl=64,frag=no),sctp(src=8,dst=80)",
            None,
            "50540000000750540000000508004510002000000000408466480a0000010a000002000800500000000000000000",
        ),
        (
            "in_port(1),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07)",
            None,
            "505400000007505400000005000e",
        ),
        (
            "in_port(1),eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=16,ttl=64,frag=no),udp(src=8,dst=80)",
            None,
            "00000000000000000000000008004510005c000000004011667f0a0000010a0000020008005000480700000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
        ),
        (
            "eth(),eth_type(0x0800),ipv4(proto=1),icmp(type=8)",
            None,
            "00000000000000000000000008004500005c000000000001baa20000000000000000080013fc00000000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
        ),
        (
            "eth(),eth_type(0x0800),ipv4(proto=17,frag=later)",
            None,
            "000000000000000000000000080045000014000020640011 9a760000000000000000",
        ),
        (
            "eth(),eth_type(0x8847),mpls(label=5,bos=0)",
            None,
            "0000000000000000000000008847000050000000000000000000",
        ),
        (
            "eth(),eth_type(0x8847),mpls(label=5,bos=1)",
            None,
            "000000000000000000000000884700005100",
        ),
        (
            "eth(),eth_type(0x0800),ipv4(proto=2)",
            None,
            "00000000000000000000000008004500001c000000000002bae100000000000000000000ffff00000000",
        ),
    ];

    #[test]
    fn packets_are_as_observed() {
        for (text, len, expected) in OBSERVED {
            let flow = parse_key(text, None).unwrap().flow;
            let packet = match len {
                Some(len) => compose_with_len(&flow, *len).unwrap(),
                None => compose(&flow),
            };
            assert_eq!(hex(&packet), expected.replace(' ', ""), "{text}");
        }
        let flow = parse_key(OBSERVED[0].0, None).unwrap().flow;
        assert_eq!(compose_with_len(&flow, 30), Err(TooSmall));
        assert_eq!(compose_with_len(&flow, 100).unwrap().len(), 100);
    }

    proptest! {
        #[test]
        fn parsing_gives_the_flow_back(seed in prop::collection::vec(any::<u8>(), 0..300), more in 0..200usize) {
            let flow = parse(&plausible::packet(&seed), &Metadata::default()).flow;
            if flow.dl_type.get() == 0 {
                return Ok(());
            }
            let packet = compose(&flow);
            prop_assert_eq!(parse(&packet, &Metadata::default()).flow, flow);
            let headers = frame(&flow, Payload::Forced(&[])).len();
            // A payload behind these would be read as what they lack.
            let open_ended = matches!(
                flow.dl_type.get(),
                eth_type::NONE | eth_type::MPLS | eth_type::MPLS_MCAST
                    | eth_type::VLAN_8021Q | eth_type::VLAN_8021AD
            );
            let is_ipv6 = flow.dl_type.get() == eth_type::IPV6;
            let cut = is_ipv6 && matches!(flow.nw_proto, 0 | 43 | 51 | 60);
            if !open_ended && !cut && flow.nw_proto != ip_proto::ICMPV6 {
                let packet = compose_with_len(&flow, headers + more).unwrap();
                prop_assert_eq!(packet.len(), headers + more);
                prop_assert_eq!(parse(&packet, &Metadata::default()).flow, flow);
            }
        }
    }
}
