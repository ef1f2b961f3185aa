//! What the engine shows of its PMD threads and their queues: plain data for
//! `dpif-netdev/pmd-stats-show`, `pmd-perf-show`, `pmd-rxq-show` and the coverage counters.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use weir_flow::{DropReason, PortNo};

use crate::engine::{Engine, Port, lock};
use crate::pmd::load::LoadSnapshot;
use crate::pmd::rxq::MissSnapshot;
use crate::pmd::stats::PmdStats;
use crate::port::Device;

/// A receive queue and its thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RxqSnapshot {
    /// Its port.
    pub port: PortNo,
    /// The port's name.
    pub name: String,
    /// The port's type.
    pub kind: String,
    /// Its number.
    pub queue: u16,
    /// The core it is polled on.
    pub core: Option<u32>,
    /// Whether it is tied to that core.
    pub pinned: bool,
    /// Whether Open vSwitch would have PMD threads poll it, and not its main thread.
    pub is_pmd: bool,
    /// Whether its guest lets packets pass; true of all other devices.
    pub enabled: bool,
    /// TSC cycles spent on its packets in each of the last intervals of 5 seconds, the newest first.
    pub cycles: Vec<u64>,
    /// Packets received.
    pub packets: u64,
    /// Those of them that had to be translated.
    pub misses: MissSnapshot,
}

/// A PMD thread and what it counted; the thread of injected packets has no core.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PmdSnapshot {
    /// Its core.
    pub core: Option<u32>,
    /// The core's NUMA node.
    pub numa: i32,
    /// Its number among the threads ever started.
    pub thread_id: u32,
    /// Time since it started.
    pub age: Duration,
    /// Whether pinned queues keep others away.
    pub isolated: bool,
    /// Its counters.
    pub stats: PmdStats,
    /// How busy it was lately.
    pub load: LoadSnapshot,
    /// Its queues, by name and number.
    pub rxqs: Vec<RxqSnapshot>,
    /// Longest sleep in microseconds.
    pub sleep_max_us: u64,
}

/// The queues of a port.
fn queues(port: &Port) -> impl Iterator<Item = RxqSnapshot> {
    (0u16..).zip(&port.rxqs).map(move |(queue, rxq)| RxqSnapshot {
        port: port.no,
        name: port.config.name.clone(),
        kind: port.config.kind.clone(),
        queue,
        core: rxq.core,
        pinned: port.config.rxq_affinity.get(&queue).is_some_and(|c| Some(*c) == rxq.core),
        is_pmd: port.is_pmd,
        enabled: true,
        cycles: rxq.load.cycles(),
        packets: rxq.load.packets(),
        misses: rxq.load.misses(),
    })
}

impl Engine {
    /// The threads by NUMA node and core and what they counted, the thread of injected packets last.
    #[must_use]
    pub fn pmd_snapshots(&self) -> Vec<PmdSnapshot> {
        let enabled = self.enabled_queues();
        let state = lock(&self.state);
        let mut all: Vec<RxqSnapshot> = state.ports.values().flat_map(queues).collect();
        for queue in &mut all {
            queue.enabled = enabled.get(&(queue.port, queue.queue)).is_none_or(|&on| on);
        }
        all.sort_by(|a, b| (&a.name, a.queue).cmp(&(&b.name, b.queue)));
        let isolates = state.tuning.isolates();
        let of = |core: u32| all.iter().filter(move |q| q.core == Some(core)).cloned();
        let threads = state.pmds.iter().map(|pmd| {
            let core = pmd.shared.core;
            PmdSnapshot {
                core: Some(core),
                numa: pmd.numa,
                thread_id: pmd.thread_id,
                age: pmd.started.elapsed(),
                isolated: isolates && of(core).any(|q| q.pinned),
                stats: pmd.shared.worker.counters.snapshot(),
                load: pmd.shared.load.snapshot(),
                rxqs: of(core).collect(),
                sleep_max_us: state.tuning.sleep_max_us_on(core),
            }
        });
        let mut snapshots: Vec<_> = threads.collect();
        snapshots.sort_by_key(|pmd| (pmd.numa, pmd.core));
        let stats = self.injector_shared.counters.snapshot();
        let age = self.started.elapsed();
        snapshots.push(PmdSnapshot { stats, age, ..PmdSnapshot::default() });
        snapshots
    }

    /// Whether guests let packets pass by their queues.
    fn enabled_queues(&self) -> BTreeMap<(PortNo, u16), bool> {
        let devices: Vec<_> = {
            let state = lock(&self.state);
            let device = |port: &Port| (port.no, port.rxqs.len() as u16, Arc::clone(&port.device));
            state.ports.values().map(device).collect()
        };
        let mut enabled = BTreeMap::new();
        for (no, n, device) in devices {
            if let Device::Vhost(vhost) = &*lock(&device) {
                enabled.extend((0..n).map(|queue| ((no, queue), vhost.is_rx_enabled(queue))));
            }
        }
        enabled
    }

    /// Dropped packets for each reason, all threads together.
    #[must_use]
    pub fn drops(&self) -> Vec<(DropReason, u64)> {
        let pmds = self.pmds();
        let workers = pmds.iter().map(|pmd| &pmd.shared.worker).chain([&self.injector_shared]);
        let total = |reason| workers.clone().map(|w| w.drops.get(reason)).sum();
        DropReason::ALL.iter().map(|&reason| (reason, total(reason))).collect()
    }
}
