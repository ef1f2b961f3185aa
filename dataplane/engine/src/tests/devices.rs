//! DPDK devices, threads and queues coming and going while packets flow.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use weir_flow::action::Action;
use weir_flow::{Flow, PortNo};

use super::support::{Rig, always, udp};
use crate::{PortConfig, PortError};

fn dpdk(name: &str, devargs: &str) -> PortConfig {
    PortConfig {
        name: name.to_owned(),
        kind: "dpdk".to_owned(),
        options: BTreeMap::from([("dpdk-devargs".to_owned(), devargs.to_owned())]),
        ..PortConfig::default()
    }
}

fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(10), "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn out_to(flow: &Flow) -> u32 {
    match flow.in_port.get() {
        10 => 11,
        other => other + 1,
    }
}

#[test]
fn packets_flow_from_device_to_device_while_others_come_and_go() {
    let rig = Rig::new(|flow| always(vec![Action::Output(PortNo(out_to(flow)))]));
    let engine = &rig.engine;
    // The sink first: packets come as soon as there is a source.
    engine.add_port(PortNo(11), dpdk("out", "net_null_b_out,no-rx=1")).unwrap();
    engine.add_port(PortNo(10), dpdk("in", "net_null_b_in,size=64")).unwrap();
    let sent = || engine.port_stats(PortNo(11)).unwrap().tx_packets;
    wait("packets pass", || sent() > 10_000);
    for round in 0..3 {
        let before = sent();
        engine.add_port(PortNo(20), dpdk("x", "net_null_b_x,no-rx=1")).unwrap();
        rig.receive(1, &udp(1, 2, 3, 4, &[]));
        let cores: &[u32] = if round % 2 == 0 { &[0, 1] } else { &[1] };
        engine.set_pmd_cores(cores).unwrap();
        assert!(engine.remove_port(PortNo(20)));
        wait("packets go on", || sent() > before + 10_000);
    }
    assert!(matches!(
        engine.add_port(PortNo(10), dpdk("in", "net_null_b_y")),
        Err(PortError::Exists(10))
    ));
    assert!(matches!(
        engine.add_port(PortNo(12), dpdk("y", "net_no_such_driver")),
        Err(PortError::Dpdk(_))
    ));
    let snapshots = engine.pmd_snapshots();
    assert!(snapshots.iter().any(|s| s.rxqs.iter().any(|q| q.name == "in")));
    assert!(engine.remove_port(PortNo(10)));
    let out = engine.port_stats(PortNo(11)).unwrap();
    assert!(engine.remove_port(PortNo(11)));
    // Every packet was credited once, whatever thread it was on; three came by a dummy port.
    engine.flush_flows();
    assert_eq!(rig.credited().0, out.tx_packets + out.tx_dropped.unwrap() + 3);
}

#[test]
fn a_guest_s_packets_come_and_go() {
    // virtio_user is the guest; being a port of the same switch it sends where the test says.
    let rig = Rig::new(|flow| {
        let out = match flow.in_port.get() {
            // From outside into the guest's own card, that is, the guest sends it to the switch.
            1 => 31,
            // What comes from the guest.
            30 => 2,
            // Into the guest, who received it.
            3 => 30,
            _ => 4,
        };
        always(vec![Action::Output(PortNo(out))])
    });
    let engine = &rig.engine;
    let vhost = PortConfig {
        name: "vhost0".to_owned(),
        kind: "dpdkvhostuser".to_owned(),
        ..PortConfig::default()
    };
    engine.add_port(PortNo(30), vhost).unwrap();
    let path = rig.path("vhost0");
    let mut guest =
        dpdk("guest", &format!("net_virtio_user_b,path={path},queues=2,queue_size=256"));
    guest.options.insert("n_rxq".to_owned(), "2".to_owned());
    engine.add_port(PortNo(31), guest).unwrap();
    let up = || engine.port_status(PortNo(30)).unwrap().link.up;
    wait("the guest is there", || {
        engine.run();
        up()
    });
    wait("the switch has as many queues", || {
        engine.run();
        let status = engine.port_status(PortNo(30)).unwrap();
        (status.n_rxq, status.n_txq) == (2, 2)
    });
    let packet = udp(1, 2, 3, 4, &[9; 40]);
    wait("guest to switch", || {
        rig.receive(1, &packet);
        !rig.sent(2).is_empty()
    });
    wait("switch to guest", || {
        rig.receive(3, &packet);
        !rig.sent(4).is_empty()
    });
    assert_eq!((&rig.sent(2)[0], &rig.sent(4)[0]), (&packet, &packet));
    let status = engine.port_status(PortNo(30)).unwrap().status;
    assert_eq!(status.get("status").map(String::as_str), Some("connected"));
    assert!(engine.port_stats(PortNo(30)).unwrap().rx_packets > 0);
    assert!(engine.remove_port(PortNo(31)) && engine.remove_port(PortNo(30)));
}
