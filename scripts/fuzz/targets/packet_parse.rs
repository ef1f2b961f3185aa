//! Any bytes as a packet: the parsers must agree with the reference parser and each other.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_flow::flow::{Flow, HOT_WORDS};
use weir_flow::packet::{Metadata, Shape, parse, parse_hot, reference};

fuzz_target!(|packet: &[u8]| {
    for vlan_limit in 1..=2 {
        let md = Metadata { vlan_limit, ..Metadata::default() };
        let full = parse(packet, &md);
        assert_eq!(full.flow, reference::flow_of(packet, vlan_limit));
        let mut words = [0; HOT_WORDS];
        if let Shape::Hot(layout) = parse_hot(packet, 0, &mut words) {
            let mut flow = Flow::ZERO;
            flow.words_mut()[..HOT_WORDS].copy_from_slice(&words);
            assert_eq!((flow, layout), (full.flow, full.layout));
        }
    }
    // A first segment of a longer packet.
    let md = Metadata { total_len: packet.len() + 9000, ..Metadata::default() };
    let _ = parse(packet, &md);
});
