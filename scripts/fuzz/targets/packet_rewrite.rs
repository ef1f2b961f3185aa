//! Any rewriting of any packet: no harm, and what was written is what is parsed then.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_flow::action::{Header, SetHeader};
use weir_flow::flow::Flow;
use weir_flow::packet::{L4Checksum, Metadata, build, effect, parse, rewrite};

const HEADERS: [Header; 12] = [
    Header::Ethernet,
    Header::Ipv4,
    Header::Ipv6,
    Header::Tcp,
    Header::Udp,
    Header::Sctp,
    Header::Icmp,
    Header::Icmpv6,
    Header::Arp,
    Header::Nd,
    Header::Mpls,
    Header::Nsh,
];

/// A flow whose bytes repeat `pattern`.
fn flow_of(pattern: &[u8]) -> Flow {
    let mut flow = Flow::ZERO;
    for (byte, p) in flow.bytes_mut().iter_mut().zip(pattern.iter().cycle()) {
        *byte = *p;
    }
    flow
}

fuzz_target!(|data: &[u8]| {
    let Some((&[choice, a, b, c], packet)) = data.split_first_chunk() else { return };
    let before = parse(packet, &Metadata::default());
    let header = HEADERS[usize::from(choice) % HEADERS.len()];
    let (value, mut mask) = (flow_of(&[a, b, c]), flow_of(&[b, c, 0xff, a, a]));
    // A flow's other members belong to other headers.
    let mut only = Flow::ZERO;
    match header {
        Header::Ethernet => (only.dl_src, only.dl_dst) = ([0xff; 6], [0xff; 6]),
        Header::Ipv4 => {
            (only.nw_src, only.nw_dst) = (u32::MAX.into(), u32::MAX.into());
            (only.nw_tos, only.nw_ttl) = (0xff, 0xff);
        }
        Header::Ipv6 => {
            (only.ipv6_src, only.ipv6_dst) = ([0xff; 16], [0xff; 16]);
            (only.nw_tos, only.nw_ttl, only.ipv6_label) = (0xff, 0xff, 0xf_ffff.into());
        }
        Header::Tcp | Header::Udp | Header::Sctp => {
            (only.tp_src, only.tp_dst) = (u16::MAX.into(), u16::MAX.into());
        }
        _ => only = flow_of(&[0xff]),
    }
    for (m, o) in mask.words_mut().iter_mut().zip(only.words()) {
        *m &= o;
    }
    let readable = matches!(
        header,
        Header::Ethernet | Header::Ipv4 | Header::Ipv6 | Header::Tcp | Header::Udp | Header::Sctp
    ) && before.malformed.is_none();
    let set = SetHeader { header, value, mask };
    for sums in [L4Checksum::Complete, L4Checksum::Partial] {
        let mut changed = packet.to_vec();
        if rewrite::set(&mut changed, &before.layout, &set, sums).is_ok() {
            assert_eq!(changed.len(), packet.len());
            if readable {
                let mut expected = before.flow;
                effect::set(&mut expected, &set);
                assert_eq!(parse(&changed, &Metadata::default()).flow, expected);
            }
        } else {
            assert_eq!(changed, packet);
        }
    }

    let (mut changed, mut layout) = (packet.to_vec(), before.layout);
    if rewrite::push_vlan(&mut changed, &mut layout, 0x8100, u16::from_be_bytes([a, b])).is_ok() {
        assert!(rewrite::pop_vlan(&mut changed, &mut layout).is_ok());
        assert_eq!((&changed[..], layout), (packet, before.layout));
    }
    if rewrite::push_mpls(&mut changed, &mut layout, 0x8847, u32::from_be_bytes([a, b, c, a]))
        .is_ok()
    {
        assert!(rewrite::pop_mpls(&mut changed, &mut layout, before.layout.eth_type).is_ok());
        assert_eq!(changed.len(), packet.len());
    }
    let _ = build::compose(&flow_of(&[a, b, c]));
    if before.flow.dl_type.get() != 0 {
        assert_eq!(parse(&build::compose(&before.flow), &Metadata::default()).flow, before.flow);
    }
});
