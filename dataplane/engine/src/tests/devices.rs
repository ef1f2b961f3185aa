//! DPDK devices, threads and queues coming and going while packets flow.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use weir_flow::action::{Action, Actions};
use weir_flow::{Datapath, Flow, PortNo};

use super::support::{Rig, always, udp, write_pcap};
use crate::{Engine, PortConfig, PortError};

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

fn out(no: u32) -> Actions {
    vec![Action::Output(PortNo(no))].into()
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

/// Makes a port what `edit` makes of its configuration.
fn change(engine: &Engine, no: u32, config: &mut PortConfig, edit: impl FnOnce(&mut PortConfig)) {
    edit(config);
    engine.change_port(PortNo(no), config.clone()).unwrap();
}

#[test]
fn a_device_changes_mtu_and_queues_while_others_forward() {
    let rig = Rig::new(|flow| always(vec![Action::Output(PortNo(out_to(flow)))]));
    let engine = &rig.engine;
    engine.add_port(PortNo(11), dpdk("out", "net_null_c_out,no-rx=1")).unwrap();
    engine.add_port(PortNo(10), dpdk("in", "net_null_c_in,size=64")).unwrap();
    // A ring sends to itself: what leaves by it comes in by it, and goes to port 21.
    let mut ring = dpdk("ring", "net_ring_c");
    engine.add_port(PortNo(20), ring.clone()).unwrap();
    engine.add_port(PortNo(21), dpdk("sink", "net_null_c_sink,no-rx=1")).unwrap();
    let sent = |no| engine.port_stats(PortNo(no)).unwrap().tx_packets;
    let status = |no| engine.port_status(PortNo(no)).unwrap();
    let number = |no| status(no).status["port_no"].clone();
    let through = |what: &str| {
        let (before, others) = (sent(21), sent(11));
        wait(what, || {
            engine.execute(&udp(1, 2, 3, 4, &[7; 40]), &Flow::ZERO, &out(20));
            sent(21) > before
        });
        wait("others go on", || sent(11) > others + 10_000);
    };
    through("packets pass the ring");
    let (first, megaflows) = (number(20), engine.n_flows());
    let counted = engine.port_stats(PortNo(20)).unwrap();

    change(engine, 20, &mut ring, |c| c.mtu = Some(9000));
    assert_eq!((status(20).mtu, number(20)), (9000, first.clone()));
    assert_eq!(engine.n_flows(), megaflows, "megaflows stay");
    through("after a change of MTU");
    // Long packets leave now.
    let lost = engine.port_stats(PortNo(20)).unwrap().tx_dropped;
    engine.execute(&udp(1, 2, 3, 4, &[7; 1800]), &Flow::ZERO, &out(20));
    assert_eq!(engine.port_stats(PortNo(20)).unwrap().tx_dropped, lost);
    assert!(engine.port_stats(PortNo(20)).unwrap().tx_packets >= counted.tx_packets);

    let option = |key: &'static str, value: &'static str| {
        move |c: &mut PortConfig| drop(c.options.insert(key.to_owned(), value.to_owned()))
    };
    change(engine, 20, &mut ring, option("n_rxq_desc", "512"));
    change(engine, 20, &mut ring, option("n_rxq_desc", "500"));
    through("after a change of descriptors");
    change(engine, 20, &mut ring, option("n_rxq", "2"));
    assert_eq!(status(20).config["requested_rx_queues"], "2");
    change(engine, 20, &mut ring, option("n_rxq", "1"));
    through("after changes of queues");

    // What cannot be is refused, and everything goes on as it was.
    let absurd = PortConfig { mtu: Some(10), ..ring.clone() };
    let error = engine.change_port(PortNo(20), absurd).unwrap_err();
    assert!(error.to_string().contains("MTU 10 cannot be"), "{error}");
    assert_eq!((status(20).mtu, number(20)), (9000, first));
    through("after a refusal");

    // The source too: it is polled all the time.
    let mut source = dpdk("in", "net_null_c_in,size=64");
    for mtu in [2000, 1500, 4000] {
        change(engine, 10, &mut source, |c| c.mtu = Some(mtu));
        let before = sent(11);
        wait("the source goes on", || sent(11) > before + 1_000);
    }
    for no in [10, 20, 21, 11] {
        assert!(engine.remove_port(PortNo(no)));
    }
}

#[test]
fn a_capture_changes_mtu() {
    let rig = Rig::new(|flow| always(vec![Action::Output(PortNo(out_to(flow)))]));
    let engine = &rig.engine;
    let source = rig.path("source.pcap");
    write_pcap(&source, &[udp(1, 2, 3, 4, &[5; 30])]);
    let mut config = dpdk("pcap", &format!("net_pcap_d,rx_pcap={source},infinite_rx=1"));
    engine.add_port(PortNo(11), dpdk("out", "net_null_d_out,no-rx=1")).unwrap();
    engine.add_port(PortNo(10), config.clone()).unwrap();
    let sent = || engine.port_stats(PortNo(11)).unwrap().tx_packets;
    for mtu in [3000, 1500] {
        let before = sent();
        wait("packets pass", || sent() > before + 1_000);
        change(engine, 10, &mut config, |c| c.mtu = Some(mtu));
        assert_eq!(engine.port_status(PortNo(10)).unwrap().mtu, mtu);
    }
    let before = sent();
    wait("packets go on", || sent() > before + 1_000);
    assert!(engine.remove_port(PortNo(10)) && engine.remove_port(PortNo(11)));
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
    engine.add_port(PortNo(30), vhost.clone()).unwrap();
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
    // The guest does not notice that its port changes.
    let changed = PortConfig {
        mtu: Some(9000),
        options: BTreeMap::from([("tx-retries-max".to_owned(), "0".to_owned())]),
        ..vhost
    };
    let resets = engine.port_status(PortNo(30)).unwrap().link.resets;
    engine.change_port(PortNo(30), changed).unwrap();
    let (to_switch, to_guest) = (rig.sent(2).len(), rig.sent(4).len());
    wait("guest to switch and back after a change", || {
        rig.receive(1, &packet);
        rig.receive(3, &packet);
        rig.sent(2).len() > to_switch && rig.sent(4).len() > to_guest
    });
    assert_eq!(engine.port_status(PortNo(30)).unwrap().link.resets, resets);
    let status = engine.port_status(PortNo(30)).unwrap().status;
    assert_eq!(status.get("status").map(String::as_str), Some("connected"));
    assert!(engine.port_stats(PortNo(30)).unwrap().rx_packets > 0);
    assert!(engine.remove_port(PortNo(31)) && engine.remove_port(PortNo(30)));
}
