//! Rewriting against its definition: parsing what comes out gives the flow that the action's effect
//! on the old flow gives, and no checksum is more or less wrong than it was.

use proptest::prelude::*;

use super::*;
use crate::flow::{FRAG_LATER, Flow, eth_type, ip_proto};
use crate::packet::{Parsed, checksum, crc32c, effect, plausible};

fn parsed(packet: &[u8]) -> Parsed {
    parse(packet, &Metadata::default())
}

/// How wrong the packet's checksums are: of the IPv4 header, of the transport header. Zero and
/// 0xffff are the same sum; `None` where there is no checksum.
fn errors(packet: &[u8]) -> (Option<u16>, Option<u32>) {
    let Parsed { layout, .. } = parsed(packet);
    let (Some(l3), Some(l4)) = (layout.l3(), layout.l4()) else { return (None, None) };
    let same = |sum: u32| checksum::fold(sum) % 0xffff;
    let is_ipv4 = layout.eth_type == eth_type::IPV4;
    let header = if is_ipv4 { Some(same(checksum::add(0, &packet[l3..l4]))) } else { None };
    let data = &packet[l4..layout.end as usize];
    if layout.frag & FRAG_LATER != 0 || data.len() < 20 {
        return (header, None);
    }
    let addresses = match (is_ipv4, layout.routing) {
        (true, _) => &packet[l3 + 12..l3 + 20],
        (false, 0) => &packet[l3 + 8..l3 + 40],
        (false, _) => &packet[l3 + 8..l3 + 24],
    };
    let whole = |pseudo: &[u8]| {
        let len = data.len() as u32;
        let sum = checksum::pseudo_header(pseudo, &[], layout.ip_proto, len);
        Some(u32::from(same(checksum::add(sum, data))))
    };
    let transport = match layout.ip_proto {
        ip_proto::UDP if data[6..8] == [0, 0] => None,
        ip_proto::TCP | ip_proto::UDP => whole(addresses),
        ip_proto::ICMPV6 if !is_ipv4 => whole(addresses),
        ip_proto::ICMP | ip_proto::ICMPV6 => whole(&[]),
        ip_proto::SCTP => {
            let crc = u32::from_le_bytes([data[8], data[9], data[10], data[11]]);
            let zeroed = [&data[..8], &[0; 4], &data[12..]].concat();
            Some(crc32c::crc32c(&zeroed) ^ crc)
        }
        _ => None,
    };
    (header, transport)
}

/// Restricts random bits to the members of the flow that a header's `set` may name.
fn settable(header: Header, from: &Flow, flow: &Flow) -> Flow {
    let mut to = Flow::ZERO;
    match header {
        Header::Ethernet => (to.dl_src, to.dl_dst) = (from.dl_src, from.dl_dst),
        Header::Ipv4 => {
            (to.nw_src, to.nw_dst) = (from.nw_src, from.nw_dst);
            (to.nw_tos, to.nw_ttl) = (from.nw_tos, from.nw_ttl);
        }
        Header::Ipv6 => {
            (to.ipv6_src, to.ipv6_dst) = (from.ipv6_src, from.ipv6_dst);
            (to.nw_tos, to.nw_ttl) = (from.nw_tos, from.nw_ttl);
            to.ipv6_label = (from.ipv6_label.get() & 0xfffff).into();
        }
        Header::Tcp | Header::Udp | Header::Sctp => {
            (to.tp_src, to.tp_dst) = (from.tp_src, from.tp_dst);
        }
        Header::Icmp | Header::Icmpv6 => {
            to.tp_src = (from.tp_src.get() & 0xff).into();
            to.tp_dst = (from.tp_dst.get() & 0xff).into();
        }
        Header::Arp => {
            to.nw_proto = from.nw_proto;
            (to.nw_src, to.nw_dst) = (from.nw_src, from.nw_dst);
            (to.arp_sha, to.arp_tha) = (from.arp_sha, from.arp_tha);
        }
        Header::Nd => {
            (to.nd_target, to.nd_reserved) = (from.nd_target, from.nd_reserved);
            // An option that is not there cannot be set.
            if flow.arp_sha != [0; 6] {
                to.arp_sha = from.arp_sha;
            }
            if flow.arp_tha != [0; 6] {
                to.arp_tha = from.arp_tha;
            }
        }
        // The bottom-of-stack bit stays: what is behind it must not change.
        Header::Mpls => to.mpls_lse[0] = (from.mpls_lse[0].get() & !0x100).into(),
        Header::Nsh => {
            to.nsh_flags = from.nsh_flags & 3;
            to.nsh_ttl = from.nsh_ttl & 63;
            to.nsh_path_hdr = from.nsh_path_hdr;
            if flow.nsh_mdtype == 1 {
                to.nsh_context = from.nsh_context;
            }
        }
        Header::Tunnel | Header::SkbPriority | Header::PktMark => {}
    }
    to
}

