//! The engine's receive queues: which thread polls which, and moving them. A queue that nobody may poll
//! is parked here.

use std::sync::Arc;

use weir_flow::PortNo;

use crate::engine::{Engine, lock};
use crate::pmd::assign::{Host, PmdSlot, QueueDemand, assign, settle};
use crate::pmd::rxq::{PolledQueue, RxqLoad};
use crate::pmd::thread::{Pmd, PmdCommand};
use crate::port::rx::Rx;

/// A receive queue of a port.
#[derive(Debug)]
pub(crate) struct Rxq {
    pub(crate) load: Arc<RxqLoad>,
    /// The core it is polled on.
    pub(crate) core: Option<u32>,
    /// Whether a place for it was looked for.
    is_placed: bool,
    /// The queue itself, while no thread has it.
    parked: Option<PolledQueue>,
}

impl Rxq {
    /// A queue that waits for its thread.
    pub(crate) fn parked(rx: Rx, port: PortNo, queue: u16, load: Arc<RxqLoad>) -> Self {
        let parked = Some(PolledQueue::new(rx, port, queue, true, Arc::clone(&load)));
        Self { load, core: None, is_placed: false, parked }
    }
}

/// A queue and what matters for its place.
#[derive(Clone, Debug)]
pub(crate) struct Demand {
    pub(crate) port: PortNo,
    pub(crate) name: String,
    pub(crate) queue: u16,
    /// Its port's NUMA node, lately used cycles, and the core it is tied to if that has a thread.
    pub(crate) demand: QueueDemand,
    /// Where it is.
    pub(crate) core: Option<u32>,
    /// Whether Open vSwitch would have PMD threads poll it.
    pub(crate) is_pmd: bool,
    /// A core it is to be tied to that has no thread.
    pub(crate) missing: Option<u32>,
    /// Whether a place for it was looked for before.
    pub(crate) is_placed: bool,
}

impl Demand {
    /// Is it one of those that the assignment is about?
    pub(crate) fn is_assigned(&self) -> bool {
        self.is_pmd || self.demand.pinned.is_some()
    }
}

impl Engine {
    /// All receive queues, in the order of their ports.
    pub(crate) fn demands(&self) -> Vec<Demand> {
        let state = lock(&self.state);
        let has_thread = |core: &u32| state.pmds.iter().any(|pmd| pmd.shared.core == *core);
        let queues = state.ports.values().flat_map(|port| {
            (0u16..).zip(&port.rxqs).map(move |(queue, rxq)| {
                let wanted = port.config.rxq_affinity.get(&queue).copied();
                let cycles = rxq.load.cycles().iter().sum();
                Demand {
                    port: port.no,
                    name: port.config.name.clone(),
                    queue,
                    demand: QueueDemand {
                        numa: port.numa,
                        cycles,
                        pinned: wanted.filter(has_thread),
                    },
                    core: rxq.core,
                    is_pmd: port.is_pmd,
                    missing: wanted.filter(|core| !has_thread(core)),
                    is_placed: rxq.is_placed,
                }
            })
        });
        queues.collect()
    }

    /// The threads as places for queues.
    pub(crate) fn slots(&self) -> Vec<PmdSlot> {
        let slot = |pmd: &Arc<Pmd>| PmdSlot { core: pmd.shared.core, numa: pmd.numa };
        lock(&self.state).pmds.iter().map(slot).collect()
    }

    /// Divides all receive queues among the threads anew (`dpif-netdev/pmd-rxq-rebalance`).
    pub fn rebalance_rxqs(&self) {
        let _changing = lock(&self.changing);
        self.rebalance_from(&[], true);
    }

    /// Gives each queue to the thread that should poll it. Those that any thread can serve stay where
    /// they are if they can.
    pub(crate) fn rebalance(&self) {
        self.rebalance_from(&[], false);
    }

    /// The same; `gone` are threads that may still have some. With `all`, no queue has a right to its
    /// place.
    pub(crate) fn rebalance_from(&self, gone: &[Arc<Pmd>], all: bool) {
        let slots = self.slots();
        if slots.is_empty() {
            return;
        }
        let demands = self.demands();
        let places = self.plan(&demands, &slots, all);
        self.say_assignment(&demands, &places, &slots, all);
        self.move_queues(gone, &demands, &places);
    }

