//! The engine's PMD threads: starting, ending, dividing the receive queues among them, and what they
//! counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use weir_flow::{DropReason, PortNo};

use crate::engine::{Engine, EngineError, lock};
use crate::pmd::assign::{PmdSlot, QueueDemand, assign};
use crate::pmd::rxq::{INTERVALS, PolledQueue};
use crate::pmd::stats::PmdStats;
use crate::pmd::thread::{Pmd, PmdCommand};
use crate::worker::{Common, WorkerCommand};

/// A receive queue and its thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RxqSnapshot {
    /// Its port.
    pub port: PortNo,
    /// The port's name.
    pub name: String,
    /// Its number.
    pub queue: u16,
    /// The core it is polled on.
    pub core: Option<u32>,
    /// Whether it is tied to that core.
    pub pinned: bool,
    /// TSC cycles spent on its packets in the last minute.
    pub cycles: u64,
    /// Packets received.
    pub packets: u64,
}

/// A PMD thread and what it counted; the thread of injected packets has no core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PmdSnapshot {
    /// Its core.
    pub core: Option<u32>,
    /// The core's NUMA node.
    pub numa: i32,
    /// Its number among the threads ever started.
    pub thread_id: u32,
    /// Whether pinned queues keep others away.
    pub isolated: bool,
    /// Its counters.
    pub stats: PmdStats,
    /// Its queues.
    pub rxqs: Vec<RxqSnapshot>,
    /// Longest sleep in microseconds.
    pub sleep_max_us: u64,
}

/// The first core of each NUMA node that the process may run on.
fn default_cores() -> BTreeSet<u32> {
    let allowed = weir_dpdk::lcore::affinity();
    let mut first = BTreeMap::new();
    for cpu in weir_dpdk::lcore::cpus().iter().filter(|cpu| allowed.contains(&cpu.id)) {
        first.entry(cpu.node).or_insert(cpu.id as u32);
    }
    if first.is_empty() {
        first.insert(0, allowed.first().map_or(0, |&cpu| cpu as u32));
    }
    first.into_values().collect()
}

static NEXT_THREAD: AtomicU32 = AtomicU32::new(1);

impl Engine {
    /// Makes the PMD threads those of these cores (`other_config:pmd-cpu-mask`); an empty list is the
    /// first core of each NUMA node. Queues of threads that end move to others.
    ///
    /// # Errors
    /// A thread could not be started; those that could are there.
    pub fn set_pmd_cores(&self, cores: &[u32]) -> Result<(), EngineError> {
        let _changing = lock(&self.changing);
        let mut wanted: BTreeSet<u32> = cores.iter().copied().collect();
        if wanted.is_empty() {
            wanted = default_cores();
        }
        let old = self.pmds();
        if old.iter().map(|pmd| pmd.shared.core).eq(wanted.iter().copied()) {
            return Ok(());
        }
        let mut failed = Ok(());
        for &core in &wanted {
            if old.iter().any(|pmd| pmd.shared.core == core) {
                continue;
            }
            let thread_id = NEXT_THREAD.fetch_add(1, Ordering::Relaxed);
            let vlan_limit = lock(&self.state).vlan_limit;
            let common = Common { vlan_limit, ..self.common.clone() };
            match Pmd::start(core, thread_id, &common, &self.time) {
                Ok(pmd) => self.welcome(Arc::new(pmd)),
                Err(error) => failed = Err(EngineError::Thread { core, error }),
            }
        }
        let (gone, stay): (Vec<_>, Vec<_>) =
            self.pmds().into_iter().partition(|pmd| !wanted.contains(&pmd.shared.core));
        // Better the old threads than none.
        if !stay.is_empty() {
            lock(&self.state).pmds = stay;
            self.rebalance_from(&gone);
            for pmd in gone {
                self.dismiss(pmd);
            }
        }
        failed
    }

    /// Lets a new thread reach all ports.
    fn welcome(&self, pmd: Arc<Pmd>) {
        let mut state = lock(&self.state);
        let index = state.pmds.len() + 1;
        for port in state.ports.values() {
            if let Some(lane) = port.lane(index) {
                let attach = WorkerCommand::AttachTx(port.no, Arc::clone(lane));
                pmd.send(PmdCommand::Worker(attach));
            }
        }
        Self::tune_pmd(&pmd, &state.tuning);
        log::info!(target: "dpif_netdev", "PMD thread on numa_id: {}, core id: {:2} created.", pmd.numa, pmd.shared.core);
        state.pmds.push(pmd);
        state.pmds.sort_by_key(|pmd| pmd.shared.core);
    }

    /// Ends a thread that has no queues any more, and credits its megaflows' packets.
    fn dismiss(&self, pmd: Arc<Pmd>) {
        let (core, numa) = (pmd.shared.core, pmd.numa);
        let worker = Arc::clone(&pmd.shared.worker);
        // A visit under way holds it too: it ends with the visit.
        let mut registries = lock(&self.registries);
        pmd.stop();
        registries.bury(&worker);
        log::info!(target: "dpif_netdev", "PMD thread on numa_id: {numa}, core id: {core:2} destroyed.");
    }

    /// Divides all receive queues among the threads anew (`dpif-netdev/pmd-rxq-rebalance`).
    pub fn rebalance_rxqs(&self) {
        let _changing = lock(&self.changing);
        self.rebalance();
    }

