//! Actions on packets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use weir_flow::action::{
    Action, ControllerCookie, HashAlgorithm, Header, SetHeader, SlowReasons, Userspace,
};
use weir_flow::packet::{Metadata, parse};
use weir_flow::slowpath::Datapath;
use weir_flow::{DropReason, Flow, PortNo};

use super::support::{Decision, Rig, always, port_mask, udp};
use crate::{Band, MeterConfig};

fn set_ttl(ttl: u8) -> Action {
    let mut set = SetHeader { header: Header::Ipv4, value: Flow::ZERO, mask: Flow::ZERO };
    set.value.nw_ttl = ttl;
    set.mask.nw_ttl = 0xff;
    Action::Set(Box::new(set))
}

fn ttl(packet: &[u8]) -> u8 {
    parse(packet, &Metadata::default()).flow.nw_ttl
}

#[test]
fn changes_after_an_output_do_not_reach_it() {
    let rig = Rig::new(|_| {
        always(vec![
            Action::Output(PortNo(2)),
            set_ttl(9),
            Action::PushVlan { tpid: 0x8100, tci: 0x1005 },
            Action::Output(PortNo(3)),
            Action::PopVlan,
            set_ttl(7),
            Action::Output(PortNo(4)),
        ])
    });
    let packet = udp(1, 2, 3, 4, b"hello");
    for _ in 0..40 {
        rig.receive(1, &packet);
    }
    for port in 2..=4 {
        assert_eq!(rig.sent(port).len(), 40);
    }
    for i in [0, 1, 39] {
        assert_eq!(rig.sent(2)[i], packet);
        assert_eq!(ttl(&rig.sent(3)[i]), 9);
        assert_eq!(rig.sent(3)[i][12..16], [0x81, 0, 0, 5]);
        assert_eq!(ttl(&rig.sent(4)[i]), 7);
        assert_eq!(rig.sent(4)[i].len(), packet.len());
    }
}

#[test]
fn clones_samples_and_length_checks_leave_the_packet_alone() {
    let rig = Rig::new(|_| {
        always(vec![
            Action::Clone([set_ttl(1), Action::Output(PortNo(2))].as_slice().into()),
            Action::Sample {
                probability: u32::MAX,
                actions: [set_ttl(2), Action::Output(PortNo(2))].as_slice().into(),
            },
            Action::Sample {
                probability: 0,
                actions: [Action::Output(PortNo(2))].as_slice().into(),
            },
            Action::CheckPktLen {
                len: 60,
                greater: [set_ttl(3), Action::Output(PortNo(3))].as_slice().into(),
                less_equal: [set_ttl(4), Action::Output(PortNo(3))].as_slice().into(),
            },
            Action::Output(PortNo(4)),
        ])
    });
    let packet = udp(1, 2, 3, 4, &[0; 18]);
    assert_eq!(packet.len(), 60);
    rig.receive(1, &packet);
    rig.receive(1, &udp(1, 2, 3, 4, &[0; 19]));
    let ttls = |port| rig.sent(port).iter().map(|p| ttl(p)).collect::<Vec<_>>();
    assert_eq!(ttls(2), [1, 2, 1, 2]);
    assert_eq!(ttls(3), [4, 3]);
    assert_eq!(ttls(4), [64, 64]);
}

#[test]
fn headers_pushed_after_a_truncation_are_sent_besides() {
    let rig = Rig::new(|_| {
        always(vec![
            Action::Truncate(40),
            Action::PushVlan { tpid: 0x8100, tci: 0x1005 },
            Action::Output(PortNo(2)),
            Action::Truncate(5),
            Action::Output(PortNo(3)),
            Action::Truncate(200),
            Action::Output(PortNo(4)),
        ])
    });
    let packet = udp(1, 2, 3, 4, &[5; 48]);
    rig.receive(1, &packet);
    let lengths = [2, 3, 4].map(|port| rig.sent(port)[0].len());
    assert_eq!(lengths, [44, 14, packet.len() + 4]);
    assert_eq!(rig.sent(2)[0][16..], packet[12..40]);
}

#[test]
fn truncation_is_for_one_output() {
    let rig = Rig::new(|_| {
        always(vec![
            Action::Truncate(30),
            Action::Output(PortNo(2)),
            Action::Output(PortNo(3)),
            Action::Truncate(20),
            Action::Output(PortNo(4)),
        ])
    });
    let packet = udp(1, 2, 3, 4, &[5; 50]);
    rig.receive(1, &packet);
    assert_eq!(rig.sent(2), [packet[..30].to_vec()]);
    assert_eq!(rig.sent(3), std::slice::from_ref(&packet));
    assert_eq!(rig.sent(4), [packet[..20].to_vec()]);
}

#[test]
fn recirculation_starts_anew_with_what_is_known_and_ends() {
    let rig = Rig::new(|flow| match flow.recirc_id.get() {
        0 if flow.in_port.get() == 1 => always(vec![
            Action::Hash { algorithm: HashAlgorithm::L4, basis: 0 },
            set_ttl(5),
            Action::Recirc(1),
            Action::Output(PortNo(3)),
        ]),
        1 => {
            assert_ne!(flow.dp_hash.get(), 0);
            assert_eq!(flow.nw_ttl, 5);
            let mut decision = always(vec![Action::Output(PortNo(2))]);
            decision.mask.0.dp_hash = 3.into();
            decision
        }
        // For ever and ever.
        _ => always(vec![Action::Recirc(2)]),
    });
    for i in 0..50 {
        rig.receive(1, &udp(1, 2, i, 4, &[]));
    }
    assert_eq!((rig.sent(2).len(), rig.sent(3).len()), (50, 50));
    rig.receive(4, &udp(1, 2, 3, 4, &[]));
    assert_eq!(rig.drops(DropReason::RecircError), 1);
}

