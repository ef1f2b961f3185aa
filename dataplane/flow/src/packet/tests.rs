//! The parsers against the reference parser and against each other.

mod oracle;

use proptest::prelude::*;

use super::{
    Malformed, Metadata, Shape, parse, parse_hot, parse_hot_segmented, parse_wide, plausible,
    reference,
};
use crate::flow::{Flow, HOT_WORDS, MAX_VLANS, WIDE_WORDS};

fn check(packet: &[u8]) {
    for vlan_limit in 1..=MAX_VLANS {
        let md = Metadata { vlan_limit, ..Metadata::default() };
        let full = parse(packet, &md);
        assert_eq!(full.flow, reference::flow_of(packet, vlan_limit), "{packet:02x?}");

        let mut words = [0xdead_beef; HOT_WORDS];
        if let Shape::Hot(layout) = parse_hot(packet, 0, &mut words) {
            let mut flow = Flow::ZERO;
            flow.words_mut()[..HOT_WORDS].copy_from_slice(&words);
            assert_eq!(flow, full.flow, "{packet:02x?}");
            assert_eq!(layout, full.layout, "{packet:02x?}");
            assert_eq!(super::hot_tcp_flags(&words), full.flow.tcp_flags.get());
        }
        let mut words = [0xdead_beef; WIDE_WORDS];
        if let Some(layout) = parse_wide(packet, packet.len(), 0, &mut words) {
            let mut flow = Flow::ZERO;
            flow.words_mut()[..WIDE_WORDS].copy_from_slice(&words);
            assert_eq!(flow, full.flow, "{packet:02x?}");
            assert_eq!(layout, full.layout, "{packet:02x?}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes(packet in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&packet);
    }

    #[test]
    fn plausible_packets(seed in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&plausible::packet(&seed));
    }

    #[test]
    fn every_truncation(seed in prop::collection::vec(any::<u8>(), 0..300)) {
        let packet = plausible::packet(&seed);
        for n in 0..packet.len() {
            check(&packet[..n]);
        }
    }
}

#[test]
fn every_ihl_total_length_and_frame_length() {
    let mut packet = vec![0x11; 12];
    packet.extend([8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    packet.resize(14 + 70, 0x22);
    for ihl in 0..16 {
        packet[14] = 0x40 | ihl;
        for total_len in (0..=80).chain([0xff00, 0xffff]) {
            packet[16..18].copy_from_slice(&u16::to_be_bytes(total_len));
            for frame_len in 0..=packet.len() {
                check(&packet[..frame_len]);
            }
        }
    }
}

#[test]
fn plain_ipv6_is_wide_and_every_lie_is_seen() {
    for tag in [&[][..], &[0x81, 0, 0x60, 5]] {
        for (proto, wide) in
            [(6, true), (17, true), (132, true), (58, true), (44, false), (59, false)]
        {
            let mut packet = vec![0x11; 12];
            packet.extend(tag);
            packet.extend([0x86, 0xdd, 0x6a, 0xbc, 0xde, 0xf0, 0, 30, proto, 64]);
            packet.extend(0..32);
            let at = packet.len();
            packet.extend([128, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x1f]);
            packet.resize(at + 30, 3);
            let mut words = [0; WIDE_WORDS];
            let found = parse_wide(&packet, packet.len(), 0, &mut words);
            assert_eq!(found.is_some(), wide, "{proto}");
            for payload_len in (0..=40).chain([0xffff]) {
                packet[at - 36..at - 34].copy_from_slice(&u16::to_be_bytes(payload_len));
                for frame_len in 0..=packet.len() {
                    check(&packet[..frame_len]);
                }
            }
        }
    }
}

#[test]
fn many_mpls_labels() {
    for n in 0..=64 {
        for bottom in [false, true] {
            let mut packet = vec![0x11; 12];
            packet.extend([0x88, 0x47]);
            for i in 0..n {
                let bos = u8::from(bottom && i == n - 1);
                packet.extend([0, i, 0x10 | bos, 64]);
            }
            if bottom {
                packet.extend([0x45; 20]);
            }
            for len in 0..=packet.len() {
                check(&packet[..len]);
            }
            let parsed = parse(&packet, &Metadata::default());
            assert_eq!(parsed.layout.l2_5(), Some(14));
            if n > 0 {
                assert_eq!(parsed.layout.l3(), Some(14 + usize::from(n) * 4));
            }
            assert_eq!(parsed.flow.nw_proto, 0);
        }
    }
}

#[test]
fn only_frames_without_ethernet_header_are_dropped() {
    for n in 0..14 {
        let parsed = parse(&[0; 14][..n], &Metadata::default());
        assert_eq!(parsed.malformed, Some(Malformed::Ethernet));
        assert!(Malformed::Ethernet.drop_reason().is_some());
    }
    let parsed = parse(&[[0; 12].as_slice(), &[8, 0, 0x45]].concat(), &Metadata::default());
    assert_eq!(parsed.malformed, Some(Malformed::Ipv4));
    assert!(Malformed::Ipv4.drop_reason().is_none());
}

#[test]
fn the_first_segment_is_enough() {
    let mut packet = vec![0x11; 12];
    packet.extend([8, 0, 0x45, 0, 0x20, 0, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    packet.extend([0, 80, 0, 81, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x12, 0, 0, 0, 0, 0, 0]);
    let at_hand = packet.len();
    packet.resize(14 + 0x2000, 0);
    let whole = parse(&packet, &Metadata::default());
    let md = Metadata { total_len: packet.len(), ..Metadata::default() };
    let first = parse(&packet[..at_hand], &md);
    assert_eq!((first.flow, first.layout), (whole.flow, whole.layout));
    assert_eq!(first.flow.tcp_flags.get(), 0x12);
    let mut words = [0; HOT_WORDS];
    let shape = parse_hot_segmented(&packet[..at_hand], packet.len(), 0, &mut words);
    assert_eq!(shape, Shape::Hot(whole.layout));
    // Without the other segments the header lies.
    assert_eq!(parse(&packet[..at_hand], &Metadata::default()).malformed, Some(Malformed::Ipv4));
}