/// The innermost header of the packet that can be set, or an outer one.
fn header_of(flow: &Flow, choice: u8) -> Header {
    let inner = match (flow.dl_type.get(), flow.nw_proto) {
        (eth_type::MPLS | eth_type::MPLS_MCAST, _) => return Header::Mpls,
        (eth_type::ARP | eth_type::RARP, _) => return Header::Arp,
        (eth_type::NSH, _) => return Header::Nsh,
        (eth_type::IPV4 | eth_type::IPV6, ip_proto::TCP) => Header::Tcp,
        (eth_type::IPV4 | eth_type::IPV6, ip_proto::UDP) => Header::Udp,
        (eth_type::IPV4 | eth_type::IPV6, ip_proto::SCTP) => Header::Sctp,
        (eth_type::IPV4 | eth_type::IPV6, ip_proto::ICMP) => Header::Icmp,
        (eth_type::IPV4 | eth_type::IPV6, ip_proto::ICMPV6) if choice & 4 == 0 => Header::Nd,
        (eth_type::IPV4 | eth_type::IPV6, ip_proto::ICMPV6) => Header::Icmpv6,
        _ => Header::Ethernet,
    };
    match (choice & 3, flow.dl_type.get()) {
        (0, _) => Header::Ethernet,
        (1, eth_type::IPV4) => Header::Ipv4,
        (1, eth_type::IPV6) => Header::Ipv6,
        _ => inner,
    }
}

fn random_flow() -> impl Strategy<Value = Flow> {
    prop::collection::vec(any::<u8>(), size_of::<Flow>()).prop_map(|bytes| {
        let mut flow = Flow::ZERO;
        flow.bytes_mut().copy_from_slice(&bytes);
        flow
    })
}

