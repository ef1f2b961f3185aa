//! Verdicts from the caches are those of the slow path; statistics are exact.

use proptest::prelude::*;
use weir_flow::action::{Action, SlowReasons};
use weir_flow::packet::{Metadata, parse};
use weir_flow::slowpath::{Datapath, FlowStats, Revalidation, Translation};
use weir_flow::{DropReason, Flow, Mask, PortNo};

use super::support::{Decision, Rig, always, port_mask, udp};

#[test]
fn one_rule_is_one_megaflow_and_every_packet_is_counted_once() {
    let rig = Rig::new(|_| always(vec![Action::Output(PortNo(2))]));
    let mut bytes = 0;
    for i in 0..100u32 {
        let packet = udp(i, 9, 1000 + i as u16, 80, &[7; 20]);
        bytes += packet.len() as u64;
        rig.receive(1, &packet);
    }
    assert_eq!(rig.sent(2).len(), 100);
    assert_eq!(rig.translations(), 1);
    assert_eq!(rig.engine.n_flows(), 1);
    // The first packet is credited at once, the others when the megaflow is looked at.
    assert_eq!(rig.credited().0, 1);
    let mut seen = Vec::new();
    rig.engine.visit(&mut |view| {
        seen.push((view.stats.packets, view.core.is_some(), view.key.in_port.get()));
        Revalidation::Keep { credited: view.credited }
    });
    assert_eq!(seen, [(99, true, 1)]);
    rig.engine.credit_all();
    assert_eq!(rig.credited(), (100, bytes));
    rig.engine.credit_all();
    assert_eq!(rig.credited(), (100, bytes));
    rig.receive(1, &udp(1, 2, 3, 4, &[]));
    rig.engine.flush_flows();
    assert_eq!(rig.engine.n_flows(), 0);
    assert_eq!(rig.credited().0, 101);
}

#[test]
fn a_replaced_megaflow_goes_on_counting_and_credits_each_side_its_own() {
    let rig = Rig::new(|_| always(vec![Action::Output(PortNo(2))]));
    for _ in 0..10 {
        rig.receive(1, &udp(1, 2, 3, 4, &[]));
    }
    let other = std::sync::Arc::new(super::support::Total::default());
    let credit = other.clone();
    rig.engine.visit(&mut |_| {
        Revalidation::Replace(Box::new(Translation {
            mask: port_mask(),
            actions: vec![Action::Output(PortNo(3))].into(),
            drop_reason: None,
            slow: SlowReasons::default(),
            credit: credit.clone(),
        }))
    });
    assert_eq!(rig.credited().0, 10);
    for _ in 0..5 {
        rig.receive(1, &udp(1, 2, 3, 4, &[]));
    }
    assert_eq!((rig.sent(2).len(), rig.sent(3).len()), (10, 5));
    let mut stats = FlowStats::default();
    rig.engine.visit(&mut |view| {
        stats = view.stats;
        Revalidation::Delete
    });
    assert_eq!(stats.packets, 14);
    assert_eq!(rig.credited().0, 10);
    assert_eq!(other.packets.load(std::sync::atomic::Ordering::Relaxed), 5);
}

#[test]
fn nothing_and_unknown_ports_are_counted_drops() {
    let rig = Rig::new(|flow| {
        always(match flow.in_port.get() {
            1 => vec![],
            2 => vec![Action::Output(PortNo(77))],
            _ => vec![Action::Drop(DropReason::BridgeNotFound)],
        })
    });
    for _ in 0..3 {
        for port in 1..=3 {
            rig.receive(port, &udp(1, 2, 3, 4, &[]));
        }
    }
    rig.receive(1, &[1, 2, 3]);
    assert_eq!(rig.drops(DropReason::OfPipeline), 3);
    assert_eq!(rig.drops(DropReason::InvalidPort), 3);
    assert_eq!(rig.drops(DropReason::BridgeNotFound), 3);
    assert_eq!(rig.drops(DropReason::InvalidPacket), 1);
}

#[test]
fn beyond_the_limit_packets_pass_and_megaflows_are_not_installed() {
    let rig = Rig::new(|_| {
        let mut decision = always(vec![Action::Output(PortNo(2))]);
        decision.mask.0.nw_src = u32::MAX.into();
        decision
    });
    rig.engine.set_flow_limit(10);
    for i in 0..30 {
        rig.receive(1, &udp(i, 2, 3, 4, &[]));
    }
    assert_eq!(rig.engine.n_flows(), 10);
    assert_eq!(rig.sent(2).len(), 30);
    assert_eq!(rig.credited().0, 30);
}