    /// Where each queue should be.
    fn plan(&self, demands: &[Demand], slots: &[PmdSlot], all: bool) -> Vec<Option<u32>> {
        let (algorithm, isolates) = {
            let tuning = &lock(&self.state).tuning;
            (tuning.rxq_assign, tuning.isolates())
        };
        let (assigned, rest): (Vec<_>, Vec<_>) =
            (0..demands.len()).partition(|&i| demands.get(i).is_some_and(Demand::is_assigned));
        let of = |i: &usize| demands.get(*i);
        let queues: Vec<QueueDemand> = assigned.iter().filter_map(of).map(|d| d.demand).collect();
        let chosen = assign(&queues, slots, algorithm, isolates);
        let host = |slot: &PmdSlot| {
            let mine = || queues.iter().zip(&chosen).filter(|(_, at)| **at == Some(slot.core));
            Host {
                core: slot.core,
                isolated: isolates && queues.iter().any(|q| q.pinned == Some(slot.core)),
                cycles: mine().map(|(queue, _)| queue.cycles).sum(),
                queues: mine().count(),
            }
        };
        let hosts: Vec<Host> = slots.iter().map(host).collect();
        let at = |d: &Demand| (d.core.filter(|_| !all), d.demand.cycles);
        let homeless: Vec<_> = rest.iter().filter_map(of).map(at).collect();
        let settled = settle(&homeless, &hosts);
        let mut places = vec![None; demands.len()];
        for (index, place) in assigned.into_iter().zip(chosen).chain(rest.into_iter().zip(settled))
        {
            if let Some(slot) = places.get_mut(index) {
                *slot = place;
            }
        }
        places
    }

    /// Moves the queues that are not where they should be: all are asked for first, so that each
    /// thread is waited for once.
    fn move_queues(&self, gone: &[Arc<Pmd>], demands: &[Demand], places: &[Option<u32>]) {
        let pmds = self.pmds();
        let holder = |core: Option<u32>| {
            pmds.iter().chain(gone).find(|pmd| core.is_some() && Some(pmd.shared.core) == core)
        };
        let moves: Vec<_> = demands
            .iter()
            .zip(places)
            .filter(|(demand, to)| demand.core != **to || !demand.is_placed)
            .map(|(d, to)| (d, *to, holder(d.core).map(|pmd| pmd.ask_for_rx(d.port, d.queue))))
            .collect();
        for (demand, to, wait) in moves {
            let given = wait.and_then(|wait| wait.recv().ok().flatten());
            let queue = given.or_else(|| self.unpark(demand.port, demand.queue));
            if let Some(queue) = queue {
                self.give_queue(queue, to);
            }
        }
    }

    fn unpark(&self, port: PortNo, queue: u16) -> Option<PolledQueue> {
        let mut state = lock(&self.state);
        state.ports.get_mut(&port)?.rxqs.get_mut(usize::from(queue))?.parked.take()
    }

    /// Hands a queue to the thread of a core, or parks it.
    fn give_queue(&self, mut queue: PolledQueue, core: Option<u32>) {
        let mut state = lock(&self.state);
        let pmd = state.pmds.iter().find(|pmd| Some(pmd.shared.core) == core).map(Arc::clone);
        let Some(port) = state.ports.get_mut(&queue.port) else {
            return;
        };
        queue.use_emc = !port.config.emc_disabled;
        let Some(rxq) = port.rxqs.get_mut(usize::from(queue.queue)) else {
            return;
        };
        rxq.core = pmd.as_ref().map(|pmd| pmd.shared.core);
        rxq.is_placed = true;
        match pmd {
            Some(pmd) => pmd.send(PmdCommand::AttachRx(Box::new(queue))),
            None => rxq.parked = Some(queue),
        }
    }

    /// Takes a port's queues back from their threads and frees them. Other queues stay where they are.
    pub(crate) fn release_queues(&self, no: PortNo, rxqs: Vec<Rxq>) {
        let pmds = self.pmds();
        let waits: Vec<_> = (0u16..)
            .zip(&rxqs)
            .filter_map(|(queue, rxq)| {
                let pmd = pmds.iter().find(|pmd| Some(pmd.shared.core) == rxq.core)?;
                Some(pmd.ask_for_rx(no, queue))
            })
            .collect();
        for wait in waits {
            drop(wait.recv());
        }
    }
}