fn header_masks() -> impl Strategy<Value = Flow> {
    prop_oneof![Just(crate::Mask::exact().0), random_flow()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_rewritten_packet_has_the_rewritten_flow_and_right_checksums(
        seed in prop::collection::vec(any::<u8>(), 0..300),
        value in random_flow(),
        mask in header_masks(),
        choice: u8,
    ) {
        let mut packet = plausible::packet(&seed);
        let before = parsed(&packet);
        let header = header_of(&before.flow, choice);
        let [mut mask, value] = [mask, value].map(|f| settable(header, &f, &before.flow));
        if header == Header::Arp && mask.nw_proto != 0 {
            mask.nw_proto = 0xff;
        }
        let action = SetHeader { header, value, mask };
        let wrong_before = errors(&packet);
        let original = packet.clone();
        let result = set(&mut packet, &before.layout, &action, L4Checksum::Complete);
        if result.is_err() {
            prop_assert_eq!(&packet, &original);
            return Ok(());
        }
        prop_assert_eq!(errors(&packet), wrong_before);
        let mut expected = before.flow;
        effect::set(&mut expected, &action);
        let after = parsed(&packet);
        if matches!(header, Header::Icmpv6 | Header::Nd) || before.malformed.is_some() {
            // The type of a message decides how the rest is read; a malformed one is not read.
            return Ok(());
        }
        prop_assert_eq!(after.flow, expected);
        prop_assert_eq!(after.layout, before.layout);
    }

    #[test]
    fn a_rewritten_neighbour_message_is_read_back(
        target: [u8; 16], reserved: u32, sll: [u8; 6], tll: [u8; 6],
    ) {
        let mut packet = neighbour(135, &[(1, [2; 6]), (3, [9; 6]), (2, [4; 6])]);
        let before = parsed(&packet);
        let mut value = Flow::ZERO;
        (value.nd_target, value.nd_reserved) = (target, reserved.into());
        (value.arp_sha, value.arp_tha) = (sll, tll);
        let mut mask = Flow::ZERO;
        (mask.nd_target, mask.nd_reserved) = ([0xff; 16], u32::MAX.into());
        (mask.arp_sha, mask.arp_tha) = ([0xff; 6], [0xff, 0xff, 0, 0, 0x0f, 0xff]);
        let action = SetHeader { header: Header::Nd, value, mask };
        let wrong = errors(&packet);
        prop_assert!(set(&mut packet, &before.layout, &action, L4Checksum::Complete).is_ok());
        prop_assert_eq!(errors(&packet), wrong);
        let mut expected = before.flow;
        effect::set(&mut expected, &action);
        if sll != [0; 6] {
            prop_assert_eq!(parsed(&packet).flow, expected);
        }
    }

    #[test]
    fn a_partial_checksum_is_completed_to_the_right_one(
        new_src: u32, new_port: u16, udp: bool, data in prop::collection::vec(any::<u8>(), 12..50),
    ) {
        let (proto, header_len, sum_at) = if udp { (17, 8, 6) } else { (6, 20, 16) };
        let mut packet = vec![1; 12];
        let len = (header_len + data.len()) as u16;
        packet.extend([8, 0, 0x45, 0]);
        packet.extend((20 + len).to_be_bytes());
        packet.extend([0, 0, 0, 0, 64, proto, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        let mut l4 = vec![0x50; header_len];
        l4.extend(&data);
        if udp {
            l4[4..6].copy_from_slice(&len.to_be_bytes());
        }
        let pseudo = checksum::pseudo_header(&packet[26..30], &packet[30..34], proto, len.into());
        l4[sum_at..sum_at + 2].copy_from_slice(&(pseudo as u16).to_be_bytes());
        packet.extend(l4);
        let layout = parsed(&packet).layout;
        let mut ip = SetHeader { header: Header::Ipv4, value: Flow::ZERO, mask: Flow::ZERO };
        (ip.value.nw_src, ip.mask.nw_src) = (new_src.into(), u32::MAX.into());
        let header = if udp { Header::Udp } else { Header::Tcp };
        let mut ports = SetHeader { header, value: Flow::ZERO, mask: Flow::ZERO };
        (ports.value.tp_dst, ports.mask.tp_dst) = (new_port.into(), u16::MAX.into());
        prop_assert!(set(&mut packet, &layout, &ip, L4Checksum::Partial).is_ok());
        prop_assert!(set(&mut packet, &layout, &ports, L4Checksum::Partial).is_ok());
        // As the egress port does: the sum over segment and partial sum, complemented.
        let sum = match checksum::checksum(&packet[34..]) {
            // Zero would say that there is none (RFC 768).
            0 if udp => u16::MAX,
            sum => sum,
        };
        packet[34 + sum_at..36 + sum_at].copy_from_slice(&sum.to_be_bytes());
        prop_assert_eq!(errors(&packet).1, Some(0));
    }

    #[test]
    fn vlan_and_mpls_come_and_go(
        seed in prop::collection::vec(any::<u8>(), 0..200), tci: u16, lse: u32, ad: bool,
    ) {
        let original = plausible::packet(&seed);
        let mut packet = original.clone();
        let before = parsed(&packet);
        let mut layout = before.layout;
        if before.malformed == Some(super::super::Malformed::Ethernet) {
            prop_assert_eq!(push_vlan(&mut packet, &mut layout, 0x8100, tci), Err(RewriteError::Mismatch));
            prop_assert_eq!(pop_vlan(&mut packet, &mut layout), Err(RewriteError::Mismatch));
            prop_assert!(push_mpls(&mut packet, &mut layout, 0x8847, lse).is_err());
            prop_assert_eq!(packet, original);
            return Ok(());
        }
        let tpid = if ad { 0x88a8 } else { 0x8100 };
        prop_assert!(push_vlan(&mut packet, &mut layout, tpid, tci).is_ok());
        let mut expected = before.flow;
        effect::push_vlan(&mut expected, tpid, tci);
        let tagged = parsed(&packet);
        if before.flow.n_vlans() < 2 && before.malformed.is_none() {
            prop_assert_eq!(tagged.flow, expected);
            prop_assert_eq!(tagged.layout, layout);
        }
        prop_assert!(pop_vlan(&mut packet, &mut layout).is_ok());
        prop_assert_eq!(&packet, &original);
        prop_assert_eq!(layout, before.layout);

        let ty = before.flow.dl_type.get();
        if ty == eth_type::NONE {
            return Ok(());
        }
        // A stack's last label is the one that is pushed first.
        let bos = if before.layout.l2_5().is_some() { 0 } else { 0x100 };
        let lse = lse & !0x100 | bos;
        prop_assert!(push_mpls(&mut packet, &mut layout, eth_type::MPLS, lse).is_ok());
        let mut expected = before.flow;
        effect::push_mpls(&mut expected, eth_type::MPLS, lse);
        prop_assert_eq!(parsed(&packet).flow, expected);
        prop_assert_eq!(parsed(&packet).layout, layout);
        prop_assert!(pop_mpls(&mut packet, &mut layout, ty).is_ok());
        prop_assert_eq!(packet, original);
        prop_assert_eq!(layout, before.layout);
    }

    #[test]
    fn no_layout_is_trusted(
        packet in prop::collection::vec(any::<u8>(), 0..80),
        other in prop::collection::vec(any::<u8>(), 0..300),
        value in random_flow(),
    ) {
        // A layout of another packet must do no worse than change the wrong bytes.
        let layout = parsed(&plausible::packet(&other)).layout;
        let headers = [
            Header::Ethernet, Header::Ipv4, Header::Ipv6, Header::Tcp, Header::Udp, Header::Sctp,
            Header::Icmp, Header::Icmpv6, Header::Arp, Header::Nd, Header::Mpls, Header::Nsh,
        ];
        for header in headers {
            let action = SetHeader { header, value, mask: crate::Mask::exact().0 };
            for sums in [L4Checksum::Complete, L4Checksum::Partial] {
                let _ = set(&mut packet.clone(), &layout, &action, sums);
            }
        }
        let _ = push_vlan(&mut packet.clone(), &mut layout.clone(), 0x8100, 1);
        let _ = pop_vlan(&mut packet.clone(), &mut layout.clone());
        let _ = push_mpls(&mut packet.clone(), &mut layout.clone(), 0x8847, 1);
        let _ = pop_mpls(&mut packet.clone(), &mut layout.clone(), 0x800);
    }
}

/// A neighbour message with these options, without checksum.
fn neighbour(kind: u8, options: &[(u8, [u8; 6])]) -> Vec<u8> {
    let mut p = vec![1; 12];
    p.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 24 + 8 * options.len() as u8, 58, 255]);
    p.extend([0xfe; 32]);
    p.extend([kind, 0, 0x12, 0x34, 0, 0, 0, 0]);
    p.extend([0xfe; 16]);
    for (kind, mac) in options {
        p.extend([*kind, 1]);
        p.extend(mac);
    }
    p
}

#[test]
fn the_type_of_the_first_address_option_is_set() {
    let mut packet = neighbour(136, &[(14, [7; 6]), (1, [2; 6])]);
    let before = parsed(&packet);
    let mut action = SetHeader { header: Header::Nd, value: Flow::ZERO, mask: Flow::ZERO };
    (action.value.nd_options_type, action.mask.nd_options_type) = (2, 0xff);
    let wrong = errors(&packet);
    set(&mut packet, &before.layout, &action, L4Checksum::Complete).unwrap();
    assert_eq!(errors(&packet), wrong);
    let after = parsed(&packet).flow;
    assert_eq!((after.nd_options_type, after.arp_sha, after.arp_tha), (2, [0; 6], [2; 6]));
}

#[test]
fn udp_without_checksum_stays_without_and_never_gets_zero() {
    let mut packet = vec![0; 12];
    packet.extend([8, 0, 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    packet.extend([0, 1, 0, 2, 0, 8, 0, 0]);
    let layout = parsed(&packet).layout;
    let mut action = SetHeader { header: Header::Udp, value: Flow::ZERO, mask: Flow::ZERO };
    (action.value.tp_src, action.mask.tp_src) = (7.into(), 0xffff.into());
    set(&mut packet, &layout, &action, L4Checksum::Complete).unwrap();
    assert_eq!(packet[34..], [0, 7, 0, 2, 0, 8, 0, 0]);
    // A checksum of 1 and a port one higher would make it 0.
    packet[41] = 1;
    action.value.tp_src = 8.into();
    set(&mut packet, &layout, &action, L4Checksum::Complete).unwrap();
    assert_eq!(packet[34..], [0, 8, 0, 2, 0, 8, 0xff, 0xff]);
}

#[test]
fn a_later_fragment_has_no_ports_to_set() {
    let mut packet = vec![0; 12];
    packet.extend([8, 0, 0x45, 0, 0, 40, 0, 0, 0, 9, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    packet.extend([0xaa; 20]);
    let layout = parsed(&packet).layout;
    let mut action = SetHeader { header: Header::Tcp, value: Flow::ZERO, mask: Flow::ZERO };
    action.mask.tp_src = 0xffff.into();
    assert_eq!(
        set(&mut packet, &layout, &action, L4Checksum::Complete),
        Err(RewriteError::Mismatch)
    );
    action.header = Header::Ipv4;
    action.mask.nw_src = u32::MAX.into();
    set(&mut packet, &layout, &action, L4Checksum::Complete).unwrap();
    assert_eq!(packet[34..], [0xaa; 20]);
}
