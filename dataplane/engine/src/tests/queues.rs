//! Receive queues on the threads of a made-up machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_flow::action::Action;
use weir_flow::{PortNo, SlowPath};

use super::support::{Rig, always, udp};
use crate::{Algorithm, Engine, EngineConfig, PortConfig, SystemTime, Topology, Tuning};

fn pmd_port(name: &str, n_rxq: &str, affinity: &[(u16, u32)]) -> PortConfig {
    PortConfig {
        name: name.to_owned(),
        kind: "dummy-pmd".to_owned(),
        options: BTreeMap::from([("n_rxq".to_owned(), n_rxq.to_owned())]),
        rxq_affinity: affinity.iter().copied().collect(),
        ..PortConfig::default()
    }
}

/// Core, whether it is isolated, and port and number of its queues.
type Shown = Vec<(u32, bool, Vec<(String, u16)>)>;

fn shown(engine: &Engine) -> Shown {
    let threads = engine.pmd_snapshots().into_iter().filter_map(|pmd| {
        let queues = pmd.rxqs.iter().map(|q| (q.name.clone(), q.queue)).collect();
        Some((pmd.core?, pmd.isolated, queues))
    });
    threads.collect()
}

fn on(core: u32, isolated: bool, queues: &[(&str, u16)]) -> (u32, bool, Vec<(String, u16)>) {
    (core, isolated, queues.iter().map(|(name, queue)| ((*name).to_owned(), *queue)).collect())
}

/// An engine without ports on cores 0 to 3.
fn engine(rig: &Rig) -> Arc<Engine> {
    let config = EngineConfig {
        mbufs: Some(1023),
        topology: Topology::dummy(&[0, 0, 0, 1]),
        pmd_cores: vec![1, 2, 77],
        ..EngineConfig::new(SystemTime::start())
    };
    Engine::new(&config, Arc::clone(&rig.slow) as Arc<dyn SlowPath>).unwrap()
}

#[test]
fn queues_that_nobody_may_poll_wait() {
    let rig = Rig::new(|_| always(vec![Action::Output(PortNo(9))]));
    let engine = engine(&rig);
    let port = |affinity| pmd_port("p", "3", affinity);
    engine.add_port(PortNo(1), port(&[(0, 1)])).unwrap();
    assert_eq!(shown(&engine), [on(1, true, &[("p", 0)]), on(2, false, &[("p", 1), ("p", 2)])]);
    engine.change_port(PortNo(1), port(&[(0, 1), (1, 2)])).unwrap();
    assert_eq!(shown(&engine), [on(1, true, &[("p", 0)]), on(2, true, &[("p", 1)])]);
    // A device of the kernel is served all the same, and so is a dummy that is not for PMD threads.
    let dummy = PortConfig { kind: "dummy".to_owned(), ..pmd_port("d", "1", &[]) };
    engine.add_port(PortNo(2), dummy).unwrap();
    engine.dummy_receive(PortNo(2), &udp(1, 2, 3, 4, &[])).unwrap();
    // Every queue of a dummy takes its packets: of this one none is left.
    let before = engine.pmd_snapshots().iter().map(|pmd| pmd.rxqs.len()).sum::<usize>();
    assert_eq!(before, 3);
    let group = Tuning { rxq_assign: Algorithm::Group, rxq_isolate: false, ..Tuning::default() };
    engine.tune(&group);
    let after = engine.pmd_snapshots();
    assert_eq!(after.iter().map(|pmd| pmd.rxqs.len()).sum::<usize>(), 4);
    assert!(after.iter().all(|pmd| !pmd.isolated));
    engine.dummy_receive(PortNo(1), &udp(1, 2, 3, 4, &[])).unwrap();
    assert!(engine.remove_port(PortNo(1)) && engine.remove_port(PortNo(2)));
    assert!(shown(&engine).iter().all(|(_, _, queues)| queues.is_empty()));
}

#[test]
fn queues_follow_the_threads() {
    let rig = Rig::new(|_| always(vec![Action::Output(PortNo(9))]));
    let engine = engine(&rig);
    engine.add_port(PortNo(5), pmd_port("a", "2", &[])).unwrap();
    engine.add_port(PortNo(4), pmd_port("b", "2", &[])).unwrap();
    let two = [on(1, false, &[("a", 1), ("b", 0)]), on(2, false, &[("a", 0), ("b", 1)])];
    assert_eq!(shown(&engine), two);
    engine.set_pmd_cores(&[3]).unwrap();
    let all = [("a", 0), ("a", 1), ("b", 0), ("b", 1)];
    assert_eq!(shown(&engine), [on(3, false, &all)]);
    engine.dummy_receive(PortNo(4), &udp(1, 2, 3, 4, &[])).unwrap();
    // Cores that do not exist: the default, one of each node.
    engine.set_pmd_cores(&[99]).unwrap();
    assert_eq!(shown(&engine), [on(0, false, &all), on(3, false, &[])]);
    engine.set_pmd_cores(&[1, 2]).unwrap();
    engine.rebalance_rxqs();
    assert_eq!(shown(&engine), two);
    assert!(engine.remove_port(PortNo(4)));
    assert_eq!(shown(&engine), [on(1, false, &[("a", 0)]), on(2, false, &[("a", 1)])]);
}