    pub(crate) fn rebalance(&self) {
        self.rebalance_from(&[]);
    }

    /// All receive queues in order of their ports: what they demand and where they are.
    fn demands(&self) -> Vec<(PortNo, u16, QueueDemand, Option<u32>)> {
        let state = lock(&self.state);
        let queues = state.ports.values().flat_map(|port| {
            (0u16..).zip(&port.rxqs).map(|(queue, (load, core))| {
                let pinned = port.config.rxq_affinity.get(&queue).copied();
                let cycles = load.cycles(INTERVALS);
                (port.no, queue, QueueDemand { numa: port.numa, cycles, pinned }, *core)
            })
        });
        queues.collect()
    }

    fn plan(&self, demands: &[QueueDemand]) -> Vec<Option<u32>> {
        let state = lock(&self.state);
        let slot = |pmd: &Arc<Pmd>| PmdSlot { core: pmd.shared.core, numa: pmd.numa };
        let slots: Vec<_> = state.pmds.iter().map(slot).collect();
        assign(demands, &slots, state.tuning.rxq_assign, state.tuning.rxq_isolate)
    }

    /// Where the queues of a new port go.
    pub(crate) fn places_for(&self, no: PortNo) -> Vec<Option<u32>> {
        let demands = self.demands();
        let plain: Vec<_> = demands
            .iter()
            .map(|(port, _, demand, core)| {
                // The others are where they are.
                let stays = (*port != no).then_some(*core).flatten();
                QueueDemand { pinned: demand.pinned.or(stays), ..*demand }
            })
            .collect();
        let state = lock(&self.state);
        let slot = |pmd: &Arc<Pmd>| PmdSlot { core: pmd.shared.core, numa: pmd.numa };
        let slots: Vec<_> = state.pmds.iter().map(slot).collect();
        let tied: BTreeSet<u32> = demands.iter().filter_map(|(_, _, d, _)| d.pinned).collect();
        let isolate = state.tuning.rxq_isolate;
        let free: Vec<_> =
            slots.iter().copied().filter(|s| !isolate || !tied.contains(&s.core)).collect();
        let slots = if free.is_empty() || plain.iter().all(|d| d.pinned.is_some()) {
            slots
        } else {
            // Pinned ones keep their place whatever the list.
            free
        };
        let places = assign(&plain, &slots, crate::pmd::assign::Algorithm::Group, false);
        let mine = demands.iter().zip(places).filter(|((port, ..), _)| *port == no);
        mine.map(|((_, _, demand, _), place)| demand.pinned.or(place)).collect()
    }

    /// Moves each queue to where it should be; `gone` are threads that may still have some.
    fn rebalance_from(&self, gone: &[Arc<Pmd>]) {
        let demands = self.demands();
        let plan = self.plan(&demands.iter().map(|d| d.2).collect::<Vec<_>>());
        let pmds = self.pmds();
        for ((port, queue, _, from), to) in demands.into_iter().zip(plan) {
            if to.is_none() || from == to {
                continue;
            }
            let holder = pmds.iter().chain(gone).find(|pmd| Some(pmd.shared.core) == from);
            let Some(rx) = holder.and_then(|pmd| pmd.detach_rx(port, queue)) else {
                continue;
            };
            let known = {
                let state = lock(&self.state);
                state.ports.get(&port).and_then(|p| {
                    let (load, _) = p.rxqs.get(usize::from(queue))?;
                    Some((Arc::clone(load), !p.config.emc_disabled))
                })
            };
            if let Some((load, use_emc)) = known {
                self.give_queue(PolledQueue::new(rx, port, queue, use_emc, load), to);
            }
        }
    }

    /// The threads and what they counted, the thread of injected packets last.
    #[must_use]
    pub fn pmd_snapshots(&self) -> Vec<PmdSnapshot> {
        let state = lock(&self.state);
        let queues: Vec<RxqSnapshot> = state
            .ports
            .values()
            .flat_map(|port| {
                (0u16..).zip(&port.rxqs).map(|(queue, (load, core))| RxqSnapshot {
                    port: port.no,
                    name: port.config.name.clone(),
                    queue,
                    core: *core,
                    pinned: port.config.rxq_affinity.get(&queue).is_some_and(|c| Some(*c) == *core),
                    cycles: load.cycles(INTERVALS),
                    packets: load.packets(),
                })
            })
            .collect();
        let of = |core: u32| queues.iter().filter(move |q| q.core == Some(core)).cloned();
        let mut snapshots: Vec<_> = state
            .pmds
            .iter()
            .map(|pmd| {
                let core = pmd.shared.core;
                let tuning = &state.tuning;
                PmdSnapshot {
                    core: Some(core),
                    numa: pmd.numa,
                    thread_id: pmd.thread_id,
                    isolated: tuning.rxq_isolate && of(core).any(|q| q.pinned),
                    stats: pmd.shared.worker.counters.snapshot(),
                    rxqs: of(core).collect(),
                    sleep_max_us: *tuning
                        .sleep_max_us_of
                        .get(&core)
                        .unwrap_or(&tuning.sleep_max_us),
                }
            })
            .collect();
        snapshots.push(PmdSnapshot {
            core: None,
            numa: 0,
            thread_id: 0,
            isolated: false,
            stats: self.injector_shared.counters.snapshot(),
            rxqs: Vec::new(),
            sleep_max_us: 0,
        });
        snapshots
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
