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
    engine.add_port(PortNo(10), dpdk("in", "net_null_b_in,size=64")).unwrap();
    engine.add_port(PortNo(11), dpdk("out", "net_null_b_out,no-rx=1")).unwrap();
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
    assert!(engine.remove_port(PortNo(10)) && engine.remove_port(PortNo(11)));
    // Every packet received was sent, dropped with a reason, or both counters agree on none.
    engine.flush_flows();
    assert!(rig.credited().0 > 30_000);
}
