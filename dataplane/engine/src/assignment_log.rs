//! What the log says of an assignment of receive queues, in Open vSwitch's words.

use crate::engine::{Engine, lock};
use crate::pmd::assign::{Algorithm, PmdSlot};
use crate::rxq_table::Demand;

impl Engine {
    /// Says where queues go: those that move, or with `all` each of them. Queues that OVS's main
    /// thread would poll are nobody's news.
    pub(crate) fn say_assignment(
        &self,
        demands: &[Demand],
        places: &[Option<u32>],
        slots: &[PmdSlot],
        all: bool,
    ) {
        let algorithm = lock(&self.state).tuning.rxq_assign;
        let mut said = false;
        for (demand, place) in demands.iter().zip(places).filter(|(d, _)| d.is_assigned()) {
            if !all && demand.core == *place && demand.is_placed {
                continue;
            }
            if !std::mem::replace(&mut said, true) {
                let name = algorithm.name();
                log::info!(target: "dpif_netdev", "Performing pmd to rx queue assignment using {name} algorithm.");
            }
            say_one(demand, *place, slots, algorithm);
        }
    }
}

fn say_one(demand: &Demand, place: Option<u32>, slots: &[PmdSlot], algorithm: Algorithm) {
    let (name, queue, numa) = (&demand.name, demand.queue, demand.demand.numa);
    let cycles = match algorithm {
        Algorithm::RoundRobin => String::new(),
        _ => format!(" (measured processing cycles {})", demand.demand.cycles),
    };
    if let Some(core) = demand.missing {
        log::warn!(
            target: "dpif_netdev",
            "Core {core:2} cannot be pinned with port '{name}' rx queue {queue}. Use pmd-cpu-mask to \
             enable a pmd on core {core}. An alternative core will be assigned."
        );
    }
    let Some(slot) = slots.iter().find(|slot| Some(slot.core) == place) else {
        log::warn!(
            target: "dpif_netdev",
            "No non-isolated pmd on any numa available for port '{name}' rx queue {queue}{cycles}. \
             This rx queue will not be polled."
        );
        return;
    };
    let PmdSlot { core, numa: node } = *slot;
    if demand.demand.pinned.is_some() {
        log::info!(
            target: "dpif_netdev",
            "Core {core:2} on numa node {node} is pinned with port '{name}' rx queue {queue}{cycles}"
        );
        return;
    }
    if node != numa {
        log::info!(
            target: "dpif_netdev",
            "There's no available (non-isolated) pmd thread on numa node {numa}. Port '{name}' rx \
             queue {queue} will be assigned to a pmd on numa node {node}. This may lead to reduced \
             performance."
        );
    }
    log::info!(
        target: "dpif_netdev",
        "Core {core:2} on numa node {node} assigned port '{name}' rx queue {queue}{cycles}."
    );
}
