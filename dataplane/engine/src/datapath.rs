//! [`Datapath`] for the engine: visiting megaflows, injecting packets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crossbeam::channel::Receiver;
use weir_dpdk::Mbuf;
use weir_flow::action::Actions;
use weir_flow::slowpath::{Datapath, MegaflowView, PortCounters, Revalidation};
use weir_flow::{DropReason, Flow, PortNo};

use crate::engine::{Engine, lock};
use crate::exec::run::Moment;
use crate::megaflow::entry::give_credit;
use crate::pmd::thread::{Pmd, PmdCommand};
use crate::registry::Registry;
use crate::worker::{WorkerCommand, WorkerShared};

/// Megaflows taken out by one command: a PMD thread makes many such between bursts.
const REMOVALS_AT_ONCE: usize = 32;
/// A PMD thread that does not answer for so long is not waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The registries of all threads, by their place in memory; and threads that are gone, until their
/// last events were read.
#[derive(Debug, Default)]
pub(crate) struct Registries {
    of: BTreeMap<usize, (Arc<WorkerShared>, Registry)>,
}

impl Registries {
    /// Reads the events of a thread.
    fn follow(&mut self, shared: &Arc<WorkerShared>) -> &mut Registry {
        let key = Arc::as_ptr(shared).addr();
        let (_, registry) =
            self.of.entry(key).or_insert_with(|| (Arc::clone(shared), Registry::default()));
        // Only what is there now: a busy thread adds more.
        for _ in 0..shared.events.len() {
            if let Some(event) = shared.events.pop() {
                registry.apply(event);
            }
        }
        registry
    }

    /// Reads the last events of threads that are gone and forgets them.
    pub(crate) fn bury(&mut self, shared: &Arc<WorkerShared>) {
        self.follow(shared);
        self.of.remove(&Arc::as_ptr(shared).addr());
    }
}

fn wait_all(waits: Vec<Receiver<()>>) {
    for wait in waits {
        if wait.recv_timeout(PATIENCE).is_err() {
            log::warn!(target: "dpif_netdev", "a PMD thread does not answer");
        }
    }
}

fn sync(pmds: &[Arc<Pmd>]) {
    wait_all(pmds.iter().map(|pmd| pmd.sync()).collect());
}

impl Engine {
    /// Visits the megaflows of one thread. Changes are handed to `send`.
    fn visit_one(
        registry: &mut Registry,
        core: Option<u32>,
        visitor: &mut dyn FnMut(&MegaflowView<'_>) -> Revalidation,
        mut send: impl FnMut(WorkerCommand),
    ) {
        let mut doomed = Vec::new();
        for record in registry.records() {
            let key = record.flow.key();
            match visitor(&record.view(core, &key)) {
                Revalidation::Keep { credited } => record.credited = credited,
                Revalidation::Delete => {
                    doomed.push(Arc::clone(&record.flow));
                    if doomed.len() == REMOVALS_AT_ONCE {
                        send(WorkerCommand::Remove(std::mem::take(&mut doomed)));
                    }
                }
                Revalidation::Replace(translation) => {
                    send(WorkerCommand::Replace(Arc::clone(&record.flow), translation));
                }
            }
        }
        if !doomed.is_empty() {
            send(WorkerCommand::Remove(doomed));
        }
    }

    /// Passes the statistics of all megaflows on to whom they belong.
    pub fn credit_all(&self) {
        self.visit(&mut |view| {
            give_credit(view.credit, &view.credited, &view.stats);
            Revalidation::Keep { credited: view.stats }
        });
    }

    /// Takes all megaflows out, crediting their last packets.
    pub fn flush_flows(&self) {
        self.visit(&mut |_| Revalidation::Delete);
    }
}

impl Datapath for Engine {
    /// Every megaflow whose translation began before the call is visited; when it returns, the
    /// deletions and replacements are done and their last packets credited.
    fn visit(&self, visitor: &mut dyn FnMut(&MegaflowView<'_>) -> Revalidation) {
        let mut registries = lock(&self.registries);
        let pmds = self.pmds();
        sync(&pmds);
        for pmd in &pmds {
            let registry = registries.follow(&pmd.shared.worker);
            let core = Some(pmd.shared.core);
            Self::visit_one(registry, core, visitor, |c| pmd.send(PmdCommand::Worker(c)));
        }
        // Not while the visitor runs, who may want to inject.
        let mut commands = Vec::new();
        {
            // Whoever injects now has the lock; wait for the end of it.
            drop(lock(&self.injector));
            let registry = registries.follow(&self.injector_shared);
            Self::visit_one(registry, None, visitor, |c| commands.push(c));
        }
        if !commands.is_empty() {
            let mut injector = lock(&self.injector);
            commands.into_iter().for_each(|command| injector.apply(command));
        }
        sync(&pmds);
        for pmd in &pmds {
            registries.follow(&pmd.shared.worker);
        }
        registries.follow(&self.injector_shared);
    }

    fn n_flows(&self) -> usize {
        self.common.flows.get()
    }

    /// On the calling thread, so that the packets of one caller keep their order.
    fn execute(&self, packet: &[u8], key: &Flow, actions: &Actions) {
        let guard = weir_rcu::pin();
        let moment = Moment { guard: &guard, now_ms: self.time.now_ms() };
        let mut injector = lock(&self.injector);
        match Mbuf::from_bytes(&self.pool, packet) {
            Some(mbuf) => injector.execute(mbuf, key, actions, moment),
            None => injector.shared.drops.add(DropReason::NoBuffer, 1),
        }
    }

    fn port_counters(&self, port: PortNo) -> Option<PortCounters> {
        let s = self.port_stats(port)?;
        Some(PortCounters {
            rx_packets: s.rx_packets,
            tx_packets: s.tx_packets,
            rx_bytes: s.rx_bytes,
            tx_bytes: s.tx_bytes,
            rx_dropped: s.rx_dropped,
            tx_dropped: s.tx_dropped,
            rx_errors: s.rx_errors,
            tx_errors: s.tx_errors,
            rx_frame_err: s.rx_frame_errors,
            rx_over_err: s.rx_over_errors,
            rx_crc_err: s.rx_crc_errors,
            collisions: s.collisions,
        })
    }

    fn set_port_up(&self, port: PortNo, up: bool) {
        // A port that is gone meanwhile is as far down as can be.
        let _ = Self::set_port_up(self, port, up);
    }

    fn port_is_up(&self, port: PortNo) -> bool {
        let device = {
            let state = lock(&self.state);
            match state.ports.get(&port) {
                Some(port) if port.up => Arc::clone(&port.device),
                _ => return false,
            }
        };
        lock(&device).link().up
    }
}