#[test]
fn controllers_get_the_packet_as_it_is_then() {
    let cookie = Arc::new(ControllerCookie {
        reason: 1,
        rule_cookie: 0,
        table_id: 0,
        controller_id: 0,
        max_len: 65535,
        dont_send: false,
        continuation: false,
        recirc_id: 0,
        meter_id: None,
        state: Arc::new(()),
    });
    let rig = Rig::new(move |_| {
        always(vec![
            set_ttl(17),
            Action::Userspace(Userspace::Controller(Arc::clone(&cookie))),
            Action::Output(PortNo(2)),
        ])
    });
    rig.receive(1, &udp(1, 2, 3, 4, b"x"));
    let got = rig.slow.packet_ins.lock().unwrap();
    assert_eq!(got.len(), 1);
    assert_eq!((got[0].0.nw_ttl, got[0].0.in_port.get(), ttl(&got[0].1)), (17, 1, 17));
    assert_eq!(rig.sent(2), [got[0].1.clone()]);
}

#[test]
fn slow_megaflows_translate_each_packet() {
    let turn = AtomicU32::new(0);
    let rig = Rig::new(move |_| Decision {
        mask: port_mask(),
        actions: vec![Action::Output(PortNo(2 + turn.fetch_add(1, Ordering::Relaxed) % 2))],
        slow: SlowReasons::ACTION,
    });
    for _ in 0..10 {
        rig.receive(1, &udp(1, 2, 3, 4, &[]));
    }
    assert_eq!((rig.sent(2).len(), rig.sent(3).len()), (5, 5));
    assert_eq!((rig.translations(), rig.engine.n_flows()), (10, 1));
    rig.engine.credit_all();
    assert_eq!(rig.credited().0, 10);
}

#[test]
fn a_header_that_is_not_there_drops_the_packet() {
    let rig = Rig::new(|_| always(vec![set_ttl(1), Action::Output(PortNo(2))]));
    let mut arp = udp(1, 2, 3, 4, &[0; 20]);
    arp[12..14].copy_from_slice(&[8, 6]);
    rig.receive(1, &arp);
    assert_eq!(rig.drops(DropReason::ActionMismatch), 1);
}

#[test]
fn meters_police_and_go() {
    let rig = Rig::new(|_| always(vec![Action::Meter(7), Action::Output(PortNo(2))]));
    // One packet in a thousand seconds, after three at once.
    let config = MeterConfig { packets: true, bands: vec![Band { rate: 0, burst: 3 }] };
    rig.engine.set_meter(7, &config);
    for _ in 0..10 {
        rig.receive(1, &udp(1, 2, 3, 4, &[]));
    }
    assert_eq!(rig.sent(2).len(), 3);
    assert_eq!(rig.drops(DropReason::Meter), 7);
    assert_eq!(rig.engine.remove_meter(7).unwrap().packets_in, 10);
    rig.receive(1, &udp(1, 2, 3, 4, &[]));
    assert_eq!(rig.sent(2).len(), 4);
}

#[test]
fn injected_packets_keep_their_order_and_may_recirculate() {
    let rig = Rig::new(|_| always(vec![Action::Output(PortNo(3))]));
    let mut key = Flow::ZERO;
    key.in_port = 1.into();
    for i in 0..200u32 {
        let packet = udp(1, 2, 3, 4, &i.to_be_bytes());
        let actions = [Action::Output(PortNo(2)), Action::Recirc(9)].as_slice().into();
        rig.engine.execute(&packet, &key, &actions);
    }
    for port in [2, 3] {
        let sent = rig.sent(port);
        assert_eq!(sent.len(), 200);
        for (i, packet) in (0u32..).zip(sent) {
            assert_eq!(packet[42..], i.to_be_bytes());
        }
    }
    assert_eq!(rig.engine.n_flows(), 1);
}

#[test]
fn dummies_pass_packets_while_down_but_none_too_long() {
    let rig = Rig::new(|_| always(vec![Action::Output(PortNo(2))]));
    rig.engine.set_port_up(PortNo(2), false);
    let status = rig.engine.port_status(PortNo(2)).unwrap();
    assert!(!rig.engine.port_is_up(PortNo(2)) && !status.admin_up && !status.link.up);
    rig.receive(1, &udp(1, 2, 3, 4, &[]));
    rig.engine.set_port_up(PortNo(2), true);
    assert!(rig.engine.port_is_up(PortNo(2)));
    rig.receive(1, &udp(1, 2, 3, 4, &[0; 1472]));
    rig.receive(1, &udp(1, 2, 3, 4, &[0; 1473]));
    let mut tagged = udp(1, 2, 3, 4, &[0; 1472]);
    tagged.splice(12..12, [0x81, 0, 0, 5]);
    rig.receive(1, &tagged);
    assert_eq!(rig.sent(2).len(), 3);
    let stats = rig.engine.port_stats(PortNo(2)).unwrap();
    // A dummy does not count what it drops.
    assert_eq!((stats.tx_packets, stats.tx_dropped), (3, None));
    assert_eq!(rig.engine.port_stats(PortNo(1)).unwrap().rx_packets, 4);
}