#[test]
fn removing_a_port_takes_its_megaflows_and_credits_them() {
    let rig = Rig::new(|_| always(vec![Action::Output(PortNo(2))]));
    for port in [1, 3] {
        for _ in 0..4 {
            rig.receive(port, &udp(1, 2, 3, 4, &[]));
        }
    }
    assert_eq!(rig.engine.n_flows(), 2);
    assert!(rig.engine.remove_port(PortNo(1)));
    assert!(!rig.engine.remove_port(PortNo(1)));
    assert_eq!(rig.engine.n_flows(), 1);
    rig.engine.credit_all();
    assert_eq!(rig.credited().0, 8);
    rig.add_dummy(1);
    rig.receive(1, &udp(1, 2, 3, 4, &[]));
    assert_eq!(rig.sent(2).len(), 9);
}

/// A little table: rules of random fields, most important first, read bit by bit as translation
/// does.
#[derive(Clone, Debug)]
struct Rule {
    src: (u32, u32),
    dst_port: Option<u16>,
    tos: Option<u8>,
    out: u32,
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let rule = (0u32..4, 0u32..=8, proptest::option::of(0u16..3), proptest::option::of(0u8..2))
        .prop_map(|(src, len, dst_port, tos)| {
            let mask = u32::MAX.checked_shl(32 - len).unwrap_or(0);
            Rule { src: ((src << 30 | src << 24) & mask, mask), dst_port, tos, out: 0 }
        });
    proptest::collection::vec((rule, 2u32..5), 1..8)
        .prop_map(|rules| rules.into_iter().map(|(rule, out)| Rule { out, ..rule }).collect())
}

fn decide(rules: &[Rule], flow: &Flow) -> (Mask, Option<u32>) {
    let mut mask = port_mask();
    for rule in rules {
        // Of IPv6 addresses the first half only.
        let src = if flow.dl_type.get() == 0x86dd {
            for (byte, bits) in mask.0.ipv6_src.iter_mut().zip(rule.src.1.to_be_bytes()) {
                *byte |= bits;
            }
            u32::from_be_bytes(*flow.ipv6_src.first_chunk().unwrap())
        } else {
            mask.0.nw_src = (mask.0.nw_src.get() | rule.src.1).into();
            flow.nw_src.get()
        };
        if src & rule.src.1 != rule.src.0 {
            continue;
        }
        if let Some(port) = rule.dst_port {
            mask.0.nw_proto = 0xff;
            mask.0.tp_dst = u16::MAX.into();
            if flow.tp_dst.get() != port {
                continue;
            }
        }
        if let Some(tos) = rule.tos {
            mask.0.nw_tos = 0xff;
            if flow.nw_tos != tos {
                continue;
            }
        }
        return (mask, Some(rule.out));
    }
    (mask, None)
}

/// The same over IPv6, with the IPv4 source address in front of each address.
fn over_ipv6(udp: &[u8], tos: u8) -> Vec<u8> {
    let segment = &udp[34..];
    let mut packet = udp[..12].to_vec();
    packet.extend([0x86, 0xdd, 0x60 | tos >> 4, tos << 4, 0, 0, 0, segment.len() as u8, 17, 64]);
    for rest in [1; 2] {
        packet.extend(&udp[26..30]);
        packet.extend([rest; 12]);
    }
    packet.extend(segment);
    packet
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn cached_verdicts_are_the_slow_path_s(
        rules in rules(),
        packets in proptest::collection::vec((0u32..4, 0u32..4, 0u16..4, 0u8..3, 0u8..9), 1..120),
    ) {
        let table = rules.clone();
        let rig = Rig::new(move |flow| {
            let (mask, out) = decide(&table, flow);
            let actions = out.map(|out| Action::Output(PortNo(out))).into_iter().collect();
            Decision { mask, actions, slow: SlowReasons::default() }
        });
        let mut expected = vec![Vec::new(); 5];
        for (i, (high, low, port, tos, shape)) in packets.iter().enumerate() {
            let mut packet = udp(high << 30 | low << 24, i as u32, 5, *port, &[i as u8; 9]);
            packet[15] = *tos;
            match shape {
                // A tag, a fragment, a truncated header: the full parser's business.
                0 => drop(packet.splice(12..12, [0x81, 0, 0, 5])),
                1 => packet[20] = 0x20,
                2 => packet.truncate(30),
                3..=5 => packet = over_ipv6(&packet, *tos),
                6 => {
                    packet = over_ipv6(&packet, *tos);
                    packet.truncate(50);
                }
                _ => {}
            }
            let flow = parse(&packet, &Metadata::from_port(1)).flow;
            if let (_, Some(out)) = decide(&rules, &flow) {
                expected[out as usize].push(packet.clone());
            }
            rig.receive(1, &packet);
        }
        for (port, expected) in (2u32..5).zip(&expected[2..]) {
            prop_assert_eq!(&rig.sent(port), expected, "port {}", port);
        }
        rig.engine.flush_flows();
        prop_assert_eq!(rig.credited().0, packets.len() as u64);
    }
}
